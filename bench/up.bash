#!/usr/bin/env bash
# `local up` on a machine that has never seen the project, and again after `local down`.
set -euo pipefail
source "$(dirname "$0")/lib.bash"
scratch_make
trap 'platform_down' EXIT
studio_copy
project=$studio
ours() { (cd "$studio" && "$LOCKFLIGHT" "$@"); }
for ((r = 1; r <= runs; r++)); do
  export LOCKFLIGHT_STATE_DIR=$scratch/state-$r
  timed "$scratch/first" ours local up
  ours local down >/dev/null 2>&1
  timed "$scratch/later" ours local up
  ours local down >/dev/null 2>&1
done
printf '\n%-46s %10s %12s\n' "local up" median wanted
printf '%-46s %10s s %10s s\n' "first, nothing there yet" "$(wall "$scratch/first")" 10 "later, after down" "$(wall "$scratch/later")" 3
