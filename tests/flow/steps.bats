#!/usr/bin/env bats
# Migrations in several steps, through the program itself: whoever is killed in the middle, and however often, the next
# run ends where an undisturbed one does. Every place is killed in tests/unit/migrate/test_steps.c; here are the verbs.

load mini

version=20260104090000

planned() { sql staging "select (select count(*) from public.people where mood = 'ok' and seen = 1), bool_and(indisvalid), count(*)
  from pg_index where indrelid = 'public.people'::regclass"; }
half()    { sql staging 'select count(*) from lockflight.migration_steps'; }
digest()  { lockflight status staging --json | jq -r '.environments[0].database.catalogue'; }

setup_file() {
  mini_up
  cd "$mini"
  printf 'create table public.people (id int primary key, email text);\nalter table public.people enable row level security;\ninsert into people select i, i::text from generate_series(1, 2500) i;\n' \
    >supabase/migrations/20260103090000_people.sql
  printf 'drop table public.people;\n' >supabase/rollbacks/20260103090000_people.sql
  mini_commit 'People'
  lockflight deploy staging
  digest >"$scratch/before"
  cat >"supabase/migrations/${version}_steps.sql" <<'SQL'
create type mood as enum ('sad');
alter type mood add value 'ok';
alter table people add column mood mood, add column seen int not null default 0;
create unique index concurrently people_email on people (email);
-- backfill: key=id batch=1000
update people set mood = 'ok', seen = seen + 1 where mood is null;
create index concurrently people_mood on people (mood);
SQL
  cat >"supabase/rollbacks/${version}_steps.sql" <<'SQL'
-- loss: B what was written into people.mood and people.seen
drop index concurrently people_mood;
drop index concurrently people_email;
alter table people drop column mood, drop column seen;
drop type mood;
SQL
  mini_commit 'Steps'
}
teardown_file() { platform_down; }
setup()         { mini_enter; }
teardown()      { exec 8>&-; }

is_applied()  { assert_equal "$(planned)" '2500|t|3'; assert_equal "$(half)" 0; }
is_reversed() { assert_equal "$(half)" 0; diff "$scratch/before" <(digest); }

killed() { # killed POINT:NTH COMMAND…
  LOCKFLIGHT_FAULT=$1:kill run lockflight "${@:2}"
  assert_equal "$status" 137
}

# eventually COMMAND…: until it succeeds, for a minute at most
eventually() {
  local i
  for ((i = 0; i < 600; i++)); do
    "$@" && return 0
    read -rt 0.1 <> <(:) || true
  done
  printf 'never: %s\n' "$*"
  return 1
}

# A stranger's transaction that only a concurrent index build has to wait for: it looks at the database as it was. Ends
# when its input does.
stranger() {
  mkfifo "$scratch/stranger.$1"
  psql -qAtX "$(environment staging database)" <"$scratch/stranger.$1" >"$scratch/stranger.out" 2>&1 3>&- &
  stranger_pid=$!
  exec 8>"$scratch/stranger.$1"
  printf 'begin isolation level repeatable read; select 1;\n' >&8
  eventually grep -q 1 "$scratch/stranger.out"
}
answers() { sql staging 'select 1' >/dev/null 2>&1; }
let_go() { exec 8>&-; wait "$stranger_pid" || true; }

step_waits() {
  [[ $(sql staging "select count(*) from pg_stat_activity where application_name = 'lockflight step'
    and wait_event_type = 'Lock'") == 1 ]]
}

@test "migration up killed at a step is finished by the next migration up, and down by the next down" {
  for point in migrate.step.begun:2 migrate.statement.before:6 migrate.step.ran:1 migrate.batch.before:2; do
    killed "$point" migration up staging
    run lockflight migration up staging
    assert_success
    is_applied
    killed migrate.step.ran:2 migration down staging --confirm staging
    run lockflight migration down staging --confirm staging
    assert_success
    is_reversed
  done
}

@test "what is half applied is taken back by migration down" {
  killed migrate.batch.before:2 migration up staging
  run lockflight migration status staging
  assert_output --partial 'applying, stopped after step 4 of 6'
  run lockflight migration down staging --confirm staging
  assert_success
  is_reversed
}

@test "two runners: the second ends with 5 and names the first, or waits for it" {
  stranger two
  "$LOCKFLIGHT" migration up staging >"$scratch/first.log" 2>&1 3>&- 8>&- &
  first=$!
  eventually step_waits
  run lockflight migration up staging
  assert_failure 5
  assert_output --partial 'staging is being changed by tester'
  assert_output --partial "pid $first (migration up)"
  "$LOCKFLIGHT" migration up staging --wait 60s >"$scratch/second.log" 2>&1 3>&- 8>&- &
  second=$!
  eventually grep -q 'waiting:' "$scratch/second.log"
  let_go
  wait "$first"
  wait "$second"
  grep -q '1 migration applied' "$scratch/first.log"
  grep -q '0 migrations applied' "$scratch/second.log"
  is_applied
  lockflight migration down staging --confirm staging
}

@test "a runner killed while its index is being built: the next one waits for the build and takes it over" {
  stranger build
  "$LOCKFLIGHT" migration up staging >"$scratch/first.log" 2>&1 3>&- 8>&- &
  first=$!
  eventually step_waits
  kill -9 "$first"
  wait "$first" || true
  "$LOCKFLIGHT" migration up staging >"$scratch/second.log" 2>&1 3>&- 8>&- &
  second=$!
  eventually grep -q 'still at it' "$scratch/second.log"
  built=$(sql staging "select 'public.people_email'::regclass::oid")
  let_go
  wait "$second"
  is_applied
  assert_equal "$(sql staging "select 'public.people_email'::regclass::oid")" "$built"
  lockflight migration down staging --confirm staging
}

@test "the server stopped at once while an index is being built: the next run builds it again" {
  stranger server
  "$LOCKFLIGHT" migration up staging >"$scratch/first.log" 2>&1 3>&- 8>&- &
  first=$!
  eventually step_waits
  kill -QUIT "$(head -1 "$LOCKFLIGHT_STATE_DIR/pg/postmaster.pid")"
  let_go
  ! wait "$first"
  eventually answers
  run lockflight migration up staging
  assert_success
  is_applied
  lockflight migration down staging --confirm staging
}

@test "a deploy killed between two steps: resume finishes it, and rollback takes all of it back" {
  killed migrate.batch.before:2 deploy staging
  run lockflight resume staging
  assert_success
  is_applied
  lockflight rollback staging --through schema --confirm 5000
  is_reversed

  LOCKFLIGHT_FAULT=migrate.step.ran:1:kill run lockflight deploy staging --clear-quarantine 'tested again'
  assert_equal "$status" 137
  run lockflight rollback staging --through schema --confirm staging
  assert_success
  is_reversed
}

@test "a rollback killed between two steps of a reverse script goes on" {
  lockflight deploy staging --clear-quarantine 'tested again'
  is_applied
  killed migrate.step.ran:1 rollback staging --through schema --confirm 5000
  run lockflight resume staging
  assert_success
  is_reversed
}

@test "a deploy that is asked to stop while an index is being built ends with 9 and can be resumed" {
  stranger stop
  "$LOCKFLIGHT" deploy staging --clear-quarantine 'tested again' >"$scratch/first.log" 2>&1 3>&- 8>&- &
  first=$!
  eventually step_waits
  kill -TERM "$first"
  status=0; wait "$first" || status=$?
  assert_equal "$status" 9
  grep -q 'lockflight resume staging' "$scratch/first.log"
  let_go
  run lockflight resume staging
  assert_success
  is_applied
}
