#!/usr/bin/env bash
# Builds the optional encoders of native/ and tests them. Installs the codec libraries by apt where they are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! pkg-config --exists vpx aom; then
  as_root=$([ "$(id -u)" -eq 0 ] || echo sudo)
  $as_root apt-get update -qq
  $as_root apt-get install -y -qq --no-install-recommends g++ pkg-config libvpx-dev libaom-dev
fi

node scripts/build-native.mjs
exec npx vitest run --project native "$@"
