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

ask_flags() { # ask_flags BASE TOKEN CONTEXT: the array of flags, as it came
  curl -sS -X POST "$1/ofrep/v1/evaluate/flags" -H "Authorization: Bearer $2" -H 'content-type: application/json' -d "{\"context\":$3}" |
    sed 's/,"metadata":{"version".*//'
}

@test "the function and the gateway say the same about flags, byte by byte, and follow a switch" {
  url=$(environment staging url)
  for context in '{}' '{"targetingKey":"João"}' '{"targetingKey":"日本","plan":"pro"}'; do
    for key in anon_key service_role_key; do
      key=$(environment staging "$key")
      [ -n "$key" ]
      assert_equal "$(ask_flags "$url/functions/v1/flags" "$key" "$context")" "$(ask_flags "$url" "$key" "$context")"
    done
  done
  key=$(environment staging anon_key)
  run ask_flags "$url/functions/v1/flags" "$key" '{}'
  assert_output '{"flags":[{"key":"crm","reason":"STATIC","value":true,"variant":"on"},{"key":"financial","reason":"STATIC","value":true,"variant":"on"},{"key":"scheduling","reason":"STATIC","value":true,"variant":"on"}]'
  lockflight flags off financial --env staging --reason 'a test'
  version=$(lockflight flags list --env staging --json | jq .version)
  for base in "$url" "$url/functions/v1/flags"; do # told of the version, neither may answer from an older one
    run curl -sS -X POST "$base/ofrep/v1/evaluate/flags?flagConfigEtag=$version" -H "Authorization: Bearer $key"
    assert_output --partial '"key":"financial","reason":"STATIC","value":false'
  done
  lockflight flags on financial --env staging --reason 'a test'
  run curl -sS -o /dev/null -w '%{http_code}' -X POST "$url/functions/v1/flags/ofrep/v1/evaluate/flags"
  assert_output 401
}

@test "production takes the very bytes" {
  run lockflight deploy production
  assert_success
  has_line 'the proved bytes'
  staging=$(curl -sS "$(environment staging url)/.well-known/lockflight.json" | jq -r .artefact)
  run curl -sS "$(environment production url)/.well-known/lockflight.json"
  assert_equal "$(jq -r .artefact <<<"$output")" "$staging"
}

@test "a site begins with the flags of its environment, as they were when it was made" {
  carried() { curl -sS "$(environment "$1" url)/_lockflight/env.js" | sed -n 's/^globalThis.__LOCKFLIGHT__ = \(.*\);$/\1/p' | jq -c .flags; }
  assert_equal "$(carried production)" null # its flags were made by this very release
  lockflight flags off crm --env staging --reason 'a test'
  echo '// newer' >>supabase/functions/health/index.ts
  studio_commit 'Something newer'
  lockflight deploy staging
  assert_equal "$(carried staging)" '{"crm":false,"financial":true,"scheduling":true}'
  lockflight flags on crm --env staging --reason 'a test'
  lockflight deploy production
  assert_equal "$(carried production)" '{"crm":true,"financial":false,"scheduling":true}'
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
