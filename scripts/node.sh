# To be sourced by scripts that need Node and packages of npm's.

NODE_NEEDED='Node 20.19 or later with npm'

# have_node: is there one that everything here runs on?
have_node() {
    local major minor
    command -v npm >/dev/null || return
    IFS=. read -r major minor _ < <(node --version 2>/dev/null | tr -d v)
    ((${major:-0} > 20 || (${major:-0} == 20 && ${minor:-0} >= 19)))
}

# one_at_a_time FILE: wait until no other process is here; until the end of this one.
one_at_a_time() {
    exec 9<"$1"
    ! command -v flock >/dev/null || flock 9
}

# install_packages [OPTION...]: bring node_modules here to what package-lock.json says.
install_packages() {
    local stamp=node_modules/.installed wanted
    shopt -s nullglob
    wanted=$(cat package.json */package.json package-lock.json | sha256sum)
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    # It removes node_modules first, and the stamp with it. The lock's hashes make old bytes good ones.
    npm ci --prefer-offline --no-audit --no-fund --loglevel=error "$@" 9<&- && echo "$wanted" >"$stamp"
}
