#!/usr/bin/env bats
# The sequences that Supabase documents for its command-line client, run by the real one against the local platform:
# organizations, projects made and removed, link, keys, functions by the handful, secrets, branches, migrations.

load ../lib/lockflight
load ../lib/clients

setup_file() {
  scratch_make
  export app=$scratch/app
  mkdir -p "$app/supabase/migrations" "$app/supabase/functions/one" "$app/supabase/functions/two"
  printf 'version = 1\nproject = "claims"\n[local]\nport = %d\n' $((20000 + RANDOM % 20000)) >"$app/lockflight.toml"
  printf 'project_id = "claims"\n[functions.one]\nverify_jwt = false\n[functions.two]\nverify_jwt = false\n' >"$app/supabase/config.toml"
  for f in one two; do echo "Deno.serve(() => new Response('$f'));" >"$app/supabase/functions/$f/index.ts"; done
  echo 'create table public.claim (id int primary key);' >"$app/supabase/migrations/20260101000000_claim.sql"
  platform_up "$app"
  client_home
}

teardown_file() { platform_down; }

s() { supabase "$app" "$@"; }
ref() { supabase_api /projects | jq -r '.[] | select(.name == "claimed").ref'; }
answer() { curl -sS --max-time 10 "$(environment "$(ref)" url)/functions/v1/$1"; }

@test "orgs list" {
  run s orgs list
  assert_success
  assert_output --partial claims
}

@test "projects create makes a project that comes up, and projects list shows it" {
  run s projects create claimed --org-id claims --db-password 'pass word/1' --region eu-central-1
  assert_success
  for _ in {1..100}; do [[ $(supabase_api "/projects/$(ref)" | jq -r .status) == ACTIVE_HEALTHY ]] && break; sleep 0.1; done
  run --separate-stderr s projects list --output-format json
  assert_success
  jq -e '.. | objects | select(.name? == "claimed" and .status? == "ACTIVE_HEALTHY")' <<<"$output"
}

@test "link and projects api-keys" {
  run s link --project-ref "$(ref)"
  assert_success
  [ "$(<"$app/supabase/.temp/project-ref")" = "$(ref)" ]
  run --separate-stderr s projects api-keys --project-ref "$(ref)" --output-format json
  assert_success
  [ "$(jq -r '.. | objects | select(.name? == "anon").api_key' <<<"$output")" = "$(environment "$(ref)" anon_key)" ]
}

@test "functions deploy of several, list, and deploy --prune of one that is gone" {
  run s functions deploy --use-api --project-ref "$(ref)"
  assert_success
  [ "$(answer one)$(answer two)" = onetwo ]
  rm -r "$app/supabase/functions/two"
  sed -i '/functions.two/,$d' "$app/supabase/config.toml"
  run s functions deploy --use-api --prune --project-ref "$(ref)"
  assert_success
  run --separate-stderr s functions list --project-ref "$(ref)" --output-format json
  assert_success
  [ "$(jq -r '[.. | objects | .slug? // empty] | unique | join(" ")' <<<"$output")" = one ]
}

@test "functions download and functions delete" {
  rm -r "$app/supabase/functions/one"
  run s functions download one --use-api --project-ref "$(ref)"
  assert_success
  grep -q "'one'" "$app/supabase/functions/one/index.ts"
  run s functions delete one --project-ref "$(ref)"
  assert_success
  [ "$(supabase_api "/projects/$(ref)/functions")" = '[]' ]
}

@test "secrets set from a file, list and unset" {
  printf 'A=first\nB=second\n' >"$scratch/secrets.env"
  run s secrets set --env-file "$scratch/secrets.env" --project-ref "$(ref)"
  assert_success
  run --separate-stderr s secrets list --project-ref "$(ref)" --output-format json
  assert_success
  [ "$(jq -r '.. | objects | select(.name? == "B").value' <<<"$output")" = "$(sha256 second)" ]
  run s secrets unset A B --project-ref "$(ref)"
  assert_success
  [ "$(supabase_api "/projects/$(ref)/secrets")" = '[]' ]
}

@test "branches list is empty" {
  run s branches list --project-ref "$(ref)"
  assert_success
}

@test "db push, migration list and migration repair on the made project's database" {
  url=$(environment "$(ref)" database)
  run s db push --db-url "$url"
  assert_success
  [ "$(psql -XAtq "$url" -c 'select version from supabase_migrations.schema_migrations')" = 20260101000000 ]
  run s migration list --db-url "$url"
  assert_success
  assert_output --partial 20260101000000
  run s migration repair 20260101000000 --status reverted --db-url "$url"
  assert_success
  [ "$(psql -XAtq "$url" -c 'select count(*) from supabase_migrations.schema_migrations')" = 0 ]
}

@test "projects delete removes it" {
  run s projects delete "$(ref)"
  assert_success
  [ "$(supabase_api /projects)" = '[]' ]
}
