# SPDX-License-Identifier: MIT
# What ci/test.ps1 and ci/demo.ps1 share: finds or fetches vcpkg, and builds with MSVC.
$ErrorActionPreference = 'Stop'
$root = Split-Path -Parent $PSScriptRoot

function Run([string] $program, [string[]] $arguments) {
    & $program @arguments
    if ($LASTEXITCODE -ne 0) { throw "$program $arguments ended with exit code $LASTEXITCODE" }
}

# VCPKG_ROOT, GitHub's own copy, or one in .cache.
function Find-Vcpkg {
    if (-not $env:VCPKG_ROOT -and $env:VCPKG_INSTALLATION_ROOT) { $env:VCPKG_ROOT = $env:VCPKG_INSTALLATION_ROOT }
    if (-not $env:VCPKG_ROOT) {
        $env:VCPKG_ROOT = "$root\.cache\vcpkg"
        if (-not (Test-Path "$env:VCPKG_ROOT\vcpkg.exe")) {
            Run git @('clone', '--quiet', 'https://github.com/microsoft/vcpkg', $env:VCPKG_ROOT)
            Run "$env:VCPKG_ROOT\bootstrap-vcpkg.bat" @('-disableMetrics')
        }
    }
}

function Build([string] $folder, [string[]] $options) {
    Find-Vcpkg
    Run cmake (@('-S', $root, '-B', "$root\build\$folder",
            "-DCMAKE_TOOLCHAIN_FILE=$env:VCPKG_ROOT\scripts\buildsystems\vcpkg.cmake") + $options)
    Run cmake @('--build', "$root\build\$folder", '--config', 'Release')
}
