#!/usr/bin/env bash
# M4: sixteen clients, 150 small transactions a second on one table; somebody's transaction has read it and stays open
# for five seconds; one second into that, a migration adds a column. How long do the clients wait?
#
# A latency counts from the moment the transaction was due, so that a client that stands still is not counted once but
# as often as it would have come. Medians of BENCH_STALL_RUNS (5): each run takes ten seconds for each tool.
set -euo pipefail
source "$(dirname "$0")/lib.bash"
server_up
stall_runs=${BENCH_STALL_RUNS:-5}

cat >"$scratch/visit.sql" <<'SQL'
\set id random(1, 1000)
\set odd :id % 2
\if :odd
select v from t where id = :id;
\else
update t set v = v + 1 where id = :id;
\endif
SQL

one_file() { # the same migration in every tool's form
  local at=$scratch/files v=20260101000001 sql='alter table t add column c1 int;'
  rm -rf "$at"; mkdir -p "$at"/{ours,rollbacks,dbmate,supabase/supabase/migrations,sqitch/{deploy,revert}}
  printf 'project_id = "bench"\n' >"$at/supabase/supabase/config.toml"
  printf '%%syntax-version=1.0.0\n%%project=bench\n\nt1 2026-01-01T00:00:00Z Bench <bench@localhost> # t\n' >"$at/sqitch/sqitch.plan"
  printf '[core]\n\tengine = pg\n' >"$at/sqitch/sqitch.conf"
  printf '%s\n' "$sql" | tee "$at/ours/${v}_x.sql" "$at/supabase/supabase/migrations/${v}_x.sql" >"$at/psql.sql"
  printf -- '-- migrate:up\n%s\n-- migrate:down\n' "$sql" >"$at/dbmate/${v}_x.sql"
  printf 'begin;\n%s\ncommit;\n' "$sql" >"$at/sqitch/deploy/t1.sql"
  printf 'select 1;\n' >"$at/sqitch/revert/t1.sql"
}

# stalled TOOL: one run; appends "p99 max share" to $scratch/stall.TOOL
stalled() {
  local tool=$1 log=$scratch/visits
  fresh bench
  psql -Xqc 'create table t (id int primary key, v int)' -c 'insert into t select g, 0 from generate_series(1, 1000) g' \
    -c 'vacuum analyze t' bench
  rm -f "$log".*
  (cd "$scratch" && "$binaries/pgbench" -n -c 16 -j 2 -R 150 -T 9 -f visit.sql -l --log-prefix=visits bench >visit.out 2>&1) &
  local load=$! holder
  sleep 1
  (printf 'begin; select count(*) from t;\n'; sleep 5; echo 'commit;') | psql -Xqo /dev/null bench &
  holder=$!
  sleep 1
  [[ $tool == none ]] || "apply_$tool" bench >"$scratch/tool.out" 2>&1 || { cat "$scratch/tool.out" >&2; exit 1; }
  wait "$holder" "$load"
  [[ $tool == none ]] || [ "$(psql -XAtqc "select count(*) from pg_attribute where attrelid = 't'::regclass and attname = 'c1'" bench)" = 1 ]
  cat "$log".* | awk '{ print $3 / 1000 }' | sort -g | awk '{ v[NR] = $1; slow += $1 > 500 }
    END { printf "%.0f %.0f %.1f\n", v[int(NR * 0.99)], v[NR], 100 * slow / NR }' >>"$scratch/stall.$tool"
}

one_file
for ((r = 1; r <= stall_runs; r++)); do
  for tool in none ours psql dbmate supabase sqitch; do stalled $tool; done
done
column_of() { cut -d' ' -f"$2" "$scratch/stall.$1" | median; }
printf '\n%-4s %-24s %10s %10s %14s\n' M4 'while a column is added' 'p99 ms' 'worst ms' 'over 0.5 s, %'
for tool in none ours psql dbmate supabase sqitch; do
  name=$tool; [[ $tool == none ]] && name='(no migration)'
  printf '     %-24s %10s %10s %14s\n' "$name" "$(column_of $tool 1)" "$(column_of $tool 2)" "$(column_of $tool 3)"
done
peers=(); for tool in psql dbmate supabase sqitch; do peers+=("$tool=$(column_of $tool 2)"); done
figure M4 'worst wait of a client while a column is added' "$(column_of ours 2)" 120 ms "${peers[@]}"
peers=(); for tool in psql dbmate supabase sqitch; do peers+=("$tool=$(column_of $tool 1)"); done
figure M4 'the same, 99 of 100 clients' "$(column_of ours 1)" 60 ms "${peers[@]}"
