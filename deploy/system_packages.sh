#!/usr/bin/env bash
# The system packages that Seshat's optional verbs need; installed with apt where that is allowed, else named.
set -u
packages=(tesseract-ocr tesseract-ocr-spa poppler-utils ffmpeg espeak-ng)
[ "${1:-}" = "--with-browser" ] && packages+=(chromium)
# Debian and Ubuntu keep what makes a .venv in a package of its own.
python=${PYTHON:-python3}
"$python" -c 'import ensurepip' 2>/dev/null || packages+=("$(basename "$python")-venv")

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing+=("$package")
done
if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This is not Debian or Ubuntu. Please install by your own means: tesseract with Spanish, poppler, ffmpeg, espeak-ng."
    command -v brew >/dev/null 2>&1 && echo "  brew install tesseract tesseract-lang poppler ffmpeg espeak-ng"
    exit 0
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" = 0 ]; then become=(env); elif sudo -n true 2>/dev/null; then become=(sudo env); else become=(); fi
if [ ${#become[@]} -gt 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing system packages: ${missing[*]}"
    "${become[@]}" DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        "${become[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null && exit 0
    echo "apt-get could not install them."
fi
echo "Please ask an administrator for:  sudo apt-get install ${missing[*]}"
echo "Without them 'make ocr' and the sample's recordings are left out; everything else works."
