#!/usr/bin/env bash
# Builds the fuzzers with AddressSanitizer and UndefinedBehaviorSanitizer, gives them every case of the corpus, then
# lets each make up cases of its own for a while: libFuzzer if there is clang, driver.c otherwise.
#
#   bash tests/fuzz/run.sh [SECONDS [NAME...]]      default: 4 seconds (--all: 60) for each of expression, deck, dataset, damage
#
# A case that fails is kept as build/.../fuzz/found/NAME-*. Find its fault, then put it, as small as it can be made
# (-minimize_crash=1), into corpus/NAME under a name that says what it shows.
# COSPIN_FUZZ_CC=gcc: do not look for clang.  COSPIN_FUZZ_KEEP=FOLDER: keep what libFuzzer found interesting.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../.." && pwd)
build=${COSPIN_BUILD_DIR:-$source/build}/fuzz
mkdir -p "$build"
seconds=4
flags='-g1 -O0' # compiled in a quarter of the time: in a short run that is what counts
if [ -n "${COSPIN_TEST_LONG-}" ]; then
  seconds=60
  flags='-g -O1'
  build=$build-long
fi
seconds=${1:-$seconds}
if [ $# -gt 1 ]; then names=("${@:2}"); else names=(expression deck dataset damage); fi

export OMPI_MCA_ess_singleton_isolated=1 OMP_NUM_THREADS=1
if [ "$(id -u)" -eq 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
export LSAN_OPTIONS=suppressions=$source/tests/lsan.supp:print_suppressions=0 UBSAN_OPTIONS=print_stacktrace=1
# whole stacks, or the suppressions do not match; a refused allocation is an error that the readers must handle
replay_options=allocator_may_return_null=1:max_allocation_size_mb=4000:fast_unwind_on_malloc=0
fuzz_options=allocator_may_return_null=1:max_allocation_size_mb=4000:detect_leaks=0

has_libfuzzer() {
  command -v clang >/dev/null &&
    clang -fsanitize=fuzzer,address -x c -o /dev/null - 2>/dev/null <<<'int LLVMFuzzerTestOneInput(const char *d, long n) { return !d && n; }'
}

compiler=${COSPIN_FUZZ_CC:-}
if [ -z "$compiler" ]; then
  compiler=gcc
  if has_libfuzzer; then compiler=clang; fi
fi

cmake -S "$source" -B "$build" -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_C_FLAGS_DEBUG=$flags" "-DCMAKE_C_COMPILER=$compiler" \
  -DCOSPIN_SANITIZE=ON -DCOSPIN_WERROR=OFF -DBUILD_TESTING=ON >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
cmake --build "$build" --parallel 2 --target "${names[@]/#/fuzz_}" >"$build.log" 2>&1 || { tail -50 "$build.log"; exit 1; }

found=$build/found
mkdir -p "$found"
for name in "${names[@]}"; do
  program=$build/tests/fuzz/fuzz_$name
  cases=("$here/corpus/$name")
  if [ "$name" = deck ]; then cases+=("$source"/input/*.yaml "$source"/tests/decks/bad/*.yaml); fi
  files=$(find "${cases[@]}" -type f | sort)
  echo "== $name ($compiler): $(wc -l <<<"$files") cases"
  (cd "$found" && xargs -d '\n' env ASAN_OPTIONS=$replay_options "$program" -runs=0 -detect_leaks=0 <<<"$files") >"$build.log" 2>&1 ||
    { tail -60 "$build.log"; echo "FAILED: a case of $name"; exit 1; }
  if [ "$seconds" -eq 0 ]; then continue; fi
  own=${COSPIN_FUZZ_KEEP:-$(mktemp -d)}/$name
  mkdir -p "$own"
  xargs -d '\n' cp -t "$own" <<<"$files"
  options=(-max_total_time="$seconds" -seed=1 -max_len=4000 -timeout=60 -rss_limit_mb=3000 -detect_leaks=0)
  if [ -f "$here/$name.dict" ]; then options+=(-dict="$here/$name.dict"); fi
  (cd "$found" && ASAN_OPTIONS=$fuzz_options "$program" "${options[@]}" -artifact_prefix="$found/$name-" "$own") >"$build.log" 2>&1 ||
    { grep -vE "NEW|REDUCE|pulse" "$build.log" | tail -60; echo "FAILED: $name, the input is in $found"; exit 1; }
  grep -aE "cov:|mutated inputs" "$build.log" | tail -1
  if [ -z "${COSPIN_FUZZ_KEEP:-}" ]; then rm -rf "$(dirname "$own")"; fi
done
