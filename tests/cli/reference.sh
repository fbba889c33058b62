#!/usr/bin/env bash
# `cospin reference`: one word, all of it, and a manual page that groff takes without a warning.
set -euo pipefail

program=${COSPIN_PROGRAM:-build/release/cospin}
export OMP_NUM_THREADS=1 OMPI_MCA_ess_singleton_isolated=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$program" reference >"$scratch/all"
"$program" reference decay_upper >"$scratch/one"
grep -q 'Collatz-Wielandt' "$scratch/one" && [ "$(wc -l <"$scratch/one")" -lt 10 ] || { echo "FAILED: decay_upper"; exit 1; }
status=0
"$program" reference nonsense >/dev/null 2>"$scratch/said" || status=$?
[ "$status" -eq 2 ] && grep -q 'knows no `nonsense`' "$scratch/said" || { echo "FAILED: nonsense"; exit 1; }
"$program" reference --man >"$scratch/cospin.1"
if ! command -v groff >/dev/null || ! echo .TH | groff -man -Tutf8 >/dev/null 2>&1; then
  echo "groff with its man macros is not installed"
  exit 77
fi
groff -man -Tutf8 -ww "$scratch/cospin.1" >"$scratch/page" 2>"$scratch/warnings"
[ ! -s "$scratch/warnings" ] || { echo "FAILED: groff warns"; cat "$scratch/warnings"; exit 1; }
[ "$(wc -l <"$scratch/page")" -gt 200 ] || { echo "FAILED: the page is short"; exit 1; }
