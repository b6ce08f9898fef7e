#!/bin/sh
# Signs the installers in a folder with a certificate (PKCS #12 in base64) from the variables CERTIFICATE and PASSWORD.
# Without them it says what is missing and leaves the files as they are. Their sums change: the manifest and the files of
# winget have to be made again after it.
set -eu
folder=${1:?give the folder of the installers}
if [ -z "${CERTIFICATE:-}" ] || [ -z "${PASSWORD:-}" ]; then
    echo "not signed: a certificate for code (CERTIFICATE, PKCS #12 in base64) and its PASSWORD are missing;"
    echo "Windows shows a warning of SmartScreen before it runs an installer without a signature."
    exit 0
fi
command -v osslsigncode >/dev/null || { echo "not signed: osslsigncode is missing"; exit 1; }
key=$(mktemp)
trap 'rm -f "$key"' EXIT
printf %s "$CERTIFICATE" | base64 --decode > "$key"
for file in "$folder"/*-setup.exe "$folder"/*.msi; do
    osslsigncode sign -pkcs12 "$key" -readpass /dev/stdin -h sha256 -n Moorage \
        -t http://timestamp.digicert.com -in "$file" -out "$file.signed" <<PASS
$PASSWORD
PASS
    mv "$file.signed" "$file"
done
