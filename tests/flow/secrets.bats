#!/usr/bin/env bats
# A project whose secrets are in secrets/<environment>.lf only: they reach the host, come back when a release does, and an
# older or a foreign file is refused.

load mini

vault_enter() { # the mini project without env: sources
  sed -i '/^from = { staging = "env:MINI/d' "$mini/lockflight.toml"
  unset MINI_STAGING_TOKEN MINI_PRODUCTION_TOKEN
}

put() { printf '%s' "$2" | lockflight vars set "$1" --env staging; }

digest_of() { lockflight status staging --json | jq -r --arg n "$1" '.environments[0].variables[$n]'; }
sha() { printf '%s' "$1" | sha256sum | cut -d' ' -f1; }

setup_file() {
  mini_copy
  vault_enter
  cd "$mini"
  export LOCKFLIGHT_KEY_FILE=$scratch/key
  lockflight vars key --name ana@acme
  put MINI_TOKEN the-first-token-of-staging
  printf the-token-of-production | lockflight vars set MINI_TOKEN --env production
  mini_commit 'Secrets in the repository'
  platform_up "$mini"
  lockflight deploy staging
  git tag first
}
teardown_file() { platform_down; }

setup() {
  mini_enter
  export LOCKFLIGHT_KEY_FILE=$scratch/key
  unset MINI_STAGING_TOKEN MINI_PRODUCTION_TOKEN
  git reset -q --hard first
  git clean -qfd
}

teardown() { git -C "$mini" reset -q --hard first; }

# A change of code, so that there is something to release beside the value.
change() { printf '%s\n' "$1" >>site/index.html; mini_commit "$1"; }

settle() {
  [[ $(digest_of MINI_TOKEN) == "$(sha the-first-token-of-staging)" ]] ||
    lockflight rollback staging --through schema --confirm staging
  sql staging 'delete from lockflight.secret_revisions; delete from lockflight.secret_keys'
  git reset -q --hard first
}

@test "a release sends the value of the file, and what is live is that value" {
  assert_equal "$(digest_of MINI_TOKEN)" "$(sha the-first-token-of-staging)"
  run lockflight plan staging
  has_line 'secrets/staging.lf'
}

@test "a new value goes out with a release, and the value before comes back with its rollback" {
  put MINI_TOKEN the-second-token-of-staging
  change second
  run lockflight plan staging
  has_line 'MINI_TOKEN.*previous value available'
  lockflight deploy staging --no-input
  assert_equal "$(digest_of MINI_TOKEN)" "$(sha the-second-token-of-staging)"
  lockflight rollback staging --through schema --confirm staging
  assert_equal "$(digest_of MINI_TOKEN)" "$(sha the-first-token-of-staging)"
  settle
}

@test "a release that fails leaves a way to the value before" {
  put MINI_TOKEN the-third-token-of-staging
  sed -i 's/mini, first/nothing of note/' site/index.html
  sed -i 's|contains = "mini" }|contains = "absent" }\nwithin = "300ms"|' lockflight.toml
  mini_commit 'A check that is red'
  run lockflight deploy staging --no-input
  assert_failure 7 # the previous release is green with the new value, so it stays
  assert_equal "$(digest_of MINI_TOKEN)" "$(sha the-third-token-of-staging)"
  settle
  assert_equal "$(digest_of MINI_TOKEN)" "$(sha the-first-token-of-staging)"
}

@test "the journal has no value and no bare digest of one" {
  pg_dump -d "$(environment staging database)" --schema=lockflight >"$scratch/journal.sql"
  grep -q fingerprint "$scratch/journal.sql"
  run grep -c -e the-first-token -e the-second-token -e "$(sha the-first-token-of-staging)" "$scratch/journal.sql"
  assert_output 0
}

@test "an older revision is refused until a person says that it is meant" {
  cp secrets/staging.lf "$scratch/old.lf"
  put MINI_TOKEN the-fourth-token-of-staging
  change fourth
  lockflight deploy staging --no-input
  cp "$scratch/old.lf" secrets/staging.lf
  change 'old file'
  run lockflight deploy staging --no-input
  assert_failure 5
  has_line 'MINI_TOKEN is revision 1 .* older than revision'
  has_line 'allow-older'
  run lockflight deploy staging --no-input --allow-older --yes
  assert_success
  settle
}

@test "a line that is gone without a tombstone is refused" {
  put EXTRA something-to-be-lost
  printf '\n[var.EXTRA]\nto = ["supabase"]\nsecret = true\n' >>lockflight.toml
  change extra
  lockflight deploy staging --no-input
  sed -i '/^EXTRA=/d' secrets/staging.lf
  sed -i '/^\[var.EXTRA/,$d' lockflight.toml
  change 'extra vanishes'
  run lockflight deploy staging --no-input
  assert_failure 5
  has_line 'EXTRA is gone from secrets/staging.lf without being removed'
  settle
}

@test "a file made anew with another key is refused" {
  lockflight plan staging >/dev/null
  put MINI_TOKEN the-fifth-token-of-staging
  change fifth
  lockflight deploy staging --no-input
  rm secrets/staging.lf
  put MINI_TOKEN a-token-of-somebody-else
  put MINI_TOKEN a-token-of-somebody-else2
  put MINI_TOKEN a-token-of-somebody-else3
  change 'another key'
  run lockflight deploy staging --no-input
  assert_failure 5
  has_line 'has another key than staging trusts'
  has_line 'lockflight vars trust staging'
  run lockflight vars trust staging wrong
  assert_failure 5
  lockflight vars trust staging "$(lockflight vars who staging --json | jq -r .key_id)"
  run lockflight plan staging
  has_line 'ok *secrets'
  git reset -q --hard first
  run lockflight vars trust staging "$(lockflight vars who staging --json | jq -r .key_id)"
  assert_success
  lockflight vars push staging --allow-older
  settle
}

@test "a push sends new values at once, leaves no drift behind, and shows what differs before" {
  put MINI_TOKEN the-sixth-token-of-staging
  run lockflight vars diff staging
  has_line 'MINI_TOKEN.*supabase.*another value there'
  run lockflight vars push staging --dry-run --json
  assert_equal "$(jq -c '[.changed, .sent]' <<<"$output")" '[1,false]'
  before=$(sql staging "select count(*) from lockflight.events where type in ('variables.sending', 'variables.sent')")
  run lockflight vars push staging
  assert_success
  assert_equal "$(digest_of MINI_TOKEN)" "$(sha the-sixth-token-of-staging)"
  run lockflight vars diff staging
  refute_output --partial 'another value'
  assert_equal "$(lockflight status staging --json | jq -c '.environments[0].drift')" '[]'
  assert_equal "$(sql staging "select count(*) from lockflight.events where type in ('variables.sending', 'variables.sent')")" $((before + 2))
  git checkout -q secrets/staging.lf
  lockflight vars push staging --allow-older
  assert_equal "$(digest_of MINI_TOKEN)" "$(sha the-first-token-of-staging)"
  sql staging 'delete from lockflight.secret_revisions; delete from lockflight.secret_keys'
}

@test "what the site had before a push is kept: a value that is no secret, and of a secret that there is one" {
  printf '\n[var.SITE_NAME]\nto = ["netlify:build"]\nvalue = "second name"\n' >>lockflight.toml
  printf '[var.SITE_KEY]\nto = ["netlify:functions"]\nsecret = true\n' >>lockflight.toml
  put SITE_KEY the-key-of-the-site
  local at; at="/accounts/$(netlify_api "/sites/$(environment staging site_id)" | jq -r .account_slug)/env?site_id=$(environment staging site_id)"
  netlify_api "$at" -X POST -H 'content-type: application/json' \
    -d '[{"key":"SITE_NAME","values":[{"value":"first name","context":"all"}]}]' >/dev/null
  run lockflight vars push staging
  assert_success
  has_line '2 set on the site'
  before=$(sql staging "select body->'before' from lockflight.events where type = 'site.variables' order by seq desc limit 1")
  assert_equal "$(jq -c . <<<"$before")" '{"SITE_KEY":null,"SITE_NAME":{"value":"first name"}}'
  run lockflight vars push staging
  before=$(sql staging "select body->'before' from lockflight.events where type = 'site.variables' order by seq desc limit 1")
  assert_equal "$(jq -c 'map_values(keys)' <<<"$before")" '{"SITE_KEY":["set_at"]}'
  git checkout -q lockflight.toml secrets/staging.lf
  lockflight vars push staging --allow-older
  sql staging 'delete from lockflight.secret_revisions; delete from lockflight.secret_keys'
}

@test "killed in the middle, a push that runs again ends it" {
  put MINI_TOKEN the-seventh-token-of-staging
  LOCKFLIGHT_FAULT=journal.sent.before:1:kill run lockflight vars push staging
  assert_failure 137
  run lockflight vars push staging
  assert_success
  assert_equal "$(digest_of MINI_TOKEN)" "$(sha the-seventh-token-of-staging)"
  git checkout -q secrets/staging.lf
  lockflight vars push staging --allow-older
  sql staging 'delete from lockflight.secret_revisions; delete from lockflight.secret_keys'
}

@test "one value in two environments that must differ is seen by its digest" {
  printf the-first-token-of-staging | lockflight vars set MINI_TOKEN --env production
  run lockflight vars diff production
  assert_success
  has_line 'MINI_TOKEN.*staging.*the same value there, and declared distinct'
}

@test "without a key nothing begins, and it is said which keys would open the file" {
  LOCKFLIGHT_KEY_FILE=$scratch/none run lockflight deploy staging --no-input
  assert_failure 5
  has_line 'there is no key here to open secrets with'
  lockflight vars key --job --name ci >"$scratch/job" 2>/dev/null
  LOCKFLIGHT_KEY=$(cat "$scratch/job") run lockflight deploy staging --no-input
  assert_failure 5
  has_line 'sealed for ana@acme'
}

@test "a variable with a line and a source is an error that names both" {
  sed -i '/^\[var.MINI_TOKEN\]/a from = { staging = "env:X" }' lockflight.toml
  run lockflight plan staging
  assert_failure 2
  has_line 'two sources for staging'
  has_line 'secrets/staging.lf:'
}
