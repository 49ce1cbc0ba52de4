#!/usr/bin/env bash
# Installs what Vigil needs to build and to test itself, and nothing twice: Debian packages by apt, npm packages from
# package-lock.json into ./node_modules. Says what it installs; says nothing when all is there. Needs no network then.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  # compilers and tools
  build-essential clang clang-format libclang-rt-14-dev cmake ninja-build ccache pkg-config patchelf git
  # libraries
  libboost1.81-dev libboost-json1.81-dev libbrotli-dev libcli11-dev libcurl4-openssl-dev libexpected-dev libfmt-dev libidn2-dev
  libprotobuf-dev libpsl-dev protobuf-compiler libseccomp-dev libsqlite3-dev libssl-dev libzstd-dev
  libwslay-dev zlib1g-dev
  # tests: frameworks, browsers as peers, network namespaces
  libgtest-dev libgmock-dev librapidcheck-dev chromium firefox-esr iproute2
)
command -v npm >/dev/null || packages+=(npm)

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo -- "$@"; else
    echo "setup: these Debian packages are missing, and neither root nor sudo is at hand: ${missing[*]}" >&2
    exit 1
  fi
}

if [ ${#missing[@]} -gt 0 ]; then
  echo "setup: installing Debian packages: ${missing[*]}"
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  if ! { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update &&
         as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "setup: apt-get could not install them (its last lines are above)" >&2
    exit 1
  fi
fi

# The stamp names the lock file that node_modules was made from.
stamp=node_modules/.vigil-lock
wanted=$(sha256sum package-lock.json | cut -d' ' -f1)
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
  echo "setup: installing the npm packages of package-lock.json into node_modules"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  echo "$wanted" >"$stamp"
fi
