#!/usr/bin/env bash
# tests/wpt/fetch.sh [DIR]: brings web-platform-tests, the copy inside Debian's source archive of firefox-esr 140.12.0esr
# (testing/web-platform/tests): the one that tests/wpt/reference was measured on. Needs apt and about 2 GB of disk for a
# while. Without DIR they go where run.mjs looks for them.
set -euo pipefail
version=140.12.0esr
sum=5c72347381233dcc97cbd02c0324116258769d8b9b0f869fd0c6f1d59519ce2a
case ${1:-} in -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
target=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/vigil/wpt}
if [ -e "$target/resources/testharness.js" ]; then
  echo "wpt: $target has them already"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The archives that this machine installs packages from, asked for sources; this machine's own lists stay as they are.
mkdir -p "$work/lists/partial" "$work/cache"
sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources 2>/dev/null > "$work/uris" || true
sed -n 's/^deb \(\[[^]]*\] \)\?\([^ ]*\) .*/\2/p' /etc/apt/sources.list 2>/dev/null >> "$work/uris" || true
grep -E '/debian/?$' "$work/uris" | sort -u | while read -r uri; do
  echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri bookworm main"
done > "$work/sources.list"
options=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists"
  -o "Dir::Cache=$work/cache")
echo "wpt: reading Debian's list of sources"
apt-get -qq "${options[@]}" update
uri=$(apt-get "${options[@]}" source --print-uris "firefox-esr=$version-1~deb12u1" 2>/dev/null |
  sed -n "s/^'\([^']*firefox-esr_$version\.orig\.tar\.xz\)'.*/\1/p")
if [ -z "$uri" ]; then
  echo "wpt: Debian's archive has no firefox-esr $version; any checkout of web-platform-tests serves: make wpt WPT=DIR" >&2
  exit 1
fi
echo "wpt: downloading 683 MB"
/usr/lib/apt/apt-helper download-file "$uri" "$work/source.tar.xz" "SHA256:$sum" > "$work/log" 2>&1 || {
  tail -n 5 "$work/log" >&2
  exit 1
}
echo "wpt: unpacking into $target"
mkdir -p "$target"
tar -xJf "$work/source.tar.xz" -C "$target" --strip-components=4 --wildcards '*/testing/web-platform/tests/*'
echo "wpt: ready"
