#!/usr/bin/env bats
# A deploy that is killed in any phase ends, after `resume` or `rollback`, in exactly the new or exactly the old
# release: catalogue digest, bundle hashes, published deploy, digests of variables, and the lease is free.

load mini

# What the site is, by release: the id of a deploy differs from run to run.
state_of() {
  lockflight status staging --json | jq -S '.environments[0] | {
    catalogue: .database.catalogue, applied: .database.applied, site: .site.release, locked: .site.locked,
    functions: (.functions.running | map_values(.hash)), variables, lease_free, open, drift }'
}

setup_file() {
  mini_up
  cd "$mini"
  lockflight deploy staging
  state_of >"$scratch/old"
  mini_second
  printf '[flag.crm]\n' >lockflight.flags.toml
  mini_commit 'A flag with it'
  lockflight deploy staging
  state_of >"$scratch/new"
  lockflight rollback staging --through schema --confirm staging
  state_of >"$scratch/now"
  diff "$scratch/old" "$scratch/now"
}
teardown_file() { platform_down; }
setup()         { mini_enter; }

# kill_at POINT: flies the second version and dies there.
kill_at() {
  LOCKFLIGHT_FAULT=$1:${2:-1}:kill run lockflight deploy staging --clear-quarantine 'tested again'
  assert_equal "$status" 137
}

ends_as() { diff -u "$scratch/$1" <(state_of); }

back_to_old() {
  lockflight rollback staging --through schema --confirm staging
  ends_as old
}

# Both ways out of one place of death.
crash() {
  kill_at "$@"
  run lockflight resume staging
  assert_success
  ends_as new
  back_to_old

  kill_at "$@"
  run lockflight rollback staging --through schema --confirm staging
  assert_success
  ends_as old
}

@test "killed in gate: finished or taken back, never a mixture" { crash phase.gate.begun; }
@test "killed in test: finished or taken back, never a mixture" { crash phase.test.begun; }
@test "killed before the draft: finished or taken back, never a mixture" { crash phase.draft.begun; }
@test "killed after the draft was created and nobody knows its id: finished or taken back, never a mixture" { crash netlify.deploy_create.after; }
@test "killed after the draft, before it is recorded: finished or taken back, never a mixture" { crash phase.draft.ran; }
@test "killed in variables, after they were set: finished or taken back, never a mixture" { crash supabase.secrets_set.after; }
@test "killed after variables, before they are recorded: finished or taken back, never a mixture" { crash phase.variables.ran; }
@test "killed in database, before the migration: finished or taken back, never a mixture" { crash phase.database.begun; }
@test "killed in database, after the migration: finished or taken back, never a mixture" { crash phase.database.ran; }
@test "killed in flags, before they are defined: finished or taken back, never a mixture" { crash phase.flags.begun; }
@test "killed in flags, after they were defined: finished or taken back, never a mixture" { crash phase.flags.ran; }
@test "killed in functions, before the switch: finished or taken back, never a mixture" { crash supabase.functions_activate.before; }
@test "killed in functions, after the switch: finished or taken back, never a mixture" { crash supabase.functions_activate.after; }
@test "killed after functions, before they are recorded: finished or taken back, never a mixture" { crash phase.functions.ran; }
@test "killed in backend: finished or taken back, never a mixture" { crash phase.backend.begun; }
@test "killed in publish, before the pointer moves: finished or taken back, never a mixture" { crash netlify.restore.before; }
@test "killed in publish, after the pointer moved: finished or taken back, never a mixture" { crash netlify.restore.after; }
@test "killed after publish, before it is recorded: finished or taken back, never a mixture" { crash phase.publish.ran; }
@test "killed in live: finished or taken back, never a mixture" { crash phase.live.begun; }
@test "killed in seal: finished or taken back, never a mixture" { crash phase.seal.begun; }
@test "killed after the seal, before it is recorded: finished or taken back, never a mixture" { crash phase.seal.ran; }

@test "a deploy that meets an interrupted release stops and names both ways out" {
  kill_at phase.backend.begun
  run lockflight deploy staging --clear-quarantine 'tested again'
  assert_failure 9
  has_line 'lockflight resume staging'
  has_line 'resume staging .*unwind'
  run lockflight resume staging --unwind
  assert_success
  back_to_old
}

@test "a rollback that is killed goes on where it was" {
  lockflight deploy staging --clear-quarantine 'tested again'
  LOCKFLIGHT_FAULT=rollback.functions.begun:1:kill run lockflight rollback staging --through schema --confirm staging
  assert_equal "$status" 137
  run lockflight resume staging
  assert_success
  ends_as old
}

@test "resuming with nothing open says so" {
  run lockflight resume staging
  assert_success
  assert_output --partial 'Nothing to resume'
}

@test "taking an interrupted release back wholly goes on wholly after it was killed itself" {
  kill_at phase.backend.begun
  LOCKFLIGHT_FAULT=undo.database.begun:1:kill run lockflight rollback staging --through schema --confirm staging
  assert_equal "$status" 137
  run lockflight resume staging
  assert_success
  ends_as old
}
