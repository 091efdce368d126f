#!/usr/bin/env bash
# Builds the LiveKit server that the system tests publish to, once, and prints where it is. Its module has `replace` directives, so `go install` cannot
# build it by name: the module is fetched, and built where it lies.
set -euo pipefail

VERSION=v1.13.5
FOLDER=${XDG_CACHE_HOME:-$HOME/.cache}/framelock
SERVER=$FOLDER/livekit-server-$VERSION

if [ ! -x "$SERVER" ]; then
  module=$(GOFLAGS=-mod=mod go mod download -json "github.com/livekit/livekit-server@$VERSION")
  source=$(node -p 'JSON.parse(process.argv[1]).Dir' "$module")
  mkdir -p "$FOLDER"
  # Beside it first: a build that is cut off leaves nothing that looks finished.
  (cd "$source" && go build -o "$SERVER.part" ./cmd/server) >&2
  mv "$SERVER.part" "$SERVER"
fi
echo "$SERVER"
