#!/usr/bin/env bash
# M10: how fast SQL is judged: 5 MB of everyday migrations, and one file of a usual size.
set -euo pipefail
source "$(dirname "$0")/lib.bash"
scratch_make
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{many,one}/{migrations,rollbacks}

everyday() { # everyday N: a migration of about 4 kB
  local k
  printf -- '-- What number %d needs\nset lock_timeout = %s;\n' "$1" "'2s'"
  for k in {1..12}; do
    cat <<SQL
create table if not exists public.order_${1}_$k (id bigint generated always as identity primary key, customer bigint not null,
  total numeric(12,2) not null default 0, note text, created_at timestamptz not null default now());
alter table public.order_${1}_$k enable row level security;
create policy "own rows" on public.order_${1}_$k for select to authenticated using (customer = (select auth.uid())::text::bigint);
SQL
  done
}
everyday 0 >"$scratch/one/migrations/20260101000000_usual.sql"
for ((i = 1; i <= 1000; i++)); do everyday "$i" >"$scratch/many/migrations/$((20260101000000 + i))_m$i.sql"; done
for d in one many; do for f in "$scratch/$d/migrations"/*.sql; do echo 'select 1;' >"$scratch/$d/rollbacks/${f##*/}"; done; done
bytes=$(cat "$scratch/many/migrations"/*.sql | wc -c)
judge_ours() { "$LOCKFLIGHT" migration lint --migrations "$scratch/$1/migrations" --json || (($? == 5)); }
judge_squawk() { "$squawk" "$scratch/$1/migrations"/*.sql || true; }
for ((r = 1; r <= runs; r++)); do
  for d in one many; do
    timed_as "m10.$d.ours" judge_ours $d
    timed_as "m10.$d.squawk" judge_squawk $d
  done
done
figure M10 "lint of one usual file ($(wc -c <"$scratch/one/migrations/20260101000000_usual.sql") bytes), the whole command" "$(ms m10.one.ours)" 5 ms squawk="$(ms m10.one.squawk)"
speed() { awk -v b="$bytes" -v all="$(cpu "$scratch/t.m10.many.$1")" -v start="$(cpu "$scratch/t.m10.one.$1")" 'BEGIN { printf "%.1f", b / 1e6 / (all - start > 0 ? all - start : all) }'; }
printf 'M10  lint of %s bytes in 1000 files: ours %s ms, squawk %s ms; per second of CPU, without the start, %s and %s MB (wanted >= 15)\n' \
  "$bytes" "$(ms m10.many.ours)" "$(ms m10.many.squawk)" "$(speed ours)" "$(speed squawk)"
