# What the measurements of migrations share: a server on tmpfs, the peers, alternating runs, one line per figure.
# See bench/README.md.

source "$(dirname "${BASH_SOURCE[0]}")/../lib.bash"
peers=$lf_runtime/peers/node_modules
dbmate=$peers/@dbmate/linux-x64/bin/dbmate
squawk=$peers/.bin/squawk
binaries=/usr/lib/postgresql/15/bin
api=http://127.0.0.1:1 supabase_token=sbp_0000000000000000000000000000000000000000 # never asked

# A PostgreSQL of our own with the server's defaults, on tmpfs where there is one; over TCP with a password, as a
# database elsewhere is.
server_up() {
  scratch_make
  trap server_down EXIT
  client_home
  local at=$scratch user=()
  [[ -w /dev/shm ]] && at=$(mktemp -d /dev/shm/lft.bench.XXXXXX)
  data=$at/pg server_at=$at
  ((EUID == 0)) && { user=(runuser -u nobody --); chown nobody "$at"; }
  echo bench-password >"$at/password"; chmod 644 "$at/password"
  port=$((30000 + RANDOM % 20000))
  "${user[@]}" "$binaries/initdb" -D "$data" -U bench -A scram-sha-256 --pwfile="$at/password" -N >"$scratch/initdb.log"
  (cd / && exec "${user[@]}" "$binaries/postgres" -D "$data" -k "$at" -p "$port" -c listen_addresses=127.0.0.1 >"$scratch/server.log" 2>&1) &
  server=$!
  export PGPASSWORD=bench-password PGUSER=bench PGHOST=127.0.0.1 PGPORT=$port
  local i; for ((i = 0; i < 100; i++)); do psql -XAtqc 'select 1' postgres >/dev/null 2>&1 && return 0; sleep 0.1; done
  cat "$scratch/server.log" >&2; return 1
}
server_down() {
  [[ -n ${relay-} ]] && kill "$relay" 2>/dev/null
  [[ -n ${server-} ]] && { pkill -QUIT -P "$server" 2>/dev/null; kill -QUIT "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
  [[ -n ${server_at-} && $server_at == /dev/shm/lft.bench.* ]] && rm -rf "$server_at"
  rm -rf "$scratch"
  return 0
}
url() { echo "postgresql://bench:bench-password@127.0.0.1:${2:-$port}/$1?sslmode=disable"; }

# fresh NAME: an empty database
fresh() { psql -Xq postgres -c "drop database if exists $1 with (force)" -c "create database $1" 2>/dev/null; }

# files COUNT: the same COUNT migrations of one statement each, in every tool's own form, below $scratch/files
files() {
  local n=$1 at=$scratch/files i v
  rm -rf "$at"
  mkdir -p "$at"/{ours,rollbacks,dbmate,supabase/supabase/migrations,sqitch/{deploy,revert}}
  printf 'project_id = "bench"\n' >"$at/supabase/supabase/config.toml"
  printf '%%syntax-version=1.0.0\n%%project=bench\n\n' >"$at/sqitch/sqitch.plan"
  printf '[core]\n\tengine = pg\n' >"$at/sqitch/sqitch.conf"
  printf 'create table history (version text primary key);\n' >"$at/psql.sql"
  for ((i = 1; i <= n; i++)); do
    v=$((20260101000000 + i))
    printf 'create table t_%d (id int);\n' "$i" >"$at/ours/${v}_t$i.sql"
    printf -- '-- migrate:up\ncreate table t_%d (id int);\n-- migrate:down\ndrop table t_%d;\n' "$i" "$i" >"$at/dbmate/${v}_t$i.sql"
    printf 't%d 2026-01-01T00:00:00Z Bench <bench@localhost> # t\n' "$i" >>"$at/sqitch/sqitch.plan"
    printf 'begin;\ncreate table t_%d (id int);\ncommit;\n' "$i" >"$at/sqitch/deploy/t$i.sql"
    printf 'drop table t_%d;\n' "$i" >"$at/sqitch/revert/t$i.sql"
    printf "begin;\n\\\\i %s\ninsert into history values ('%s');\ncommit;\n" "$at/ours/${v}_t$i.sql" "$v" >>"$at/psql.sql"
  done
  cp "$at/ours"/*.sql "$at/supabase/supabase/migrations/"
}

# The tools: apply_TOOL DATABASE [PORT], and what each needs to be quiet.
apply_ours()     { "$LOCKFLIGHT" migration up --migrations "$scratch/files/ours" --rollbacks "$scratch/files/rollbacks" --database-url "$(url "$@")" --yes; }
apply_psql()     { psql -Xq -v ON_ERROR_STOP=1 "$(url "$@")" -f "$scratch/files/psql.sql"; }
apply_dbmate()   { "$dbmate" --url "$(url "$@")" --migrations-dir "$scratch/files/dbmate" --no-dump-schema up; }
apply_supabase() { supabase "$scratch/files/supabase" db push --db-url "$(url "$@")"; }
apply_sqitch()   { (cd "$scratch/files/sqitch" && HOME=$scratch/home SQITCH_FULLNAME=Bench SQITCH_EMAIL=bench@localhost \
  sqitch deploy --no-verify "db:pg://bench:bench-password@127.0.0.1:${2:-$port}/$1"); }

status_ours()     { "$LOCKFLIGHT" migration status --migrations "$scratch/files/ours" --rollbacks "$scratch/files/rollbacks" --database-url "$(url "$@")"; }
status_dbmate()   { "$dbmate" --url "$(url "$@")" --migrations-dir "$scratch/files/dbmate" status; }
status_supabase() { supabase "$scratch/files/supabase" migration list --db-url "$(url "$@")"; }
status_sqitch()   { (cd "$scratch/files/sqitch" && HOME=$scratch/home SQITCH_FULLNAME=Bench SQITCH_EMAIL=bench@localhost \
  sqitch status "db:pg://bench:bench-password@127.0.0.1:${2:-$port}/$1"); }

# timed_as NAME COMMAND…: one more run of NAME
timed_as() { local name=$1; shift; timed "$scratch/t.$name" "$@"; }
ms() { awk -v s="$(wall "$scratch/t.$1")" 'BEGIN { printf "%.0f", s * 1000 }'; }

# figure ID WHAT OURS WANTED UNIT [PEER=VALUE…]: one line; peers' ratios behind
figure() {
  local id=$1 what=$2 ours=$3 wanted=$4 unit=$5 ok=short p; shift 5
  awk -v a="$ours" -v b="$wanted" 'BEGIN { exit !(a + 0 <= b + 0) }' && ok=ok
  printf '%-4s %-52s %9s %-4s wanted <= %-6s %-5s' "$id" "$what" "$ours" "$unit" "$wanted" "$ok"
  for p in "$@"; do printf '  %s %s (%sx)' "${p%%=*}" "${p#*=}" "$(ratio "${p#*=}" "$ours")"; done
  echo
}
