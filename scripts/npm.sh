#!/usr/bin/env bash
# Installs the npm packages of a folder: npm.sh FOLDER [OPTION OF NPM...]. FOLDER is absolute, or as
# seen from the root of the repository. Does nothing when that is done already.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/node.sh

have_node || { echo "$1 needs $NODE_NEEDED: see https://nodejs.org" >&2; exit 1; }
cd "$1"
# Several test processes may come here at once.
one_at_a_time package-lock.json
install_packages "${@:2}" >&2
