#!/usr/bin/env bash
# Runs the system tests: the program as its users start it, with a real browser and a real SFU, and over network namespaces, which need root.
# Installs browser, SFU, TURN server and iproute2 by apt where they are missing.
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

exec npx vitest run --project system "$@"
