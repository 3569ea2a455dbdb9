#!/usr/bin/env bats
# What a push to main does: staging, a rest, production, and what two pushes do to each other.

load mini

setup_file() {
  mini_up
  cd "$mini"
  sed -i 's/^requires = "staging"/&\nsoak = "2s"/' lockflight.toml
  printf 'dist\n' >.gitignore
  mini_commit 'Production takes what has rested'
}
teardown_file() { platform_down; }
setup()         { mini_enter; }

change() { # change WORD: another page, committed
  sed -i "s/mini, [a-z]*/mini, $1/" site/index.html
  mini_commit "The page says $1"
}
live() { [[ $(site_says "$1") == *"mini, $2"* ]] || { site_says "$1"; return 1; }; }

@test "a push goes to staging, rests, is checked again, and goes to production" {
  run lockflight ci
  assert_success
  has_line '^\$ lockflight deploy staging'
  has_line '^Resting in staging for'
  has_line '^\$ lockflight verify staging'
  has_line '^\$ lockflight deploy production'
  live staging first
  live production first
  run lockflight ci
  assert_success
  has_line 'production is on .* already'
}

@test "what has not rested is a closed gate for a person, too, and says for how long" {
  change rested
  lockflight deploy staging
  run lockflight plan production --json
  [[ $(jq -r '.gates[] | select(.name == "soak") | .text' <<<"$output") == *'rests in staging for another'* ]]
  run lockflight deploy production
  assert_failure 5
  has_line 'rests in staging for another'
  live production first
}

@test "content that fails its tests goes nowhere, and the status is that of the verb that stopped it" {
  echo 'exit 1' >test.sh
  mini_commit 'A test that fails'
  run lockflight ci
  assert_failure 5
  refute_output --partial 'lockflight deploy production'
  live production first
  git reset -q --hard HEAD~1
}

@test "a release that an earlier run left open is finished if it is this content, and taken back if it is not" {
  change left
  run lockflight ci staging
  assert_success
  sleep 2
  LOCKFLIGHT_FAULT=phase.functions.begun:1:kill run lockflight deploy production
  assert_equal "$status" 137
  run lockflight ci
  assert_success
  has_line '^\$ lockflight resume production'
  live production left

  change open
  LOCKFLIGHT_FAULT=phase.functions.begun:1:kill run lockflight deploy staging
  assert_equal "$status" 137
  change after
  run lockflight ci
  assert_success
  has_line '^\$ lockflight resume staging .*--unwind'
  live production after
}

@test "a stop that reaches every process of the job is one stop: the release in flight is taken back" {
  before=$(snapshot staging)
  change stopped
  printf 'sleep 3\n' >>test.sh
  mini_commit 'A slow test'
  setsid "$LOCKFLIGHT" ci >"$scratch/stop.log" 2>&1 3>&- &
  pid=$!
  for _ in $(seq 100); do grep -q 'gate .*ok' "$scratch/stop.log" && break; sleep 0.1; done
  kill -TERM -- "-$pid"
  status=0
  wait "$pid" || status=$?
  assert_equal "$status" 6
  assert_equal "$(snapshot staging)" "$before"
  git reset -q --hard HEAD~2
}

@test "older content that was late does nothing" {
  older=$(git rev-parse HEAD)
  change newer
  lockflight ci staging
  git checkout -q "$older"
  run lockflight ci
  assert_success
  has_line 'comes after'
  live staging newer
  live production after
  git checkout -q main
}

@test "two pushes at once: one waits for the other, and the newest is live at the end" {
  change both
  "$LOCKFLIGHT" ci >"$scratch/one.log" 2>&1 3>&- &
  one=$!
  "$LOCKFLIGHT" ci >"$scratch/two.log" 2>&1 3>&- &
  two=$!
  wait "$one"
  wait "$two"
  live production both
}
