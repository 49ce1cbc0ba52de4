#!/usr/bin/env bash
# tools/fuzz.sh SECONDS [TARGET...]: runs every fuzz target (or those named) for so many seconds, two at a time. Begins
# with fuzz/seeds/TARGET; what it finds interesting is kept in build-clang/corpus/TARGET and is where the next run begins.
# An input that fails is kept as build-clang/findings/TARGET-*, and the command to run it again is printed.
# tools/fuzz.sh --keep TARGET...: after a run, makes few and small inputs that show most the seeds of these targets. For
# those whose seeds fuzz/make_seeds.mjs does not write.
set -euo pipefail
cd "$(dirname "$0")/.."
usage='usage: tools/fuzz.sh SECONDS [TARGET...]   (make fuzz TIME=SECONDS)'
if [ "${1:-}" = --keep ]; then
  shift
  for target in "$@"; do
    merged=$(mktemp -d)
    "build-clang/bin/$target" -set_cover_merge=1 -max_len=4096 "$merged" "build-clang/corpus/$target" 2> /dev/null
    rm -rf "fuzz/seeds/$target"
    mkdir -p "fuzz/seeds/$target"
    # At most 24, some of every size: the smallest alone show little.
    find "$merged" -type f -size -2700c -printf '%s %p\n' | sort -n |
      awk '{ file[NR] = $2 } END { n = NR < 24 ? NR : 24; for (i = 1; i <= n; i++) print file[int(i * NR / n)] }' |
      xargs -I{} cp {} "fuzz/seeds/$target/"
    rm -rf "$merged"
  done
  exit 0
fi
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

# One target; what it prints comes at once, so that two do not mix their lines.
run() {
  local target=$1 log=build-clang/findings/$1.log seeds=()
  mkdir -p "build-clang/corpus/$target"
  [ -d "fuzz/seeds/$target" ] && seeds=("fuzz/seeds/$target")
  if "build-clang/bin/$target" -max_total_time="$seconds" -max_len=4096 -len_control=0 -rss_limit_mb=4096 \
    -artifact_prefix="build-clang/findings/$target-" "build-clang/corpus/$target" "${seeds[@]}" > "$log" 2>&1; then
    echo "$target: $seconds s without a finding; $(tail -n 1 "$log")"
    return 0
  fi
  echo "$target found something; the log is $log. Again: build-clang/bin/$target build-clang/findings/$target-…
$(grep -m 1 -E 'ERROR|runtime error|stuck|deadly|broken' "$log" || tail -n 5 "$log")"
  return 1
}
export -f run
export seconds

tools/build.sh clang "${targets[@]}"
mkdir -p build-clang/findings
started=$(date +%s)
failed=0
printf '%s\n' "${targets[@]}" | xargs -P 2 -I{} bash -c 'run {}' || failed=1
echo "fuzz: ${#targets[@]} targets, $(($(date +%s) - started)) s"
exit "$failed"
