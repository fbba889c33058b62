#!/usr/bin/env bash
# `cospin new`: every topic runs and keeps what is there; `--set`; `reference --search`; completion for bash.
#
# cospin-test: TIMEOUT 600 COST 30
set -uo pipefail

source=${COSPIN_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
program=${COSPIN_PROGRAM:-$source/build/release/cospin}
export OMP_NUM_THREADS=1 OMPI_MCA_ess_singleton_isolated=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch
cd "$scratch" || exit 1
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# expect STATUS PATTERN COMMAND...: its status, and a line of what it says
expect() {
  local status=$1 pattern=$2 found=0
  shift 2
  "$@" >said 2>&1 || found=$?
  [ "$found" -eq "$status" ] || fail "$*: status $found, not $status: $(cat said)"
  grep -q -e "$pattern" said || fail "$*: says nothing like '$pattern': $(cat said)"
}

# ---- Topics
topics=0
for file in "$source"/input/new/*.yaml; do
  topic=$(basename "$file" .yaml)
  topics=$((topics + 1))
  expect 0 "$topic.yaml" "$program" new "$topic" --like "$topic"
  tail -n +2 "$topic.yaml" | cmp -s - "$file" || fail "$topic: not the deck in input/new"
  expect 0 "dataset: $topic.h5" "$program" run "$topic.yaml"
  expect 0 'whole' "$program" show --check "$topic.h5"
  grep -q -- "--like TOPIC.*$topic" <("$program" --help) || fail "--help does not speak of $topic"
  grep -q "$topic" "$source/jobscripts/bash-completion" || fail "completion does not know $topic"
done
[ "$topics" -ge 7 ] || fail "only $topics topics"
cp laser.yaml before.yaml
expect 2 'is there already' "$program" new laser.yaml --like ions
cmp -s laser.yaml before.yaml || fail "a file was written over"
expect 2 'did you mean `laser`' "$program" new other --like lazer
[ ! -e other.yaml ] || fail "an unknown topic wrote a file"
expect 0 'driven' "$program" new deck.yaml
[ -e deck.yaml ] && [ ! -e deck.yaml.yaml ] || fail "new deck.yaml"
expect 2 'name of the deck' "$program" new
expect 2 'cannot write' "$program" new nowhere/deck

# ---- --set
cat >small.yaml <<'DECK'
title: Decay of a spin
parameters:
  g: {value: 1, label: '$g$'}  # in use
  h: 2*g
grid: {x: [1, 2]}
components: {s: {kind: spin, S: 1/2}}
jumps: [{rate: g, operator: s.Sm}, {rate: h, operator: s.Sp}]
observables: {up: 1/2 + <s.Sz>}
tasks: [steady: {}]
DECK
sed -i 's/^  h: 2\*g/&\n  x: 1/' small.yaml
up() { /usr/bin/python3 -c 'import h5py, sys; print("%.6f" % h5py.File(sys.argv[1])["steady_up"][0])' "$1"; }
"$program" run small.yaml --set 'h=g/3' --set g=6 --quiet -o set.h5 || fail "--set: status $?"
[ "$(up set.h5)" = 0.250000 ] || fail "--set: $(up set.h5)"
"$program" show --deck set.h5 >set.yaml
grep -q "^  g: {value: 6, label: '\$g\$'}  # in use" set.yaml && grep -q '^  h: g/3$' set.yaml || fail "the stored deck: $(cat set.yaml)"
expect 0 'whole' "$program" show --check set.h5
expect 0 'h: g/3' "$program" plan small.yaml --set h=g/3
expect 0 'run small.yaml --set .h=g/3.$' "$program" plan small.yaml --set h=g/3
expect 0 "^run_deck 'small.yaml' .* --set 'h=g/3'" "$program" plan --slurm small.yaml --set h=g/3
expect 0 "2 of 2 points are there already" "$program" run set.yaml -o set.h5
expect 2 'another deck' "$program" run small.yaml -o set.h5
expect 2 'another deck' "$program" run small.yaml --set g=6 -o set.h5
/usr/bin/python3 - <<'PYTHON' || fail "provenance does not tell --set"
import h5py
attributes = h5py.File("set.h5")["provenance"].attrs
assert any("--set" in str(attributes[name]) and "g=6" in str(attributes[name]) for name in attributes), dict(attributes)
PYTHON
expect 2 'command line: --set gg: unknown parameter `gg` (did you mean `g`' "$program" run small.yaml --set gg=1
expect 2 'command line: --set x: is an axis' "$program" plan small.yaml --set x=1
expect 2 'command line: --set g: unknown name `y`' "$program" plan small.yaml --set g=y
expect 2 'is not NAME=EXPRESSION' "$program" plan small.yaml --set g
expect 2 'needs a value' "$program" plan small.yaml --set

# ---- An option that a command does not take is not ignored
expect 2 '`cospin show` takes no `--set` (run, plan and export take it)' "$program" show set.h5 --set g=1
expect 2 '`cospin plan` takes no `--groups` (run takes it)' "$program" plan small.yaml --groups 2
expect 2 '`cospin run` takes no `--ranks` (plan takes it)' "$program" run small.yaml --ranks 2 -o none.h5
expect 2 '`cospin reference` takes no `--check` (show takes it)' "$program" reference --check
expect 2 '`--cores-per-node` says nothing without `--slurm`' "$program" plan small.yaml --cores-per-node 8
expect 2 '`-o` says nothing without `--slurm`' "$program" plan small.yaml -o none.h5
expect 2 '`--no-verify` and `--check` do not go together' "$program" show --check --no-verify set.h5
[ ! -e none.h5 ] || fail "an option that is not taken and a dataset"
# every option is taken by each command that its completion offers it for
while read -r verb option; do
  "$program" "$verb" "$option" >said 2>&1
  ! grep -q 'takes no' said || fail "completion offers $(cat said)"
done < <(sed -nE '/^          (run|plan|export|new|show|reference)\)/{s/[ )]//g;h}; /^ +choices="-/{s/.*"(.*)"/\1/;G;s/(.*)\n(.*)/\2 \1/p}' \
  "$source/jobscripts/bash-completion" | awk '{for (k = 2; k <= NF; k++) print $1, $k}')

# ---- fidelity: initial
cat >fidelity.yaml <<'DECK'
title: What is left of a state
parameters: {t: 0.7}
components: {s: {kind: spin, S: 1}}
jumps: [{rate: 1, operator: s.Sm}]
tasks:
  - evolve: {times: [0, 1], initial: {s: {css: [t, 0.3]}}, fidelity: initial}
  - evolve: {name: said, times: [0, 1], initial: {s: {css: [t, 0.3]}}, fidelity: {s: {css: [t, 0.3]}}}
DECK
"$program" run fidelity.yaml --quiet || fail "fidelity: status $?"
/usr/bin/python3 - <<'PYTHON' || fail "fidelity: initial is not the initial state"
import h5py
file = h5py.File("fidelity.h5")
one, other = file["evolve_fidelity"][()], file["said_fidelity"][()]
assert (one == other).all() and abs(one[0] - 1) < 1e-12 and one[1] < 0.95, (one, other)
PYTHON
expect 0 'fidelity: initial' "$program" plan fidelity.yaml
expect 2 'fidelity: .*`initail` (did you mean `initial`' "$program" plan <(sed 's/fidelity: initial/fidelity: initail/' fidelity.yaml)
expect 2 'mixed state' "$program" plan <(sed 's/kind: spin, S: 1/kind: mode, cutoff: 3/; s/s.Sm/s.a/; s/css: \[t, 0.3\]/thermal: 0.2/g; /said/d' fidelity.yaml)

# ---- reference --search: what must be among the first answers
first() {
  grep "^$2\b" >/dev/null < <("$program" reference --search $1 | grep -v '^ ' | head -"$3") || fail "--search $1 does not find $2"
}
first excited css 3
first ramp grid 4
first threshold boundary 3
first "slow mode" gap 12
first photons g2 12
first disorder normal 6
first wigner plots 3
first linewidth decay 6
first Pump sp 4
first "initial state" initial 3
grep -q 'may name the time' <("$program" reference --search ramp) || fail "ramp: no word on time"
for word in detuning drive linewidth; do # what is no key has a sentence that says how it is written
  grep -qE 'COMPONENT|decay_rate' < <("$program" reference --search "$word" | head -4) || fail "$word: no word on how"
done
expect 2 'nothing was found for `xyzzy`' "$program" reference --search xyzzy
expect 0 '^gap' "$program" reference slow mode --search
expect 2 'what is `mode`' "$program" reference slow mode
expect 2 'needs words' "$program" reference --search
"$program" reference --search the of a | head -1 >/dev/null

# ---- Completion
complete_with() { # complete_with WORDS...: the answers for the last of them
  bash -c 'source "$1"; shift; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cospin "$1"; printf "%s\n" "${COMPREPLY[@]}"' \
    bash "$source/jobscripts/bash-completion" "$@"
}
[ "$(complete_with cospin re)" = reference ] || fail "completion of commands"
complete_with cospin run small | grep -x small.yaml >/dev/null || fail "completion of decks"
[ "$(complete_with cospin run small.yaml --over)" = --overwrite ] || fail "completion of options"
[ "$(complete_with cospin new x --like io)" = ions ] || fail "completion of topics"
complete_with cospin show set | grep -x set.h5 >/dev/null || fail "completion of datasets"
complete_with cospin run small.yaml --set '' | grep -x h= >/dev/null || fail "completion of parameters"
complete_with "$program" reference heral | grep -x heralding >/dev/null || fail "completion of the reference"
while read -r option; do
  grep -q -e "$option\b" "$source/jobscripts/bash-completion" || fail "completion does not know $option"
done < <("$program" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u)

echo "$topics topics, $failures failures"
[ "$failures" -eq 0 ]
