#!/usr/bin/env bash
# M5 and M6: the client is killed in the middle. How long does its lock stay, and does the next run succeed by itself?
set -euo pipefail
source "$(dirname "$0")/lib.bash"
server_up
kill_after=1.5 pause=8

one_file() { # one_file SQL: the same migration in every tool's form
  local at=$scratch/files v=20260101000001
  rm -rf "$at"; mkdir -p "$at"/{ours,rollbacks,dbmate,supabase/supabase/migrations}
  printf 'project_id = "bench"\n' >"$at/supabase/supabase/config.toml"
  printf '%s\n' "$1" | tee "$at/ours/${v}_x.sql" >"$at/supabase/supabase/migrations/${v}_x.sql"
  printf -- '-- migrate:up%s\n%s\n-- migrate:down\n' "$2" "$1" >"$at/dbmate/${v}_x.sql"
  printf '\\set ON_ERROR_STOP 1\n%s\n' "$3" >"$at/psql.sql"
}
locked() { psql -XAtqc "select count(*) from pg_locks l join pg_class c on c.oid = l.relation where c.relname = 't' and l.mode = 'AccessExclusiveLock' and l.granted" bench; }
tree() { local p; echo "$1"; for p in $(pgrep -P "$1"); do tree "$p"; done; }
now() { date +%s%3N; }

# killed TOOL: the tool in its own session, killed with everything it started
killed() {
  "apply_$1" bench >/dev/null 2>&1 &
  local pid=$!
  for _ in {1..120}; do [[ $(psql -XAtqc "$2" bench) != 0 ]] && break; sleep 0.05; done
  sleep "$kill_after"
  # shellcheck disable=SC2046
  kill -9 $(tree "$pid") 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

sql="alter table t add column c int; select pg_sleep($pause); create table after_it ();"
one_file "$sql" '' "begin; $sql commit;"
declare -A gone=()
for ((r = 1; r <= 3; r++)); do
  for tool in ours psql dbmate supabase; do
    fresh bench; psql -Xqc 'create table t (id int)' bench
    killed $tool "select count(*) from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid()"
    at=$(now)
    while [[ $(locked) != 0 ]]; do sleep 0.01; done
    echo $(($(now) - at)) >>"$scratch/gone.$tool"
    sleep 0.2
  done
done
for tool in ours psql dbmate supabase; do gone[$tool]=$(median <"$scratch/gone.$tool"); done
figure M5 'killed in a transaction: its lock is gone after' "${gone[ours]}" 1000 ms psql="${gone[psql]}" dbmate="${gone[dbmate]}" supabase="${gone[supabase]}"

sql='create index concurrently t_c on t (id);'
one_file "$sql" ' transaction:false' "$sql"
printf 'M6   killed while building an index concurrently; the next run:'
for tool in ours psql dbmate supabase; do
  fresh bench; psql -Xqc 'create table t (id int)' -c 'insert into t select generate_series(1, 1000)' bench
  (printf 'begin; insert into t values (0);\n'; sleep 7; echo 'commit;') | psql -Xq bench &
  holder=$!
  sleep 0.5
  killed $tool "select count(*) from pg_stat_progress_create_index"
  wait $holder
  sleep 0.5
  if "apply_$tool" bench >"$scratch/again" 2>&1 &&
    [ "$(psql -XAtqc "select indisvalid from pg_index where indexrelid = 't_c'::regclass" bench)" = t ]; then echo -n "  $tool ok"; else echo -n "  $tool FAILS"; fi
done
echo
