#!/usr/bin/env bash
# Every deck in input/ runs (with few spins and few grid points), all its points are good, and what `plan` prints of it
# is itself a deck with the same plan. What does not depend on the deck (that its comments may stay, that a finished
# dataset is shown and not touched) is asked of every fifth one, with --all of each.
#
#   decks_run.sh --small DECK     only prints the deck as it is run here (for other tests that need quick decks)
#
# cospin-test: TIMEOUT 900 COST 130
set -uo pipefail

source=${COSPIN_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
program=${COSPIN_PROGRAM:-$source/build/release/cospin}
export OMP_NUM_THREADS=1 OMPI_MCA_ess_singleton_isolated=1
[ "${1:-}" != --small ] || set -- --small "$(readlink -f "$2")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch # Open MPI's own folders: programs that share them may trip over each other
cd "$scratch" || exit 1
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# Six spins at most, three values on an axis at most; says so if a deck is written such that this no longer works.
# Mean field keeps its number: it costs the same, and the in-phase point of few spins is not stable.
make_small() {
  local few='4, 5' exact='^  - (steady|gap|decay|evolve|spectrum|correlation|g2|counting|clicks)'
  if grep -q '^  - boundary' "$1" && ! grep -qE "$exact" "$1"; then
    sed -E 's/^(  x: +)\[[^],]*, ([^],]*), .*\]/\1[\2]/' "$1"
    return
  fi
  if grep -q '^operator: expansion' "$1"; then # costs the same at any number, and needs many
    sed -E -e 's/^(  N: +)\[[^]]*\]/\1[1000, 1e4]/' \
      -e 's/logspace: \[([^],]*), ([^],]*), [0-9]+\]/logspace: [\1, \2, 3]/' "$1"
    return
  fi
  if grep -q 'size: N/2' "$1"; then few='4, 6'; fi # halves of them
  sed -E -e 's/^(  N: +)[0-9]+/\16/' -e "s/^(  N: +)\[[^]]*\]/\1[$few]/" \
    -e 's/^(  S: +)\[[^]]*\]/\1[1, 2]/' \
    -e 's/^(  (x|nbar|w|k): +)\[[^],]*, ([^],]*), .*\]/\1[\3]/' \
    -e 's|(file: )\.\./runs/|\1|' \
    -e 's/(linspace|logspace): \[([^],]*), ([^],]*), [0-9]+\]/\1: [\2, \3, 3]/' "$1"
}

if [ "${1:-}" = --small ]; then
  make_small "$2"
  exit
fi

without_comments() { sed '/^#/d' "$1"; }

# The same plan, but for the name of the file.
same_plan() {
  sed "s|$1|DECK|g" "$1.plan" >"$1.named"
  sed "s|$2|DECK|g" "$2.plan" >"$2.named"
  cmp -s "$1.named" "$2.named" || diff "$1.named" "$2.named"
}

count=0
for path in "$source"/input/*.yaml; do
  name=$(basename "$path" .yaml)
  count=$((count + 1))

  sed 's|file: \.\./runs/|file: |' "$path" >"$name.whole.yaml" # states of another deck stand here
  "$program" plan "$name.whole.yaml" >"$name.full" || fail "$name: plan of the full deck, status $?"
  grep -q '^# Source' "$path" && grep -q '^# Cost' "$path" || fail "$name: no comment that tells source and cost"

  make_small "$path" >"$name.yaml"
  if cmp -s "$path" "$name.yaml" && [ "$name" != reference_deck ]; then fail "$name: could not be made small"; fi
  "$program" plan "$name.yaml" >"$name.yaml.plan" || fail "$name: plan, status $?"
  without_comments "$name.yaml.plan" >"$name.again.yaml"
  "$program" plan "$name.again.yaml" >"$name.again.yaml.plan" || fail "$name: plan of the completed deck, status $?"
  same_plan "$name.yaml" "$name.again.yaml" || fail "$name: the completed deck has another plan"

  "$program" run "$name.yaml" -o "$name.h5" >"$name.log" 2>&1 || {
    fail "$name: run, status $?"
    tail -20 "$name.log"
  }
  [ -s "$name.h5" ] || fail "$name: no dataset"
  "$program" show --check "$name.h5" >"$name.checked" 2>&1 || fail "$name: show --check: $(cat "$name.checked")"
  [ -n "${COSPIN_TEST_LONG-}" ] || [ $((count % 5)) -eq 1 ] || continue
  cp "$name.yaml.plan" "$name.commented.yaml"
  "$program" plan "$name.commented.yaml" >/dev/null || fail "$name: what plan prints is no deck as it is"
  "$program" show "$name.h5" >"$name.shown" 2>&1 || fail "$name: show, status $?"
  cp "$name.h5" "$name.first.h5"
  "$program" run "$name.yaml" -o "$name.h5" >"$name.log" 2>&1 || fail "$name: given again, status $?"
  cmp -s "$name.h5" "$name.first.h5" || fail "$name: a finished dataset was touched when the run was given again"
done

[ "$count" -ge 5 ] || fail "only $count decks in input/"
echo "$count decks, $failures failures"
[ "$failures" -eq 0 ]
