; The installer for Windows, which `cargo xtask dist --windows` makes. It takes:
;   /S          nothing is shown or asked
;   /ALLUSERS   for all users of this computer, in the folder of programs; run it as administrator
;   /AUTOSTART  the agent starts when this user logs in
;   /NOPATH     the command is not put on the search path
;   /D=FOLDER   where it goes; the last one, without quotation marks
; It ends with 0; with 2 when a mount is in use or the program can not be replaced, and 740 when it may not install for all.
; WinFsp is neither in it nor downloaded by it: where it is missing or too old, its page is offered.

Unicode true
; A program of 64 bits, which also installs where no others run.
Target amd64-unicode
ManifestDPIAware true
SetCompressor /SOLID ${COMPRESSOR}

!include MUI2.nsh
!include FileFunc.nsh
!include LogicLib.nsh
!include WinMessages.nsh

!define KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\Moorage"
!define RUN "Software\Microsoft\Windows\CurrentVersion\Run"
!define COMMANDS "Moorage (command line).lnk"
!define DRIVER_PAGE "https://winfsp.dev/rel/"
; The oldest driver that the program takes: major and minor version.
!define DRIVER_MAJOR 2
!define DRIVER_MINOR 1
; RRF_RT_REG_SZ, RRF_RT_REG_EXPAND_SZ and RRF_NOEXPAND of the registry; REG_EXPAND_SZ.
!define AS_WRITTEN 0x10000006
!define EXPANDED_LATER 2
; Roots of the registry as numbers.
!define USER_ROOT 0x80000001
!define COMPUTER_ROOT 0x80000002

Name "Moorage"
OutFile "${OUTPUT}"
RequestExecutionLevel user
InstallDir "$LOCALAPPDATA\Programs\Moorage"
InstallDirRegKey HKCU "${KEY}" "InstallLocation"
VIProductVersion "${NUMBERS}"
VIAddVersionKey "ProductName" "Moorage"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "Installer of Moorage"
VIAddVersionKey "LegalCopyright" "The Moorage authors"

Var Parameters
Var ForAll
Var AgentRan
Var Driver
Var PathRoot
Var PathKey

!define MUI_FINISHPAGE_TEXT "Moorage is installed. Open a new terminal and type: moorage --help$\r$\n$\r$\nVolumes are mounted by the driver WinFsp (Bill Zissimopoulos, github.com/winfsp/winfsp), which is installed on its own. $Driver"
!define MUI_FINISHPAGE_LINK "The page of WinFsp"
!define MUI_FINISHPAGE_LINK_LOCATION "${DRIVER_PAGE}"
!define MUI_UNCONFIRMPAGE_TEXT_TOP "Moorage is removed. Your volumes stay: their files, and the settings, caches and logs in %LOCALAPPDATA%\Moorage. What waits there for its upload stays, too."
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_LICENSE "${LICENCE}"
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

; Where the search path is kept: of this user, or of the computer.
!macro ChoosePath
  ${If} $ForAll == "1"
    StrCpy $PathRoot ${COMPUTER_ROOT}
    StrCpy $PathKey "SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
  ${Else}
    StrCpy $PathRoot ${USER_ROOT}
    StrCpy $PathKey "Environment"
  ${EndIf}
!macroend

; Ends the agent and all mounts of this user, which store what was written. Leaves whether an agent ran in AgentRan.
!macro StopPrograms
  StrCpy $AgentRan ""
  ${If} ${FileExists} "$INSTDIR\moorage.exe"
    DetailPrint "Ending the agent and mounts: they store what was written"
    nsExec::ExecToStack '"$INSTDIR\moorage.exe" agent stop'
    Pop $0
    Pop $1
    ${If} $0 == 0
      StrCpy $AgentRan "1"
    ${EndIf}
    nsExec::ExecToStack '"$INSTDIR\moorage.exe" umount --all'
    Pop $0
    Pop $1
    ${If} $0 != 0
      DetailPrint "$1"
      MessageBox MB_OK|MB_ICONSTOP "A volume can not be unmounted:$\r$\n$1$\r$\nClose the programs that use it and try again." /SD IDOK
      SetErrorLevel 2
      Quit
    ${EndIf}
  ${EndIf}
!macroend

; The search path of any length is read into memory at $1, with room for the folder at its end; 0 when there is none.
!macro ReadPath
  StrCpy $1 0
  System::Call 'advapi32::RegGetValueW(p $PathRoot, w "$PathKey", w "Path", i ${AS_WRITTEN}, p 0, p 0, *i .r2) i .r0'
  ${If} $0 == 0
    StrLen $3 "$INSTDIR"
    IntOp $3 $3 + 2
    IntOp $3 $3 * 2
    IntOp $3 $3 + $2
    System::Alloc $3
    Pop $1
    System::Call 'advapi32::RegGetValueW(p $PathRoot, w "$PathKey", w "Path", i ${AS_WRITTEN}, p 0, p r1, *i r2r2) i .r0'
    ${If} $0 != 0
      System::Free $1
      StrCpy $1 0
    ${EndIf}
  ${EndIf}
!macroend

; Writes what is at $1 as the search path, and tells other programs.
!macro WritePath
  System::Call 'kernel32::lstrlenW(p r1) i .r2'
  IntOp $2 $2 + 1
  IntOp $2 $2 * 2
  System::Call 'advapi32::RegSetKeyValueW(p $PathRoot, w "$PathKey", w "Path", i ${EXPANDED_LATER}, p r1, i r2) i .r0'
  ${If} $0 != 0
    DetailPrint "The search path can not be changed ($0)"
  ${EndIf}
  SendMessage ${HWND_BROADCAST} ${WM_SETTINGCHANGE} 0 "STR:Environment" /TIMEOUT=2000
!macroend

; What there is to say of the driver.
Function FindDriver
  SetRegView 32
  ReadRegStr $0 HKLM "SOFTWARE\WinFsp" "InstallDir"
  SetRegView 64
  ${If} $0 == ""
    StrCpy $Driver "It is not installed yet: get version ${DRIVER_MAJOR}.${DRIVER_MINOR} or newer."
    Return
  ${EndIf}
  ClearErrors
  GetDLLVersion "$0\bin\winfsp-x64.dll" $1 $2
  ${If} ${Errors}
    StrCpy $Driver "It is not complete: install version ${DRIVER_MAJOR}.${DRIVER_MINOR} or newer again."
    Return
  ${EndIf}
  IntOp $3 $1 >> 16
  IntOp $3 $3 & 0xffff
  IntOp $4 $1 & 0xffff
  ${If} $3 < ${DRIVER_MAJOR}
    StrCpy $Driver "Version $3.$4 is installed, which is too old: get version ${DRIVER_MAJOR}.${DRIVER_MINOR} or newer."
  ${ElseIf} $3 == ${DRIVER_MAJOR}
  ${AndIf} $4 < ${DRIVER_MINOR}
    StrCpy $Driver "Version $3.$4 is installed, which is too old: get version ${DRIVER_MAJOR}.${DRIVER_MINOR} or newer."
  ${Else}
    StrCpy $Driver "Version $3.$4 is installed."
  ${EndIf}
FunctionEnd

Section "Moorage" ThePrograms
  SectionIn RO
  !insertmacro StopPrograms
  SetOutPath "$INSTDIR"
  ClearErrors
  SetOverwrite try
  File "/oname=moorage.exe" "${PROGRAM}"
  ${If} ${Errors}
    MessageBox MB_OK|MB_ICONSTOP "$INSTDIR\moorage.exe can not be written: a command of it runs." /SD IDOK
    SetErrorLevel 2
    Quit
  ${EndIf}
  SetOverwrite on
  File "/oname=LICENSE.txt" "${LICENCE}"
  File "/oname=third-party-licences.txt" "${LICENCES}"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortCut "$SMPROGRAMS\${COMMANDS}" "$SYSDIR\cmd.exe" '/k ""$INSTDIR\moorage.exe" --help"' "$INSTDIR\moorage.exe"
  WriteRegStr SHCTX "${KEY}" "DisplayName" "Moorage"
  WriteRegStr SHCTX "${KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${KEY}" "Publisher" "The Moorage authors"
  WriteRegStr SHCTX "${KEY}" "DisplayIcon" "$INSTDIR\moorage.exe"
  WriteRegStr SHCTX "${KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr SHCTX "${KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD SHCTX "${KEY}" "NoModify" 1
  WriteRegDWORD SHCTX "${KEY}" "NoRepair" 1
  WriteRegDWORD SHCTX "${KEY}" "ForAllUsers" "0$ForAll"
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD SHCTX "${KEY}" "EstimatedSize" $0
  DetailPrint "The driver WinFsp: $Driver"
SectionEnd

Section "Command on the search path" OnPath
  !insertmacro ReadPath
  ${If} $1 == 0
    WriteRegExpandStr SHCTX "$PathKey" "Path" "$INSTDIR"
    SendMessage ${HWND_BROADCAST} ${WM_SETTINGCHANGE} 0 "STR:Environment" /TIMEOUT=2000
  ${Else}
    ; With a separator at its end, so that a folder whose name only begins so is none.
    System::Call 'kernel32::lstrcatW(p r1, w ";")'
    System::Call 'shlwapi::StrStrIW(p r1, w "$INSTDIR;") p .r3'
    ${If} $3 == 0
      System::Call 'kernel32::lstrcatW(p r1, w "$INSTDIR")'
      !insertmacro WritePath
    ${EndIf}
    System::Free $1
  ${EndIf}
SectionEnd

Section /o "Start the agent at login" AtLogin
  WriteRegStr HKCU "${RUN}" "Moorage" '"$INSTDIR\moorage.exe" agent run --log --verbose'
SectionEnd

Section "-Agent"
  ; It ran before it was replaced.
  ${If} $AgentRan == "1"
    Exec '"$INSTDIR\moorage.exe" agent run --log --verbose'
  ${EndIf}
SectionEnd

!insertmacro MUI_FUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${ThePrograms} "The command moorage, which is the agent and every mount as well."
  !insertmacro MUI_DESCRIPTION_TEXT ${OnPath} "New terminals find the command by its name."
  !insertmacro MUI_DESCRIPTION_TEXT ${AtLogin} "Volumes that are to be mounted at the start of the agent are there after each login."
!insertmacro MUI_FUNCTION_DESCRIPTION_END

Function .onInit
  ${GetParameters} $Parameters
  ClearErrors
  ${GetOptions} $Parameters "/ALLUSERS" $0
  ${IfNot} ${Errors}
    StrCpy $ForAll "1"
    UserInfo::GetAccountType
    Pop $0
    ${If} $0 != "Admin"
      MessageBox MB_OK|MB_ICONSTOP "Run the installer as administrator to install for all users." /SD IDOK
      SetErrorLevel 740
      Quit
    ${EndIf}
    SetShellVarContext all
    ${If} $INSTDIR == "$LOCALAPPDATA\Programs\Moorage"
      StrCpy $INSTDIR "$PROGRAMFILES64\Moorage"
    ${EndIf}
  ${EndIf}
  SetRegView 64
  !insertmacro ChoosePath
  Call FindDriver
  ClearErrors
  ${GetOptions} $Parameters "/AUTOSTART" $0
  ${IfNot} ${Errors}
    SectionGetFlags ${AtLogin} $0
    IntOp $0 $0 | ${SF_SELECTED}
    SectionSetFlags ${AtLogin} $0
  ${EndIf}
  ClearErrors
  ${GetOptions} $Parameters "/NOPATH" $0
  ${IfNot} ${Errors}
    SectionSetFlags ${OnPath} 0
  ${EndIf}
FunctionEnd

Function un.onInit
  SetRegView 64
  ReadRegDWORD $0 HKLM "${KEY}" "ForAllUsers"
  ReadRegStr $1 HKLM "${KEY}" "InstallLocation"
  ${If} $0 == 1
  ${AndIf} $1 == $INSTDIR
    StrCpy $ForAll "1"
    SetShellVarContext all
  ${EndIf}
  !insertmacro ChoosePath
FunctionEnd

Section "uninstall"
  !insertmacro StopPrograms
  !insertmacro ReadPath
  ${If} $1 != 0
    ; With a separator at its end, so that a folder whose name only begins so is none. It stands behind another one, or first.
    System::Call 'kernel32::lstrcatW(p r1, w ";")'
    System::Call 'shlwapi::StrStrIW(p r1, w ";$INSTDIR;") p .r3'
    ${If} $3 == 0
      System::Call 'shlwapi::StrStrIW(p r1, w "$INSTDIR;") p .r3'
      ${If} $3 != $1
        StrCpy $3 0
      ${EndIf}
    ${EndIf}
    ${If} $3 != 0
      StrLen $5 ";$INSTDIR"
      IntOp $5 $5 * 2
      IntPtrOp $5 $3 + $5
      System::Call 'kernel32::lstrlenW(p r5) i .r6'
      IntOp $6 $6 + 1
      IntOp $6 $6 * 2
      System::Call 'ntdll::RtlMoveMemory(p r3, p r5, p r6)'
      System::Call 'kernel32::lstrlenW(p r1) i .r6'
      ${If} $6 > 0
        ; The separator that was added.
        IntOp $6 $6 - 1
        IntOp $6 $6 * 2
        IntPtrOp $6 $1 + $6
        System::Call '*$6(&i2 0)'
      ${EndIf}
      !insertmacro WritePath
    ${EndIf}
    System::Free $1
  ${EndIf}
  ReadRegStr $0 HKCU "${RUN}" "Moorage"
  StrLen $1 '"$INSTDIR\'
  StrCpy $2 $0 $1
  ${If} $2 == '"$INSTDIR\'
    DeleteRegValue HKCU "${RUN}" "Moorage"
    DeleteRegValue HKCU "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run" "Moorage"
  ${EndIf}
  Delete "$INSTDIR\moorage.exe"
  Delete "$INSTDIR\LICENSE.txt"
  Delete "$INSTDIR\third-party-licences.txt"
  Delete "$INSTDIR\uninstall.exe"
  Delete "$SMPROGRAMS\${COMMANDS}"
  RMDir "$INSTDIR"
  DeleteRegKey SHCTX "${KEY}"
  DetailPrint "Your volumes stay, and what %LOCALAPPDATA%\Moorage holds: settings, caches, logs, and what waits for its upload."
SectionEnd
