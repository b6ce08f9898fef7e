# Mounts a volume as a drive of this computer with the real driver, and uses it as programs do.
param([Parameter(Mandatory)][string]$Program)
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
$program = (Resolve-Path $Program).Path
$folder = New-Item -ItemType Directory (Join-Path $env:TEMP "moorage-drive-$PID")
$url = "sqlite3://$folder\meta.db"
function Check($claim, $held) { if (-not $held) { throw "not so: $claim" }; "ok: $claim" }

& $program format --storage file --bucket "$folder\objects" $url drive
& $program mount -d $url X:
Check 'the drive is there' (Test-Path X:\)
Set-Content -NoNewline X:\note.txt 'kept'
Check 'a file is read back' ((Get-Content -Raw X:\note.txt) -eq 'kept')
Check 'it is found by other letters' ((Get-Content -Raw X:\NOTE.TXT) -eq 'kept')
Rename-Item X:\note.txt Note.txt
Check 'its letters can be changed' ((Get-ChildItem X:\).Name -ccontains 'Note.txt')

$held = [IO.File]::OpenRead('X:\Note.txt')
$PSNativeCommandUseErrorActionPreference = $false
$said = & $program umount X: 2>&1 | Out-String
Check 'a drive with an open file is not unmounted' ($LASTEXITCODE -ne 0 -and $said -match 'Note.txt')
$PSNativeCommandUseErrorActionPreference = $true
$held.Dispose()

$server = (Get-Content "$env:LOCALAPPDATA\Moorage\state\mounts\*.json" -Raw | ConvertFrom-Json).pid
Stop-Process -Force -Id $server
$until = (Get-Date).AddSeconds(60)
while (-not (Test-Path X:\Note.txt)) {
    if ((Get-Date) -gt $until) { throw 'a mount that was killed does not come back' }
    Start-Sleep -Milliseconds 200
}
Check 'a mount that was killed comes back with its files' ((Get-Content -Raw X:\Note.txt) -eq 'kept')
& $program umount X:
Check 'the drive is gone' (-not (Test-Path X:\))
& $program fsck $url
