#!/usr/bin/env bash
# Installs what is needed, builds, and runs every ordinary test: the C++ ones, then the end-to-end
# ones. With --exhaustive also those that an ordinary run has no time for: more cases of the same,
# which tests/python marks `exhaustive`. Arguments go to pytest: scripts/test.sh -k arithmetic
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
started=$SECONDS

scripts/install_dependencies.sh
# Without the second setting it does not keep what was compiled after precompiled headers.
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_SLOPPINESS=pch_defines,time_macros
fi
cmake --preset release -DWEIGHTSMITH_BUILD_PYTHON=ON -DPython_EXECUTABLE="$PWD/.venv/bin/python" >/dev/null
cmake --build --preset release
built=$SECONDS

tests="ordinary tests"
[[ " $* " == *" --exhaustive "* ]] && tests="tests"

status=0
# A process for each suite: one for each test, as ctest has it, takes longer than most of them.
printf '%s\n' core cli merge recipes |
  xargs -P "$(nproc)" -I SUITE env build/release/bin/SUITE_tests --gtest_brief=1 || status=1
unit=$SECONDS
# What the tests of a file share is made once.
WEIGHTSMITH_BUILD="$PWD/build/release" .venv/bin/python -m pytest tests/python -n "$(($(nproc) + 1))" --dist loadfile "$@" || status=1

echo "build $((built - started)) s, unit tests $((unit - built)) s, end-to-end tests $((SECONDS - unit)) s"
if [ "$status" = 0 ]; then echo "All $tests passed."; else echo "Some tests FAILED." >&2; fi
exit "$status"
