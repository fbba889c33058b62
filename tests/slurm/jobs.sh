#!/usr/bin/env bash
# The job scripts as shipped, under the SLURM that with-slurm.sh has started (WS_NODES nodes): each ends, a job that is
# signalled twice and requeued ends with the numbers of an undisturbed run, array elements are jobs of their own.
set -euo pipefail

nodes=${WS_NODES:-1}
python=${COSPIN_PYTHON:-/usr/bin/python3}
work=$(mktemp -d -t cospin_slurm.XXXXXX)
trap 'rm -rf "$work"' EXIT
# submitted from a folder that is not the source's, so that nothing is written there
mkdir "$work/runs"
ln -s "$COSPIN_SOURCE_DIR/jobscripts" "$work/jobscripts"
cd "$work"
export COSPIN=$COSPIN_PROGRAM COSPIN_MARGIN=20

fail() {
  echo "FAILED: $*" >&2
  tail -n 30 "$work"/slurm-*.out >&2 || true
  exit 1
}

# deck NAME SIZE POINTS
deck() {
  cat >"$1.yaml" <<END
title: $1
parameters: {N: $2, nbar: 0}
grid: {nbar: {linspace: [0, 2, $3]}}
components: {ions: {kind: ensemble, size: N}}
jumps:
  - {rate: nbar+1, operator: ions.Sm}
  - {rate: nbar, operator: ions.Sp}
  - {rate: N/2, each: ions.sp}
observables: {inversion: 2*<ions.Sz>/N}
tasks: [{steady: {}}, {decay: {of: ions.Sp}}]
END
}

submit() { # prints the job's number
  sbatch --parsable --time=10 --mem-per-cpu=200M "$@"
}

wait_for() { # until no job is left
  for _ in $(seq 600); do
    if [ -z "$(squeue -h 2>/dev/null)" ]; then return 0; fi
    sleep 0.5
  done
  fail "jobs do not end: $(squeue)"
}

wait_for_shard() { # of a dataset that is being written
  for _ in $(seq 200); do
    if compgen -G "$1.parts/points-*.h5" >/dev/null; then return 0; fi
    sleep 0.1
  done
  fail "$1: no point was published"
}

same() { # all numbers of two datasets, to the last digit
  "$python" - "$1" "$2" <<'END' || fail "$1 and $2 differ"
import sys
import h5py
import numpy
a, b = (h5py.File(path) for path in sys.argv[1:])
names = [n for n in a if isinstance(a[n], h5py.Dataset) and not n.endswith(("seconds", "peak_memory", "ranks"))]
assert len(names) > 5 and (a["outcome"][()] == 1).all()
for name in names:
    numpy.testing.assert_array_equal(a[name][()], b[name][()], err_msg=name)
END
}

# on as many ranks as the job has, each point on one of them: the same bits
undisturbed() { "${COSPIN_MPIEXEC:-mpiexec}" -n 2 "$COSPIN_PROGRAM" run "$1.yaml" -o "$1.reference.h5" --quiet; }

test_one_node() {
  deck plain 20 10
  submit jobscripts/one_node.sh plain.yaml >/dev/null
  wait_for
  [ -f runs/plain.h5 ] || fail "one_node.sh left no dataset"
  undisturbed plain
  same plain.reference.h5 runs/plain.h5
}

# what `cospin plan --slurm` writes, as it is
test_planned() {
  deck "it's planned" 20 12
  "$COSPIN_PROGRAM" plan --slurm "it's planned.yaml" --cores-per-node "$((2 / nodes))" --memory-per-node 1G \
    --nodes "$nodes" >planned.sh || fail "plan --slurm, status $?"
  bash -n planned.sh || fail "plan --slurm writes no script"
  sbatch planned.sh >/dev/null
  wait_for
  [ -f "runs/it's planned.h5" ] || fail "the planned job left no dataset"
  grep -q "on 2 ranks, $nodes node(s)" slurm-*.out || fail "the planned job has other sizes"
  undisturbed "it's planned"
  same "it's planned.reference.h5" "runs/it's planned.h5"
}

test_signalled_twice() {
  local job restarts
  deck signalled 150 200 # enough for two stops and a rest
  job=$(submit jobscripts/one_node.sh signalled.yaml)
  for _ in 1 2; do
    wait_for_shard runs/signalled.h5
    scancel --signal=USR1 --batch "$job"
    for _ in $(seq 200); do
      if [ -f runs/signalled.h5 ] && [ ! -d runs/signalled.h5.parts ]; then break; fi
      sleep 0.1
    done
  done
  wait_for
  restarts=$(grep -c "stopped early, requeued" slurm-"$job".out) || fail "the job was never requeued"
  [ "$restarts" -ge 2 ] || fail "the job was requeued $restarts time(s), not twice"
  undisturbed signalled
  same signalled.reference.h5 runs/signalled.h5
  [ "$("$python" -c 'import h5py, sys; print(len(h5py.File(sys.argv[1]).attrs["history"].splitlines()))' \
    runs/signalled.h5)" -eq 3 ] || fail "the history has not a line for each of three runs"
}

# What is cancelled stays so; the same command goes on.
test_cancelled() {
  local job
  deck cancelled 150 40
  job=$(submit jobscripts/one_node.sh cancelled.yaml)
  wait_for_shard runs/cancelled.h5
  scancel "$job"
  wait_for
  grep -q "cancelled, so not requeued" slurm-"$job".out || fail "a cancelled job was requeued, or did not end in order"
  job=$(submit jobscripts/one_node.sh cancelled.yaml)
  wait_for
  grep -q "of 40 points are there already" slurm-"$job".out || fail "the job did not go on"
  undisturbed cancelled
  same cancelled.reference.h5 runs/cancelled.h5
}

test_array() {
  deck first 10 5
  deck second 12 5
  submit --array=0-1 jobscripts/array.sh first.yaml second.yaml >/dev/null
  wait_for
  for name in first second; do
    undisturbed "$name"
    same "$name.reference.h5" "runs/$name.h5"
  done
}

test_two_nodes() {
  deck groups 20 10
  submit jobscripts/many_groups.sh groups.yaml >/dev/null
  wait_for
  [ -f runs/groups.h5 ] || fail "many_groups.sh left no dataset"
  grep -q "2 node(s)" slurm-*.out || fail "the job did not get two nodes"
  undisturbed groups
  same groups.reference.h5 runs/groups.h5
  deck large 60 2
  submit jobscripts/one_large_point.sh large.yaml >/dev/null
  wait_for
  "$python" -c 'import h5py; f = h5py.File("runs/large.h5"); assert (f["outcome"][()] == 1).all() and (f["ranks"][()] == 2).all()' \
    || fail "one_large_point.sh did not put two ranks on each point"
}

if [ "$nodes" -gt 1 ]; then
  test_two_nodes
  test_planned
else
  test_one_node
  test_planned
  test_array
  test_signalled_twice
  if [ -n "${COSPIN_TEST_LONG-}" ]; then test_cancelled; fi
fi
echo "all job scripts on $nodes node(s): good"
