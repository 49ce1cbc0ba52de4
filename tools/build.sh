#!/usr/bin/env bash
# tools/build.sh gcc|clang [ninja targets…]: configures (once) and builds that preset, in few words.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?usage: tools/build.sh gcc|clang [targets]}
shift
dir=build
[ "$preset" = gcc ] || dir=build-$preset

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! cmake --preset "$preset" >"$log" 2>&1; then
  cat "$log" >&2
  echo "build: configuring failed; is everything installed? (make setup)" >&2
  exit 1
fi
started=$(date +%s)
# ninja keeps its progress on one line of a terminal, and is quiet elsewhere.
if [ -t 1 ]; then
  ninja -C "$dir" "$@"
elif ! ninja -C "$dir" "$@" >"$log" 2>&1; then
  grep -vE '^\[[0-9]+/[0-9]+\]' "$log" | tail -n 60 >&2
  exit 1
fi
echo "build: $dir is up to date ($(($(date +%s) - started)) s)"
