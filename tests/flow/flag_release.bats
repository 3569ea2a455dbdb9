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
