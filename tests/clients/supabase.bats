#!/usr/bin/env bats
# The real Supabase CLI against the local platform: functions, secrets, migrations; ours and theirs agree.

load ../lib/lockflight
load ../lib/clients

setup_file() {
  studio_copy
  platform_up
  client_home
  ref=$(environment staging project_ref) url=$(environment staging url)
  small=$scratch/small
  mkdir -p "$small/supabase/functions/hello" "$small/supabase/functions/_shared"
  printf 'project_id = "small"\n[functions.hello]\nverify_jwt = false\n' >"$small/supabase/config.toml"
  hello one
  export ref url small
}

teardown_file() { platform_down; }

hello() {
  printf 'export const word = "%s";\n' "$1" >"$small/supabase/functions/_shared/word.ts"
  printf '%s\n' 'import { word } from "../_shared/word.ts";' \
    'Deno.serve(() => new Response(`${word} ${Deno.env.get("GREETING") ?? "-"}`));' >"$small/supabase/functions/hello/index.ts"
}
call() { curl -sS --max-time 10 "$url/functions/v1/hello"; }
remote() { supabase "$small" "$@" --project-ref "$ref"; }

@test "supabase functions deploy --use-api answers at /functions/v1" {
  run remote functions deploy hello --use-api
  assert_success
  run call
  assert_output 'one -'
}

@test "a second deploy replaces the first" {
  hello two
  run remote functions deploy hello --use-api
  assert_success
  run call
  assert_output 'two -'
}

@test "supabase functions list shows version and state" {
  run --separate-stderr remote functions list --output-format json
  assert_success
  jq -e '.. | objects | select(.slug? == "hello") | .status == "ACTIVE" and .version >= 2' <<<"$output"
}

@test "supabase secrets set reaches the running function, and list shows its digest only" {
  run remote secrets set GREETING=servus
  assert_success
  run --separate-stderr remote secrets list --output-format json
  assert_success
  [ "$(jq -r '.secrets[] | select(.name == "GREETING").value' <<<"$output")" = "$(sha256 servus)" ]
  for _ in 1 2 3 4 5 6 7 8 9 10; do [ "$(call)" = 'two servus' ] && break; sleep 0.3; done
  run call
  assert_output 'two servus'
}

@test "supabase secrets unset takes it away" {
  run remote secrets unset GREETING
  assert_success
  run --separate-stderr remote secrets list --output-format json
  refute_output --partial GREETING
}

@test "supabase functions download gives back what was sent" {
  rm -rf "$scratch/back"; mkdir -p "$scratch/back/supabase"; cp "$small/supabase/config.toml" "$scratch/back/supabase/"
  run supabase "$scratch/back" functions download hello --use-api --project-ref "$ref"
  assert_success
  cmp "$scratch/back/supabase/functions/hello/index.ts" "$small/supabase/functions/hello/index.ts"
}

@test "supabase functions delete takes it off the air" {
  run remote functions delete hello
  assert_success
  run curl -sS -o /dev/null -w '%{http_code}' --max-time 10 "$url/functions/v1/hello"
  assert_output 404
}

@test "after our deploy, supabase migration list shows every migration on both sides" {
  cd "$studio"
  run lockflight deploy staging --no-input --yes
  assert_success
  run --separate-stderr supabase "$studio" migration list --db-url "$(environment staging database)" --output-format json
  assert_success
  local_versions=$(cd "$studio/supabase/migrations" && ls -- *.sql | cut -d_ -f1)
  both=$(jq -r '.. | objects | select(has("local") and has("remote")) | select(.local == .remote) | .local' <<<"$output")
  [ "$both" = "$local_versions" ]
}

@test "after our deploy, supabase db push has nothing to do" {
  run --separate-stderr supabase "$studio" db push --db-url "$(environment staging database)" --output-format json
  assert_success
  [ "$(jq -r .upToDate <<<"$output")" = true ]
}

@test "after their db push, lockflight plan and status find nothing left to apply" {
  run --separate-stderr supabase "$studio" db push --db-url "$(environment production database)" --output-format json
  assert_success
  [ "$(jq -r '.migrations | length' <<<"$output")" = "$(ls "$studio/supabase/migrations"/*.sql | wc -l)" ]
  cd "$studio"
  run --separate-stderr lockflight status production --json
  assert_success
  [ "$(jq -r '[.. | objects | select(has("pending")) | .pending | if type == "array" then length else . end] | add // 0' <<<"$output")" = 0 ]
}

@test "both histories are the same rows, whoever applied them" {
  rows='select version, name, statements from supabase_migrations.schema_migrations order by version'
  psql -XAtq "$(environment staging database)" -c "$rows" >"$scratch/ours"
  psql -XAtq "$(environment production database)" -c "$rows" >"$scratch/theirs"
  [ -s "$scratch/ours" ]
  run diff "$scratch/ours" "$scratch/theirs"
  assert_success
}

@test "every field we rely on has the name and type that Supabase gives it" {
  hello fields
  remote functions deploy hello --use-api
  remote secrets set FIELDS=yes
  wrong=0 rows=0
  while IFS=$'\t' read -r call field type _; do
    [[ -z $call || $call == \#* ]] && continue
    rows=$((rows + 1))
    supabase_api "${call//\{ref\}/$ref}" >"$scratch/answer"
    jq -e "$field | type == \"$type\"" "$scratch/answer" >/dev/null ||
      { echo "$call: $field is not a $type: $(head -c 300 "$scratch/answer")"; wrong=1; }
  done <"$repo/tests/clients/supabase_fields.tsv"
  [ "$wrong" = 0 ] && [ "$rows" -gt 20 ]
}
