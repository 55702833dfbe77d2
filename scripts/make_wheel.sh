#!/usr/bin/env bash
# Builds the Python package as a wheel that runs on other machines: compiled in an environment of its own,
# repaired and tagged by auditwheel. It lands in build/wheel, or in FOLDER.
#
#   [PYTHON=python3.12] scripts/make_wheel.sh [FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:-build/wheel}

python=.venv-checks/bin/python
[ -x "$python" ] || scripts/install_dependencies.sh --dev
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
"${PYTHON:-python3}" -m venv "$environment"

# Compiler and warnings are those of the presets, so that a cache of the compiler serves both.
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
export CXX=${CXX:-c++}
"$environment/bin/python" -m pip wheel --disable-pip-version-check --quiet --no-deps --wheel-dir "$environment/dist" \
  --config-settings=cmake.define.WEIGHTSMITH_WARNINGS_AS_ERRORS=ON .

PATH="$PWD/.venv-checks/bin:$PATH" "$python" -m auditwheel repair --wheel-dir "$folder" "$environment"/dist/weightsmith-*.whl
