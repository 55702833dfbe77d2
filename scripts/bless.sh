#!/usr/bin/env bash
# Writes anew everything that is generated and checked in: schemas, the page of operators, and the
# words of the program in tests/cli/*.golden. Read the difference before committing it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cmake --build --preset release --target weightsmith weightsmith_python
build/release/bin/weightsmith schema | while read -r name _; do
  build/release/bin/weightsmith schema "$name" >"recipes/schema/$name.json"
done
.venv/bin/python scripts/make_reference.py
.venv/bin/python scripts/make_python_operators.py
.venv/bin/python scripts/make_python_results.py
PYTHONPATH=build/release/python .venv/bin/python -m nanobind.stubgen -q -m weightsmith._native \
  -p python_bindings/stub_patterns.txt \
  -o python_bindings/weightsmith/_native.pyi
# It leaves out what a path consists of.
sed -i 's/os\.PathLike/os.PathLike[str]/g' python_bindings/weightsmith/_native.pyi
WEIGHTSMITH_BLESS=1 .venv/bin/python -m pytest -q tests/python/test_cli_words.py
