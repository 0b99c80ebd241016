#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds libuv, cJSON and CMocka from Debian's sources for another system, once: they stay in .cache/TARGET.
# usage: ci/dependencies.sh TARGET TOOLCHAIN-FILE
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
target=$1 toolchain=$2
sources=$root/.cache/sources prefix=$root/.cache/$target build=$root/.cache/build-$target

get_sources() {
    [ -f "$sources/.complete" ] && return
    rm -rf "$sources" && mkdir -p "$sources"
    # Lists of source packages of our own, so that the system's stay as they are.
    local lists=$root/.cache/apt
    mkdir -p "$lists/partial"
    local list=$root/.cache/apt-sources.list
    . /etc/os-release
    local key=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb-src [signed-by=$key] http://deb.debian.org/debian $VERSION_CODENAME main" >"$list"
    local options=(-o Dir::Etc::sourcelist="$list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$lists"
        -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update -q
    (cd "$sources" && apt-get "${options[@]}" source -q --only-source libuv1 cjson cmocka)
    for name in libuv1 cjson cmocka; do
        mv "$(find "$sources" -maxdepth 1 -type d -name "$name-*")" "$sources/$name"
    done
    touch "$sources/.complete"
}

build_one() { # name, cmake options
    local name=$1
    shift
    cmake -S "$sources/$name" -B "$build/$name" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$toolchain" -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_INSTALL_PREFIX="$prefix" -DBUILD_SHARED_LIBS=OFF "$@" >"$build/$name.log" 2>&1
}

mkdir -p "$build"
[ -f "$prefix/.complete" ] && exit 0
get_sources
rm -rf "$prefix" && mkdir -p "$prefix/lib" "$prefix/include/cjson"

build_one libuv1 -DLIBUV_BUILD_TESTS=OFF -DBUILD_TESTING=OFF
ninja -C "$build/libuv1" uv_a >>"$build/libuv1.log" 2>&1
cp -r "$sources/libuv1/include/." "$prefix/include/"
cp "$(find "$build/libuv1" -maxdepth 1 -name 'libuv*.a' | head -1)" "$prefix/lib/libuv_a.a"

build_one cjson -DENABLE_CJSON_TEST=OFF -DENABLE_CUSTOM_COMPILER_FLAGS=OFF
ninja -C "$build/cjson" cjson >>"$build/cjson.log" 2>&1
cp "$sources/cjson/cJSON.h" "$prefix/include/cjson/"
cp "$(find "$build/cjson" -name 'libcjson*.a' | head -1)" "$prefix/lib/libcjson.a"

build_one cmocka -DWITH_EXAMPLES=OFF -DWITH_STATIC_LIB=ON -DUNIT_TESTING=OFF
ninja -C "$build/cmocka" cmocka-static >>"$build/cmocka.log" 2>&1 || ninja -C "$build/cmocka" cmocka >>"$build/cmocka.log" 2>&1
cp "$sources/cmocka/include/cmocka.h" "$prefix/include/"
cp "$(find "$build/cmocka" -name 'libcmocka*.a' | head -1)" "$prefix/lib/libcmocka.a"

# Packages for find_package, the same for all targets.
case $target in
*mingw* | *windows*) system="ws2_32;iphlpapi;userenv;psapi;ole32;user32;advapi32;shell32;dbghelp" ;;
*) system="pthread" ;;
esac
package() { # name target library
    mkdir -p "$prefix/lib/cmake/$1"
    cat >"$prefix/lib/cmake/$1/${1,,}-config.cmake" <<PACKAGE
get_filename_component(prefix "\${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET $2)
    add_library($2 STATIC IMPORTED GLOBAL)
    set_target_properties($2 PROPERTIES IMPORTED_LOCATION "\${prefix}/lib/$3"
        INTERFACE_INCLUDE_DIRECTORIES "\${prefix}/include" INTERFACE_LINK_LIBRARIES "$4")
endif()
PACKAGE
}
package libuv libuv::uv_a libuv_a.a "$system"
package cJSON cjson libcjson.a ""
package cmocka cmocka::cmocka libcmocka.a ""
rm -rf "$build"
touch "$prefix/.complete"
