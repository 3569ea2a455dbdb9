#!/usr/bin/env bats
# The sequences that Netlify documents for its command-line client, run by the real one against the local platform:
# sites, deploys of each kind, variables with contexts and secrets, restore, roll back, lock. netlify_27.bats is this file
# under another name, and runs the next major.

load ../lib/lockflight
load ../lib/clients

setup_file() {
  scratch_make
  [[ $BATS_TEST_FILENAME == *_27.bats ]] && netlify_home=$clients_next
  export netlify_home app=$scratch/app site_dir=$scratch/app/public
  mkdir -p "$site_dir" "$app/functions"
  printf 'version = 1\nproject = "claims"\n[local]\nport = %d\n' $((20000 + RANDOM % 20000)) >"$app/lockflight.toml"
  printf '[build]\n  publish = "public"\n  command = "echo built > public/built.txt"\n' >"$app/netlify.toml"
  printf 'export default () => new Response("hi");\n' >"$app/functions/hello.mjs"
  page one
  platform_up "$app"
  client_home
  netlify_api /sites -X POST -H 'Content-Type: application/json' -d '{"name":"claims"}' >"$scratch/site.json"
  site=$(jq -r .id "$scratch/site.json") url=$(jq -r .url "$scratch/site.json")
  export site url
}

teardown_file() { platform_down; }

page() { printf '<p>%s\n' "$1" >"$site_dir/index.html"; }
live() { curl -sS --max-time 5 "${2:-$url}$1"; }
n() { netlify "$site" "$app" "$@"; }
deploy() { n deploy --no-build --dir public --json "$@"; }
published() { netlify_api "/sites/$site" | jq -r .published_deploy.id; }

@test "status and sites:list" {
  run n status
  assert_success
  assert_output --partial 'claims'
  run --separate-stderr n sites:list --json
  assert_success
  [ "$(jq -r '.[].name' <<<"$output")" = claims ]
}

@test "sites:create and sites:delete" {
  run n sites:create --name another --account-slug lockflight --disable-linking
  assert_success
  id=$(netlify_api '/sites?name=another' | jq -r '.[0].id')
  [ -n "$id" ]
  run n sites:delete "$id" --force
  assert_success
  [ "$(netlify_api '/sites?name=another' | jq length)" = 0 ]
}

@test "deploy makes a draft, --prod is live, --alias has an address of its own" {
  page draft
  run --separate-stderr deploy
  assert_success
  draft=$(jq -r .deploy_url <<<"$output")
  [ "$(live / "$draft")" = '<p>draft' ]
  [ "$(published)" = null ]
  page one
  run --separate-stderr deploy --prod -m 'the first'
  assert_success
  jq -r .deploy_id <<<"$output" >"$scratch/first"
  [ "$(live /)" = '<p>one' ]
  [ "$(netlify_api "/deploys/$(<"$scratch/first")" | jq -r .title)" = 'the first' ]
  page next
  run --separate-stderr deploy --alias next
  assert_success
  [ "$(live / "${url/claims/next--claims}")" = '<p>next' ]
  [ "$(live /)" = '<p>one' ]
}

@test "deploy with a build runs the command, and with functions sends them along" {
  page built
  run --separate-stderr n deploy --prod --json
  assert_success
  [ "$(live /built.txt)" = built ]
  page functions
  run --separate-stderr deploy --prod --functions functions
  assert_success
  [ "$(live /)" = '<p>functions' ]
  [ "$(ls "$LOCKFLIGHT_STATE_DIR/sites/functions" | wc -l)" = 1 ]
}

@test "a build that fails publishes nothing" {
  before=$(published)
  sed -i 's/command = .*/command = "false"/' "$app/netlify.toml"
  run n deploy --prod
  assert_failure
  sed -i 's/command = .*/command = "true"/' "$app/netlify.toml"
  [ "$(published)" = "$before" ]
}

@test "more than a hundred files arrive" {
  mkdir -p "$site_dir/many"
  for i in $(seq 120); do echo "page $i" >"$site_dir/many/$i.html"; done
  run --separate-stderr deploy --prod
  assert_success
  [ "$(live /many/117)" = 'page 117' ]
  rm -r "$site_dir/many"
}

@test "api restoreSiteDeploy, rollbackSiteDeploy, listSiteDeploys, deleteSiteDeploy" {
  first=$(<"$scratch/first") before=$(published)
  run n api restoreSiteDeploy --data "{\"site_id\":\"$site\",\"deploy_id\":\"$first\"}"
  assert_success
  [ "$(published)" = "$first" ]
  run n api rollbackSiteDeploy --data "{\"site_id\":\"$site\"}"
  assert_success
  [ "$(published)" = "$before" ]
  run --separate-stderr n api listSiteDeploys --data "{\"site_id\":\"$site\"}"
  assert_success
  jq -e --arg d "$first" 'map(.id) | index($d)' <<<"$output"
  run n api deleteSiteDeploy --data "{\"site_id\":\"$site\",\"deploy_id\":\"$first\"}"
  assert_success
  run n api deleteSiteDeploy --data "{\"site_id\":\"$site\",\"deploy_id\":\"$before\"}"
  refute_output --partial '204'
  [ "$(published)" = "$before" ]
}

@test "a locked site is not published to, and is again once it is unlocked" {
  id=$(published)
  run n api lockDeploy --data "{\"deploy_id\":\"$id\"}"
  assert_success
  page locked
  run deploy --prod
  assert_failure
  run --separate-stderr deploy --prod-if-unlocked
  assert_success
  [ "$(published)" = "$id" ]
  run n api unlockDeploy --data "{\"deploy_id\":\"$id\"}"
  assert_success
  run --separate-stderr deploy --prod
  assert_success
  [ "$(live /)" = '<p>locked' ]
}

@test "env:set, env:get, env:list, env:import, env:unset" {
  run n env:set COLOUR green
  assert_success
  run n env:set COLOUR red --context production
  assert_success
  run --separate-stderr n env:get COLOUR --context production
  assert_output red
  run --separate-stderr n env:get COLOUR --context deploy-preview
  assert_output green
  printf 'SHAPE=round\nSIZE=9\n' >"$scratch/vars.env"
  run n env:import "$scratch/vars.env"
  assert_success
  run --separate-stderr n env:list --json --context production
  assert_success
  [ "$(jq -c '[.COLOUR, .SHAPE, .SIZE]' <<<"$output")" = '["red","round","9"]' ]
  run n env:unset COLOUR
  assert_success
  [ "$(netlify_api "/accounts/lockflight/env?site_id=$site" | jq -r 'map(.key) | sort | join(" ")')" = 'SHAPE SIZE' ]
}

@test "a secret is written with env:set --secret and cannot be read back" {
  run n env:set TOKEN hush-hush-value --secret --context production --scope builds functions runtime
  assert_success
  run n env:get TOKEN --context production
  refute_output --partial hush-hush
  netlify_api "/accounts/lockflight/env/TOKEN?site_id=$site" | jq -e '.is_secret and all(.values[]; .value == "")'
}
