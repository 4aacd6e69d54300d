#!/usr/bin/env bash
# Bring .venv to what requirements.lock says. Quick when there is nothing to do.
#   scripts/setup.sh        what `allibe` runs on
#   scripts/setup.sh dev    and what tests and checks need
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/apt.sh

want=${1:-run}
stamp=.venv/.stamp-$want
fingerprint=$(cat requirements.lock pyproject.toml scripts/setup.sh | sha256sum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$fingerprint" ] && exit 0

find_python() {
    for candidate in python3.11 python3.12 python3.13 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "setup: Python 3.11 or newer is needed" >&2
    exit 1
}

# Half of one, left by a Ctrl-C, has a python and no whole pip.
unfinished=.venv/.unfinished

make_venv() {
    local python=$1
    echo "setup: making .venv" >&2
    rm -rf .venv
    mkdir .venv
    touch "$unfinished"
    if ! "$python" -m venv .venv >/dev/null 2>&1; then
        # Debian splits venv from Python.
        apt_install setup python3-venv
        "$python" -m venv .venv
    fi
    rm "$unfinished"
}

[ -x .venv/bin/python ] && [ ! -e "$unfinished" ] || make_venv "$(find_python)"
echo "setup: installing Python packages ($want) into .venv" >&2

lock=$(mktemp)
trap 'rm -f "$lock"' EXIT
if [ "$want" = dev ]; then cp requirements.lock "$lock"; else sed '/^# development/,$d' requirements.lock >"$lock"; fi
pip="env PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip"
pinned() { awk -v start="^$1==" '/^[^ ]/ { on = $0 ~ start } on' "$lock"; }
# http-ece comes as source. Left to itself, pip builds it with whatever setuptools is newest today.
$pip install --quiet --no-deps --require-hashes --requirement <(pinned setuptools)
$pip install --quiet --no-deps --require-hashes --no-build-isolation --use-pep517 \
    --requirement <(pinned http-ece)
# The lock is complete. Left to look for itself, pip before 23.3 takes the newest `coverage[toml]`
# for pytest-cov, and then misses its hash.
$pip install --quiet --no-deps --require-hashes --requirement "$lock"
$pip install --quiet --no-deps --no-build-isolation --editable .
echo "$fingerprint" >"$stamp"
[ "$want" = dev ] && echo "$fingerprint" >.venv/.stamp-run
exit 0
