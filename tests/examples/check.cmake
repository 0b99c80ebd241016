# SPDX-License-Identifier: MIT
# Runs a program and compares what it prints with an expected text.
#   cmake -DPROGRAM=... -DARGUMENTS=a;b -DEXPECTED=file -P check.cmake
# In the expected text <n> stands for any whole number. Its first line says how lines are compared: "exact", "any order"
# for programs whose processes print side by side, or "repeated" for one that is ended after some while: then the lines come
# over and over, once at least, and break off anywhere.
# With MPROC_COPY_TO in the environment a copy of that name is run instead.
cmake_policy(SET CMP0007 NEW) # an empty line is one, too
if(DEFINED ENV{MPROC_COPY_TO})
    get_filename_component(folder "$ENV{MPROC_COPY_TO}" DIRECTORY)
    file(MAKE_DIRECTORY "${folder}")
    configure_file("${PROGRAM}" "$ENV{MPROC_COPY_TO}" COPYONLY)
    set(PROGRAM "$ENV{MPROC_COPY_TO}")
endif()
execute_process(COMMAND ${EMULATOR} "${PROGRAM}" ${ARGUMENTS}
    OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE result ENCODING UTF-8)
if(NOT result STREQUAL "0")
    message(FATAL_ERROR "exit code ${result}\nstdout:\n${output}\nstderr:\n${errors}")
endif()

file(READ ${EXPECTED} expected ENCODING UTF-8)
string(FIND "${expected}" "\n" end)
string(SUBSTRING "${expected}" 0 ${end} order)
math(EXPR end "${end} + 1")
string(SUBSTRING "${expected}" ${end} -1 expected)

# Numbers are compared as such, and square brackets mean something to CMake's lists.
macro(normalize text)
    string(REPLACE "\r\n" "\n" ${text} "${${text}}")
    string(REPLACE "[" "<(" ${text} "${${text}}")
    string(REPLACE "]" ")>" ${text} "${${text}}")
    string(REGEX REPLACE "\n$" "" ${text} "${${text}}")
    string(REPLACE "\n" ";" ${text} "${${text}}")
endmacro()
normalize(output)
normalize(expected)

# Takes the expected line out of what was printed: the first line of it, or with "any order" whichever it is.
function(take line found_variable)
    string(REGEX REPLACE "([][+.*()^$?|\\\\])" "\\\\\\1" pattern "${line}")
    string(REPLACE "<n>" "[0-9]+" pattern "${pattern}")
    set(index 0)
    set(${found_variable} FALSE PARENT_SCOPE)
    foreach(candidate IN LISTS output)
        if(candidate MATCHES "^${pattern}$")
            list(REMOVE_AT output ${index})
            set(output "${output}" PARENT_SCOPE)
            set(${found_variable} TRUE PARENT_SCOPE)
            return()
        endif()
        if(NOT order STREQUAL "any order")
            return()
        endif()
        math(EXPR index "${index} + 1")
    endforeach()
endfunction()

set(rounds 0)
while(rounds EQUAL 0 OR (order STREQUAL "repeated" AND NOT output STREQUAL ""))
    foreach(line IN LISTS expected)
        if(rounds GREATER 0 AND output STREQUAL "")
            break()
        endif()
        take("${line}" found)
        if(NOT found)
            message(FATAL_ERROR "missing: ${line}\nleft of what was printed:\n${output}")
        endif()
    endforeach()
    math(EXPR rounds "${rounds} + 1")
endwhile()
if(NOT output STREQUAL "")
    message(FATAL_ERROR "printed besides: ${output}")
endif()
