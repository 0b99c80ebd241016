# SPDX-License-Identifier: MIT
set(ZIG_TARGET aarch64-windows-gnu)
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR ARM64)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
