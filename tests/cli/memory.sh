#!/usr/bin/env bash
# What a run may take of memory: far too large decks are refused within a second or two and before they take any, and
# ranks that know of different machines decide alike.
# cospin-test: TIMEOUT 600
set -uo pipefail

source=${COSPIN_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
program=${COSPIN_PROGRAM:-$source/build/release/cospin}
mpiexec=${COSPIN_MPIEXEC:-mpiexec}
export OMP_NUM_THREADS=1 OMPI_MCA_hwloc_base_binding_policy=none
if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
alone=(env OMPI_MCA_ess_singleton_isolated=1 "$program")
room=$((1200 * 1024)) # kB of address space: the program itself has a quarter of it
failed=0

fail() {
  echo "FAILED: $*"
  failed=1
}

# deck NAME COMPONENTS HAMILTONIAN JUMPS TASKS: exact numbers or none (operator: auto asks an expansion where these do not fit)
deck() {
  printf 'title: %s\ncomponents: {%s}\nhamiltonian: [%s]\njumps: [%s]\ntasks: [%s]\noperator: assembled\n' "$1" "$2" "$3" "$4" "$5" >"$1.yaml"
}

# contains FILE TEXT...
contains() {
  local file=$1 text
  shift
  for text; do
    grep -qF -- "$text" "$file" || fail "$file lacks \"$text\": $(cat "$file")"
  done
}

# within LIMIT COMMAND...: its status, with so much address space
within() {
  local limit=$1
  shift
  (ulimit -v "$limit" && timeout 60 "$@")
}

# refused NAME DIMENSION REASON: what plan says of the deck's first sector, and why run does not begin its task
refused() {
  within $room "${alone[@]}" plan "$1.yaml" >"$1.plan" 2>&1 || fail "plan $1: $(tail -3 "$1.plan")"
  contains "$1.plan" "dimension $2,"
  within $room "${alone[@]}" run "$1.yaml" --overwrite >"$1.out" 2>"$1.err"
  [ $? -eq 3 ] || fail "run $1: not status 3: $(cat "$1.err")"
  contains "$1.err" "task steady: $3"
  contains "$1.out" "too_large"
}

steady='steady: {}'
deck spins17 'q: {kind: spins, size: 17}' q.Sx '{rate: 1, operator: q.Sm}' "$steady"
deck spins13 'q: {kind: spins, size: 13}' q.Sx '{rate: 1, operator: q.Sm}' "$steady"
deck ensemble 'q: {kind: ensemble, size: 3000}' q.Sx '{rate: 1, each: q.sm}' "$steady"
deck spin 'q: {kind: spin, S: 1e6}' q.Sx '{rate: 1, operator: q.Sm}' "$steady"
deck modes 'A: {kind: mode, cutoff: 3000}, B: {kind: mode, cutoff: 3000}, C: {kind: mode, cutoff: 3000}' \
  'A.a + B.a + C.a + hc' '{rate: 1, operator: A.a}' "$steady"
deck levels 'q: {kind: levels, size: 46341, levels: 2}' q.Sx '{rate: 1, operator: q.Sm}' "$steady"
deck irreps 'q: {kind: ensemble, size: 1000000}' '' '{rate: 1, operator: q.Sm}' "$steady"
sed 's/N: *124 /N: 1000000 /' "$source/input/ions_fig10a.yaml" >ions.yaml
echo 'operator: assembled' >>ions.yaml

unknowns='unknowns, this PETSc counts to'
refused spins17 17179869184 "has 1.72e+10 $unknowns"
refused spins13 67108864 'needs about'
refused ensemble 4509005501 "has 4.51e+09 $unknowns"
refused spin 4000004000001 "has 4e+12 $unknowns"
refused modes 7.29e+20 "has 7.29e+20 $unknowns"
refused levels 2147580964 "has 2.15e+09 $unknowns"
refused irreps 1000001 'has more than 262144 sectors to solve'
refused ions 92031135 'needs about'

# Every task that has sectors: none looks at labels to find out.
for task in 'gap: {}' 'decay: {of: q.Sp}' 'counting: {jump: out}' 'spectrum: {of: q.Sm, frequencies: [0, 1]}' \
  'g2: {of: q.Sm, times: {linspace: [0, 1, 5]}}' 'clicks: {jump: out, most: 3, time: 1, initial: {q: ground}}' \
  'correlation: {of: q.Sp, with: q.Sm, times: {linspace: [0, 1, 5]}}' \
  'evolve: {times: {linspace: [0, 1, 5]}, initial: {q: {css: [1, 0]}}, fidelity: {q: {css: [1, 0]}}}'; do
  deck tasks 'q: {kind: ensemble, size: 1000000}' '' '{name: out, rate: 1, operator: q.Sm}, {rate: 1, each: q.sp}' "$task"
  within $room "${alone[@]}" run tasks.yaml --overwrite >tasks.out 2>tasks.err
  [ $? -eq 3 ] || fail "run of $task: not status 3: $(cat tasks.err)"
  contains tasks.out '1 too_large'
done

# What asks for no element of Liouville space is of any size.
deck cumulant 'q: {kind: ensemble, size: 1e13}' '' '{rate: 1, operator: q.Sm}, {rate: 1e13, each: q.sp}' 'cumulant: {}'
within $room "${alone[@]}" run cumulant.yaml >cumulant.out 2>&1 || fail "cumulant: $(cat cumulant.out)"

# ranks MEMORY_OF_RANK_0 MEMORY_OF_RANK_1 STATUS: a run of two ranks in one group
ranks() {
  local run=("$program" run n60.yaml --groups 1 --overwrite --quiet) status
  timeout 60 "$mpiexec" --oversubscribe -n 1 -x COSPIN_MEMORY="$1" "${run[@]}" : \
    -n 1 -x COSPIN_MEMORY="$2" "${run[@]}" >ranks.out 2>&1
  status=$?
  [ $status -eq "$3" ] || fail "ranks with $1 and $2: status $status: $(cat ranks.out)"
}

# 3 MB hold nothing, with 7 MB equations are solved by iteration, with 20 GB by factors.
deck n60 'q: {kind: ensemble, size: 60}' '' '{rate: 1, operator: q.Sm}, {rate: 30, each: q.sp}' "$steady"
ranks 3M 20G 3
ranks 20G 3M 3
ranks 7M 20G 0
ranks 20G 7M 0
ranks 20G 20G 0

# Whether an expansion has to stand in for exact numbers is decided alike, too.
sed -i 's/^operator: assembled/operator: auto/' n60.yaml
ranks 3M 20G 0
ranks 20G 3M 0

exit $failed
