#!/usr/bin/env bash
# Installs what custom resources are checked with; does nothing when that is done already.
# `make test` and tests/unit/deployment/test_custom_resources.py both call it.
set -euo pipefail
cd "$(dirname "$0")"
. ../../../../scripts/node.sh

have_node || { echo "tests/unit/deployment needs $NODE_NEEDED: see https://nodejs.org" >&2; exit 1; }
# Several test processes may come here at once.
one_at_a_time package-lock.json
install_packages --ignore-scripts >&2
