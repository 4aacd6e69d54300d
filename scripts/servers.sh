#!/usr/bin/env bash
# Make sure of the programs that deploy/cluster/servers starts for the tests and the local cluster:
# RabbitMQ, PostgreSQL, Redis, HAProxy, nginx, Prometheus; and of faketime, by which clocks differ
# in tests/chaos. Quick when they are there.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/apt.sh

system=${SERVERS_SYSTEM:-} # the tests of this script have a system of their own
policy=$system/usr/sbin/policy-rc.d
saved=$policy.before-allibe

wanted=()
[ -x "$system/usr/lib/rabbitmq/bin/rabbitmq-server" ] || wanted+=(rabbitmq-server)
compgen -G "$system/usr/lib/postgresql/*/bin/initdb" >/dev/null || wanted+=(postgresql)
[ -x "$system/usr/bin/redis-server" ] || wanted+=(redis-server)
[ -x "$system/usr/sbin/haproxy" ] || wanted+=(haproxy)
[ -x "$system/usr/sbin/nginx" ] || wanted+=(nginx)
[ -x "$system/usr/bin/prometheus" ] || wanted+=(prometheus)
[ -x "$system/usr/bin/faketime" ] || wanted+=(faketime)
[ ${#wanted[@]} != 0 ] || exit 0

# Debian starts what it installs, on the ports of everybody, unless this program forbids it.
forbid_starts() {
    [ ! -e "$policy" ] || grep -q scripts/servers.sh "$policy" || mv "$policy" "$saved"
    printf '#!/bin/sh\n# scripts/servers.sh is at work, or was killed: remove this.\nexit 101\n' >"$policy"
    chmod +x "$policy"
}

allow_starts() {
    rm -f "$policy"
    [ ! -e "$saved" ] || mv "$saved" "$policy"
}

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    # Two at once would take each other's policy for the system's.
    exec 9<scripts/servers.sh
    ! command -v flock >/dev/null || flock 9
    trap allow_starts EXIT
    trap 'exit 130' INT TERM HUP
    forbid_starts
fi
apt_install 'private servers' "${wanted[@]}" 9<&-
# Nor do they start with the machine; who wants that installs them without us.
if command -v systemctl >/dev/null; then
    systemctl disable --quiet "${wanted[@]}" 2>/dev/null || true
fi
