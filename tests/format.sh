#!/usr/bin/env bash
# Every C file is as clang-format 14 (Debian 12; other versions differ in details) leaves it. To put it right:
#   clang-format -i FILE
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
format=$(command -v clang-format-14 || command -v clang-format || true)
if [ -z "$format" ] || ! "$format" --version | grep -q 'version 14\.'; then
  echo "clang-format 14 is not installed"
  exit 77
fi
find src include tests -name '*.[ch]' -print0 | sort -z | xargs -0 --no-run-if-empty "$format" --dry-run -Werror
