#!/bin/sh
# Installs the program from packed tarballs: PREFIX gets node_modules, and bin/basil starts it.
set -eu
[ $# -eq 2 ] || { echo "usage: install.sh TARBALLS PREFIX" >&2; exit 2; }
tarballs=$(cd "$1" && pwd)
mkdir -p "$2/bin"
cd "$2"
printf '{ "private": true, "type": "module" }\n' >package.json
# Not --omit=optional: koffi keeps its binary for each platform in an optional package, and without it no caller is known.
npm install --no-audit --no-fund --ignore-scripts "$tarballs"/*.tgz
ln -sf ../node_modules/@basil/cli/bin/basil.js bin/basil
