# SPDX-License-Identifier: MIT
# Finds libuv, cJSON and CMocka, by their CMake packages or else by pkg-config, under one name each: mproc_libuv,
# mproc_cjson, mproc_cmocka.

# mproc_dependency(NAME PACKAGE TARGETS MODULE SYMPTOM)
#   PACKAGE  of find_package      TARGETS  its targets, the first that exists is taken
#   MODULE   of pkg-config        ADVICE   what to install where there is neither
function(mproc_dependency NAME)
    cmake_parse_arguments(ARG "" "PACKAGE;MODULE;ADVICE" "TARGETS" ${ARGN})
    if(TARGET ${NAME})
        return()
    endif()
    add_library(${NAME} INTERFACE IMPORTED GLOBAL)
    find_package(${ARG_PACKAGE} CONFIG QUIET)
    foreach(target IN LISTS ARG_TARGETS)
        if(TARGET ${target})
            target_link_libraries(${NAME} INTERFACE ${target})
            return()
        endif()
    endforeach()
    find_package(PkgConfig QUIET)
    if(PkgConfig_FOUND)
        pkg_check_modules(${NAME}_pc QUIET IMPORTED_TARGET GLOBAL ${ARG_MODULE})
        if(${NAME}_pc_FOUND)
            target_link_libraries(${NAME} INTERFACE PkgConfig::${NAME}_pc)
            # pkg-config's folder is .../include/cjson, but the header is named <cjson/cJSON.h>
            foreach(folder IN LISTS ${NAME}_pc_INCLUDE_DIRS)
                if(folder MATCHES "/cjson$")
                    cmake_path(GET folder PARENT_PATH parent)
                    target_include_directories(${NAME} INTERFACE ${parent})
                endif()
            endforeach()
            return()
        endif()
    endif()
    message(FATAL_ERROR "mproc needs ${ARG_PACKAGE}, but neither its CMake package nor its pkg-config module "
                        "(${ARG_MODULE}) was found. ${ARG_ADVICE}")
endfunction()

find_package(Threads REQUIRED)
mproc_dependency(mproc_libuv PACKAGE libuv MODULE libuv TARGETS libuv::uv_a uv_a libuv::uv uv
    ADVICE "Install it: apt install libuv1-dev, brew install libuv, or vcpkg install libuv.")
mproc_dependency(mproc_cjson PACKAGE cJSON MODULE libcjson TARGETS cjson
    ADVICE "Install it: apt install libcjson-dev, brew install cjson, or vcpkg install cjson.")
if(MPROC_TESTS)
    mproc_dependency(mproc_cmocka PACKAGE cmocka MODULE cmocka TARGETS cmocka::cmocka cmocka-static cmocka
        ADVICE "Install it: apt install libcmocka-dev, brew install cmocka, or vcpkg install cmocka; or configure with \
-DMPROC_TESTS=OFF.")
endif()
