#!/usr/bin/env bash
# Installs the Socket.IO that the benchmark measures; does nothing when that is done already.
set -euo pipefail
cd "$(dirname "$0")"
. ../../../scripts/node.sh

have_node || { echo "Socket.IO needs $NODE_NEEDED: see https://nodejs.org" >&2; exit 1; }
one_at_a_time package-lock.json
install_packages >&2
