#!/usr/bin/env bats
# `lockflight migration reverse` on the local platform: as the role that migrations have there, which is no superuser.

load mini

setup_file()    { mini_up; }
teardown_file() { platform_down; }
setup()         { mini_enter; }

new() { # new NAME SQL: a migration, and its version
  lockflight migration new "$1" --json >"$BATS_TEST_TMPDIR/new.json" || return 1
  file=$(jq -r .migration "$BATS_TEST_TMPDIR/new.json")
  reverse=$(jq -r .reverse "$BATS_TEST_TMPDIR/new.json")
  printf '%s\n' "$2" >"$file"
  version=$(basename "$file"); version=${version%%_*}
}

teardown() { [[ -z ${file:-} ]] || rm -f "$file" "$reverse"; }

@test "a new pair begins with a stub that says how it is filled, and --write fills it with a proven script" {
  new ranks 'alter table public.notes add column rank int not null default 3;'
  run cat "$reverse"
  assert_output --partial "lockflight migration reverse $version --write"

  run lockflight migration reverse "$version"
  assert_success
  assert_output --partial 'ALTER TABLE public.notes DROP COLUMN rank;'
  assert_output --partial '-- loss: B '
  run cat "$reverse"
  refute_output --partial 'ALTER TABLE'

  run lockflight migration reverse --write
  assert_success
  assert_output --partial "written"
  run lockflight migration prove "$version"
  assert_success
  assert_output --partial 'proven'
}

@test "what somebody wrote stays, unless --force asks for it" {
  new more 'alter table public.notes add column more text;'
  printf 'alter table public.notes drop column more;\n' >"$reverse"
  run lockflight migration reverse "$version" --write
  assert_output --partial 'somebody wrote that file'
  assert_equal "$(cat "$reverse")" 'alter table public.notes drop column more;'
  run lockflight migration reverse "$version" --write --force
  assert_success
  assert_equal "$(grep -c 'Its values go with it' "$reverse")" 1
  run lockflight migration reverse "$version" --check
  assert_success
}

@test "what cannot be generated is refused with its line, exit 5, and JSON says the same" {
  new people $'select 1;\ncreate role people;'
  run lockflight migration reverse "$version"
  assert_failure 5
  assert_output --partial 'line 2: CREATE ROLE is outside of what a scratch database can show'
  run --separate-stderr lockflight migration reverse "$version" --json
  assert_failure 5
  assert_equal "$(jq -r '.scripts[0].state' <<<"$output")" refused
}

@test "outside of a project, with a folder and a database only" {
  url=$(environment staging database)
  mkdir -p "$BATS_TEST_TMPDIR/db/migrations" "$BATS_TEST_TMPDIR/db/rollbacks"
  cd "$BATS_TEST_TMPDIR"
  printf 'create table public.plain (id int primary key);\n' >db/migrations/1_plain.sql
  printf 'alter table public.plain add column note text;\ncomment on column public.plain.note is %s;\n' "'why'" >db/migrations/2_note.sql
  run lockflight migration reverse --migrations db/migrations --database-url "$url" --write
  assert_success
  assert_equal "$(grep -c 'DROP TABLE public.plain;' db/rollbacks/1_plain.sql)" 1
  assert_equal "$(grep -c 'DROP COLUMN note;' db/rollbacks/2_note.sql)" 1
}
