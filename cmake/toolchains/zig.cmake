# SPDX-License-Identifier: MIT
# The common part of zig-TARGET.cmake: zig's clang and its headers for systems that this machine is not. CMake wants one
# program for each tool, so small ones are written that call zig.
set(ZIG_TOOLS ${CMAKE_CURRENT_LIST_DIR}/../../.cache/zig-tools/${ZIG_TARGET})
file(WRITE ${ZIG_TOOLS}/cc "#!/bin/sh\nexec zig cc -target ${ZIG_TARGET} \"$@\"\n")
foreach(tool ar ranlib rc)
    file(WRITE ${ZIG_TOOLS}/${tool} "#!/bin/sh\nexec zig ${tool} \"$@\"\n")
endforeach()
file(CHMOD ${ZIG_TOOLS}/cc ${ZIG_TOOLS}/ar ${ZIG_TOOLS}/ranlib ${ZIG_TOOLS}/rc
    PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE)
set(CMAKE_C_COMPILER ${ZIG_TOOLS}/cc)
set(CMAKE_AR ${ZIG_TOOLS}/ar)
set(CMAKE_RANLIB ${ZIG_TOOLS}/ranlib)
set(CMAKE_RC_COMPILER ${ZIG_TOOLS}/rc)
set(CMAKE_OSX_SYSROOT "")
set(CMAKE_OSX_ARCHITECTURES "")
set(CMAKE_OSX_DEPLOYMENT_TARGET "")
set(CMAKE_FIND_ROOT_PATH ${CMAKE_PREFIX_PATH})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# pkg-config would find this machine's own libraries.
set(ENV{PKG_CONFIG_LIBDIR} ${CMAKE_CURRENT_LIST_DIR}/none)
