#!/usr/bin/env bash
# Runs the system tests: the program as its users start it, with a real browser. Installs the browser by apt where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v chromium >/dev/null; then
  as_root=$([ "$(id -u)" -eq 0 ] || echo sudo)
  $as_root apt-get update -qq
  $as_root apt-get install -y -qq --no-install-recommends chromium
fi

exec npx vitest run --project system "$@"
