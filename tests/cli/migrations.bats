#!/usr/bin/env bats
# The migration verbs that need no database: files of other tools, new pairs, and what is said when nothing is known.

load ../lib/lockflight

setup() {
  cd "$BATS_TEST_TMPDIR"
  mkdir db
  printf -- '-- migrate:up\ncreate table a ();\n-- migrate:down\ndrop table a;\n' >db/20260101_a.sql
  printf 'create table b ();\n' >db/20260102_b.up.sql
}

@test "migration import shows what it would write, and writes nothing" {
  run --separate-stderr lockflight migration import db --migrations new/migrations
  assert_success
  assert_line --partial 'new/migrations/20260101_a.sql'
  assert_line '2 migrations to write: add --write.'
  [ ! -e new ]
}

@test "migration import --write makes pairs, twice without harm" {
  run lockflight migration import db --migrations new/migrations --write
  assert_success
  [ "$(cat new/migrations/20260101_a.sql)" = 'create table a ();' ]
  [ "$(cat new/rollbacks/20260101_a.sql)" = 'drop table a;' ]
  [ "$(ls new/rollbacks)" = 20260101_a.sql ]
  run --separate-stderr lockflight migration import db --migrations new/migrations --write --json
  assert_success
  [ "$(jq -c '[.written, (.migrations[] | .is_there)]' <<<"$output")" = '[true,true,true]' ]
}

@test "migration import replaces nothing that says something else" {
  mkdir -p new/migrations
  echo mine >new/migrations/20260102_b.sql
  run lockflight migration import db --migrations new/migrations --write
  assert_failure
  assert_output --partial 'new/migrations/20260102_b.sql is there already'
  [ "$(ls new/migrations)" = 20260102_b.sql ] && [ "$(cat new/migrations/20260102_b.sql)" = mine ]
}

@test "migration new makes a pair in any folder" {
  run lockflight migration new add_c --migrations some/migrations
  assert_success
  [ "$(ls some/migrations)" = "$(ls some/rollbacks)" ]
}

@test "without a project and without a folder the error says which flag" {
  run lockflight migration status
  assert_failure 2
  assert_output --partial -- --migrations
  run lockflight migration status --migrations nowhere
  assert_failure 2
  assert_output --partial 'there is no such folder'
  run lockflight migration status --migrations db
  assert_failure 2
  assert_output --partial -- --database-url
}

@test "an environment and a URL at once are one too many, and the password is not repeated" {
  printf 'version = 1\nproject = "x"\n[env.staging]\nplatform = "local"\n' >lockflight.toml
  run lockflight migration status staging --database-url postgresql://u:hunter22@127.0.0.1:1/x
  assert_failure 2
  refute_output --partial hunter22
  run lockflight migration status --migrations db --database-url postgresql://u:hunter22@127.0.0.1:1/x
  assert_failure
  refute_output --partial hunter22
}

@test "migration repair asks what is true before it looks at anything" {
  run lockflight migration repair --migrations db 20260101
  assert_failure 2
  assert_output --partial -- --accept-changed
  run lockflight migration repair --migrations db --status applied
  assert_failure 2
  run lockflight migration down --migrations db --to 1 --last 2
  assert_failure 2
}
