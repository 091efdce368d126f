#!/usr/bin/env bash
# Runs the system tests: the program as its users start it, with a real browser and a real SFU, and over network namespaces, which need root.
# Installs browser, SFU, TURN server and iproute2 by apt where they are missing. LiveKit, a second SFU, is built where there is a Go toolchain;
# Prometheus and schemathesis, clients of the service, come into a cache folder. Tests of what cannot be had are skipped, and counted as skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v ip >/dev/null && command -v tc >/dev/null || missing+=(iproute2)
command -v janus >/dev/null || missing+=(janus)
command -v turnserver >/dev/null || missing+=(coturn)
if [ "${#missing[@]}" -gt 0 ]; then
  as_root=$([ "$(id -u)" -eq 0 ] || echo sudo)
  $as_root apt-get update -qq
  $as_root apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

source scripts/foreign-clients.sh

node scripts/build-native.mjs || echo "NO NATIVE ENCODERS (see above): no temporal layers to test" >&2

if [ -z "${LIVEKIT_SERVER:-}" ]; then
  if command -v go >/dev/null; then
    LIVEKIT_SERVER=$(scripts/build-livekit.sh) || echo "THE LIVEKIT SERVER COULD NOT BE BUILT (see above)" >&2
  else
    echo "NO GO TOOLCHAIN: no LiveKit server to test with" >&2
  fi
  export LIVEKIT_SERVER=${LIVEKIT_SERVER:-}
fi

exec npx vitest run --project 'system*' "$@"
