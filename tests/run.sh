#!/usr/bin/env bash
# Installs what is missing (Debian), configures, builds and runs all tests; ends with ctest's summary and status.
#
#   bash tests/run.sh [--all] [ctest arguments]     e.g. bash tests/run.sh -R unit -V
#
# --all: those with the label `long`, too.
set -euo pipefail

choice=(-LE '^long$')
if [[ ${1-} == --all ]]; then
  choice=()
  shift
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash jobscripts/setup.sh build plot test
cmake --preset release -DBUILD_TESTING=ON
cmake --build build/release --parallel "$(nproc)"
exec ctest --test-dir build/release --output-on-failure --no-tests=error --no-label-summary -j2 "${choice[@]}" "$@"
