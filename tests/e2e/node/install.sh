#!/usr/bin/env bash
# Installs the Node side of the end-to-end tests; does nothing when that is done already.
# `make test` and tests/e2e/test_stompjs.py both call it.
set -euo pipefail
cd "$(dirname "$0")"
. ../../../scripts/node.sh

have_node || { echo "tests/e2e needs $NODE_NEEDED: see https://nodejs.org" >&2; exit 1; }
# Several test processes may come here at once.
one_at_a_time package-lock.json
install_packages >&2
