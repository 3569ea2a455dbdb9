#!/usr/bin/env bats
# What a release does about feature flags, and what it leaves alone.

load mini

setup_file() {
  mini_up
  cd "$mini"
  cat >lockflight.flags.toml <<'TOML'
[attributes]
plan = { type = "string", trusted = true }

[flag.financial]
description = "Invoices and payments"
owner = "billing"
exposure = "client"

[flag.colour]
variants = { red = "#f00", blue = "#00f", none = "" }
off = "none"
initial = { staging = "red" }

[segment.staff]
rule = '{"ends_with":[{"var":"email"},"@studio.example"]}'
TOML
  mini_commit 'Two flags'
  lockflight deploy staging
  git -C "$mini" tag first
}
teardown_file() { platform_down; }

setup() {
  mini_enter
  git -C "$mini" reset -q --hard first
  git -C "$mini" clean -qfd
}

state() { sql "${2:-staging}" "select enabled, killed, default_variant, targeting from lockflight.flag_state where flag_key = '$1'"; }

@test "flags are created off, or as the file says for the environment" {
  assert_equal "$(state financial)" 't|f|off|'
  assert_equal "$(state colour)" 't|f|red|'
  assert_equal "$(sql staging "select type, trusted from lockflight.flag_attribute where name = 'plan'")" 'string|t'
  assert_equal "$(sql staging "select count(*) from lockflight.flag_segment where name = 'staff'")" 1
  assert_equal "$(sql staging "select flags from lockflight.flag_manifest")" '{"colour": [], "financial": []}'
}

set_state() { sql "${3:-staging}" "select lockflight.flag_set_state('$1', '$2', null, 'ana@laptop', 'cli', 'a test')" >/dev/null; }

# page TEXT: other content, so that there is something to release
page() { sed -i "s/mini, .*</mini, $1</" site/index.html; mini_commit "$1"; }

last_audit() { sql staging "select action, actor, via, coalesce(reason, '') from lockflight.flag_audit where flag_key = '$1' order by seq desc limit ${2:-1}"; }

@test "a second deploy leaves the state as the operator set it, and brings the definition up to date" {
  set_state financial '{"default_variant": "on", "targeting": {"fractional": [["on", 25], ["off", 75]]}}'
  set_state colour '{"killed": true}'
  before=$(sql staging "select * from lockflight.flag_state order by 1")
  sed -i -e 's/Invoices and payments/Invoices, payments and reminders/' -e 's/none = ""/green = "#0f0", none = ""/' lockflight.flags.toml
  page 'with words'
  run lockflight plan staging
  assert_success
  has_line 'Flags +~ financial: description'
  has_line '~ colour: \+ variant green'
  has_line 'ok +flags +2 defined, 2 changed'
  lockflight deploy staging
  assert_equal "$(sql staging "select * from lockflight.flag_state order by 1")" "$before"
  assert_equal "$(sql staging "select description from lockflight.flag where flag_key = 'financial'")" 'Invoices, payments and reminders'
  assert_equal "$(sql staging "select variants->>'green' from lockflight.flag where flag_key = 'colour'")" '#0f0'
  assert_equal "$(last_audit colour)" "define|tester|deploy|release $(lockflight status staging --json | jq -r '.environments[0].release')"
}

@test "a variant that is in use is not taken away: refused before anything is touched, with its place" {
  set_state colour '{"killed": false, "default_variant": "red"}'
  sed -i 's/red = "#f00", //; s/initial = .*//' lockflight.flags.toml
  page 'without red'
  before=$(snapshot staging)
  run lockflight deploy staging
  assert_failure 5
  has_line 'flag colour: variant red is removed, and its state serves it \(lockflight.flags.toml:9:7\)'
  has_line 'nothing was changed'
  assert_equal "$(snapshot staging)" "$before"
  run lockflight plan staging --json
  assert_equal "$(jq -c '.flags[] | select(.key == "colour") | .changes[] | select(.change == "refuse") | .text' <<<"$output")" \
    '"variant red is removed, and its state serves it"'
  assert_equal "$(jq -r '.gates[] | select(.name == "flags") | .state' <<<"$output")" wait
}

@test "what becomes public waits until a person has said so" {
  printf '\n[flag.prices]\n' >>lockflight.flags.toml
  page 'prices'
  lockflight deploy staging
  sed -i 's/\[flag.prices\]/[flag.prices]\nexposure = "client"/' lockflight.flags.toml
  page 'public prices'
  run lockflight deploy staging
  assert_failure 5
  has_line 'flag prices: exposure server becomes client: every visitor can read'
  has_line 'lockflight deploy staging --accept-flags'
  run lockflight deploy staging --accept-flags
  assert_success
  assert_equal "$(sql staging "select exposure from lockflight.flag where flag_key = 'prices'")" client
}

@test "a flag that the file has no more is marked after the release is proved, and keeps its state" {
  assert_equal "$(sql staging "select code_removed_at is null from lockflight.flag where flag_key = 'prices'")" t
  page 'no prices'
  run lockflight deploy staging
  assert_success
  assert_equal "$(sql staging "select code_removed_at is null from lockflight.flag where flag_key = 'prices'")" f
  assert_equal "$(state prices)" 't|f|off|'
}

@test "a planned change that waited for what it needs runs when the release that brings it is live" {
  sql staging "insert into lockflight.releases (id, target, name, kind, actor, state, epoch)
    values ('00000000-0000-4000-8000-000000000001', 'staging', 'r0', 'deploy', 'ana', 'rolled_back', 0)" >/dev/null
  sql staging "select lockflight.flag_define('{\"key\": \"chat\", \"needs\": {\"release\": true}}', 'ana', '00000000-0000-4000-8000-000000000001')" >/dev/null
  sql staging "select lockflight.flag_schedule_add('chat', clock_timestamp() + interval '1 second', '{\"default_variant\": \"on\"}', 'ana', 'cli', 'week two')" >/dev/null
  sleep 1.2
  assert_equal "$(sql staging "select lockflight.flag_materialise()")" 0
  assert_equal "$(sql staging "select default_variant from lockflight.flag_states(now()) where flag_key = 'chat'")" off
  printf '\n[flag.chat]\nowner = "support"\n' >>lockflight.flags.toml
  page 'with chat'
  run lockflight deploy staging
  assert_success
  has_line 'Scheduled changes that waited for this release have run: 1'
  assert_equal "$(state chat)" 't|f|on|'
  assert_equal "$(last_audit chat)" 'schedule|schedule|schedule|week two'
}

guarded() { # a check that is red while $scratch/broken is there, and that points at the flag
  rm -f "$scratch/broken"
  printf '\n[check.invoices]\nrun = "test ! -e %s/broken"\nmodule = "financial"\n' "$scratch" >>lockflight.toml
}

@test "a guarded ramp grows to the last step while the checks stay green" {
  guarded
  set_state financial '{"killed": false, "default_variant": "off", "targeting": null}'
  run lockflight flags ramp financial --steps 25,100 --every 1s --env staging
  assert_success
  assert_equal "$(state financial)" 't|f|on|'
  has_line 'every step stayed green'
}

@test "a guarded ramp that meets red switches the flag off at once, and keeps what was rolled out" {
  guarded
  set_state financial '{"killed": false, "default_variant": "off", "targeting": null}'
  (sleep 2; touch "$scratch/broken") 3>&- &
  run lockflight flags ramp financial --steps 25,100 --every 5s --env staging
  rm -f "$scratch/broken"
  assert_failure 1
  has_line 'check invoices was red'
  [[ $(state financial) == 't|t|off|{"fractional"'* ]]
  [[ $(last_audit financial) == 'kill|tester|check|ramp at 25 %: check invoices was red'* ]]
}
