#!/usr/bin/env bash
# Ask for known vulnerabilities of what the locks pin: scripts/audit.py says what comes of it.
# pip-audit has an environment of its own, from a lock of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/node.sh

have_node || { echo "audit: needs $NODE_NEEDED: see https://nodejs.org" >&2; exit 2; }
stamp=.cache/audit/.stamp
fingerprint=$(sha256sum <scripts/audit.lock)
if [ "$(cat "$stamp" 2>/dev/null)" != "$fingerprint" ]; then
    .venv/bin/python -m venv --clear .cache/audit
    PIP_DISABLE_PIP_VERSION_CHECK=1 .cache/audit/bin/python -m pip install --quiet \
        --no-deps --require-hashes --requirement scripts/audit.lock
    echo "$fingerprint" >"$stamp"
fi
PATH="$PWD/.cache/audit/bin:$PATH" exec .venv/bin/python -m scripts.audit
