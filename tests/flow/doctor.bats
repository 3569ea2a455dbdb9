#!/usr/bin/env bats
# `lockflight doctor`: what it finds, and that doing what it says ends the finding.

load mini

setup_file()    { mini_up; }
teardown_file() { platform_down; }
setup()         { mini_enter; git checkout -q . ; }

# finds ID [ENVIRONMENT]: there is such a finding, with what, why and what to type
finds() {
  lockflight doctor "${@:2}" --json >"$BATS_TEST_TMPDIR/found" || true
  jq -e --arg id "$1" '[.findings[] | select(.id == $id and .what != "" and .why != "" and .fix != "")] | length > 0' \
    "$BATS_TEST_TMPDIR/found" >/dev/null
}
fix_of() { jq -r --arg id "$1" '.findings[] | select(.id == $id) | .fix' "$BATS_TEST_TMPDIR/found"; }

@test "an environment in order has nothing to find, and ends with 0" {
  run lockflight doctor staging
  assert_success
  assert_output --partial 'Nothing found'
}

@test "a missing test stage and missing checks are warnings, and the lines it names end them" {
  sed -i -e '/^\[test\]/,/^$/d' -e '0,/^checks = .*/s///' lockflight.toml
  run lockflight doctor staging
  assert_success
  finds no-tests staging
  finds no-backend-check staging
  finds no-site-check staging
  git checkout -q lockflight.toml
  run finds no-tests staging
  assert_failure
}

@test "production that requires nothing is unprotected" {
  sed -i 's/^requires = "staging"/requires = "none"/' lockflight.toml
  finds unprotected production
}

@test "a variable without a value is an error, and setting it ends it" {
  run env -u MINI_STAGING_TOKEN "$LOCKFLIGHT" doctor staging
  assert_failure 5
  assert_output --partial 'MINI_STAGING_TOKEN'
  run lockflight doctor staging
  assert_success
}

@test "a locked environment is an error, and the command it names opens it" {
  lockflight lock staging --reason 'a look' >/dev/null 2>&1 || lockflight lock staging 'a look'
  run lockflight doctor staging
  assert_failure 5
  assert_output --partial 'lockflight unlock staging'
  lockflight unlock staging --yes >/dev/null 2>&1
  run lockflight doctor staging
  assert_success
}

@test "Netlify's own builds are an error while they publish, and the command ends it" {
  netlify_api "/sites/$(environment staging site_id)" -X PATCH -H 'content-type: application/json' \
    -d '{"build_settings":{"repo_url":"https://example.com/app","stop_builds":false}}' >/dev/null
  finds auto-publish staging
  NETLIFY_AUTH_TOKEN=$netlify_token sh -c "$(fix_of auto-publish)" >/dev/null
  run finds auto-publish staging
  assert_failure
}

@test "a release that nobody locked is a warning, and the command locks it" {
  lockflight deploy staging >/dev/null 2>&1
  run finds unlocked staging
  assert_failure
  local id
  id=$(netlify_api "/sites/$(environment staging site_id)" | jq -r .published_deploy.id)
  netlify_api "/deploys/$id/unlock" -X POST >/dev/null
  finds unlocked staging
  NETLIFY_AUTH_TOKEN=$netlify_token sh -c "$(fix_of unlocked)" >/dev/null
  run finds unlocked staging
  assert_failure
}

@test "a function that runs with another verify_jwt is a warning" {
  printf '\n' >>supabase/config.toml
  sed -i '0,/verify_jwt = false/s//verify_jwt = true/' supabase/config.toml
  finds verify-jwt staging
}

@test "a function flags that takes tokens unchecked is a warning, and checking them ends it" {
  mkdir -p supabase/functions/flags
  touch supabase/functions/flags/index.ts supabase/functions/flags/caller.ts
  printf '\n[functions.flags]\nverify_jwt = false\n' >>supabase/config.toml
  finds open-flags staging
  sed -i '/^\[functions.flags\]/,$s/false/true/' supabase/config.toml
  run finds open-flags staging
  assert_failure
  rm -r supabase/functions/flags
}

@test "a site that takes production from git only is an error, and allowing API deploys ends it" {
  local site; site="/sites/$(environment staging site_id)"
  netlify_api "$site" -X PATCH -H 'content-type: application/json' -d '{"prevent_non_git_prod_deploys":true}' >/dev/null
  run lockflight doctor staging
  assert_failure 5
  finds git-only staging
  netlify_api "$site" -X PATCH -H 'content-type: application/json' -d '{"prevent_non_git_prod_deploys":false}' >/dev/null
  run finds git-only staging
  assert_failure
}

@test "a role without its rights is a warning each, and the statements it names end them" {
  sql staging "create role \"Little One\" login password 'x'" >/dev/null
  sql staging 'grant usage on schema lockflight, supabase_migrations to "Little One"' >/dev/null
  sql staging 'grant select on all tables in schema lockflight, supabase_migrations to "Little One"' >/dev/null
  local url; url=$(environment staging database | sed -E 's|://[^@]*@|://Little%20One:x@|')
  export LOCKFLIGHT_STAGING_DATABASE_URL=$url
  finds no-createdb staging
  local create; create=$(fix_of no-createdb)
  finds no-monitor staging
  local monitor; monitor=$(fix_of no-monitor)
  sql staging "$create $monitor" >/dev/null
  run finds no-createdb staging
  assert_failure
  run finds no-monitor staging
  assert_failure
}

# through_proxy ANSWERS…: staging is reached through a proxy that gives these answers itself
through_proxy() {
  mkdir -p "$scratch/log"
  printf '%s\n' "$@" >"$scratch/log/answers"
  rm -f "$scratch/log/address"
  node "$repo/tests/clients/log-proxy.mjs" "$api" "$scratch/log" >/dev/null 2>&1 3>&- &
  proxy_pid=$!
  for ((i = 0; i < 100; i++)); do [[ -s $scratch/log/address ]] && break; sleep 0.1; done
  local proxy; proxy=$(<"$scratch/log/address")
  sed -i "s|^\[env.staging\]|&\nnetlify = { api = \"$proxy/api/v1\" }\nsupabase = { api = \"$proxy\" }|" lockflight.toml
}

@test "tokens that may read and not write are an error each, and asking them changed nothing" {
  before=$(snapshot staging)
  through_proxy 'POST /deploys/.*/restore$ 403 {"code":403,"message":"Forbidden"}' \
    'DELETE /secrets$ 403 {"message":"needs edge_functions_secrets_write"}' \
    'DELETE /functions/ 401 {"message":"needs edge_functions_write"}'
  finds token-cannot-write staging
  kill $proxy_pid
  assert_equal "$(jq '[.findings[] | select(.id == "token-cannot-write" and .severity == "error")] | length' "$BATS_TEST_TMPDIR/found")" 3
  git checkout -q lockflight.toml
  run finds token-cannot-write staging
  assert_failure
  assert_equal "$(snapshot staging)" "$before"
}

@test "a project that Supabase's git integration deploys to is an error; branches for previews alone are not" {
  local preview='{"name":"feature","is_default":false,"git_branch":"feature"}'
  through_proxy "GET /branches\$ 200 [$preview,{\"name\":\"main\",\"is_default\":true,\"git_branch\":\"main\"}]"
  finds branching staging
  printf 'GET /branches$ 200 [%s,{"name":"main","is_default":true}]\n' "$preview" >"$scratch/log/answers"
  run finds branching staging
  kill $proxy_pid
  assert_failure
}

@test "an environment that cannot be opened is a finding, not the end" {
  run env LOCKFLIGHT_STAGING_DATABASE_URL=postgresql://nobody@127.0.0.1:1/none "$LOCKFLIGHT" doctor --json
  assert_failure 5
  jq -e 'any(.findings[]; .environment == "staging" and .id == "open")' <<<"$output"
}

@test "a name that is not declared gets the nearest one" {
  run lockflight doctor stagin
  assert_failure 2
  assert_output --partial 'did you mean staging'
}
