#!/usr/bin/env bats
# One release from an empty environment to production and back, on real parts.

load mini

setup_file()    { mini_up; }
teardown_file() { platform_down; }
setup()         { mini_enter; }

@test "a plan shows every change with its undo and changes nothing" {
  before=$(snapshot staging)
  run lockflight plan staging
  assert_success
  has_line '1 Draft site .*undo  drop draft'
  has_line '\+ MINI_TOKEN .*undo  unset'
  has_line '\+ 20260101090000_notes .*undo'
  has_line '\+ hello .*undo  delete'
  has_line 'Publish .*undo'
  assert_equal "$(snapshot staging)" "$before"
}

@test "plan --exit-code ends with 3 when there are changes" {
  run lockflight plan staging --exit-code
  assert_failure 3
}

@test "production refuses content that staging has not proved, and nothing changes" {
  before=$(snapshot production)
  run lockflight deploy production
  assert_failure 5
  has_line 'staging has not proved this content'
  has_line 'lockflight deploy staging'
  assert_equal "$(snapshot production)" "$before"
}

@test "a first release flies to staging" {
  run lockflight deploy staging
  assert_success
  run site_says staging
  assert_output --partial 'mini, first'
  run function_says staging hello
  assert_output 'hello, good day'
  run sql staging "select count(*) from notes"
  assert_output 0
}

@test "deploying the same content again has nothing to do" {
  run lockflight deploy staging
  assert_success
  assert_output --partial 'nothing to do'
}

@test "staging has proved both pairs of scripts, and production refuses a pair that nobody has run up, down and up again" {
  run sql staging "select count(*), min(loss_class) from lockflight.proofs"
  assert_output '2|B'
  sql staging "delete from lockflight.proofs"
  before=$(snapshot production)
  run lockflight plan production
  has_line '20260101090000_notes .*undo +its reverse script, not proven yet'
  run lockflight deploy production
  assert_failure 5
  has_line 'never run up, down and up again'
  has_line 'next +lockflight migration prove staging 20260101090000 20260102090000$'
  assert_equal "$(snapshot production)" "$before"
  lockflight migration prove staging 20260101090000 20260102090000
  run lockflight plan production
  has_line '20260101090000_notes .*undo +proven, loses what is written after'
}

@test "production takes the bytes that staging proved" {
  run lockflight deploy production
  assert_success
  assert_output --partial 'the proved bytes'
  run site_says production
  assert_output --partial 'mini, first'
}

@test "status says that both are as released" {
  run lockflight status
  assert_success
  has_line 'staging .*current +as released'
  has_line 'production .*current +as released'
}

@test "a second release goes to both, and a rollback brings site and functions of the first back" {
  before=$(snapshot production)
  mini_second
  lockflight deploy staging
  lockflight deploy production
  run site_says production
  assert_output --partial 'mini, second'
  run function_says production hello
  assert_output 'hello again, good day'

  run lockflight rollback production --dry-run
  assert_success
  has_line 'hello -> saved v'
  run lockflight rollback production --yes
  assert_success
  run site_says production
  assert_output --partial 'mini, first'
  run function_says production hello
  assert_output 'hello, good day'
  now=$(snapshot production)
  assert_equal "$(jq .deploy <<<"$now")" "$(jq .deploy <<<"$before")"
  assert_equal "$(jq .functions.hello <<<"$now")" "$(jq .functions.hello <<<"$before")"
  run lockflight status production
  has_line 'production .*\+1 ahead'
}

@test "what was rolled back is not deployed again until a person says so" {
  run lockflight deploy production
  assert_failure 5
  has_line 'rolled back here'
}

@test "rolling back through the schema needs the typed word and restores the catalogue exactly" {
  run lockflight rollback production --through schema --yes
  assert_failure
  run lockflight rollback production --through schema --confirm production
  assert_success
  run lockflight status production --json
  staging_first=$(jq -r '.environments[0].database.catalogue' <<<"$output")
  run sql production "select to_regclass('public.tags') is null"
  assert_output t
  lockflight deploy production --clear-quarantine 'tested again'
  lockflight rollback production --through schema --confirm production
  run lockflight status production --json
  assert_equal "$(jq -r '.environments[0].database.catalogue' <<<"$output")" "$staging_first"
}

@test "the journal's hash chain is whole, and the log tells what happened" {
  run lockflight log production --verify
  assert_success
  run lockflight log production
  assert_success
  has_line 'rollback'
}

@test "a person's lock holds deploys, names its holder, and lets go" {
  lockflight lock staging --reason 'quarter end'
  run lockflight deploy staging
  assert_failure 5
  has_line 'quarter end'
  lockflight unlock staging
  run lockflight verify staging
  assert_success
  has_line 'attestation renewed'
}
