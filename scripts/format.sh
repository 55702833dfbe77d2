#!/usr/bin/env bash
# Formats every C++ file of the project; with --check only tells which ones are not formatted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mode=(-i)
if [ "${1:-}" = --check ]; then mode=(--dry-run -Werror); fi
git ls-files -z --cached --others --exclude-standard '*.cc' '*.h' | xargs -0 -r clang-format "${mode[@]}"
