#!/usr/bin/env bash
# 2,000 files to the same local platform: netlify-cli, then ours, cold and unchanged. Cold: contents never seen before.
set -euo pipefail
source "$(dirname "$0")/lib.bash"
stand
site=$(environment staging site_id)
them=$scratch/them ours=$scratch/ours

fill() { # fill DIR SEED: 2,000 pages of about 1.1 kB, unlike those of any other seed
  mkdir -p "$1"
  awk -v dir="$1" -v seed="$2" 'BEGIN {
    for (i = 0; i < 2000; i++) {
      file = sprintf("%s/page-%04d.html", dir, i)
      printf "<!doctype html><title>%s %d</title>\n", seed, i > file
      for (k = 0; k < 20; k++) printf "<p>Line %d of page %d, edition %s, with some words.\n", k, i, seed > file
      close(file)
    }
  }'
}

for ((r = 1; r <= runs; r++)); do
  fill "$them" "them-$r-$$"
  fill "$ours" "ours-$r-$$"
  timed "$scratch/them.cold" netlify "$site" "$them" deploy --prod --no-build --json --dir .
  timed "$scratch/ours.cold" "$repo/build/bench/bench_upload" "$api/api/v1" "$netlify_token" "$site" "$ours"
  timed "$scratch/them.same" netlify "$site" "$them" deploy --prod --no-build --json --dir .
  timed "$scratch/ours.same" "$repo/build/bench/bench_upload" "$api/api/v1" "$netlify_token" "$site" "$ours"
done
header "upload of 2,000 files, same server"
for kind in cold same; do
  want=15 name="cold, all sent"; [[ $kind == same ]] && { want=50; name="unchanged, none sent"; }
  o=$(wall "$scratch/ours.$kind") t=$(wall "$scratch/them.$kind")
  verdict "$name, wall" "$o" "$t" s "$(ratio "$t" "$o")" $want
  o=$(cpu "$scratch/ours.$kind") t=$(cpu "$scratch/them.$kind")
  verdict "$name, client's CPU" "$o" "$t" s "$(ratio "$t" "$o")" $want
done
