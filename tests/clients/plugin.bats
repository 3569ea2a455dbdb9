#!/usr/bin/env bats
# Netlify's own build as the pipeline: the real netlify-cli builds the small project, with our plugin installed from the
# packages that `make package` makes. What the program itself sends goes through a proxy that writes down each request;
# netlify-cli's own requests do not.

load ../flow/mini
load ../lib/clients

setup_file() {
  mini_copy
  "$repo/tools/package" "$scratch/packages"
  mkdir -p "$scratch/log"
  cd "$mini"
  platform_up "$mini"
  client_home
  PATH="$(client_path)" node "$repo/tests/clients/log-proxy.mjs" "$api" "$scratch/log" >"$scratch/log/out" 2>&1 3>&- &
  echo $! >"$scratch/log/pid"
  for ((i = 0; i < 100; i++)); do [[ -s $scratch/log/address ]] && break; sleep 0.1; done
  local proxy; proxy=$(<"$scratch/log/address")
  sed -i "s|^\[env.production\]|&\nnetlify = { api = \"$proxy/api/v1\" }\nsupabase = { api = \"$proxy\" }|" lockflight.toml
  printf '\n[[plugins]]\npackage = "netlify-plugin-lockflight"\n' >>netlify.toml
  printf 'node_modules\n.netlify\n' >.gitignore
  printf '{"private":true}\n' >package.json
  env -i PATH="$(client_path)" HOME="$scratch/home" npm --offline install --no-audit --no-fund --loglevel=error \
    "$scratch"/packages/*.tgz
  mini_commit 'Released by Netlify, with a plugin'
  lockflight deploy staging
}

teardown_file() {
  kill "$(<"$scratch/log/pid")" 2>/dev/null || true
  platform_down
}

setup() { mini_enter; : >"$scratch/log/requests"; }

# netlify_build: what a push to main makes Netlify do, as netlify-cli does it here; its context is production
netlify_build() {
  env -i PATH="$(client_path)" HOME="$scratch/home" XDG_CONFIG_HOME="$scratch/home" CI=1 LC_ALL=C.UTF-8 NO_COLOR=1 \
    NETLIFY_AUTH_TOKEN="$netlify_token" NETLIFY_API_URL="$api" \
    NETLIFY_SITE_ID="${site:-$(environment production site_id)}" \
    LOCKFLIGHT_TEST_API="$api" NODE_OPTIONS="--require $repo/tests/clients/netlify-offline.cjs" \
    LOCKFLIGHT_STATE_DIR="$LOCKFLIGHT_STATE_DIR" LOCKFLIGHT_RUNTIME_DIR="$lf_runtime" LOCKFLIGHT_ACTOR=netlify \
    MINI_STAGING_TOKEN="$MINI_STAGING_TOKEN" MINI_PRODUCTION_TOKEN="$MINI_PRODUCTION_TOKEN" \
    "$clients/node_modules/.bin/netlify" deploy "$@"
}

writes()    { grep -vE '^[0-9]+ (GET|HEAD) ' "$scratch/log/requests" || true; }
first()     { grep -E "$1" "$scratch/log/requests" | head -1 | cut -d' ' -f1; }
published() { netlify_api "/sites/$(environment production site_id)" | jq -r .published_deploy.id; }

@test "content that staging has not proved, and a test that fails, end the build before anything is written" {
  before=$(snapshot production)
  sed -i 's/mini, first/mini, unproved/' site/index.html
  mini_commit 'Not on staging'
  run netlify_build
  assert_failure
  assert_output --partial 'staging has not proved this content'
  assert_equal "$(writes)" ''
  git reset -q --hard HEAD~1

  sed -i '/^\[env.production\]/,/^checks/ s/requires = "staging"/requires = "none"/' lockflight.toml
  echo 'echo one of them fails; exit 1' >test.sh
  mini_commit 'A test that fails'
  run netlify_build
  assert_failure
  assert_output --partial 'one of them fails'
  assert_output --partial 'lockflight test ended with status 5'
  refute_output --partial 'lockflight deploy production'
  assert_equal "$(writes)" ''
  git reset -q --hard HEAD~1
  assert_equal "$(snapshot production)" "$before"
}

@test "a build that passes releases: database and functions first, then the site, and Netlify's own deploy is a shadow" {
  run netlify_build
  assert_success
  [[ $(site_says production) == *'mini, first'* ]]
  [[ $(function_says production hello) == *hello* ]]
  database=$(sql production "select floor(extract(epoch from min(finished_at)) * 1000)::bigint from lockflight.migrations")
  functions=$(first ' (PUT|POST) /v1/projects/[^/]+/functions')
  activated=$(grep -E ' PUT /v1/projects/[^/]+/functions' "$scratch/log/requests" | tail -1 | cut -d' ' -f1)
  restored=$(first ' POST /api/v1/sites/[^/]+/deploys/[^/]+/restore')
  ((database < restored && functions < restored && activated < restored))
  ((database < activated))
  shadow=$(sed -n 's/^ *deployId: //p' <<<"$output")
  [[ $(netlify_api "/deploys/$shadow" | jq -r '"\(.state) \(.published_at)"') == 'ready null' ]]
  [[ $(netlify_api "/deploys/$(published)" | jq -r .title) == lockflight* ]]
  [[ $(netlify_api "/sites/$(environment production site_id)" | jq -r .published_deploy.locked) == true ]]
}

@test "a failure after the database is taken back, and what is published stays" {
  before=$(published)
  printf '\n[check.later]\nrun = "test ! -e broken"\n' >>lockflight.toml
  sed -i '/^\[env.production\]/,/^checks/ s/"hello"\]/"hello", "later"]/' lockflight.toml
  printf 'dist\nbroken\n' >>.git/info/exclude
  mini_second
  lockflight deploy staging
  touch broken
  run netlify_build
  assert_failure
  assert_output --partial 'lockflight deploy ended with status'
  rm broken
  assert_equal "$(published)" "$before"
  [[ $(site_says production) == *'mini, first'* ]]
  [[ $(function_says production hello) != *again* ]]
  assert [ -n "$(first ' PUT /v1/projects/[^/]+/functions')" ]
  assert_equal "$(first ' POST /api/v1/sites/[^/]+/deploys/[^/]+/restore')" ''
  assert_equal "$(lockflight status production --json | jq -r '.environments[0].open')" null
}

@test "in another context the plugin does nothing" {
  sed -i 's|package = "netlify-plugin-lockflight"|&\n  [plugins.inputs]\n  context = "elsewhere"|' netlify.toml
  run netlify_build
  assert_success
  assert_output --partial 'Not a release: context production'
  assert_equal "$(cat "$scratch/log/requests")" ''
  git checkout -q netlify.toml
}

@test "the site of another environment, which builds the same repository, releases nothing" {
  before=$(snapshot production)
  sed -i 's/mini, second/mini, elsewhere/' site/index.html
  mini_commit 'Built by the site of staging too'
  site=$(environment staging site_id)
  : >"$scratch/log/requests"
  run netlify_build
  assert_success
  assert_output --partial 'Not a release: this site is that of staging, and the plugin releases production'
  assert_equal "$(cat "$scratch/log/requests")" ''
  assert_equal "$(snapshot production)" "$before"
}

@test "a site that no environment names cannot build its production" {
  before=$(snapshot production)
  site=$(netlify_api /sites -X POST -H 'content-type: application/json' -d '{"name":"somewhere-else"}' | jq -r .id)
  : >"$scratch/log/requests"
  run netlify_build
  assert_failure
  assert_output --partial "site $site belongs to no environment of lockflight.toml"
  refute_output --partial 'lockflight deploy'
  assert_equal "$(cat "$scratch/log/requests")" ''
  assert_equal "$(snapshot production)" "$before"
}

@test "what a cancelled build left unfinished is taken back by the next one, which then releases" {
  lockflight deploy staging
  LOCKFLIGHT_FAULT=phase.functions.begun:1:kill run lockflight deploy production
  assert_equal "$status" 137
  run lockflight test production
  assert_failure 9
  assert_output --partial 'lockflight resume production'
  run netlify_build
  assert_success
  assert_output --partial 'lockflight resume production --unwind'
  [[ $(site_says production) == *'mini, elsewhere'* ]]
  assert_equal "$(lockflight status production --json | jq -r '.environments[0].open')" null
}
