#!/usr/bin/env bash
# Make sure of a browser for the tests of the page, and of a font with Korean in it.
# fonts-nanum is a fifth of fonts-noto-cjk; any other font that knows Korean does as well.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/apt.sh

wanted=()
command -v chromium >/dev/null || wanted+=(chromium)
command -v fc-list >/dev/null || wanted+=(fontconfig)
[ -n "$(fc-list :lang=ko 2>/dev/null)" ] || wanted+=(fonts-nanum)
[ ${#wanted[@]} = 0 ] || apt_install 'browser tests' "${wanted[@]}"
