#!/usr/bin/env bash
# Every deck in tests/decks/bad gives exactly the faults of its .expected file, from `plan` and, every fourth of them
# (--all: each), from `run`, on one rank and (a few) on two: exit status 2, nothing on standard output, no file written,
# no hang.
#
#   bash tests/cli/bad_decks.sh --update    writes the .expected files anew: read the difference before you commit it
# cospin-test: TIMEOUT 900 COST 65
set -uo pipefail

source=${COSPIN_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
program=${COSPIN_PROGRAM:-$source/build/release/cospin}
mpiexec=${COSPIN_MPIEXEC:-mpiexec}
export OMP_NUM_THREADS=1 OMPI_MCA_hwloc_base_binding_policy=none
if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
decks=$source/tests/decks/bad
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Open MPI starts no daemon beside a program that runs alone: twice as quick. Not under mpiexec, which needs its daemon.
alone=(env OMPI_MCA_ess_singleton_isolated=1 "$program")

fail() { echo "FAILED: $*"; }

# The faults, and the line that counts them.
expected_text() {
  local file=$decks/${1%.yaml}.expected count
  cat "$file"
  count=$(wc -l <"$file")
  if [ "$count" -eq 1 ]; then
    echo "cospin: 1 fault in $1, nothing was run"
  else
    echo "cospin: $count faults in $1, nothing was run"
  fi
}

# check_command DECK LABEL COMMAND...: runs it in a folder that holds the deck and nothing else.
check_command() {
  local deck=$1 label=$2 out=$scratch/$1.out folder=$scratch/$1.folder status=0
  shift 2
  mkdir -p "$folder" "$out"
  cp "$decks/$deck" "$folder"
  (cd "$folder" && exec timeout -k 5 60 "$@") >"$out/stdout" 2>"$out/stderr" </dev/null || status=$?
  expected_text "$deck" >"$out/expected"
  cp "$out/stderr" "$out/said"
  if [ "$1" = "$mpiexec" ]; then # it has something to say about exit statuses, too: only what cospin prints counts
    grep -aE "^($deck:|cospin:)" "$out/stderr" >"$out/said"
  fi
  [ "$status" -eq 2 ] || fail "$label $deck: exit status $status instead of 2"
  cmp -s "$out/said" "$out/expected" || {
    fail "$label $deck: other faults than expected"
    diff "$out/expected" "$out/said"
  }
  [ "$1" = "$mpiexec" ] || [ ! -s "$out/stdout" ] || fail "$label $deck: text on standard output"
  [ "$(ls -A "$folder")" = "$deck" ] || fail "$label $deck: wrote $(ls -A "$folder" | grep -vx "$deck" | xargs)"
}

check_deck() {
  local deck=$1 number=$2
  export TMPDIR=$scratch/$number # Open MPI's own folders: programs that share them may trip over each other
  mkdir -p "$TMPDIR"
  [ -s "$decks/${deck%.yaml}.expected" ] || { fail "$deck has no .expected"; return; }
  check_command "$deck" plan "${alone[@]}" plan "$deck"
  if [ -n "${COSPIN_TEST_LONG-}" ] || [ $((number % 4)) -eq 1 ]; then
    check_command "$deck" run "${alone[@]}" run "$deck"
  fi
  if [ $((number % 24)) -eq 1 ]; then
    check_command "$deck" "run on 2 ranks" "$mpiexec" -n 2 --oversubscribe "$program" run "$deck"
  fi
}

if [ "${1:-}" = --update ]; then
  cd "$decks" || exit 1
  for deck in *.yaml; do
    timeout 60 "${alone[@]}" plan "$deck" 2>&1 >/dev/null | grep -av '^cospin:' >"${deck%.yaml}.expected"
  done
  exit 0
fi

count=0
for path in "$decks"/*.yaml; do
  deck=$(basename "$path")
  count=$((count + 1))
  check_deck "$deck" "$count" >"$scratch/$deck.log" 2>&1 & # they mostly wait for MPI to start and to end
  if [ $((count % 4)) -eq 0 ]; then wait; fi
done
wait
for path in "$decks"/*.expected; do
  [ -f "${path%.expected}.yaml" ] || fail "$path has no deck" >>"$scratch/more.log"
done
[ "$count" -ge 40 ] || fail "only $count bad decks" >>"$scratch/more.log"

cat "$scratch"/*.log
failures=$(cat "$scratch"/*.log | grep -c '^FAILED')
echo "$count bad decks, $failures failures"
[ "$failures" -eq 0 ]
