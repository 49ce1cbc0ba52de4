#!/usr/bin/env bash
# tools/test.sh gcc|clang [ctest arguments]: runs the tests of a built preset; the last lines are ctest's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?usage: tools/test.sh gcc|clang [ctest arguments]}
shift
dir=build
[ "$preset" = gcc ] || dir=build-$preset
exec ctest --test-dir "$dir" --output-on-failure --progress -j 2 "$@"
