# SPDX-License-Identifier: MIT
# Installs what is missing (by vcpkg), builds mproc, and counts the lines, words and bytes of the headers of Windows, or of
# the files and folders that are named, with as many processes as there are CPUs.
param([string[]] $Paths = @("${env:ProgramFiles(x86)}\Windows Kits\10\Include"))
. "$PSScriptRoot\common.ps1"
Build 'demo' @('-DMPROC_TESTS=OFF')
Run "$root\build\demo\examples\Release\wordcount.exe" $Paths
