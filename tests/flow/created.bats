#!/usr/bin/env bats
# Projects and sites made over the vendors' APIs on the local platform: real ones, that outlive the platform.

load ../lib/lockflight

setup_file() {
  scratch_make
  export app=$scratch/app
  mkdir -p "$app/supabase/migrations" "$app/public"
  printf 'version = 1\nproject = "maker"\n[local]\nport = %d\n' $((20000 + RANDOM % 20000)) >"$app/lockflight.toml"
  printf '[build]\n  publish = "public"\n' >"$app/netlify.toml"
  printf 'project_id = "maker"\n' >"$app/supabase/config.toml"
  printf -- '-- allow: S01 a table of a test, which nobody reads\ncreate table note (id int primary key);\n' >"$app/supabase/migrations/20260101000000_note.sql"
  printf 'hello\n' >"$app/public/index.html"
  git -C "$app" init -q -b main && git -C "$app" add -A
  git -C "$app" -c user.name=T -c user.email=t@localhost -c commit.gpgsign=false commit -q -m one
  platform_up "$app"
}

teardown_file() { platform_down; }

make_project() {
  supabase_api /projects -X POST -H 'Content-Type: application/json' \
    -d "{\"name\":\"$1\",\"organization_slug\":\"maker\",\"region\":\"eu-central-1\",\"db_pass\":\"p@ss/word 1\"}"
}

status_of() { supabase_api "/projects/$1" | jq -r .status; }
wait_up() { for _ in {1..100}; do [[ $(status_of "$1") == ACTIVE_HEALTHY ]] && return; sleep 0.1; done; return 1; }
made() { jq -r '.environments | to_entries[] | select(.value.title == "made") | .key' "$LOCKFLIGHT_STATE_DIR/platform.json"; }

@test "a platform without any environment comes up and has one organization" {
  run supabase_api /organizations
  assert_output --partial '"slug":"maker"'
  [ "$(supabase_api /projects)" = '[]' ]
}

@test "a project is made at once and comes up by itself" {
  run make_project made
  assert_success
  [ "$(jq -r '.status + " " + .name + " " + .region' <<<"$output")" = "COMING_UP made eu-central-1" ]
  ref=$(jq -r .ref <<<"$output")
  [[ $ref =~ ^[a-z]{20}$ ]]
  wait_up "$ref"
  supabase_api "/projects/$ref/health?services=db&services=rest" | jq -e 'length == 2 and all(.healthy)'
}

@test "its database is its own, with the prelude, reached with the password that was given" {
  ref=$(made)
  url=$(supabase_api "/projects/$ref/config/database/pooler" | jq -r '.[0].connection_string')
  url=${url/\[YOUR-PASSWORD\]/p%40ss%2Fword%201}
  [ "$url" = "$(environment "$ref" database)" ]
  [ "$(psql -XAtq "$url" -c 'select current_user, count(*) > 0 from pg_tables where schemaname = '"'auth'")" = 'postgres|t' ]
  psql -Xq "$url" -c 'create table public.mine (id int); insert into public.mine values (7); grant select on public.mine to anon'
  [ "$(psql -XAtq "$url" -c "select tableowner from pg_tables where tablename = 'mine'")" = postgres ]
}

@test "its data API and its keys work" {
  ref=$(made) url=$(environment "$(made)" url)
  anon=$(supabase_api "/projects/$ref/api-keys?reveal=true" | jq -r '.[] | select(.name == "anon").api_key')
  psql -Xq "$(environment "$ref" database)" -c "notify pgrst, 'reload schema'"
  for _ in {1..50}; do [ "$(curl -sS "$url/rest/v1/mine" -H "apikey: $anon")" = '[{"id":7}]' ] && break; sleep 0.1; done
  run curl -sS "$url/rest/v1/mine" -H "apikey: $anon"
  assert_output '[{"id":7}]'
}

@test "a site is made once, and the same name again is refused" {
  run netlify_api /sites -X POST -H 'Content-Type: application/json' -d '{"name":"made-site"}'
  assert_success
  [ "$(jq -r .name <<<"$output")" = made-site ]
  run netlify_api /lockflight/sites -X POST -H 'Content-Type: application/json' -d '{"name":"made-site"}' -o /dev/null -w '%{http_code}'
  assert_output 422
  [ "$(netlify_api '/sites?name=made-site' | jq length)" = 1 ]
}

@test "an environment that names the two is released to them" {
  ref=$(made)
  printf '[env.staging]\nplatform = "local"\nrequires = "none"\nsupabase = { ref = "%s" }\nnetlify = { site = "made-site" }\n' "$ref" >>"$app/lockflight.toml"
  git -C "$app" -c user.name=T -c user.email=t@localhost -c commit.gpgsign=false commit -qam staging
  cd "$app"
  run lockflight local up
  assert_success
  [ "$(jq '.environments | length' "$LOCKFLIGHT_STATE_DIR/platform.json")" = 1 ]
  run lockflight deploy staging --no-input --yes
  assert_success
  [ "$(psql -XAtq "$(environment "$ref" database)" -c 'select count(*) from supabase_migrations.schema_migrations')" = 1 ]
  [ "$(curl -sS "http://made-site.localhost:${api##*:}/")" = hello ]
}

@test "both survive a restart of the platform" {
  cd "$app"
  run lockflight local down
  assert_success
  run lockflight local up
  assert_success
  ref=$(made)
  [ "$(status_of "$ref")" = ACTIVE_HEALTHY ]
  [ "$(psql -XAtq "$(environment "$ref" database)" -c 'select id from mine')" = 7 ]
  [ "$(curl -sS "http://made-site.localhost:${api##*:}/")" = hello ]
}

@test "local reset empties the attached project" {
  cd "$app"
  run lockflight local reset staging --yes
  assert_success
  [ "$(psql -XAtq "$(environment "$(made)" database)" -c "select count(*) from pg_tables where tablename in ('mine', 'note')")" = 0 ]
}

@test "a project that is removed is gone, and stays gone" {
  second=$(make_project second | jq -r .ref)
  wait_up "$second"
  run supabase_api "/projects/$second" -X DELETE
  [ "$(jq -r .name <<<"$output")" = second ]
  [ "$(supabase_api "/projects/$second" | jq -r .message)" = 'Resource has been removed' ]
  [ "$(supabase_api /projects | jq length)" = 1 ]
  [ "$(psql -XAtq "$(environment "$(made)" database)" -c "select count(*) from pg_database where datname = 'project_$second'")" = 0 ]
  cd "$app"
  lockflight local down && lockflight local up
  [ "$(supabase_api /projects | jq length)" = 1 ]
}

@test "what is not a project is refused with the reason" {
  run supabase_api /projects -X POST -H 'Content-Type: application/json' -d '{"name":"x","organization_slug":"maker"}'
  assert_output --partial 'db_pass'
  run supabase_api /projects -X POST -H 'Content-Type: application/json' -d '{"name":"x","organization_slug":"other","db_pass":"p"}'
  assert_output --partial 'only maker here'
}
