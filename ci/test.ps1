# SPDX-License-Identifier: MIT
# Installs what is missing (by vcpkg), builds with MSVC, and runs the tests. Needs Visual Studio, CMake and git.
. "$PSScriptRoot\common.ps1"
Build 'msvc' @('-DMPROC_WERROR=ON', '-DMPROC_BENCH=ON', '-DVCPKG_MANIFEST_FEATURES=tests')
Run ctest @('--test-dir', "$root\build\msvc", '-C', 'Release', '-j', '2', '--output-on-failure')
