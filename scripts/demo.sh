#!/usr/bin/env bash
# A merge at full size, from nothing: installs what is needed, builds, makes two Stable Diffusion
# 1.5 checkpoints of 2.13 GB each with made-up weights, and merges them by an example recipe.
#
#   scripts/demo.sh [--tiny] [--folder DIR] [--clean]
#
#   --tiny         checkpoints of a few megabytes, for a machine without 10 GB of free disk
#   --folder DIR   where the files go; default: demo
#   --clean        remove the files of an earlier demo from that folder, and nothing else
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

scale=full
folder=$root/demo
clean=no
while [ $# -gt 0 ]; do
  case "$1" in
    --tiny) scale=tiny ;;
    --folder)
      [ $# -ge 2 ] || { echo "demo.sh: --folder needs a folder" >&2; exit 2; }
      folder=$(realpath -m "$2")
      shift
      ;;
    --clean) clean=yes ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "demo.sh: unknown argument '$1'; known: --tiny --folder DIR --clean" >&2; exit 2 ;;
  esac
  shift
done

if [ "$clean" = yes ]; then
  rm -f "$folder"/{photo,anime,mix}.safetensors "$folder"/mix.safetensors.{partial,journal} "$folder"/recipe.yaml
  rmdir "$folder" 2>/dev/null || true
  echo "Removed the files of the demo from $folder"
  exit 0
fi

mkdir -p "$folder"
if [ "$scale" = full ]; then
  free=$(df --output=avail -B 1000000000 "$folder" | tail -n 1 | tr -d ' ')
  if [ "$free" -lt 10 ]; then
    echo "The demo needs 10 GB of free disk in $folder, and there are $free GB. Try --tiny, or --folder DIR." >&2
    rmdir --ignore-fail-on-non-empty "$folder"
    exit 6
  fi
fi

cd "$root"
bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
say() { printf '\n%s\n' "$bold$*$plain"; }

started=$SECONDS
say "Installing what the build needs"
scripts/install_dependencies.sh --no-python
installed=$SECONDS
say "Building"
cmake --preset release >/dev/null
cmake --build --preset release --target weightsmith
weightsmith=$root/build/release/bin/weightsmith
built=$SECONDS

run() {
  say "\$ weightsmith $*"
  "$weightsmith" "$@"
}

cp examples/mix_two.yaml "$folder/recipe.yaml"
cd "$folder"
rm -f photo.safetensors anime.safetensors
run synth sd15 --seed 1 --scale "$scale" -o photo.safetensors
run synth sd15 --seed 2 --finetune-of 1 --scale "$scale" -o anime.safetensors
say "The recipe"
cat recipe.yaml
run plan recipe.yaml --force
run merge recipe.yaml --force
run info mix.safetensors

say "Installed in $((installed - started)) s, built in $((built - installed)) s, made and merged in $((SECONDS - built)) s."
say "The files are in $folder"
echo "To remove them: scripts/demo.sh --clean$([ "$folder" = "$root/demo" ] || printf ' --folder %q' "$folder")"
