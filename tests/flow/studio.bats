#!/usr/bin/env bats
# The example app flies to staging and production, as a user would fly it, and comes back.

load ../lib/lockflight

setup_file() {
  export NO_COLOR=1 LOCKFLIGHT_ACTOR=tester
  studio_copy
  [[ -d $studio/node_modules ]] || (cd "$studio" && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error)
  sed -i "s/^port = 4600/port = $((20000 + RANDOM % 20000))/" "$studio/lockflight.toml"
  studio_commit 'Ports of its own'
  eval "$(cd "$studio" && sh tests/demo-env.sh)"
  platform_up "$studio"
}
teardown_file() { platform_down; }
setup()         { cd "$studio"; }

@test "deploy production of content that staging has not proved exits 5" {
  run lockflight deploy production
  assert_failure 5
  has_line 'staging has not proved this content'
}

@test "the example flies to staging, and its own words say so" {
  run lockflight deploy staging
  assert_success
  has_line 'backend +ok'
  has_line 'live +ok'
  release=$(lockflight status staging --json | jq -r '.environments[0].release')
  run curl -sS "$(environment staging url)/functions/v1/health"
  assert_equal "$(jq -r .release <<<"$output")" "$release"
  run curl -sS "$(environment staging url)/.well-known/lockflight.json"
  assert_equal "$(jq -r .release <<<"$output")" "$release"
}

@test "production takes the very bytes" {
  run lockflight deploy production
  assert_success
  has_line 'the proved bytes'
  staging=$(curl -sS "$(environment staging url)/.well-known/lockflight.json" | jq -r .artefact)
  run curl -sS "$(environment production url)/.well-known/lockflight.json"
  assert_equal "$(jq -r .artefact <<<"$output")" "$staging"
}

@test "a second release with a migration comes back whole, through the schema" {
  before=$(lockflight status production --json | jq -S '.environments[0] | [.database.catalogue, .site.deploy, (.functions.running | map_values(.hash))]')
  printf 'alter table public.clients add column nickname text;\n' >supabase/migrations/20270101090000_nicknames.sql
  printf 'alter table public.clients drop column nickname;\n' >supabase/rollbacks/20270101090000_nicknames.sql
  echo '// a newer health' >>supabase/functions/health/index.ts
  studio_commit 'Nicknames'
  lockflight deploy staging
  run lockflight plan production
  has_line '\+ 20270101090000_nicknames .*undo'
  has_line '~ health .*undo +restore v'
  lockflight deploy production
  run lockflight rollback production --through schema --confirm production
  assert_success
  after=$(lockflight status production --json | jq -S '.environments[0] | [.database.catalogue, .site.deploy, (.functions.running | map_values(.hash))]')
  assert_equal "$after" "$before"
}
