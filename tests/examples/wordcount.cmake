# SPDX-License-Identifier: MIT
# Compares the totals of wordcount with those of wc.
#   cmake -DPROGRAM=wordcount -DWC=wc -DFOLDER=folder -P wordcount.cmake
file(GLOB_RECURSE files "${FOLDER}/*")
set(ENV{LC_ALL} C.UTF-8)
execute_process(COMMAND ${WC} ${files} OUTPUT_VARIABLE expected COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${EMULATOR} ${PROGRAM} -j 3 ${FOLDER} OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "([0-9]+) +([0-9]+) +([0-9]+) +total\n" ignored "${expected}")
set(wanted "${CMAKE_MATCH_1} lines, ${CMAKE_MATCH_2} words, ${CMAKE_MATCH_3} bytes")
string(REGEX MATCH "([0-9]+) +([0-9]+) +([0-9]+) +([0-9]+) +total" ignored "${output}")
set(found "${CMAKE_MATCH_2} lines, ${CMAKE_MATCH_3} words, ${CMAKE_MATCH_4} bytes")
list(LENGTH files count)
if(NOT wanted STREQUAL found OR NOT CMAKE_MATCH_1 EQUAL count OR count LESS 20)
    message(FATAL_ERROR "wc: ${wanted} in ${count} files\nwordcount: ${found} in ${CMAKE_MATCH_1} files\n${output}")
endif()
