#!/usr/bin/env bash
# M11: the list of hazards in tests/data/lint/probes.tsv, one file each: who notices, and who cries over what harms nobody.
set -euo pipefail
source "$(dirname "$0")/lib.bash"
scratch_make
trap 'rm -rf "$scratch"' EXIT
# what squawk says of nearly every statement says nothing of this one
boilerplate='require-lock-timeout,require-statement-timeout,prefer-robust-stmts'

ours=0 theirs=0 hazards=0 benign=0 ours_cries=0 theirs_cries=0
mkdir -p "$scratch"/{migrations,rollbacks}
cp "$repo/tests/data/lint/schema.sql" "$scratch/migrations/1_schema.sql"
echo 'select 1;' >"$scratch/rollbacks/2_probe.sql"
while IFS=$'\t' read -r rules sql; do
  [[ -z $rules || $rules == \#* ]] && continue
  echo "$sql;" >"$scratch/migrations/2_probe.sql"
  found=$("$LOCKFLIGHT" migration lint 2 --migrations "$scratch/migrations" --json 2>/dev/null | jq -r '[.findings[].rule] | unique | join(",")') || true
  told=$("$squawk" --exclude "$boilerplate" --reporter json "$scratch/migrations/2_probe.sql" 2>/dev/null | jq length) || true
  if [[ $rules == - ]]; then
    benign=$((benign + 1))
    [[ -z $found || $found == D03 ]] || ours_cries=$((ours_cries + 1))
    ((told == 0)) || theirs_cries=$((theirs_cries + 1))
    continue
  fi
  hazards=$((hazards + 1)) all=1
  for rule in ${rules//,/ }; do [[ ,$found, == *",$rule,"* ]] || all=0; done
  ours=$((ours + all))
  ((all)) || echo "     not noticed by us: $sql ($found)"
  ((told > 0)) && theirs=$((theirs + 1))
done <"$repo/tests/data/lint/probes.tsv"
printf 'M11  hazards noticed: ours %d of %d, squawk %d; harmless lines reported: ours %d of %d, squawk %d (wanted all, and none)\n' \
  $ours $hazards $theirs $ours_cries $benign $theirs_cries
