#!/usr/bin/env bats
# A red check that names a module switches that flag off before anything is rolled back, if policy says so.

load mini

setup_file() {
  mini_up
  cd "$mini"
  printf '[flag.financial]\ninitial = { staging = "on" }\n' >lockflight.flags.toml
  # red on the live site of a page that says broken, and of one that says strict while the flag is on
  cat >check.sh <<SH
page=\$(curl -sS "\$LOCKFLIGHT_SITE_URL/")
case \$page in
*broken*) exit 1 ;;
*strict*) test "\$(psql -qAtX '$(environment staging database)' -c "select killed from lockflight.flag_state where flag_key = 'financial'")" = t ;;
esac
SH
  cat >>lockflight.toml <<'TOML'

[check.invoices]
run = "sh check.sh"
module = "financial"
TOML
  sed -i '0,/site = \["home"\]/s//site = ["home", "invoices"]/' lockflight.toml
  mini_commit 'A module with its flag and its check'
  lockflight deploy staging
  git -C "$mini" tag first
}
teardown_file() { platform_down; }

setup() {
  mini_enter
  git -C "$mini" reset -q --hard first
  git -C "$mini" clean -qfd
  sql staging "select lockflight.flag_set_state('financial', '{\"killed\": false}', null, 'ana@laptop', 'cli', 'a test')" >/dev/null
}

state() { sql staging "select enabled, killed, default_variant from lockflight.flag_state where flag_key = 'financial'"; }
audit() { sql staging "select action, via, coalesce(reason, '') from lockflight.flag_audit where flag_key = 'financial' order by seq desc limit 1"; }
policy() { sed -i "0,/requires = \"none\"/s//requires = \"none\"\nflag_off = \"$1\"/" lockflight.toml; }
page() { sed -i "s/mini, .*</mini, $1</" site/index.html; mini_commit "$1"; }

@test "a flag that begins as on is on when its content is live, not before" {
  assert_equal "$(state)" 't|f|on'
}

@test "and a runner that dies right after the release is recorded has not left it off" {
  printf '[flag.late]\ninitial = { staging = "on" }\n' >>lockflight.flags.toml
  mini_commit 'A flag that begins as on'
  LOCKFLIGHT_FAULT=journal.state.after:1:kill run lockflight deploy staging
  assert_equal "$status" 137
  assert_equal "$(sql staging "select state from lockflight.releases order by created_at desc limit 1")" committed
  assert_equal "$(lockflight flags show late --env staging --json | jq -r .text)" "on for everyone"
}

@test "a flag can not be switched on before the release that brings it is live, whatever happened on the way" {
  printf '[flag.crm]\nneeds = { functions = ["hello"] }\n' >>lockflight.flags.toml
  mini_commit 'A flag of the next release'
  LOCKFLIGHT_FAULT=phase.functions.begun:1:kill run lockflight deploy staging
  assert_equal "$status" 137
  run lockflight flags on crm --env staging
  assert_failure 5
  has_line 'is not finished'
  run lockflight resume staging
  assert_success
  run lockflight flags on crm --env staging
  assert_success
  assert_equal "$(sql staging "select default_variant from lockflight.flag_state where flag_key = 'crm'")" on
}

@test "still red: the flag is put back as it was, and the way back goes as ever" {
  policy do; page "broken red"
  before=$(state)
  run lockflight deploy staging
  assert [ "$status" -ne 0 ]
  assert [ "$status" -ne 10 ]
  assert_equal "$(state)" "$before"
  has_line 'switching it off did not help'
  [[ $(site_says staging) != *'mini, broken red'* ]]
}

@test "policy offer without a terminal: the command is named, nothing is switched" {
  page "strict offered"
  run lockflight deploy staging
  assert [ "$status" -ne 10 ]
  has_line 'lockflight flags off financial --env staging'
  assert_equal "$(state)" 't|f|on'
}

@test "killed after the flag went off: resume keeps the release, or puts the flag back on the way back" {
  policy do; page "strict killed"
  LOCKFLIGHT_FAULT=mitigate.off.after:1:kill run lockflight deploy staging
  assert_equal "$status" 137
  assert_equal "$(state)" 't|t|on'
  run lockflight resume staging --unwind
  assert_success
  assert_equal "$(state)" 't|f|on'
}

@test "policy do: the flag goes off, the release stays, and the exit status says so" {
  policy do; page "strict green"
  run lockflight deploy staging
  assert_failure 10
  has_line 'flag financial is off, because check invoices is red'
  has_line 'lockflight flags on financial --env staging'
  assert_equal "$(state)" 't|t|on'
  [[ $(audit) == 'kill|check|check invoices was red: '* ]]
  [[ $(site_says staging) == *'mini, strict green'* ]]
  run lockflight status staging --json
  assert_equal "$(jq -r '.environments[0].open' <<<"$output")" null
  page plain # the flag is still off, so that the previous release is green too
  run lockflight deploy staging
  assert_success
}

@test "killed before the flag went off: resume finds it on, and takes the same decision" {
  policy do; page "strict again"
  LOCKFLIGHT_FAULT=mitigate.off.before:1:kill run lockflight deploy staging
  assert_equal "$status" 137
  assert_equal "$(state)" 't|f|on'
  run lockflight resume staging
  assert_failure 10
  assert_equal "$(state)" 't|t|on'
}
