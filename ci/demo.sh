#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing, builds mproc, and runs its main example on real input: how many lines, words and bytes there
# are in the system's header files, counted by as many processes as there are CPUs.
# usage: ci/demo.sh [file or folder ...]
set -euo pipefail
. "$(dirname "$0")/common.sh"

install "${base_packages[@]}"
cmake -S "$root" -B "$root/build/demo" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMPROC_TESTS=OFF >/dev/null
cmake --build "$root/build/demo" --target wordcount >/dev/null
if [ $# = 0 ]; then
    set -- /usr/include
    [ -d "$1" ] || set -- "$(xcrun --show-sdk-path)/usr/include"
fi
exec "$root/build/demo/examples/wordcount" "$@"
