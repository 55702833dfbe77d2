#!/usr/bin/env bash
# Runs every fuzz target for a while, from the corpus that is kept and from small seeds.
#   scripts/fuzz.sh [SECONDS] [--keep]      60 seconds each; --keep: minimised, what was found joins the corpus
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=60 keep=no
for argument in "$@"; do
  case $argument in
    --keep) keep=yes ;;
    *[!0-9]* | "") sed -n '2,3s/^# *//p' "$0" >&2; exit 2 ;;
    *) seconds=$argument ;;
  esac
done

cmake --preset asan >/dev/null
cmake --build --preset asan
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
.venv/bin/python tests/fuzz/make_seeds.py "$found"
mkdir -p "$found/recipe_fuzz"
cp tests/corpus/*.yaml tests/corpus/*.json "$found/recipe_fuzz"

# fuzz PROGRAM: one target, in a folder and with a log of its own; its last line, or the end of the log.
fuzz() {
  local program=$PWD/$1 target kept
  target=$(basename "$1") kept=tests/fuzz/corpus/$(basename "$1").tar.gz
  mkdir -p "$found/$target"
  if [ -f "$kept" ]; then tar -C "$found" -xzf "$kept"; fi
  if ! (cd "$found" && "$program" -max_total_time="$seconds" -rss_limit_mb=2048 \
    -artifact_prefix="$OLDPWD/$target-" "$target") >"$found/$target.log" 2>&1; then
    tail -n 60 "$found/$target.log"
    return 1
  fi
  echo "$target: $(tail -n 1 "$found/$target.log")"
  [ "$keep" = yes ] || return 0
  mkdir "$found/$target.least"
  "$program" -merge=1 -rss_limit_mb=2048 "$found/$target.least" "$found/$target" >"$found/$target.log" 2>&1
  rm -r "${found:?}/$target"
  mv "$found/$target.least" "$found/$target"
  tar -C "$found" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -c "$target" | gzip -9n >"$kept"
}
export -f fuzz
export found seconds keep

printf '%s\0' build/asan/bin/*_fuzz | xargs -0 -n 1 -P "$(nproc)" bash -euo pipefail -c 'fuzz "$1"' fuzz
