#!/usr/bin/env bash
# Make sure of the fonts on the pictures of the page: one that looks like what people have, emoji.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/apt.sh

wanted=()
[ -n "$(fc-list Inter 2>/dev/null)" ] || wanted+=(fonts-inter)
[ -n "$(fc-list :lang=und-zsye 2>/dev/null)" ] || wanted+=(fonts-noto-color-emoji)
[ ${#wanted[@]} = 0 ] || apt_install 'pictures of the page' "${wanted[@]}"
