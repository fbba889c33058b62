#!/usr/bin/env bash
# The main deck, smaller, gives the same numbers on 1, 2 and 3 ranks, in one group or several.
# cospin-test: PROCESSORS 2 TIMEOUT 900
set -uo pipefail

source=${COSPIN_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
program=${COSPIN_PROGRAM:-$source/build/release/cospin}
mpiexec=${COSPIN_MPIEXEC:-mpiexec}
python=${COSPIN_PYTHON:-/usr/bin/python3}
export OMP_NUM_THREADS=1 OMPI_MCA_hwloc_base_binding_policy=none
if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
"$python" -c 'import h5py, numpy' || exit 77
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

sed -E 's/^(  N: +)124/\130/; s/^(  nbar: +)\[.*\]/\1[0, 0.5, 1, 4.7]/' "$source/input/ions_fig10a.yaml" >deck.yaml
grep -q '^  N: *30' deck.yaml || { echo "FAILED: the deck could not be made smaller"; exit 1; }

# ranks groups
runs=("1 1" "2 1" "2 2" "3 1" "3 3")
for run in "${runs[@]}"; do
  read -r ranks groups <<<"$run"
  timeout -k 5 200 "$mpiexec" -n "$ranks" --oversubscribe "$program" run deck.yaml -o "np$ranks.g$groups.h5" \
    --groups "$groups" --progress none >"np$ranks.g$groups.log" 2>&1 || {
    echo "FAILED: $ranks ranks in $groups groups: status $?"
    cat "np$ranks.g$groups.log"
    exit 1
  }
done

"$python" - np*.h5 <<'PYTHON'
"""Results of all files against the first: observables and rates to 1e-9, whole numbers exactly."""
import sys

import h5py
import numpy

COUNTS_OF_WORK = ("iterations",)  # how the answer was found, and what rounding left: may differ
ROUNDING = ("residual", "hermiticity", "frequency", "weight_im")
BOOKKEEPING = ("seconds", "peak_memory", "ranks")


def results(path):
    with h5py.File(path) as file:
        return {name: item[()] for name, item in file.items()
                if isinstance(item, h5py.Dataset) and not name.endswith(COUNTS_OF_WORK + BOOKKEEPING)}


failures, compared = 0, 0
first = results(sys.argv[1])
if not (first["outcome"] == 1).all() or numpy.isnan(first["decay_rate"]).any():
    sys.exit("FAILED: the points of the first run are not all good")
for path in sys.argv[2:]:
    other = results(path)
    if first.keys() != other.keys():
        sys.exit(f"FAILED: {path} has other variables: {first.keys() ^ other.keys()}")
    for name, value in first.items():
        compared += 1
        if value.dtype.kind in "iu":
            good = (value == other[name]).all()
        elif name.endswith(ROUNDING):
            good = ((abs(other[name]) < 1e-9) | (numpy.isnan(value) & numpy.isnan(other[name]))).all()
        elif name.endswith(("next_rate", "next_lifetime")):  # known to a few digits only, see the task
            good = numpy.allclose(value, other[name], rtol=0.1)
        elif name.endswith("_resolution"):
            good = numpy.allclose(value, other[name], rtol=1e-12)
        else:
            good = numpy.allclose(value, other[name], rtol=1e-9, atol=1e-12, equal_nan=True)
        if not good:
            failures += 1
            print(f"FAILED: {path}: {name}: {other[name].ravel()} instead of {value.ravel()}")
print(f"{len(sys.argv) - 1} runs, {compared} variables compared, {failures} failures")
sys.exit(1 if failures or compared < 50 else 0)
PYTHON
