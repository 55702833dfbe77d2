#!/usr/bin/env bash
# Builds the program and the unit tests of core and merge for aarch64 with a cross compiler, and runs these tests, the
# digests and the recipes of the corpus under emulation: the same bytes as on x86-64. On Debian 12, as root or with sudo.
# Its time is told at the end, of each share: most is that of a build, then of tests.
#
#   scripts/aarch64.sh
#
# Libraries of that architecture are unpacked in build/aarch64/root; nothing of the system is changed but for the
# compiler and the emulator, which are installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=$PWD/build/aarch64
root=$build/root
apt=$build/apt

scripts/install_dependencies.sh
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
missing=()
for package in g++-aarch64-linux-gnu qemu-user-static; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
[ "${#missing[@]}" -eq 0 ] ||
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

if [ ! -e "$root/complete" ]; then
  echo "Unpacking libraries for aarch64"
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$root"
  : >"$apt/status"
  options=(-qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::lists="$apt/lists"
    -o Dir::State::status="$apt/status" -o Dir::Cache="$apt" -o APT::Sandbox::User="$(id -un)"
    -o Debug::NoLocking=true)
  apt-get "${options[@]}" update
  apt-get "${options[@]}" install -y --download-only --no-install-recommends libboost-program-options-dev libc6-dev \
    libfmt-dev libgmock-dev libgtest-dev libhwy-dev libre2-dev libssl-dev libstdc++-12-dev libtbb-dev libxxhash-dev \
    libyaml-cpp-dev nlohmann-json3-dev >/dev/null
  for package in "$apt"/archives/*.deb; do dpkg -x "$package" "$root"; done
  touch "$root/complete"
fi

started=$SECONDS
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_SLOPPINESS=pch_defines,time_macros
fi
emulator=(qemu-aarch64-static -L "$root")
cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DWEIGHTSMITH_UNITY=ON -DWEIGHTSMITH_BUILD_BENCH=OFF \
  -DWEIGHTSMITH_WARNINGS_AS_ERRORS=ON -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DCMAKE_LIBRARY_ARCHITECTURE=aarch64-linux-gnu \
  -DCMAKE_FIND_ROOT_PATH="$root" -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER \
  -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY \
  -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY -DCMAKE_CXX_FLAGS="-isystem $root/usr/include/aarch64-linux-gnu" \
  -DCMAKE_EXE_LINKER_FLAGS="-Wl,-rpath-link,$root/usr/lib/aarch64-linux-gnu" \
  "-DCMAKE_CROSSCOMPILING_EMULATOR=${emulator[0]};${emulator[1]};${emulator[2]}" >/dev/null
cmake --build "$build" --target weightsmith core_tests merge_tests
built=$SECONDS

# tests NAME: a share of them for each processor, side by side.
tests() {
  local shares shard status=0 running=()
  shares=$(nproc)
  for ((shard = 0; shard < shares; ++shard)); do
    # A death test starts its program again, which is none of this machine's.
    GTEST_TOTAL_SHARDS=$shares GTEST_SHARD_INDEX=$shard "${emulator[@]}" "$build/bin/$1" --gtest_brief=1 \
      --gtest_filter='-*DeathTest*' &
    running+=("$!")
  done
  for shard in "${running[@]}"; do wait "$shard" || status=1; done
  return "$status"
}

status=0
tests core_tests || status=1
core=$SECONDS
tests merge_tests || status=1
merge=$SECONDS

# A program that runs the other one: the system need not know what to do with a file for aarch64.
mkdir -p "$build/emulated/bin"
cat >"$build/emulated/bin/weightsmith" <<END
#!/bin/sh
exec ${emulator[0]} ${emulator[1]} '$root' '$build/bin/weightsmith' "\$@"
END
chmod +x "$build/emulated/bin/weightsmith"
WEIGHTSMITH_BUILD="$build/emulated" WEIGHTSMITH_TIMEOUT=1200 .venv/bin/python -m pytest tests/python/test_digests.py \
  tests/python/test_corpus.py --exhaustive -k "bytes_that_it_always_gave or shows_the_coefficients" -n "$(nproc)" -q || status=1

echo "build $((built - started)) s, tests of core $((core - built)) s, of merge $((merge - core)) s," \
  "digests and corpus $((SECONDS - merge)) s"
if [ "$status" = 0 ]; then echo "On aarch64 they are the same bytes."; else echo "Some tests FAILED." >&2; fi
exit "$status"
