#!/usr/bin/env bats
# What a person meets at the edges: no undo, no way back, bytes that are gone, a way back that is itself cut off.

load mini

setup_file() {
  mini_up
  cd "$mini"
  printf '\n[check.own]\nrun = "sh own.sh"\n' >>lockflight.toml
  sed -i '/^\[env.staging\]/,/^checks/ s/"hello"\]/"hello", "own"]/' lockflight.toml
  echo 'exit 0' >own.sh
  mini_commit 'A check of its own'
  git tag first
  lockflight deploy staging
}
teardown_file() { platform_down; }
setup()         { mini_enter; }

@test "the previous release is asked with its own scripts, not with this checkout's" {
  sed -i '/^\[env.staging\]/,/^checks/ s/, "own"\]/]/' lockflight.toml
  echo 'exit 1' >own.sh
  mini_commit 'The old script would fail now'
  git tag second
  run lockflight deploy staging
  assert_success
  has_line 'backend +ok +3 checks, 5 checks of the previous release'
}

@test "a secret that changes has no undo, is said so, and asks" {
  export MINI_STAGING_TOKEN=another-token-0123456789
  run lockflight plan staging
  has_line '~ MINI_TOKEN .*undo +none'
  before=$(snapshot staging)
  run lockflight deploy staging
  assert_failure
  has_line 'MINI_TOKEN'
  refute_output --partial another-token
  assert_equal "$(snapshot staging)" "$before"
  run lockflight deploy staging --yes
  assert_success
}

@test "production takes another folder only if its bytes are the ones that were proved" {
  export MINI_STAGING_TOKEN=another-token-0123456789
  mkdir -p "$scratch/other"
  echo '<p>mini, another build</p>' >"$scratch/other/index.html"
  before=$(snapshot production)
  run lockflight deploy production --prebuilt "$scratch/other"
  assert_failure 5
  has_line 'is not what staging proved'
  assert_equal "$(snapshot production)" "$before"
  sh build.sh
  run lockflight deploy production --prebuilt dist
  assert_success
  has_line 'draft +ok +built once'
}

@test "test asks the gates and runs the tests, and changes nothing" {
  export MINI_STAGING_TOKEN=another-token-0123456789
  before=$(snapshot staging)
  events=$(sql staging 'select count(*) from lockflight.events')
  run lockflight test staging
  assert_success
  has_line 'gate +ok +[0-9]+ open'
  has_line 'test +ok +passed'
  echo 'exit 1' >test.sh
  mini_commit 'A test that fails'
  run lockflight test staging
  assert_failure 5
  has_line 'test +wait .*ended with status 1'
  assert_equal "$(snapshot staging)" "$before"
  assert_equal "$(sql staging 'select count(*) from lockflight.events')" "$events"
  git reset -q --hard HEAD~1
}

@test "a release of a folder that was built elsewhere is resumed with that folder, and with no other" {
  export MINI_STAGING_TOKEN=another-token-0123456789
  sed -i 's/mini, first/mini, elsewhere/' site/index.html
  mini_commit 'Built elsewhere'
  sh build.sh
  mv dist "$scratch/built"
  LOCKFLIGHT_FAULT=phase.draft.begun:1:kill run lockflight deploy staging --prebuilt "$scratch/built"
  assert_equal "$status" 137
  run lockflight resume staging
  assert_failure 5
  has_line 'publishes a folder that was built elsewhere'
  run lockflight resume staging --prebuilt "$scratch/built"
  assert_success
  [[ $(site_says staging) == *'mini, elsewhere'* ]]
  assert [ ! -e dist ]
}

@test "a rollback to a deploy that is gone stops, says what is left, and exits 8" {
  export MINI_STAGING_TOKEN=another-token-0123456789
  deploy=$(netlify_api "/sites/$(environment staging site_id)/deploys" | jq -r '[.[] | select(.published_at)] | last | .id')
  [ "$deploy" != "$(snapshot staging | jq -r .deploy)" ]
  netlify_api "/sites/$(environment staging site_id)/deploys/$deploy" -X DELETE
  release=$(lockflight log staging --json | jq -r '[.releases[] | select(.state == "committed")] | last | .release')
  run lockflight rollback staging "$release" --yes
  assert_failure 8
  has_line 'site +FAIL'
  has_line 'left to bring back: site'
  has_line 'left to bring back: functions'
  run lockflight status staging
  has_line 'stuck'
}

@test "a way back that is killed goes on from where it was" {
  git checkout -q main
  lockflight deploy production
  git checkout -q -b broken
  before=$(snapshot production)
  sed -i 's/^requires = "staging"/requires = "none"/' lockflight.toml
  echo 'Deno.serve(() => new Response("no", { status: 500 }));' >supabase/functions/hello/index.ts
  mini_commit 'Broken'
  LOCKFLIGHT_FAULT=undo.functions.begun:1:kill run lockflight deploy production
  assert_equal "$status" 137
  run lockflight resume production
  assert_success
  has_line 'was taken back'
  after=$(snapshot production)
  for key in functions deploy lease_free open catalogue variables; do
    assert_equal "$(jq ".$key" <<<"$after")" "$(jq ".$key" <<<"$before")"
  done
}

@test "a saved plan is flown exactly, or not at all" {
  git checkout -q main
  git checkout -q -b saved
  sed -i 's/^requires = "staging"/requires = "none"/' lockflight.toml
  echo '/* saved */' >>site/style.css
  mini_commit 'Saved'
  lockflight plan production --out "$scratch/plan.json"
  echo '/* and more */' >>site/style.css
  mini_commit 'More'
  run lockflight deploy production --plan "$scratch/plan.json"
  assert_failure 5
  has_line 'does not hold any more: "source"'
  git checkout -q HEAD~1
  run lockflight deploy production --plan "$scratch/plan.json"
  assert_success
}

@test "with --json a deploy is one event per line and ends with the answer" {
  git checkout -q main
  git checkout -q -b told
  sed -i 's/^requires = "staging"/requires = "none"/' lockflight.toml
  echo '/* told */' >>site/style.css
  mini_commit 'Told'
  lockflight deploy production --json >"$scratch/events" 2>"$scratch/conversation"
  jq -e . "$scratch/events" >/dev/null
  assert_equal "$(tail -1 "$scratch/events" | jq -r .event)" deployed
  assert_equal "$(jq -r 'select(.event == "step_done" and .step == "publish") | .result' "$scratch/events")" ok
}

@test "a plan says what a migration asks of the tables that are there, and what would be gone" {
  sql staging 'insert into public.notes (body) select g::text from generate_series(1, 40) g; analyze public.notes'
  printf 'alter table public.notes add column n int default 1;\nalter table public.notes alter column n type bigint;\ncreate table public.new (id int);\n' >supabase/migrations/20260105090000_locks.sql
  printf -- '-- loss: B what is written into them\ndrop table public.new;\nalter table public.notes drop column n;\n' >supabase/rollbacks/20260105090000_locks.sql
  printf 'alter table public.notes drop column author;\n' >supabase/migrations/20260106090000_gone.sql
  run lockflight plan staging
  has_line 'ACCESS EXCLUSIVE on public.notes, about 4[0-9] rows.*\(not measured\)'
  has_line 'data at risk: column notes.author|data at risk: column public.notes.author'
  refute_output --partial 'on public.new'
  run lockflight plan staging --json
  assert_equal "$(jq -c '.migrations[0].locks | map(select(.table == "public.notes")) | map([.lock, .rewrite, .rows > 39])' <<<"$output")" '[["ACCESS EXCLUSIVE",false,true]]'
  rm supabase/migrations/20260106090000_gone.sql
  lockflight migration prove staging 20260105090000
  run lockflight plan staging
  has_line 'ACCESS EXCLUSIVE on public.notes, about 4[0-9] rows, rewritten'
  refute_output --partial '(not measured)'
  rm supabase/migrations/20260105090000_locks.sql supabase/rollbacks/20260105090000_locks.sql
  sql staging 'delete from public.notes where body ~ $$^[0-9]+$$'
}
