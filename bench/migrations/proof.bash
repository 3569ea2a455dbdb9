#!/usr/bin/env bash
# M7: the proof of one migration (up, down, up, compared) on top of fifty tables. No peer does this.
set -euo pipefail
source "$(dirname "$0")/lib.bash"
source "$here/migrations/schema.bash"
server_up
fresh bench
mkdir -p "$scratch/pair"/{migrations,rollbacks}
schema 50 >"$scratch/pair/migrations/20260101000000_base.sql"
v=20260102000000
echo 'alter table app.t_7 add column paid_at timestamptz; create index t_7_paid on app.t_7 (paid_at);' >"$scratch/pair/migrations/${v}_paid.sql"
echo 'drop index app.t_7_paid; alter table app.t_7 drop column paid_at;' >"$scratch/pair/rollbacks/${v}_paid.sql"
echo 'create index concurrently t_8_note on app.t_8 (note);' >"$scratch/pair/migrations/$((v + 1))_note.sql"
echo 'drop index concurrently app.t_8_note;' >"$scratch/pair/rollbacks/$((v + 1))_note.sql"
proof() { "$LOCKFLIGHT" migration prove "$1" --migrations "$scratch/pair/migrations" --database-url "$(url bench)" --json; }
proof $v >"$scratch/first" # makes the template that later ones are cloned from
for ((r = 1; r <= runs; r++)); do
  for n in $v $((v + 1)); do
    timed_as "m7.$n" proof $n
    proof $n | jq -r '.. | objects | select(has("duration_ms")) | .duration_ms' | head -1 >>"$scratch/inside.$n"
  done
done
figure M7 'proof of one pair on 50 tables, one transaction' "$(median <"$scratch/inside.$v")" 500 ms
figure M7 'proof of one pair on 50 tables, on a clone' "$(median <"$scratch/inside.$((v + 1))")" 500 ms
printf '     whole command, scratch database included: %s and %s ms\n' "$(ms "m7.$v")" "$(ms "m7.$((v + 1))")"
