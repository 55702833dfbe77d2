#!/usr/bin/env bash
# Builds the program and the unit tests of core and merge for aarch64 with a cross compiler, and runs these tests and the
# one of digests under emulation: the same bytes as on x86-64. On Debian 12, as root or with sudo; it takes most of an hour.
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

status=0
for tests in core_tests merge_tests; do
  # Death tests start the program again by itself, which the system cannot.
  "${emulator[@]}" "$build/bin/$tests" --gtest_brief=1 --gtest_filter='-*DeathTest*' || status=1
done
unit=$SECONDS

# A program that runs the other one: the system need not know what to do with a file for aarch64.
mkdir -p "$build/emulated/bin"
printf '#!/bin/sh\nexec %s "%s" "$@"\n' "${emulator[0]} ${emulator[1]} '$root'" "$build/bin/weightsmith" \
  >"$build/emulated/bin/weightsmith"
chmod +x "$build/emulated/bin/weightsmith"
WEIGHTSMITH_BUILD="$build/emulated" .venv/bin/python -m pytest tests/python/test_digests.py -q || status=1

echo "build $((built - started)) s, unit tests $((unit - built)) s, digests $((SECONDS - unit)) s"
exit "$status"
