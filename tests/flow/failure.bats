#!/usr/bin/env bats
# What fails is taken back, as far as it must and no further, and the exit status says where things stand.

load mini

setup_file() {
  mini_up
  cd "$mini"
  lockflight deploy staging
  git -C "$mini" tag first
}
teardown_file() { platform_down; }

setup() {
  mini_enter
  git -C "$mini" reset -q --hard first
  git -C "$mini" clean -qfd
  before=$(snapshot staging)
}

# unchanged: the environment is exactly as this test found it
unchanged() { assert_equal "$(snapshot staging)" "$before"; }

settle() { lockflight rollback staging --through schema --confirm staging; }

@test "a failing unit test stops the release before anything is touched" {
  echo 'exit 1' >test.sh
  mini_commit 'A failing test'
  run lockflight deploy staging
  assert_failure 5
  has_line 'sh test.sh.* ended with status 1'
  has_line 'nothing was changed'
  unchanged
}

@test "a build that fails shows its last lines and leaves the environment as before" {
  printf 'echo the bundler says no\nexit 3\n' >build.sh
  mini_commit 'A failing build'
  run lockflight deploy staging
  assert_failure 6
  has_line 'the bundler says no'
  has_line 'ended with status 3'
  unchanged
}

@test "a function that does not compile is found before the database is touched" {
  echo 'this is not a program' >supabase/functions/hello/index.ts
  printf -- '-- allow: S01 a table of a test, which nobody reads\ncreate table public.never (id int);\n' >supabase/migrations/20260105090000_never.sql
  echo 'drop table public.never;' >supabase/rollbacks/20260105090000_never.sql
  mini_commit 'A broken function'
  run lockflight deploy staging
  assert_failure 6
  has_line 'hello'
  unchanged
}

@test "a secret in the built site is refused by its name, and its value is not shown" {
  printf 'const token = "%s";\n' "$MINI_STAGING_TOKEN" >site/app.js
  mini_commit 'A leak'
  run lockflight deploy staging
  assert_failure 5
  has_line 'MINI_TOKEN'
  refute_output --partial "$MINI_STAGING_TOKEN"
  unchanged
}

@test "a migration that the linter refuses is a closed gate: exit 5, named rule, nothing changed; with a reason it may go" {
  echo 'alter table public.notes rename column body to text;' >supabase/migrations/20260106080000_rename.sql
  echo 'alter table public.notes rename column text to body;' >supabase/rollbacks/20260106080000_rename.sql
  mini_commit 'A rename'
  run lockflight deploy staging
  assert_failure 5
  has_line 'C03 column renamed'
  has_line '20260106080000_rename.sql:1:1'
  has_line 'lockflight migration lint staging'
  unchanged
  run lockflight migration lint staging
  assert_failure 5
  has_line 'not compatible with the running release'
  sed -i '1i -- allow: C03 nothing reads it in this test' supabase/migrations/20260106080000_rename.sql
  run lockflight plan staging
  has_line 'ok +lint +1 pending migration, 1 finding allowed by the files'
  rm supabase/migrations/20260106080000_rename.sql supabase/rollbacks/20260106080000_rename.sql
  mini_commit 'No rename'
}

@test "a migration that nobody could run is found on a scratch database, before anything is touched" {
  printf -- '-- allow: S01 a table of a test, which nobody reads\ncreate table public.x (id int);\nalter table public.missing add y int;\n' >supabase/migrations/20260106090000_broken.sql
  echo 'drop table public.x;' >supabase/rollbacks/20260106090000_broken.sql
  mini_commit 'A broken migration'
  run lockflight deploy staging
  assert_failure 5
  has_line '20260106090000_broken.sql:3'
  has_line 'nothing was changed'
  unchanged
}

@test "a reverse script that forgets something stops the deploy, and what it forgot is named" {
  echo 'alter table public.notes add column colour text, add column size int;' >supabase/migrations/20260106090000_forgets.sql
  echo 'alter table public.notes drop column colour;' >supabase/rollbacks/20260106090000_forgets.sql
  mini_commit 'A forgetful reverse script'
  run lockflight deploy staging
  assert_failure 5
  has_line 'column public.notes.size'
  has_line 'lockflight migration prove staging 20260106090000'
  unchanged
  run lockflight migration prove staging
  assert_failure 5
  has_line 'FAIL +20260106090000_forgets'
}

@test "a migration that fails on the rows that are there names file and line, and the environment is as before" {
  sql staging "insert into notes (body) values ('twice'), ('twice')"
  printf -- '-- allow: S01 a table of a test, which nobody reads\n-- allow: L01 the table is small\n-- allow: C10 only this test writes\ncreate table public.x (id int);\ncreate unique index notes_body on public.notes (body);\n' >supabase/migrations/20260106090000_unique.sql
  printf 'drop index public.notes_body;\ndrop table public.x;\n' >supabase/rollbacks/20260106090000_unique.sql
  mini_commit 'A migration that these rows do not allow'
  run lockflight deploy staging
  sql staging "delete from notes where body = 'twice'"
  assert_failure 6
  has_line '20260106090000_unique.sql:5'
  has_line 'database as before'
  unchanged
}

@test "a function that answers 500 unwinds the functions, leaves site and migration, and exits 7" {
  echo 'Deno.serve(() => new Response("no", { status: 500 }));' >supabase/functions/hello/index.ts
  printf -- '-- allow: S01 a table of a test, which nobody reads\ncreate table public.more (id int primary key);\n' >supabase/migrations/20260107090000_more.sql
  echo 'drop table public.more;' >supabase/rollbacks/20260107090000_more.sql
  sed -i 's/mini, first/mini, broken/' site/index.html
  mini_commit 'A function that breaks'
  run lockflight deploy staging
  assert_failure 7
  has_line 'backend +FAIL +hello: 500'
  has_line 'functions +undo +hello restored to v'
  has_line 'verify +ok'
  has_line 'database +keep'
  has_line 'Users saw the old site throughout'
  has_line 'state +database ahead by 1'
  after=$(snapshot staging)
  for key in functions deploy variables lease_free open; do
    assert_equal "$(jq ".$key" <<<"$after")" "$(jq ".$key" <<<"$before")"
  done
  run lockflight deploy staging
  assert_failure 5
  has_line 'quarantine'
  settle
  unchanged
}

@test "a red live site goes back to the old deploy" {
  # Green for the draft, which is looked at by its permalink; red for what visitors get.
  printf '\n[check.address]\nrun = "case $LOCKFLIGHT_SITE_URL in $LOCKFLIGHT_PERMALINK) exit 1;; esac"\n' >>lockflight.toml
  sed -i '/^\[env.staging\]/,/^checks/ s/site = \["home"\]/site = ["home", "address"]/' lockflight.toml
  sed -i 's/mini, first/mini, unseen/' site/index.html
  mini_commit 'A site that is never green'
  run lockflight deploy staging
  assert_failure 7
  has_line 'live +FAIL +address'
  has_line 'publish +undo +pointer back'
  run site_says staging
  assert_output --partial 'mini, first'
}

@test "of two deploys at once exactly one flies, and the other names it" {
  printf 'sleep 3\n' >>test.sh
  mini_commit 'A slow test'
  lockflight deploy staging >"$scratch/first.log" 2>&1 &
  first=$!
  for _ in $(seq 50); do grep -q 'lock .*ok' "$scratch/first.log" && break; sleep 0.1; done
  LOCKFLIGHT_ACTOR=second run lockflight deploy staging
  assert_failure 5
  has_line 'tester'
  wait "$first"
}

@test "a first interrupt stops at the next boundary and takes back, the environment is as before" {
  before=$(snapshot staging)
  printf 'sleep 3\n' >>test.sh
  sed -i 's/mini, first/mini, stopped/' site/index.html
  mini_commit 'Stopped'
  "$LOCKFLIGHT" deploy staging >"$scratch/stop.log" 2>&1 &
  pid=$!
  for _ in $(seq 50); do grep -q 'gate .*ok' "$scratch/stop.log" && break; sleep 0.1; done
  kill -TERM "$pid"
  status=0
  wait "$pid" || status=$?
  assert_equal "$status" 6
  unchanged
}

@test "no output and no journal holds a secret" {
  run grep -rl "$MINI_STAGING_TOKEN" "$scratch"/*.log
  assert_failure
  run sql staging "select count(*) from (select body::text t from lockflight.events union all select coalesce(before::text,'') || coalesce(after::text,'') from lockflight.steps union all select coalesce(manifest::text,'') || coalesce(plan::text,'') from lockflight.releases) x where t like '%$MINI_STAGING_TOKEN%'"
  assert_output 0
}
