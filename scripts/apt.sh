# To be sourced by scripts that need Debian packages.

# apt_install WHO PACKAGE...: install them, or say in one line that they are missing.
apt_install() {
    local who=$1
    shift
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "$who: needs what Debian calls $*: apt-get install $*" >&2
        return 1
    fi
    echo "$who: installing $*" >&2
    # A fresh machine has no lists yet; another apt may be at work.
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >/dev/null
}
