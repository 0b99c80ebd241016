# SPDX-License-Identifier: MIT
include(CMakePackageConfigHelpers)

install(TARGETS mproc EXPORT mproc-targets)
install(FILES ${PROJECT_SOURCE_DIR}/include/mproc.h TYPE INCLUDE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/mproc TYPE INCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE TYPE DOC)

set(MPROC_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/mproc)
install(EXPORT mproc-targets NAMESPACE mproc:: DESTINATION ${MPROC_PACKAGE_DIR})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/mproc-config.cmake.in ${PROJECT_BINARY_DIR}/mproc-config.cmake
    INSTALL_DESTINATION ${MPROC_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/mproc-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/mproc-config.cmake ${PROJECT_BINARY_DIR}/mproc-config-version.cmake
              ${PROJECT_SOURCE_DIR}/cmake/dependencies.cmake DESTINATION ${MPROC_PACKAGE_DIR})

set(MPROC_PC_REQUIRES "Requires: libcjson\nRequires.private: libuv")
set(MPROC_PC_CFLAGS "")
if(NOT BUILD_SHARED_LIBS) # a static library brings nothing with it
    set(MPROC_PC_REQUIRES "Requires: libcjson libuv")
elseif(WIN32)
    set(MPROC_PC_CFLAGS "-DMPROC_API=__declspec(dllimport)")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/mproc.pc.in ${PROJECT_BINARY_DIR}/mproc.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/mproc.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
