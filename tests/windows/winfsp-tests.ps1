# Runs the driver's own tests on a drive of a volume. They come with the driver's sources as winfsp-tests-x64.exe; the
# variable WINFSP_TESTS names the program. What is left out stands in winfsp-tests.txt, each with its reason.
param([Parameter(Mandatory)][string]$Program)
$ErrorActionPreference = 'Stop'
if (-not $env:WINFSP_TESTS) {
    'SKIPPED: WINFSP_TESTS names no winfsp-tests-x64.exe'
    exit 0
}
$program = (Resolve-Path $Program).Path
$left_out = Get-Content (Join-Path $PSScriptRoot 'winfsp-tests.txt') |
    ForEach-Object { ($_ -split '#')[0].Trim() } | Where-Object { $_ } | ForEach-Object { "-$_" }
$folder = New-Item -ItemType Directory (Join-Path $env:TEMP "moorage-winfsp-tests-$PID")
$url = "sqlite3://$folder\meta.db"
& $program format --storage file --bucket "$folder\objects" $url tests
& $program mount -d --fixed-drive $url X:
try {
    Push-Location X:\
    & $env:WINFSP_TESTS --external --resilient @left_out
    $code = $LASTEXITCODE
} finally {
    Pop-Location
    & $program umount X:
}
exit $code
