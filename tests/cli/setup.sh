#!/usr/bin/env bash
# jobscripts/setup.sh without root and sudo: a package that only pictures need is told and not missed, one of the build ends it.
set -uo pipefail

source=${COSPIN_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# A machine on which everything is installed but $MISSING, of a user who may install nothing.
mkdir "$scratch/bin"
for tool in bash tr sort xargs dirname cat echo; do ln -s "$(type -P "$tool")" "$scratch/bin/$tool"; done
printf '#!/bin/sh\necho 1000\n' >"$scratch/bin/id"
printf '#!/bin/sh\nexit 1\n' >"$scratch/bin/apt-get"
printf '#!/bin/sh\nfor last; do :; done\n[ "$last" = "$MISSING" ] || printf installed\n' >"$scratch/bin/dpkg-query"
chmod +x "$scratch"/bin/id "$scratch"/bin/apt-get "$scratch"/bin/dpkg-query

# expect STATUS MISSING PATTERN GROUP...
expect() {
  local status=$1 missing=$2 pattern=$3 found=0
  shift 3
  env -i PATH="$scratch/bin" MISSING="$missing" bash "$source/jobscripts/setup.sh" "$@" >"$scratch/said" 2>&1 || found=$?
  if [ "$found" -ne "$status" ] || ! grep -q -e "$pattern" <(cat "$scratch/said" && echo end); then
    echo "FAILED: without $missing, setup.sh $*: status $found, not $status, or says nothing like '$pattern': $(cat "$scratch/said")"
    failures=$((failures + 1))
  fi
}

expect 0 nothing '^end$' build plot
expect 0 python3-matplotlib 'there are no pictures.*: python3-matplotlib' build plot
expect 1 libfyaml-dev 'installed by root only' build plot
expect 1 libfyaml-dev 'installed by root only' build
expect 1 python3-mpmath 'installed by root only' build plot test
expect 2 nothing "unknown group .bild." bild
exit "$((failures > 0))"
