#!/usr/bin/env bats
# The real netlify-cli against the local platform, every exchange judged by Prism and Netlify's own document.

load ../lib/lockflight
load ../lib/clients

setup_file() {
  studio_copy
  platform_up
  client_home
  relay_start "$clients/node_modules/@netlify/open-api/dist/swagger.json" "$api"
  netlify_api_url=$relay site=$(environment staging site_id) url=$(environment staging url)
  mkdir -p "$scratch/site/assets"
  head -c 70000 /dev/urandom >"$scratch/site/assets/noise.bin"
  page one
  export netlify_api_url site url
}

teardown_file() {
  relay_stop
  platform_down
}

page() { printf '<!doctype html><title>%s</title><p>%s\n' "$1" "$1" >"$scratch/site/index.html"; }
live() { curl -sS --max-time 5 "$url$1"; }
uploads() { curl -sS "$relay/--settle" >/dev/null; grep -c '^PUT /api/v1/deploys/[^ ]*/files/' "$relay_dir/exchanges"; }

@test "netlify-cli finds the site by its id" {
  run --separate-stderr netlify "$site" "$scratch/site" api getSite --data "{\"site_id\":\"$site\"}"
  assert_success
  [ "$(jq -r .id <<<"$output")" = "$site" ]
}

@test "netlify-cli lists the sites of every environment" {
  run --separate-stderr netlify "$site" "$scratch/site" sites:list --json
  assert_success
  [ "$(jq -r 'map(.id) | index($s) != null' --arg s "$site" <<<"$output")" = true ]
}

@test "netlify deploy uploads a draft that visitors do not see" {
  before=$(live /)
  page draft
  run --separate-stderr netlify "$site" "$scratch/site" deploy --no-build --dir . --json
  assert_success
  draft=$(jq -r .deploy_url <<<"$output")
  [ "$(live /)" = "$before" ]
  run curl -sS --max-time 5 "$draft/"
  assert_output --partial '<p>draft'
}

@test "netlify deploy --prod is what visitors get, byte for byte" {
  page one
  run --separate-stderr netlify "$site" "$scratch/site" deploy --no-build --prod --dir . --json
  assert_success
  jq -r .deploy_id <<<"$output" >"$scratch/first"
  run live /
  assert_output --partial '<p>one'
  live /assets/noise.bin >"$scratch/noise"
  cmp "$scratch/noise" "$scratch/site/assets/noise.bin"
}

@test "a second deploy of the same files uploads nothing" {
  before=$(uploads)
  run --separate-stderr netlify "$site" "$scratch/site" deploy --no-build --prod --dir . --json
  assert_success
  [ "$(uploads)" = "$before" ]
}

@test "netlify api restoreSiteDeploy brings an earlier deploy back" {
  page two
  run --separate-stderr netlify "$site" "$scratch/site" deploy --no-build --prod --dir . --json
  assert_success
  run live /
  assert_output --partial '<p>two'
  run --separate-stderr netlify "$site" "$scratch/site" api restoreSiteDeploy \
    --data "{\"site_id\":\"$site\",\"deploy_id\":\"$(<"$scratch/first")\"}"
  assert_success
  run live /
  assert_output --partial '<p>one'
}

@test "a locked site refuses netlify deploy --prod, and takes it again once unlocked" {
  id=$(<"$scratch/first")
  run --separate-stderr netlify "$site" "$scratch/site" api lockDeploy --data "{\"deploy_id\":\"$id\"}"
  assert_success
  page three
  run netlify "$site" "$scratch/site" deploy --no-build --prod --dir .
  assert_failure
  run live /
  assert_output --partial '<p>one'
  run --separate-stderr netlify "$site" "$scratch/site" api unlockDeploy --data "{\"deploy_id\":\"$id\"}"
  assert_success
  run --separate-stderr netlify "$site" "$scratch/site" deploy --no-build --prod --dir . --json
  assert_success
  run live /
  assert_output --partial '<p>three'
}

@test "more than a hundred files go the asynchronous way and arrive" {
  mkdir -p "$scratch/site/many"
  for i in $(seq 120); do echo "page $i" >"$scratch/site/many/$i.html"; done
  run --separate-stderr netlify "$site" "$scratch/site" deploy --no-build --prod --dir . --json
  assert_success
  run live /many/117
  assert_output 'page 117'
}

@test "variables set by netlify env:set are listed by env:list" {
  run netlify "$site" "$scratch/site" env:set COLOUR green
  assert_success
  run --separate-stderr netlify "$site" "$scratch/site" env:list --json
  assert_success
  [ "$(jq -r .COLOUR <<<"$output")" = green ]
  run netlify "$site" "$scratch/site" env:unset COLOUR
  assert_success
}

@test "lockflight deploy goes through Prism as well" {
  sed -i "s|^\(\[env\.staging\]\)$|\1\nnetlify = { api = \"$relay/api/v1\" }|" "$studio/lockflight.toml"
  studio_commit 'Netlify by way of the relay'
  before=$(curl -sS "$relay/--settle" >/dev/null; wc -l <"$relay_dir/exchanges")
  cd "$studio"
  run lockflight deploy staging --no-input --yes
  assert_success
  curl -sS "$relay/--settle" >/dev/null
  [ "$(wc -l <"$relay_dir/exchanges")" -gt $((before + 5)) ]
}

@test "Prism found no violation in any exchange, theirs or ours" {
  run relay_violations "$repo/tests/clients/prism_known.tsv"
  assert_output ''
  [ "$(wc -l <"$relay_dir/exchanges")" -gt 100 ]
}
