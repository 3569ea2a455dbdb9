#!/usr/bin/env bash
# M1 and M2: three hundred migrations next door, and a hundred at a distance of 20 ms.
set -euo pipefail
source "$(dirname "$0")/lib.bash"
server_up

files 300
for ((r = 1; r <= runs; r++)); do
  for tool in ours psql dbmate supabase sqitch; do
    fresh bench
    timed_as "m1.$tool" "apply_$tool" bench
    [ "$(psql -XAtqc "select count(*) from pg_tables where tablename ~ '^t_'" bench)" = 300 ]
  done
done
figure M1 '300 migrations of one statement' "$(ms m1.ours)" 100 ms psql="$(ms m1.psql)" dbmate="$(ms m1.dbmate)" supabase="$(ms m1.supabase)" sqitch="$(ms m1.sqitch)"

files 100
"$repo/build/bench/migrations/delay" "$port" 10 >"$scratch/relay" &
relay=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do [[ -s $scratch/relay ]] && break; sleep 0.1; done
far=$(<"$scratch/relay")
for ((r = 1; r <= runs; r++)); do
  for tool in ours psql dbmate supabase; do
    fresh bench
    timed_as "m2.$tool" "apply_$tool" bench "$far"
    [ "$(psql -XAtqc "select count(*) from pg_tables where tablename ~ '^t_'" bench)" = 100 ]
  done
done
figure M2 '100 migrations at a round trip of 20 ms' "$(ms m2.ours)" 350 ms psql="$(ms m2.psql)" dbmate="$(ms m2.dbmate)" supabase="$(ms m2.supabase)"
