#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs a Windows program under Wine, in a prefix of this project's own.
root=$(cd "$(dirname "$0")/.." && pwd)
export WINEPREFIX=${WINEPREFIX:-$root/.cache/wine} WINEDEBUG=-all LANG=C.UTF-8 LC_ALL=C.UTF-8
# winedbg would take a third of a second to report each crash that a test makes on purpose
export WINEDLLOVERRIDES='winedbg.exe=d;mscoree=d;mshtml=d'
wine=$(command -v wine64 || echo /usr/lib/wine/wine64)
# Every Windows process has a page at 0x7ffe0000. Wine's loader lies just below it, and where the system starts its heap at
# random, one process in some thousands finds the page taken and dies before it runs ("Internal error" from CreateProcess).
fixed_addresses=()
setarch -R true 2>/dev/null && fixed_addresses=(setarch -R)
exec "${fixed_addresses[@]}" "$wine" "$@"
