# SPDX-License-Identifier: MIT
# How targets of this project are made.

include(CheckSymbolExists)
include(GNUInstallDirs)

# The dialect, the warnings and the sanitizers of every target of this project.
function(mproc_settings TARGET)
    set_target_properties(${TARGET} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
                                               C_VISIBILITY_PRESET hidden)
    if(MSVC)
        target_compile_options(${TARGET} PRIVATE /W4 /utf-8 $<$<BOOL:${MPROC_WERROR}>:/WX>)
        target_compile_definitions(${TARGET} PRIVATE _CRT_SECURE_NO_WARNINGS)
    else()
        target_compile_options(${TARGET} PRIVATE -Wall -Wextra -Wconversion -Wshadow -Wvla -pedantic
                                                 $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
                                                 $<$<BOOL:${MPROC_WERROR}>:-Werror>)
    endif()
    if(WIN32)
        target_compile_definitions(${TARGET} PRIVATE _WIN32_WINNT=0x0a00 WIN32_LEAN_AND_MEAN UNICODE _UNICODE
                                                     __USE_MINGW_ANSI_STDIO=1)
        if(MINGW)
            target_link_options(${TARGET} PRIVATE -static)
        endif()
    elseif(APPLE)
        target_compile_definitions(${TARGET} PRIVATE _DARWIN_C_SOURCE)
    else()
        target_compile_definitions(${TARGET} PRIVATE _GNU_SOURCE)
    endif()
    if(MPROC_SANITIZE MATCHES "thread")
        target_compile_definitions(${TARGET} PRIVATE MPROC_NO_FENCES)
    endif()
    if(MPROC_SANITIZE)
        target_compile_options(${TARGET} PRIVATE -fsanitize=${MPROC_SANITIZE} -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer -g)
        target_link_options(${TARGET} PRIVATE -fsanitize=${MPROC_SANITIZE})
    endif()
endfunction()

# What the POSIX side has to know of this system.
function(mproc_check_posix TARGET)
    if(WIN32)
        return()
    endif()
    if(NOT APPLE)
        set(CMAKE_REQUIRED_DEFINITIONS -D_GNU_SOURCE)
    endif()
    check_symbol_exists(pipe2 "unistd.h;fcntl.h" MPROC_HAVE_PIPE2)
    check_symbol_exists(posix_spawn_file_actions_addclosefrom_np "spawn.h" MPROC_HAVE_SPAWN_CLOSEFROM)
    check_symbol_exists(pwritev2 "sys/uio.h" MPROC_HAVE_PWRITEV2)
    target_compile_definitions(${TARGET} PRIVATE $<$<BOOL:${MPROC_HAVE_PWRITEV2}>:MPROC_HAVE_PWRITEV2>
                                                 $<$<BOOL:${MPROC_HAVE_PIPE2}>:MPROC_HAVE_PIPE2>
                                                 $<$<BOOL:${MPROC_HAVE_SPAWN_CLOSEFROM}>:MPROC_HAVE_SPAWN_CLOSEFROM>)
endfunction()

# mproc_test(NAME FILE...): a CMocka program that sees the inside of the library, run by ctest.
function(mproc_test NAME)
    add_executable(test_${NAME} ${ARGN})
    mproc_settings(test_${NAME})
    target_link_libraries(test_${NAME} PRIVATE mproc_test_support mproc_internal)
    add_test(NAME ${NAME} COMMAND test_${NAME})
    set_tests_properties(${NAME} PROPERTIES TIMEOUT 300)
endfunction()

# mproc_program(NAME FILE...): a program as a user would write it.
function(mproc_program NAME)
    add_executable(${NAME} ${ARGN})
    mproc_settings(${NAME})
    target_link_libraries(${NAME} PRIVATE mproc::mproc)
endfunction()

# mproc_output_test(TEST PROGRAM EXPECTED ARGUMENT...): runs a program and compares what it prints with a file, see
# tests/examples/check.cmake.
function(mproc_output_test TEST PROGRAM EXPECTED)
    add_test(NAME ${TEST}
        COMMAND ${CMAKE_COMMAND} "-DEMULATOR=${CMAKE_CROSSCOMPILING_EMULATOR}" -DPROGRAM=${PROGRAM} "-DARGUMENTS=${ARGN}"
            -DEXPECTED=${EXPECTED} -P ${PROJECT_SOURCE_DIR}/tests/examples/check.cmake)
    set_tests_properties(${TEST} PROPERTIES TIMEOUT 120)
endfunction()
