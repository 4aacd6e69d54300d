#!/usr/bin/env bash
# Bring web/ to what its sources say. Quick when there is nothing to do.
#   scripts/web.sh packages   what checks and the formatter need
#   scripts/web.sh page       and the built page, which the server and the tests need
#   scripts/web.sh run        as page; but where it cannot be built, one line says so, and all is well
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/node.sh

mode=${1:-page}
log=$PWD/.cache/web.log
stamp=$PWD/.cache/web-page
built=(rooms-api/allibe_rooms_api/page/index.html web/client/dist/index.js web/react/dist/index.js)

# Of all that goes into the page: names and contents.
fingerprint() {
    cd web
    find . \( -name node_modules -o -name dist -o -name tests \) -prune -o \
        -type f ! -name '*.md' ! -name '*.tsbuildinfo' -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
}

is_built() {
    local file
    for file in "${built[@]}"; do
        [ -f "$file" ] || return
    done
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]
}

build() {
    rm -f "$stamp"
    # TypeScript takes what it has built before for there still.
    [ -d web/client/dist ] && [ -d web/react/dist ] || rm -f web/*/*.tsbuildinfo
    (cd web && install_packages "${npm_options[@]}" && npm run build 9<&-) && echo "$wanted" >"$stamp"
}

# Without a network, `make run` should know in seconds; npm's own patience is minutes.
npm_options=()
[ "$mode" != run ] || npm_options=(--fetch-retries=1 --fetch-retry-mintimeout=500 --fetch-timeout=20000)

give_up() {
    echo "web: the page at / $1; everything else runs without it" >&2
    exit 0
}

if [ "$mode" != packages ]; then
    wanted=$(fingerprint)
    is_built && exit 0
fi
if ! have_node; then
    [ "$mode" = run ] && give_up "needs $NODE_NEEDED"
    echo "web: needs $NODE_NEEDED: see https://nodejs.org" >&2
    exit 1
fi

one_at_a_time web/package-lock.json
if [ "$mode" = packages ]; then
    cd web && install_packages >&2
    exit
fi
is_built && exit 0
echo "web: building the page" >&2
mkdir -p .cache
build >"$log" 2>&1 && exit 0
[ "$mode" = run ] && give_up "could not be built (why: .cache/web.log)"
cat "$log" >&2
exit 1
