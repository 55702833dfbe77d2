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

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
.venv/bin/python tests/fuzz/make_seeds.py "$found"
mkdir -p "$found/recipe_fuzz"
cp tests/corpus/*.yaml tests/corpus/*.json "$found/recipe_fuzz"
for program in build/fuzz/bin/*_fuzz; do
  target=$(basename "$program") kept=tests/fuzz/corpus/$(basename "$program").tar.gz
  mkdir -p "$found/$target"
  if [ -f "$kept" ]; then tar -C "$found" -xzf "$kept"; fi
  if ! (cd "$found" && "$OLDPWD/$program" -max_total_time="$seconds" -rss_limit_mb=2048 "$target") >"$found/log" 2>&1; then
    cp "$found"/crash-* "$found"/timeout-* "$found"/oom-* . 2>/dev/null || true
    tail -n 60 "$found/log"
    exit 1
  fi
  echo "$target: $(tail -n 1 "$found/log")"
  [ $keep = yes ] || continue
  mkdir "$found/least"
  "$program" -merge=1 -rss_limit_mb=2048 "$found/least" "$found/$target" >"$found/log" 2>&1
  rm -r "${found:?}/$target"
  mv "$found/least" "$found/$target"
  tar -C "$found" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -c "$target" | gzip -9n >"$kept"
done
