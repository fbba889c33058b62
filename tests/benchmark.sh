#!/usr/bin/env bash
# Speed and memory of cospin beside QuTiP, in one run: head of tests/benchmark.py, and --help for its options.
#
#   bash tests/benchmark.sh [options]     e.g. --sizes 124 400 --repeat 1, or --rows cats8 cat60_local
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash jobscripts/setup.sh build plot benchmark
cmake --preset release
cmake --build build/release --parallel "$(nproc)" --target cospin
export OMP_NUM_THREADS=1
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
exec /usr/bin/python3 tests/benchmark.py build/release/cospin "$@"
