#!/bin/sh
# Makes a build context: packs the packages that an image needs, as they would be published, into FOLDER/tarballs.
# Run `npx -y pnpm@12 build` first.
set -eu
[ $# -eq 1 ] || { echo "usage: pack.sh FOLDER" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/tarballs"
context=$(cd "$1" && pwd)
cd "$here/../.."
if ! command -v pnpm >/dev/null; then pnpm() { npx -y pnpm@12 "$@" </dev/null; }; fi
pnpm --recursive --filter '@basil/*' --filter '!@basil/backend-conformance' \
  pack --pack-destination "$context/tarballs" >/dev/null
cp "$here/Dockerfile" "$here/install.sh" "$context"
