# SPDX-License-Identifier: MIT
# What ci/test.sh and ci/demo.sh share: where things are, and how what is missing gets installed.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=$root/.cache

say() { printf '\n== %s\n' "$*"; }
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# install PACKAGE...: Debian packages that are not there yet. Elsewhere it says what is needed.
install() {
    local missing=()
    if ! command -v apt-get >/dev/null; then
        if command -v brew >/dev/null; then
            brew install --quiet cmake ninja pkg-config libuv cjson cmocka
            return
        fi
        echo "(no apt-get here: please see that these or their like are installed: $*)"
        return
    fi
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    local sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "installing: ${missing[*]}"
    if ! DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q "${missing[@]}" >/tmp/mproc-apt.log 2>&1; then
        $sudo apt-get update -q >/tmp/mproc-apt.log 2>&1
        DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q "${missing[@]}" >>/tmp/mproc-apt.log 2>&1 ||
            { tail -20 /tmp/mproc-apt.log; fail "apt-get could not install: ${missing[*]}"; }
    fi
}

base_packages=(gcc cmake ninja-build pkg-config libuv1-dev libcjson-dev)
