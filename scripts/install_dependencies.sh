#!/usr/bin/env bash
# Installs what weightsmith is built and tested with: packages of Debian 12 or Ubuntu 24.04, and a
# virtual environment in .venv. What is there already is left alone, so that a second call is quick.
#
#   scripts/install_dependencies.sh [--no-python] [--dev]
#
#   --no-python   only what the build needs
#   --dev         also clang and its tools, for the checks of .ci/run
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=yes
dev=no
for argument in "$@"; do
  case "$argument" in
    --no-python) python=no ;;
    --dev) dev=yes ;;
    *)
      echo "install_dependencies.sh: unknown argument '$argument'; known: --no-python --dev" >&2
      exit 2
      ;;
  esac
done

packages=(
  cmake g++ ninja-build
  libboost-program-options-dev libfmt-dev libgmock-dev libgtest-dev libhwy-dev
  libre2-dev libssl-dev libtbb-dev libxxhash-dev libyaml-cpp-dev nlohmann-json3-dev
)
[ "$python" = yes ] && packages+=(python3 python3-dev python3-venv)
if [ "$dev" = yes ]; then
  packages+=(clang clang-format ccache)
  # The runtimes of clang's sanitizers and of libFuzzer come with the version of the default clang.
  case "$(. /etc/os-release && echo "$ID $VERSION_ID")" in
    "debian 12") packages+=(libclang-rt-14-dev) ;;
    "ubuntu 24.04") packages+=(libclang-rt-18-dev) ;;
  esac
fi

install_packages() {
  if ! command -v apt-get >/dev/null; then
    echo "This is not Debian or Ubuntu. Install the counterparts of these packages yourself:" >&2
    printf '  %s\n' "${packages[@]}" >&2
    return
  fi
  local missing=() package
  for package in "${packages[@]}"; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" != installed ]; then
      missing+=("$package")
    fi
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  echo "Installing packages: ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "Packages are missing and there is no sudo. As root: apt-get install ${missing[*]}" >&2
      exit 1
    }
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# make_environment FOLDER REQUIREMENTS [DATA]: a virtual environment with what REQUIREMENTS pins, and
# with the packages of DATA, of which only the files are wanted and not what they depend on.
make_environment() {
  local folder=$1 requirements=$2 data=${3:-/dev/null} stamp
  stamp=$(cat "$requirements" "$data" | sha256sum | cut -d ' ' -f 1)
  if [ "$(cat "$folder/.stamp" 2>/dev/null || true)" = "$stamp" ] && "$folder/bin/python" -c ''; then
    return
  fi
  echo "Making the Python environment $folder"
  local interpreter=${PYTHON:-python3}
  "$interpreter" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed; '$interpreter' is older. Set PYTHON to another one." >&2
    exit 1
  }
  rm -rf "$folder"
  "$interpreter" -m venv "$folder"
  local pip=("$folder/bin/pip" install -qq --disable-pip-version-check)
  "${pip[@]}" -r "$requirements"
  if [ -s "$data" ]; then "${pip[@]}" --no-deps -r "$data"; fi
  echo "$stamp" >"$folder/.stamp"
}

install_packages
if [ "$python" = yes ]; then
  make_environment .venv tests/python/requirements.txt tests/python/requirements-data.txt
fi
if [ "$python" = yes ] && [ "$dev" = yes ]; then
  make_environment .venv-checks .ci/requirements.txt
  # The parity suite needs PyTorch, which is large.
  make_environment .venv-parity tests/parity/requirements.txt tests/parity/requirements-data.txt
fi
