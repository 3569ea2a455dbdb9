#!/usr/bin/env bats
# `lockflight flags` without a platform: what is wrong with a command is said before anything is connected to.

load ../lib/lockflight

setup() {
  dir=$(mktemp -d)
  cd "$dir"
  export LOCKFLIGHT_ACTOR=ana NO_COLOR=1
  export LOCKFLIGHT_STAGING_DATABASE_URL=postgresql://nobody@127.0.0.1:9/none
  export LOCKFLIGHT_PRODUCTION_DATABASE_URL=$LOCKFLIGHT_STAGING_DATABASE_URL
  printf 'version = 1\nproject = "acme"\n[env.staging]\nrequires = "none"\n[env.production]\nrequires = "staging"\n' >lockflight.toml
  printf '[flag.financial]\n[flag.crm]\n' >lockflight.flags.toml
}
teardown() { rm -rf "$dir"; }

@test "where there are several environments the error lists them" {
  run lockflight flags list
  assert_failure 2
  has_line 'There are staging, production'
  has_line 'next +add --env staging'
  run lockflight flags list --env stagign
  assert_failure 2
  has_line 'staging'
}

@test "where there is one environment it need not be named" {
  printf 'version = 1\nproject = "acme"\n[env.staging]\nrequires = "none"\n' >lockflight.toml
  run lockflight flags list
  assert_failure 1 # nobody is at that address
  has_line '127.0.0.1'
}

@test "a reason is asked for before anything is connected to" {
  for verb in 'off financial' 'on financial' 'ramp financial 10' 'set financial --no-rule' 'schedule financial --at +1h --off' \
    'archive financial' 'revert 1' 'import x.json'; do
    run lockflight flags $verb --env production
    assert_failure 2
    has_line 'needs a reason'
  done
  run lockflight flags promote staging production financial
  assert_failure 2
  has_line 'needs a reason'
}

@test "mistakes are told with what would be right" {
  run lockflight flags ramp financial --env staging
  assert_failure 2
  has_line 'how many percent'
  for wrong in 101 -1 x 25.0001 1e3 '' 100.001; do
    run lockflight flags ramp financial --env staging -- "$wrong"
    assert_failure 2
    has_line 'no percentage'
  done
  run lockflight flags set financial --env staging
  assert_failure 2
  has_line 'what is to be set'
  run lockflight flags set financial --env staging --rule '{}' --no-rule
  assert_failure 2
  run lockflight flags schedule financial --env staging --at tomorrow --on
  assert_failure 2
  has_line '2026-12-01T09:00\+01:00'
  run lockflight flags schedule financial --env staging --at 2099-12-01T09:00 --on
  assert_failure 2
  run lockflight flags schedule financial --env staging --at 2099-02-30T09:00Z --on
  assert_failure 2
  run lockflight flags schedule financial --env staging --at +1h
  assert_failure 2
  has_line 'what shall happen then'
  run lockflight flags schedule cancel --env staging
  assert_failure 2
  run lockflight flags revert x --env staging
  assert_failure 2
  run lockflight flags diff staging staging
  assert_failure 2
}

@test "what goes into the history is one line of a sane length" {
  run lockflight flags off financial --env staging --reason "$(printf 'a\nb')"
  assert_failure 2
  has_line 'one line'
  run lockflight flags off financial --env staging --reason "$(printf 'a\033[31mb')"
  assert_failure 2
  run lockflight flags off financial --env staging --reason "$(printf 'a%.0s' {1..2100})"
  assert_failure 1
  has_line '2000 are the most'
  run lockflight flags off financial --env staging --reason ' '
  assert_failure 2
  run lockflight flags off financial --env staging --actor "$(printf 'a%.0s' {1..300})"
  assert_failure 1
}

@test "the shell completes flags and environments without asking anybody" {
  run lockflight complete -- flags off ''
  has_line '^financial'
  has_line '^crm'
  run lockflight complete -- flags off financial --env ''
  has_line '^staging'
  has_line '^production'
}

@test "check finds questions that have no answer, in code and policies" {
  printf '[build]\ncommand = "true"\npublish = "dist"\n' >netlify.toml
  mkdir -p src supabase/migrations
  cat >lockflight.flags.toml <<'END'
[attributes]
plan = "string"
[flag.financial]
exposure = "client"
[flag.crm]
[flag.theme]
exposure = "client"
variants = { light = "l", off = "n" }
[flag.old]
[segment.staff]
rule = '{"==":[{"var":"plan"},1]}'
END
  cat >src/app.ts <<'END'
if (client.getBooleanValue("financal", false)) go();
if (client.getBooleanValue("crm", false)) go();
if (client.getBooleanValue("theme", false)) go();
if (client.getBooleanValue(keys[i], false)) go();
if (client.getBooleanValue("financial", false)) go();
END
  printf "create policy p on orders for select using (lockflight.is_on('financial', auth.uid()::text));
create policy q on orders for insert with check ((select lockflight.is_on('financial', auth.uid()::text)));\n" >supabase/migrations/20260101000000_a.sql
  run lockflight flags check --json
  assert_failure 5
  assert_equal "$(jq -r '.findings | map(.rule + " " + .where) | sort[]' <<<"$output")" 'asked-for-every-row supabase/migrations/20260101000000_a.sql:1
computed-key src/app.ts:4:12
never-asked lockflight.flags.toml:9:7
not-for-browsers src/app.ts:2:29
not-portable lockflight.flags.toml:10:10
unknown-flag src/app.ts:1:29
wrong-type src/app.ts:3:29'
  run lockflight flags check
  has_line 'did you mean financial'
  printf '[flag.financial]\nexposure = "client"\n' >lockflight.flags.toml
  printf 'if (client.getBooleanValue("financial", false)) go();\n' >src/app.ts
  printf "create policy p on orders using ((select lockflight.is_on('financial', auth.uid()::text)));\n" >supabase/migrations/20260101000000_a.sql
  run lockflight flags check
  assert_success
  has_line '1 flag, asked for in 2 places: 0 errors, 0 notes'
}

@test "where nothing is defined, the flags are somebody else's, and that is one note" {
  rm lockflight.flags.toml
  printf '[build]\ncommand = "true"\npublish = "dist"\n' >netlify.toml
  mkdir src
  printf 'c.getBooleanValue("a", false); c.getBooleanValue("b", false)\n' >src/a.ts
  run lockflight flags check --json
  assert_success
  assert_equal "$(jq -c '.findings | map(.rule)' <<<"$output")" '["no-definitions"]'
}

@test "the example asks for no flag that it does not define, and its policies ask once" {
  cd "$repo/examples/studio"
  run lockflight flags check --json
  assert_success
  assert_equal "$(jq -c '[.findings[] | select(.severity == "error")]' <<<"$output")" '[]'
  assert_equal "$(jq '.uses > 10' <<<"$output")" true
}

@test "check reads the rules of a document, wherever it comes from" {
  cd "$BATS_TEST_TMPDIR"
  printf '{"flags":{"a":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"==":[{"var":"n"},0]},"on","off"]}}}}' >doc.json
  run lockflight flags check doc.json
  assert_failure 5
  has_line 'flag a, at if\[0\]'
  printf '{"flags":{"a":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off"}}}' >doc.json
  run lockflight flags check doc.json
  assert_success
  printf '[]' >doc.json
  run lockflight flags check doc.json
  assert_failure 1
  has_line 'no flagd document'
}
