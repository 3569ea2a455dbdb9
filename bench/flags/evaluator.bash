#!/usr/bin/env bash
# F1 to F4: the evaluator beside npm @openfeature/flagd-core, which has two modes, on the same documents.
set -euo pipefail
source "$(dirname "$0")/../lib.bash"
scratch_make
trap 'rm -rf "$scratch"' EXIT
export FLAGS_PEER=$lf_runtime/flags/node_modules
node "$here/flags/documents.cjs" "$scratch"
for ((r = 1; r <= runs; r++)); do
  "$repo/build/bench/flags/bench_flags" "$scratch" >>"$scratch/ours"
  for mode in compiled interpreted; do node "$here/flags/evaluator.cjs" "$scratch" $mode >>"$scratch/$mode"; done
done
took() { awk -v w="$2" '$1 == w { print $2 }' "$scratch/$1" | median; }

# figure ID WHAT NAME WANTED_NS WANTED_RATIO: ours, wanted, theirs and how many times ours
figure() {
  local ours ok=short mode; ours=$(took ours "$3")
  awk -v a="$ours" -v b="$4" 'BEGIN { exit !(a + 0 <= b + 0) }' && ok=ok
  printf '%-3s %-38s %10s ns  wanted <= %-8s %-5s' "$1" "$2" "$ours" "$4" "$ok"
  for mode in compiled interpreted; do printf '  flagd-core %s %s (%sx)' $mode "$(took $mode "$3")" "$(ratio "$(took $mode "$3")" "$ours")"; done
  echo
}
figure F1 'a boolean without a rule' static 50
figure F2 'four branches and a share' rule 250
figure F3 'all of fifty flags' fifty 8000
figure F4 'a document of fifty flags, read' load 1000000
