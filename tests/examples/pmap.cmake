# SPDX-License-Identifier: MIT
# Runs pmap over some lines, and compares what it prints.
#   cmake -DEMULATOR=... -DPROGRAM=pmap -DHELPER=test_subprocess -DFOLDER=where to write -P pmap.cmake
function(expect input arguments output result)
    file(WRITE "${FOLDER}/pmap-list.txt" "${input}")
    execute_process(COMMAND ${EMULATOR} "${PROGRAM}" -j 3 ${arguments} INPUT_FILE "${FOLDER}/pmap-list.txt"
        OUTPUT_VARIABLE printed RESULT_VARIABLE code ERROR_VARIABLE errors ENCODING UTF-8)
    string(REPLACE "\r\n" "\n" printed "${printed}")
    if(NOT code STREQUAL result OR NOT printed STREQUAL output)
        message(FATAL_ERROR "exit code ${code} instead of ${result}\nstdout:\n${printed}\nstderr:\n${errors}")
    endif()
endfunction()

set(lines "")
set(printed "")
foreach(number RANGE 1 25)
    string(APPEND lines "数据 ${number}\n")
    string(APPEND printed "<数据 ${number}>")
endforeach()
expect("${lines}" "${HELPER};--helper;print;<{}>" "${printed}" 0)
expect("a\nb" "${HELPER};--helper;print" "ab" 0)
expect("" "${HELPER};--helper;print" "" 0)
expect("0\n7\n0\n" "${HELPER};--helper;exit;{}" "" 1)
expect("x\n" "no-such-program-at-all;{}" "" 1)
