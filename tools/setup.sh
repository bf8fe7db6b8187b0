# Sourced by the two commands of README.md: finds Meson, and installs what is missing of the distribution's packages.

build_packages="gcc libc6-dev meson ninja-build pkg-config libcjson-dev libdnnl-dev zlib1g-dev libsqlite3-dev"
test_packages="$build_packages clang clang-format libclang-rt-14-dev libomp-14-dev libcmocka-dev groff-base"

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif ! command -v sudo >/dev/null; then
        echo "To install packages run this as root, or install sudo." >&2
        return 1
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

is_installed() {
    dpkg-query --show --showformat='${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'
}

# need_packages NAME...: touches nothing if all are there.
need_packages() {
    if ! command -v dpkg-query >/dev/null; then
        echo "This is no Debian; what Debian calls by these names has to be there: $*"
        return 0
    fi
    missing=""
    for package in "$@"; do
        is_installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "Installing the missing packages:$missing"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing
}

# The distribution's Meson before any other, as that is the one that is tested.
meson() {
    if [ -x /usr/bin/meson ]; then
        /usr/bin/meson "$@"
    else
        command meson "$@"
    fi
}

# configure FOLDER OPTION...: a folder of before is brought up to date; one that no longer fits, by its path or its Meson, is made anew.
configure() {
    folder=$1
    shift
    if [ -f "$folder/build.ninja" ] && meson setup --reconfigure "$folder" "$@"; then
        return 0
    fi
    rm -rf "$folder"
    meson setup "$folder" "$@"
}
