#!/usr/bin/env bash
# The dry run of a release: a tree that says everywhere what it is could be released; each slip is told, and stops it.
# cospin-test: TIMEOUT 300
set -euo pipefail

source=${COSPIN_SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
[ -e "$source/.git" ] || { echo "skipped: no clone of git"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
fail() { echo "FAILED: $*"; failed=1; }

export GIT_CONFIG_COUNT=3 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' GIT_CONFIG_KEY_1=user.name GIT_CONFIG_VALUE_1=Tests \
  GIT_CONFIG_KEY_2=user.email GIT_CONFIG_VALUE_2=tests@example.org
git clone -q "$source" "$scratch/clone"
cd "$scratch/clone"
for file in jobscripts/release.sh src/revision.txt .gitattributes CHANGELOG.md CMakeLists.txt; do cp "$source/$file" "$file"; done
version=$(sed -n 's/^project(cospin VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
sed -i "0,/^## .*/s//## $version (2026-12-01)/" CHANGELOG.md
git tag -d "v$version" >/dev/null 2>&1 || true
git add -A
git commit -q --allow-empty -m "Release"

# try STATUS SENTENCE: the dry run ends so and says so.
try() {
  local status=0
  bash jobscripts/release.sh --dry-run --output "$scratch" >"$scratch/said" 2>&1 || status=$?
  [ "$status" = "$1" ] || fail "status $status instead of $1: $(cat "$scratch/said")"
  grep -q -- "$2" "$scratch/said" || fail "nothing of '$2': $(cat "$scratch/said")"
  [ -z "$(find "$scratch" -maxdepth 1 -name '*.tar.gz')" ] || fail "a dry run leaves a tarball"
}

try 1 "there is no tag v$version"
git tag "v$version"
try 1 "git tag -a"
git tag -d "v$version" >/dev/null
git tag -a "v$version" -m "cospin $version"
try 0 "cospin-$version of $(git rev-parse --short=12 HEAD) could be made"

echo >>README.md
try 1 "not committed: M README.md"
git checkout -q README.md
sed -i 's/^version: .*/version: 9.9.9/' CITATION.cff
git commit -qam "Another version there"
try 1 "CITATION.cff does not say version: $version"
grep -q "the tag v$version stands at" "$scratch/said" || fail "the tag of an older commit: $(cat "$scratch/said")"
sed -i "0,/^## .*/s//## $version (not yet released)/" CHANGELOG.md
try 1 "CHANGELOG.md begins with '## $version (not yet released)'"

status=0
bash jobscripts/release.sh --dry 2>"$scratch/said" || status=$?
{ [ "$status" = 2 ] && grep -q "unknown option '--dry'" "$scratch/said"; } || fail "an unknown option: status $status"
exit "$failed"
