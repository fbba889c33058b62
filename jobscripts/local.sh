#!/usr/bin/env bash
# From nothing to a picture on this machine: installs what is missing (Debian), configures, builds, runs a deck on
# all cores with mpiexec, draws its figure and says where everything is.
#
#   bash jobscripts/local.sh [DECK]         default: input/ions_fig10a.yaml
#
# The dataset becomes runs/DECKNAME.h5 and the figure runs/DECKNAME.png; an earlier run of that deck is overwritten.
# Exit status: that of `cospin run` (3: some points have a bad outcome; the figure is drawn all the same).
#
# COSPIN_RANKS=n  MPI ranks (default: one per physical core)
# PETSC_DIR, PETSC_ARCH, SLEPC_DIR, HDF5_ROOT  libraries of your own
# COSPIN_PYTHON   the python3 that draws (default: /usr/bin/python3, for which the packages are installed)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build/release
python=${COSPIN_PYTHON:-/usr/bin/python3}
deck=${1:-$root/input/ions_fig10a.yaml}
name=$(basename "$deck")
name=${name%.*}

physical_cores() {
  local allowed cores
  allowed=$(nproc)
  cores=$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l) || cores=0
  if [ "$cores" -gt 0 ] && [ "$cores" -lt "$allowed" ]; then echo "$cores"; else echo "$allowed"; fi
}

if [ ! -f "$deck" ]; then
  echo "local.sh: there is no deck '$deck' (the shipped ones are in $root/input)" >&2
  exit 2
fi

bash "$root/jobscripts/setup.sh" build plot
(cd "$root" && cmake --preset release)
cmake --build "$build" --target cospin --parallel "$(nproc)"

mpiexec=$(sed -n 's/^MPIEXEC_EXECUTABLE:[^=]*=//p' "$build/CMakeCache.txt") # of the MPI it was built with
ranks=${COSPIN_RANKS:-$(physical_cores)}
export OMP_NUM_THREADS=1 # a rank per core is the parallelism; threads on top slow it down
export OMPI_MCA_hwloc_base_binding_policy=none # two runs at a time would be bound to the same cores
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
progress=()
if [ -t 2 ]; then progress=(--progress line); fi # mpiexec hides the terminal from the program

mkdir -p "$root/runs"
dataset=$root/runs/$name.h5
figure=$root/runs/$name.png
echo "local.sh: running $deck on $ranks rank(s)"
status=0
"$mpiexec" -n "$ranks" "$build/cospin" run "$deck" -o "$dataset" --overwrite "${progress[@]}" || status=$?
if [ "$status" -ne 0 ] && [ "$status" -ne 3 ]; then
  echo "local.sh: cospin run ended with status $status; nothing was drawn" >&2
  exit "$status"
fi

MPLBACKEND=Agg "$python" "$root/postprocess/cospin-plot" "$dataset" -o "$figure"

echo
if [ "$status" -eq 3 ]; then
  echo "local.sh: some points have a bad outcome; see: $build/cospin show $dataset"
fi
echo "deck:     $deck"
echo "dataset:  $dataset"
echo "figure:   $figure"
echo "program:  $build/cospin"
exit "$status"
