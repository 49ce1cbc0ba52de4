#!/usr/bin/env bash
# tools/fuzz.sh SECONDS [TARGET...]: runs every fuzz target (or those named) for so many seconds. What it finds
# interesting is kept in build-fuzz/corpus/TARGET and is where the next run begins. An input that fails is kept as
# build-fuzz/findings/TARGET-*, and the command to run it again is printed.
set -euo pipefail
cd "$(dirname "$0")/.."
usage='usage: tools/fuzz.sh SECONDS [TARGET...]   (make fuzz TIME=SECONDS)'
case ${1:-} in
  -h | --help) echo "$usage"; exit 0 ;;
  '' | *[!0-9]*) echo "$usage" >&2; exit 2 ;;
esac
seconds=$1
shift
if [ $# -eq 0 ]; then
  mapfile -t targets < <(sed -n 's/^vigil_fuzzer(\([a-z_]*\) .*/\1/p' fuzz/CMakeLists.txt)
else
  targets=("$@")
fi
tools/build.sh fuzz "${targets[@]}"
mkdir -p build-fuzz/findings
failed=0
for target in "${targets[@]}"; do
  mkdir -p "build-fuzz/corpus/$target"
  echo "== $target: $seconds s"
  log=build-fuzz/findings/$target.log
  if "build-fuzz/bin/$target" -max_total_time="$seconds" -max_len=4096 -len_control=0 -rss_limit_mb=4096 \
    -artifact_prefix="build-fuzz/findings/$target-" "build-fuzz/corpus/$target" > "$log" 2>&1; then
    tail -n 1 "$log"
  else
    failed=1
    echo "$target found something; the log is $log. Again: build-fuzz/bin/$target build-fuzz/findings/$target-…"
    grep -m 1 -E 'ERROR|runtime error|stuck|deadly' "$log" || tail -n 5 "$log"
  fi
done
exit "$failed"
