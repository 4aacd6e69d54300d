#!/bin/sh
# Installs the Node side of the end-to-end tests; does nothing when that is done already.
# `make test` and tests/e2e/test_stompjs.py both call it.
set -eu
cd "$(dirname "$0")"

major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
if [ "${major:-0}" -lt 20 ] || ! command -v npm >/dev/null; then
    echo "tests/e2e needs Node 20 or later with npm: see https://nodejs.org, or apt install nodejs npm" >&2
    exit 1
fi

wanted=$(cat package.json package-lock.json | sha256sum | cut -d ' ' -f 1)
stamp=node_modules/.installed
# One at a time: several test processes may come here at once.
exec 9<package-lock.json
command -v flock >/dev/null && flock 9
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
npm ci --no-audit --no-fund --loglevel=error >&2
echo "$wanted" >"$stamp"
