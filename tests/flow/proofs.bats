#!/usr/bin/env bats
# Proofs and drift, as a project meets them: what is proven where, what was changed behind our back.

load mini

setup_file() {
  mini_up
  cd "$mini"
  lockflight deploy staging
  lockflight deploy production
  git -C "$mini" tag first
}
teardown_file() { platform_down; }

setup() {
  mini_enter
  git -C "$mini" reset -q --hard first
  git -C "$mini" clean -qfd
}

pair() { # NAME UP DOWN
  printf '%s\n' "$2" >"supabase/migrations/$1.sql"
  printf '%s\n' "$3" >"supabase/rollbacks/$1.sql"
}

@test "no scratch database of a deploy or a proof stays behind" {
  lockflight migration prove staging --all
  run sql staging "select count(*) from pg_database where datname ~ '^lockflight_shadow_[0-9a-f]{8}'"
  assert_output 0
}

@test "a proof says what is lost, and --json is one document that says it too" {
  pair 20270101000000_column 'alter table public.notes add column colour text;' 'alter table public.notes drop column colour;'
  run lockflight migration prove staging
  assert_success
  has_line 'proven 20270101000000_column +B: .*column public.notes.colour'
  run --separate-stderr lockflight migration prove staging --json
  assert_success
  assert_equal "$(jq -r '.proofs[0] | [.version, .proven, .loss, .rows] | @tsv' <<<"$output")" $'20270101000000\ttrue\tB\t3'
  run lockflight migration status staging
  has_line '20270101000000.*proven, class B'
}

@test "a script that claims to lose nothing and does is refused, one that admits it is not" {
  pair 20270101000000_gone 'alter table public.notes drop column author;' '-- loss: A nothing
alter table public.notes add column author text; create index notes_author on public.notes (author);'
  run lockflight migration prove staging
  assert_failure 5
  has_line 'claims class A'
  for verb in 'migration prove' rehearse; do
    run --separate-stderr lockflight $verb staging --json
    assert_failure 5
    assert_equal "$(jq -s '[length, .[0].proofs[0].proven] | tojson' <<<"$output")" '"[1,false]"'
  done
  sed -i 's/-- loss: A nothing/-- loss: C who wrote old notes/' supabase/rollbacks/20270101000000_gone.sql
  run lockflight migration prove staging
  assert_success
  has_line 'C: who wrote old notes'
}

@test "a concurrent index is proved on a clone" {
  pair 20270101000000_index 'create index concurrently notes_body on public.notes (body);' 'drop index concurrently public.notes_body;'
  run lockflight migration prove staging
  assert_success
  has_line 'A: restores schema and data exactly as before .*on a clone'
}

@test "without a reverse script there is nothing to prove" {
  echo 'create table public.alone (id int);' >supabase/migrations/20270101000000_alone.sql
  run lockflight migration prove staging
  assert_failure 5
  has_line 'none +20270101000000_alone'
}

@test "a rehearsal applies, reverses and applies again on a copy, and touches nothing" {
  pair 20270101000000_column 'alter table public.notes add column colour text;' 'alter table public.notes drop column colour;'
  pair 20270101000001_index 'create index concurrently notes_colour on public.notes (colour);' 'drop index concurrently public.notes_colour;'
  before=$(snapshot staging)
  run lockflight rehearse staging
  assert_success
  has_line 'proven 20270101000001_index'
  has_line '^up +20270101000000'
  has_line '^down +20270101000001'
  has_line '^again +20270101000001'
  has_line '2 migrations rehearsed on a copy; staging was not touched'
  assert_equal "$(snapshot staging)" "$before"
  run --separate-stderr lockflight rehearse staging --only 20270101000001 --json
  assert_success
  assert_equal "$(jq -r '[.rehearsed, (.steps | map(.step) | join(" "))] | @tsv' <<<"$output")" $'1\tup down again'
}

@test "a rehearsal ends with 5 where a pair does not prove" {
  pair 20270101000000_forgets 'alter table public.notes add column colour text, add column size int;' 'alter table public.notes drop column colour;'
  run lockflight rehearse staging
  assert_failure 5
  has_line 'column public.notes.size'
}

@test "what somebody changed in the schema is named, and production waits for a person" {
  run lockflight migration status production --drift
  has_line 'Drift: none'
  sql production 'alter table public.notes add column sneaky int'
  run lockflight migration status production --drift
  has_line 'column public.notes.sneaky'
  pair 20270101000000_table 'create table public.more (id int primary key); alter table public.more enable row level security;' 'drop table public.more;'
  mini_commit 'More'
  lockflight deploy staging
  run lockflight deploy production
  assert_failure 5
  has_line 'changed outside Lockflight.*column public.notes.sneaky'
  has_line 'lockflight deploy production --accept-drift'
  run sql production "select to_regclass('public.more') is null"
  assert_output t
  lockflight deploy production --accept-drift
  run lockflight migration status production --drift
  has_line 'Drift: none'
  git -C "$mini" tag -f first # what is applied stays
}

@test "production takes a pair that was never proved for a reason only, and keeps the reason" {
  pair 20270102000000_odd 'create table public.odd (id int primary key); alter table public.odd enable row level security;' 'drop table public.odd;'
  mini_commit 'Odd'
  lockflight deploy staging
  sql staging 'delete from lockflight.proofs'
  run lockflight deploy production
  assert_failure 5
  has_line '20270102000000_odd.* not proven'
  run lockflight plan production --unproven 'no server has the extension'
  assert_success
  has_line 'not proven; accepted: no server has the extension'
  run lockflight deploy production --unproven 'no server has the extension'
  assert_success
  run sql production "select body->>'reason', body->>'versions' from lockflight.events where type = 'migrations.unproven'"
  assert_output 'no server has the extension|["20270102000000"]'
  git -C "$mini" tag -f first
}

@test "migration up asks the same, and keeps the reason, too" {
  pair 20270102500000_even 'create table public.even (id int primary key); alter table public.even enable row level security;' 'drop table public.even;'
  mini_commit 'Even'
  run lockflight migration up production
  assert_failure 5
  has_line '20270102500000_even.* not proven'
  run lockflight migration up production --unproven 'tried by hand'
  assert_success
  has_line '1 migration is accepted without proof: tried by hand'
  run sql production "select body->>'reason', body->>'versions', body->>'by' from lockflight.events where type = 'migrations.unproven' order by seq desc limit 1"
  assert_output 'tried by hand|["20270102500000"]|tester'
  lockflight deploy staging
  git -C "$mini" tag -f first
}

@test "what somebody changed in staging is said and kept on record before a migration makes it ours" {
  sql staging 'create table public.stray (id int); alter table public.stray enable row level security'
  pair 20270103000000_next 'create table public.next (id int primary key); alter table public.next enable row level security;' 'drop table public.next;'
  run lockflight migration up staging
  assert_success
  has_line 'changed outside Lockflight: .*public.stray'
  sql staging 'drop table public.stray'
  mini_commit 'Next'
  run lockflight deploy staging
  assert_success
  has_line 'changed outside Lockflight: .*public.stray'
  run sql staging "select count(*), count(release) from lockflight.events where type = 'schema.drift'"
  assert_output '2|1'
}

@test "a database named by its URL has its drift told once it is asked to keep its schema" {
  sql staging 'create database bare' >/dev/null
  url=$(environment staging database | sed -E 's|/[^/?]*(\?.*)?$|/bare|')
  mkdir -p "$BATS_TEST_TMPDIR/db/migrations" "$BATS_TEST_TMPDIR/db/rollbacks"
  cd "$BATS_TEST_TMPDIR"
  up() { lockflight migration up --migrations db/migrations --database-url "$url" "$@"; }
  bare() { psql -qAtX "$url" -c "$1"; }
  echo 'create table public.one (id int primary key);' >db/migrations/1_one.sql
  up
  assert_equal "$(bare 'select count(*) from lockflight.catalogue')" 0
  echo 'create table public.two (id int primary key);' >db/migrations/2_two.sql
  up --drift
  bare 'alter table public.one add column sneaky int'
  run lockflight migration status --drift --migrations db/migrations --database-url "$url"
  has_line 'column public.one.sneaky'
  echo 'create table public.three (id int primary key);' >db/migrations/3_three.sql
  run up
  assert_success
  has_line 'changed outside Lockflight: .*public.one.sneaky'
  run lockflight migration status --drift --migrations db/migrations --database-url "$url"
  has_line 'Drift: none'
}
