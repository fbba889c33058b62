#!/usr/bin/env bash
# `cmake --install` puts program, decks, job scripts and the package of Python where they find each other, and may be moved.
#
#   COSPIN_PROGRAM, COSPIN_BUILD_DIR
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=$(sed -n 's/^COSPIN_PYTHON:[^=]*=//p' "$COSPIN_BUILD_DIR/CMakeCache.txt")
failed=0
fail() {
  echo "install: $*" >&2
  failed=1
}

cmake --install "$COSPIN_BUILD_DIR" --prefix "$scratch/first" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
mv "$scratch/first" "$scratch/moved"
prefix=$scratch/moved
mkdir "$scratch/empty"
cd "$scratch/empty"
"$prefix/bin/cospin" --version >/dev/null || fail "the program does not start"
cat >my.yaml <<'DECK'
title: A spin that decays
grid: {w: [1, 2]}
parameters: {w: 1}
components: {s: {kind: spin, S: 1/2}}
hamiltonian: [w*s.Sx]
jumps: [{rate: 1, operator: s.Sm}]
observables: {up: <s.Sz>}
tasks: [{steady: {}}]
DECK

# ---- A job that was submitted where nothing of the project is, under a SLURM that only says what it was asked for
"$prefix/bin/cospin" plan --slurm my.yaml >job.sh || fail "no job script"
mkdir fake
printf '#!/bin/sh\nshift\nexec "$@"\n' >fake/srun
printf '#!/bin/sh\nexit 1\n' >fake/squeue
chmod +x fake/srun fake/squeue
if env -u COSPIN -u COSPIN_ROOT PATH="$PWD/fake:$PATH" SLURM_SUBMIT_DIR="$PWD" SLURM_JOB_ID=1 SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 \
  bash job.sh >job.log 2>&1; then
  [ -s runs/my.h5 ] || fail "the job left no dataset"
else
  fail "the job script ended with $?: $(cat job.log)"
fi
grep -q "COSPIN_ROOT='$prefix/" job.sh || fail "the job script does not name what is installed"

# ---- Python: the link that `import cospin` follows, and the command
site=$(dirname "$(find "$prefix/lib" -name cospin -path '*packages*')")
if "$python" -c 'import h5py, xarray, h5netcdf, matplotlib' 2>/dev/null; then
  found=$(env -u COSPIN -u COSPIN_PROGRAM PYTHONPATH="$site" "$python" -c 'import cospin; cospin.run("my.yaml"); print(cospin.program.found_program())') ||
    fail "the package does not run a deck"
  [ "$found" = "$prefix/bin/cospin" ] || fail "the package starts $found"
  "$prefix/bin/cospin-plot" my.h5 >/dev/null || fail "cospin-plot"
  [ -s my.png ] || fail "no picture"
fi
exit "$failed"
