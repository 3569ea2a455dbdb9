#!/usr/bin/env bash
# M8: the catalogue's digest of 200 tables with 2,000 columns, cold connection, beside pg_dump -s.
set -euo pipefail
source "$(dirname "$0")/lib.bash"
source "$here/migrations/schema.bash"
server_up
fresh bench
schema 200 | psql -Xq -v ON_ERROR_STOP=1 bench
psql -Xqc 'analyze' bench
for ((r = 1; r <= runs; r++)); do
  "$repo/build/bench/migrations/digest" "$(url bench)" 2 >"$scratch/digest"
  awk -v cold="$scratch/cold" -v warm="$scratch/warm" 'NR == 1 { print >>cold } NR == 2 { print >>warm }' "$scratch/digest"
  timed_as m8.pg_dump pg_dump -s -n app "$(url bench)"
done
figure M8 'catalogue digest, 200 tables, 2,000 columns' "$(median <"$scratch/cold")" 120 ms pg_dump="$(ms m8.pg_dump)"
printf '     the same over a connection that has looked before: %s ms\n' "$(median <"$scratch/warm")"
