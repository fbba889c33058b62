#!/usr/bin/env bash
# One command that makes a release: checks that the tree says everywhere what it is, runs all tests on a clean copy, writes
# cospin-VERSION.tar.gz, and builds and tries what is in there.
#
#   bash jobscripts/release.sh [--dry-run] [--output FOLDER]
#
# Before: the version in CMakeLists.txt, CITATION.cff, postprocess/cospin/version.py, the recipes and CHANGELOG.md (with its date),
# all of it committed, and `git tag -a vVERSION`. What is wrong is told all at once, and nothing is written then.
#
# --dry-run   checks, and the tarball in a folder that is thrown away; nothing is built, no test is run
# --output    where the tarball goes (default: here)
#
# Exit status: 0 made (or could be), 1 something is wrong, 2 a wrong option.
set -euo pipefail

dry=0
output=$PWD
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=1 ;;
    --output) output=${2:?"release.sh: --output needs a folder"}; shift ;;
    *) echo "release.sh: unknown option '$1' (--dry-run, --output FOLDER)" >&2; exit 2 ;;
  esac
  shift
done
output=$(cd "$output" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

faults=0
fault() {
  echo "release: $*" >&2
  faults=$((faults + 1))
}

# expect FILE PATTERN WHAT: a line of the file that says the version as the pattern does.
expect() {
  grep -Eq "$2" "$1" || fault "$1 does not say $3"
}

version=$(sed -n 's/^project(cospin VERSION \([0-9]*\.[0-9]*\.[0-9]*\).*/\1/p' CMakeLists.txt)
dots=${version//./\\.}
[ -n "$version" ] || { fault "CMakeLists.txt has no version MAJOR.MINOR.PATCH"; exit 1; }
name=cospin-$version

expect CITATION.cff "^version: $dots\$" "version: $version"
expect postprocess/cospin/version.py "^VERSION = \"$dots\"" "$version"
expect jobscripts/spack/packages/cospin/package.py "version\(\"$dots\"\)" "$version"
expect jobscripts/env/modulefile "cospin $dots" "$version"
top=$(grep -m1 '^## ' CHANGELOG.md)
[[ $top =~ ^"## $version ("[0-9]{4}-[0-9]{2}-[0-9]{2}")"$ ]] ||
  fault "CHANGELOG.md begins with '$top' (must be '## $version (YYYY-MM-DD)', the day of the release)"
if ! git rev-parse --git-dir >/dev/null 2>&1; then
  fault "this is no clone of git"
  exit 1
fi
changed=$(git status --porcelain --untracked-files=no)
[ -z "$changed" ] || fault "there are changes that are not committed: $(echo "$changed" | head -3 | xargs)"
head=$(git rev-parse HEAD)
tagged=$(git rev-parse -q --verify "refs/tags/v$version^{commit}" || true)
if [ -z "$tagged" ]; then
  fault "there is no tag v$version (git tag -a v$version -m 'cospin $version')"
elif [ "$tagged" != "$head" ]; then
  fault "the tag v$version stands at ${tagged:0:12}, and this is ${head:0:12} (a version is released once: raise it)"
elif [ "$(git cat-file -t "v$version")" != tag ]; then
  fault "the tag v$version says nothing of itself (git tag -a)"
fi

git archive --format=tar --prefix="$name/" HEAD | gzip -n -9 >"$scratch/$name.tar.gz"
tar -C "$scratch" -xf "$scratch/$name.tar.gz"
[ "$(cat "$scratch/$name/src/revision.txt")" = "$head" ] || fault "the tarball does not know its revision (.gitattributes)"
for file in README.md LICENSE CHANGELOG.md CMakeLists.txt src/main.c input/README.md postprocess/pyproject.toml jobscripts/setup.sh; do
  [ -s "$scratch/$name/$file" ] || fault "$file is not in the tarball"
done
if [ "$faults" -gt 0 ]; then
  echo "release: $faults to put right, nothing was released" >&2
  exit 1
fi
if [ "$dry" = 1 ]; then
  echo "release: $name of ${head:0:12} could be made, $(wc -l < <(tar -tf "$scratch/$name.tar.gz")) files; next: bash tests/run.sh --all"
  exit 0
fi

echo "release: all tests, on a clean copy of ${head:0:12}"
git clone -q --no-hardlinks . "$scratch/clone"
git -C "$scratch/clone" checkout -q "v$version"
bash jobscripts/setup.sh notebook || true # what cannot be installed is left out of the tests
bash "$scratch/clone/tests/run.sh" --all

echo "release: what is in the tarball, built and tried"
cmake -S "$scratch/$name" --preset release -DBUILD_TESTING=OFF -DCMAKE_INSTALL_PREFIX="$scratch/installed" >/dev/null
cmake --build "$scratch/$name/build/release" --parallel "$(nproc)" >/dev/null
cmake --install "$scratch/$name/build/release" >/dev/null
said=$("$scratch/installed/bin/cospin" --version | head -1)
[ "$said" = "cospin $version, revision ${head:0:12}" ] || { fault "its program says '$said'"; exit 1; }
(cd "$scratch" && installed/bin/cospin new my >/dev/null && OMP_NUM_THREADS=1 installed/bin/cospin run my.yaml --quiet)

mv "$scratch/$name.tar.gz" "$output/"
(cd "$output" && sha256sum "$name.tar.gz")
echo "release: $output/$name.tar.gz; push the tag: git push origin v$version"
