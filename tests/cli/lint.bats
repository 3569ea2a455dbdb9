#!/usr/bin/env bats
# `lockflight migration lint` outside of any project, without a database.

load ../lib/lockflight

setup() {
  unset CI GITHUB_ACTIONS
  scratch_make
  cd "$scratch" || return 1
  mkdir migrations rollbacks
  cat >migrations/20260101000000_base.sql <<'SQL'
create table public.orders (id bigint primary key, note text);
SQL
  cat >migrations/20260102000000_index.sql <<'SQL'
-- Notes are searched.

create index orders_note on public.orders (note);
SQL
  touch rollbacks/2026010{1,2}000000_{base,index}.sql
  rm rollbacks/20260101000000_index.sql rollbacks/20260102000000_base.sql
}

@test "an error that stands is exit 5, with place, reason and rewrite" {
  run lockflight migration lint --migrations migrations
  assert_failure 5
  assert_line --partial 'migrations/20260102000000_index.sql:3:1  error L01 index built without CONCURRENTLY'
  assert_line --partial 'CREATE INDEX CONCURRENTLY, in a file of its own'
  assert_line --partial 'no database was asked'
  assert_line --partial '2 migrations, 2 statements: 1 error'
  assert_line --regexp '^20260101000000_base  expand, compatible'
}

@test "a reason beside the statement makes it exit 0, and the exception stays in sight" {
  sed -i 's/^create/-- allow: L01 the shop is closed at night\ncreate/' migrations/20260102000000_index.sql
  run lockflight migration lint --migrations migrations
  assert_success
  assert_line --partial 'allowed L01: the shop is closed at night'
}

@test "an allow without a reason is an error of the file" {
  sed -i 's/^create/-- allow: L01\ncreate/' migrations/20260102000000_index.sql
  run lockflight migration lint --migrations migrations
  assert_failure
  assert_output --partial '20260102000000_index.sql:3'
}

@test "only the versions that are named are judged" {
  run lockflight migration lint --migrations migrations 20260101000000
  assert_success
  assert_line --partial '1 migration, 1 statement: 0 errors'
  run lockflight migration lint --migrations migrations 20260101000001
  assert_failure 2
  assert_output --partial 'there is no migration 20260101000001'
}

@test "JSON is one document with the findings and a verdict for each file" {
  run --separate-stderr lockflight migration lint --migrations migrations --json
  assert_failure 5
  assert_equal "$(jq -r '[.refused, .errors, .catalogue] | @tsv' <<<"$output")" $'true\t1\tfalse'
  assert_equal "$(jq -r '.findings[] | select(.severity == "error") | "\(.rule) \(.line) \(.assumed)"' <<<"$output")" 'L01 3 true'
  assert_equal "$(jq -r '.migrations[].phase' <<<"$output" | sort -u)" expand
}

@test "annotations are in the form of GitHub Actions, with commas and colons escaped" {
  run lockflight migration lint --migrations migrations --github
  assert_failure 5
  assert_line --regexp '^::error file=migrations/20260102000000_index.sql,line=3,col=1,title=L01 [^,:]*::writes to public.orders'
  assert_line --partial '%0AInstead: CREATE INDEX CONCURRENTLY, in a file of its own'
}

@test "text that is no SQL is one error with file, line and caret" {
  echo "select 'open" >migrations/20260103000000_open.sql
  run lockflight migration lint --migrations migrations
  assert_failure
  assert_output --partial '20260103000000_open.sql:1:8'
}

@test "help on a rule says why it hurts and what to write instead" {
  run lockflight help L01
  assert_success
  assert_line 'L01  index built without CONCURRENTLY'
  assert_line --partial 'Instead: CREATE INDEX CONCURRENTLY'
}
