#!/usr/bin/env bats
# `lockflight init --staging` on the local platform: one project and one site, wherever it was killed before.

load mini

# The app before it has a staging: production only, on the local platform.
setup() {
  mini_copy
  mini_enter
  sed -i -e '/^\[env.staging\]/,/^$/d' -e 's/^requires = "staging"/requires = "none"/' \
    -e 's/from = { staging = [^,]*, /from = { /' lockflight.toml
  mini_commit 'Production only'
  platform_up "$mini"
}
teardown() { platform_down; }

projects() { supabase_api /projects | jq -r '.[] | select(.name == "mini-staging") | .ref'; }
sites()    { netlify_api '/sites?name=mini-staging' | jq -r '.[] | select(.name == "mini-staging") | .id'; }

is_whole() { # one of each, named by a file that loads, with the history applied
  [ "$(projects | wc -l)" -eq 1 ]
  [ "$(sites | wc -l)" -eq 1 ]
  grep -qx "supabase = { ref = \"$(projects)\" }" lockflight.toml
  grep -qx 'netlify = { site = "mini-staging" }' lockflight.toml
  lockflight migration status staging --json | jq -e '.pending == 0 and (.migrations | length) == 2'
}

@test "staging is made, and a second run makes nothing" {
  run lockflight init --staging --yes
  assert_success
  assert_output --partial 'Next: lockflight deploy staging'
  is_whole
  cp lockflight.toml before
  run lockflight init --staging --yes
  assert_success
  assert_output --partial 'mini-staging is there'
  is_whole
  cmp lockflight.toml before
}

@test "killed at each step and run again, there is one project and one site" {
  local point password
  for point in staging.password.kept supabase.project_create.before supabase.project_create.after staging.project.healthy \
    netlify.site_create.before netlify.site_create.after staging.file.written migrate.commit.before \
    staging.history.applied; do
    LOCKFLIGHT_FAULT=$point:1:kill run lockflight init --staging --yes
    assert_failure
    [ "$(projects | wc -l)" -le 1 ]
    [ "$(sites | wc -l)" -le 1 ]
  done
  password=$(<"$LOCKFLIGHT_STATE_DIR/staging-password")
  run lockflight init --staging --yes
  assert_success
  refute_output --partial "$password"
  is_whole
  [ "$(stat -c %a "$LOCKFLIGHT_STATE_DIR/staging-password")" = 600 ]
}

@test "without a confirmation nothing is made" {
  run lockflight init --staging </dev/null
  assert_failure 2
  assert_output --partial '--yes'
  [ -z "$(projects)$(sites)" ]
}
