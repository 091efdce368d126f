# Sourced by test-system.sh: has Prometheus and schemathesis in a cache folder (FRAMELOCK_CACHE, else ~/.cache/framelock), and says where.
# Prometheus is unpacked and not installed, so that no daemon of it is started.

SCHEMATHESIS_VERSION=4.32.5
cache=${FRAMELOCK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/framelock}
mkdir -p "$cache"

if ! command -v promtool >/dev/null && [ ! -x "$cache/prometheus/usr/bin/promtool" ]; then
  packages=$(mktemp -d)
  # `apt-get download` fetches as a user of its own.
  chmod 777 "$packages"
  if ! { (cd "$packages" && apt-get download -qq prometheus) && dpkg -x "$packages"/prometheus_*.deb "$cache/prometheus"; }; then
    echo "NO PROMETHEUS BY APT: the metrics are not checked by it" >&2
  fi
  rm -rf "$packages"
fi

export FRAMELOCK_SCHEMATHESIS=$cache/schemathesis-$SCHEMATHESIS_VERSION/bin/schemathesis
if [ ! -x "$FRAMELOCK_SCHEMATHESIS" ]; then
  # Whole or not at all: its start comes last.
  rm -rf "$cache/schemathesis-$SCHEMATHESIS_VERSION"
  if ! { python3 -m venv "$cache/schemathesis-$SCHEMATHESIS_VERSION" &&
    "$cache/schemathesis-$SCHEMATHESIS_VERSION/bin/pip" install --quiet "schemathesis==$SCHEMATHESIS_VERSION"; }; then
    rm -rf "$cache/schemathesis-$SCHEMATHESIS_VERSION"
    echo "NO SCHEMATHESIS BY PIP: the API is not fuzzed by it" >&2
  fi
fi
export FRAMELOCK_CACHE=$cache
