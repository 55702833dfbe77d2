#!/usr/bin/env bash
# Builds everything (program, tests, Python package, benchmarks) with each compiler that is installed, with warnings as
# errors, and prints the time of each. Without optimisation, which takes a fraction of the time.
#
#   scripts/compilers.sh [COMPILER…]     of these instead, such as clang++-19
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install_dependencies.sh
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_SLOPPINESS=pch_defines,time_macros
fi
compilers=("$@")
[ "$#" -gt 0 ] || compilers=(g++-11 g++-12 clang++-14 clang++-16 clang++-19)

build() {
  cmake -G Ninja -S . -B "$2" -DCMAKE_CXX_COMPILER="$1" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 \
    -DWEIGHTSMITH_UNITY=ON -DWEIGHTSMITH_WARNINGS_AS_ERRORS=ON -DWEIGHTSMITH_BUILD_PYTHON=ON \
    -DPython_EXECUTABLE="$PWD/.venv/bin/python" >/dev/null &&
    cmake --build "$2" -- -k 0
}

times=()
status=0
for compiler in "${compilers[@]}"; do
  if ! command -v "$compiler" >/dev/null; then
    times+=("$compiler is not installed")
    continue
  fi
  started=$SECONDS
  folder=$PWD/build/$compiler
  result=built
  build "$compiler" "$folder" || result=FAILED
  [ "$result" = built ] || status=1
  rm -rf "$folder"
  times+=("$compiler $result in $((SECONDS - started)) s")
done
printf '%s\n' "${times[@]}"
exit "$status"
