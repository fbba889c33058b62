#!/usr/bin/env bash
# `cospin plan --slurm`: for every eighth deck of input/ (--all: for each) a script that bash can read, with sizes that follow from the machine's.
set -uo pipefail

source=${COSPIN_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
program=${COSPIN_PROGRAM:-$source/build/release/cospin}
export OMP_NUM_THREADS=1 OMPI_MCA_ess_singleton_isolated=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# value_of KEY SCRIPT: of its line `#SBATCH --KEY=VALUE`, digits only
value_of() { sed -n "s/^#SBATCH --$1=\([0-9]*\).*/\1/p" "$2"; }

number=0
for deck in "$source"/input/*.yaml; do
  name=$(basename "$deck" .yaml)
  number=$((number + 1))
  [ -n "${COSPIN_TEST_LONG-}" ] || [ $((number % 8)) -eq 1 ] || continue
  grep -q 'file: \.\./runs/' "$deck" && continue # needs what another deck stores
  "$program" plan --slurm "$deck" --cores-per-node 4 --memory-per-node 8G >"$scratch/$name.sh" || fail "$name: status $?"
  bash -n "$scratch/$name.sh" || fail "$name: no script"
  for key in nodes ntasks-per-node mem-per-cpu; do
    [ "$(value_of "$key" "$scratch/$name.sh")" -ge 1 ] || fail "$name: $key"
  done
  [ "$(value_of ntasks-per-node "$scratch/$name.sh")" -le 4 ] || fail "$name: more ranks than cores"
done

# One point of 3 GB (a start asks for all labels, without a window): it goes over as many nodes as its memory needs. The deck
# is only looked at.
cat >"$scratch/large.yaml" <<'END'
title: large
parameters: {N: 700}
components: {ions: {kind: ensemble, size: N}}
jumps: [{rate: 1, operator: ions.Sm}, {rate: N/2, each: ions.sp}]
tasks: [{steady: {initial: {ions: ground}}}]
END
sizes() { "$program" plan --slurm "$scratch/large.yaml" "$@" >"$scratch/large.sh"; value_of nodes "$scratch/large.sh"; }
one=$(sizes --cores-per-node 4 --memory-per-node 64G)
many=$(sizes --cores-per-node 4 --memory-per-node 500M)
[ "$one" -eq 1 ] && [ "$many" -gt 1 ] || fail "nodes of a large point: $one with much memory, $many with little"
grep -q -- "--ranks-per-point $((4 * many)) " "$scratch/large.sh" || fail "its ranks do not work on one point"
sizes --cores-per-node 4 --memory-per-node 500M --nodes 1 >/dev/null
grep -q "NOTE: .* not expected to fit" "$scratch/large.sh" || fail "nothing is said of memory that is too small"

for wrong in "--cores-per-node 0" "--memory-per-node much" "--nodes -1"; do
  # shellcheck disable=SC2086
  "$program" plan --slurm "$scratch/large.yaml" $wrong >/dev/null 2>&1
  [ $? -eq 2 ] || fail "$wrong is taken"
done
echo "$failures failures"
[ "$failures" -eq 0 ]
