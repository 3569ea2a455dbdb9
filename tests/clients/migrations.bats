#!/usr/bin/env bats
# The migration verbs beside the real Supabase CLI on one database: after every change, `migration list` and
# `db push --dry-run` of theirs say what `lockflight migration status` says.

load ../flow/mini
load ../lib/clients

setup_file() {
  mini_up
  client_home
  export database=$(environment staging database)
}
teardown_file() { platform_down; }
setup()         { mini_enter; }

theirs() { supabase "$mini" "$@" --db-url "$database" --output-format json 2>/dev/null; }
ours()   { lockflight migration status staging --json; }

# What is applied and what is pending, for both; then what a push would do about it.
agree() {
  theirs migration list | jq -r '.migrations[] | "\(if .local == "" then .remote else .local end) \(.remote != "") \(.local != "")"' | sort >"$scratch/theirs"
  ours | jq -r '.migrations[] | "\(.version) \(.state as $s | ["pending", "out of order"] | index($s) == null) \(.state != "missing")"' | sort >"$scratch/ours"
  [ -s "$scratch/ours" ]
  diff "$scratch/theirs" "$scratch/ours"
  theirs db push --dry-run >"$scratch/push" || true
  ours >"$scratch/status"
  case $(jq -r '.error.code // "none"' "$scratch/push") in
    none)
      [ "$(jq -c '[.migrations[] | split("_")[0]]' "$scratch/push")" = "$(jq -c '[.migrations[] | select(.state == "pending") | .version]' "$scratch/status")" ]
      jq -e '[.migrations[] | select(.state == "missing" or .state == "out of order")] == []' "$scratch/status" ;;
    DbPushMissingRemoteError) jq -e '[.migrations[] | select(.state == "out of order")] != []' "$scratch/status" ;;
    DbPushMissingLocalError)  jq -e '[.migrations[] | select(.state == "missing")] != []' "$scratch/status" ;;
    *) cat "$scratch/push"; return 1 ;;
  esac
}
state() { ours | jq -r --arg v "$1" '.migrations[] | select(.version == $v) | .state'; }

@test "before anything: both call every file pending, and looking made no schema of ours" {
  agree
  [ "$(state 20260101090000)" = pending ]
  [ "$(sql staging "select count(*) from pg_namespace where nspname = 'lockflight'")" = 0 ]
}

@test "after migration up: both call every file applied" {
  run lockflight migration up staging
  assert_success
  agree
  [ "$(state 20260102090000)" = applied ]
}

@test "after migration down: both call the newest one pending" {
  run lockflight migration down staging --confirm staging
  assert_success
  agree
  [ "$(state 20260101090000) $(state 20260102090000)" = 'applied pending' ]
}

@test "what their db push applied is applied for us, and comes back with our reverse script" {
  theirs db push
  agree
  [ "$(state 20260102090000)" = applied ]
  run lockflight migration down staging --confirm staging
  assert_success
  agree
  [ "$(state 20260102090000)" = pending ]
}

@test "after migration baseline: both call what is below it applied, and nothing was run" {
  run lockflight migration baseline staging 20260102090000 --yes
  assert_success
  agree
  [ "$(sql staging "select to_regclass('public.authors') is null")" = t ]
}

@test "a baseline is the row that their own repair would have written" {
  row="select version, name, statements from supabase_migrations.schema_migrations where version = '20260102090000'"
  sql staging "$row" >"$scratch/row.ours"
  theirs migration repair --status reverted 20260102090000
  agree
  theirs migration repair --status applied 20260102090000
  agree
  sql staging "$row" >"$scratch/row.theirs"
  [ -s "$scratch/row.ours" ]
  run diff "$scratch/row.ours" "$scratch/row.theirs"
  assert_success
}

@test "after migration repair, either way: both say the same" {
  run lockflight migration repair staging --status reverted 20260102090000
  assert_success
  agree
  [ "$(state 20260102090000)" = pending ]
  run lockflight migration repair staging --status applied 20260102090000
  assert_success
  agree
  [ "$(state 20260102090000)" = applied ]
  run lockflight migration repair staging --status reverted 20260102090000
  assert_success
}

@test "a late file: both refuse it, and after up --include-out-of-order both call it applied" {
  echo 'create table public.late (id int);' >supabase/migrations/20260101100000_late.sql
  run lockflight migration up staging
  assert_success # everything that is pending, in order: 100000 comes before 090000 of the next day
  echo 'create table public.later (id int);' >supabase/migrations/20260101110000_later.sql
  agree
  [ "$(state 20260101110000)" = 'out of order' ]
  run lockflight migration up staging
  assert_failure 5
  run lockflight migration up staging --include-out-of-order --yes
  assert_success
  agree
  [ "$(state 20260101110000)" = applied ]
}

@test "a file that is gone: both refuse, and repair --status reverted takes it out of both" {
  rm supabase/migrations/20260101110000_later.sql
  agree
  [ "$(state 20260101110000)" = missing ]
  run lockflight migration repair staging --status reverted 20260101110000
  assert_success
  agree
}

@test "a changed file is noticed by us, and accepted by repair; they stay content" {
  echo '-- only a comment' >>supabase/migrations/20260101100000_late.sql
  [ "$(state 20260101100000)" = changed ]
  run lockflight migration up staging
  assert_failure 5
  run lockflight migration repair staging --accept-changed 20260101100000
  assert_success
  [ "$(state 20260101100000)" = applied ]
  agree
}

@test "a hosted project's rollback column holds our reverse script, and they go on working" {
  sql staging "alter table supabase_migrations.schema_migrations add created_by text, add idempotency_key text unique, add rollback text[]"
  echo 'create table public.more (id int);' >supabase/migrations/20260201090000_more.sql
  echo 'drop table public.more;' >supabase/rollbacks/20260201090000_more.sql
  run lockflight migration up staging
  assert_success
  [ "$(sql staging "select rollback from supabase_migrations.schema_migrations where version = '20260201090000'")" = '{"drop table public.more"}' ]
  agree
}

@test "an environment that requires another one applies only pairs that were proven there" {
  run lockflight migration up production
  assert_failure 5
  assert_output --partial 'not proven'
  assert_output --partial 'lockflight migration prove staging 20260101090000'
  [ "$(sql production "select to_regclass('public.notes') is null")" = t ]
  run lockflight migration prove staging --all
  run lockflight migration up production
  assert_failure 5
  assert_output --partial '20260101100000_late.sql has no reverse script'
  echo 'drop table public.late;' >supabase/rollbacks/20260101100000_late.sql
  run lockflight migration prove staging 20260101100000
  assert_success
  run lockflight migration up production
  assert_success
}

@test "on any folder and any database, without a project: the same verbs" {
  cp -r supabase "$scratch/elsewhere"; cd "$scratch"
  sql staging 'create database elsewhere'
  export DATABASE=${database%/*}/elsewhere
  files=(--migrations elsewhere/migrations --database-url env:DATABASE)
  run lockflight migration status "${files[@]}"
  assert_success
  assert_output --partial 'pending'
  refute_output --partial "$(sed 's/.*:\(.*\)@.*/\1/' <<<"$DATABASE")"
  run --separate-stderr lockflight migration up "${files[@]}" --json
  assert_success
  [ "$(jq -c .versions <<<"$output")" = "$(cd elsewhere/migrations && ls | cut -d_ -f1 | jq -cRn '[inputs]')" ]
  run --separate-stderr lockflight migration status "${files[@]}" --json
  [ "$(jq -c '[.environment, .pending]' <<<"$output")" = '["standalone",0]' ]
  run lockflight migration down --to 20260201090000 "${files[@]}" --confirm standalone
  assert_success
  assert_output --partial '0 migrations reversed'
}

@test "which database, without a project and without a URL: the error says what to give" {
  cd "$scratch"
  run lockflight migration status --migrations elsewhere/migrations
  assert_failure 2
  assert_output --partial -- --database-url
  run lockflight migration status --migrations elsewhere/migrations --database-url env:NOT_SET
  assert_failure
  assert_output --partial NOT_SET
}

@test "a database that a project uses keeps its lease when it is named by its URL" {
  export DATABASE=$database
  run --separate-stderr lockflight migration up --database-url env:DATABASE --json
  assert_success
  [ "$(jq -r .environment <<<"$output")" = staging ]
}
