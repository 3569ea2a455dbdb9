#!/usr/bin/env bats
# What a user meets before any work starts: help, mistakes, colours, streams, exit statuses.

load ../lib/lockflight

setup() {
  unset CI GITHUB_ACTIONS NO_COLOR LOCKFLIGHT_CONFIG
  export TERM=xterm LC_ALL=C.UTF-8 PATH=${LOCKFLIGHT%/*}:$PATH
  cd "$BATS_TEST_TMPDIR"
}

# Every verb and sub-verb that completion offers, one a line.
verbs() {
  local verb sub
  lockflight complete -- '' | cut -f1 | while read -r verb; do
    echo "$verb"
    [[ $verb == help ]] || lockflight complete -- "$verb" '' | grep -v '^:' | cut -f1 | while read -r sub; do
      lockflight "$verb" "$sub" --help 2>/dev/null | grep -q "^Usage: lockflight $verb $sub " && echo "$verb $sub"
    done
  done
}

pty() { script -qec "$1" /dev/null; } # a command with a terminal for its streams

# stdout and stderr apart: $out and $err
run_apart() {
  status=0
  "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
  out=$(<"$BATS_TEST_TMPDIR/out") err=$(<"$BATS_TEST_TMPDIR/err")
}

@test "without a command the overview is the answer" {
  run_apart lockflight
  [ "$status" -eq 0 ] && [ -z "$err" ]
  grep -q '^Usage: lockflight <command>' <<<"$out"
  grep -q '^Exit status' <<<"$out"
}

@test "every command explains itself with -h and with --help, alike" {
  while read -r verb; do
    run lockflight $verb --help
    assert_success
    assert_line --partial "Usage: lockflight $verb"
    assert_line --partial -- '--help'
    [ "$(lockflight $verb -h)" = "$output" ]
  done < <(verbs)
}

@test "help on a command is the same as its --help" {
  [ "$(lockflight help completion)" = "$(lockflight completion --help)" ]
}

@test "the version is one line, or one document" {
  run lockflight --version
  assert_success
  assert_output --regexp '^lockflight [0-9]+\.[0-9]+\.[0-9]+$'
  lockflight version --json | jq -e '.v == 1 and (.version | test("^[0-9.]+$"))'
}

@test "a misspelt command gets the nearest one, on stderr, exit 2" {
  run_apart lockflight hepl
  [ "$status" -eq 2 ] && [ -z "$out" ]
  [[ $err == *'error LF-U001'*'did you mean help?'*'next'*'lockflight help'* ]]
}

@test "a misspelt option gets the nearest one" {
  run lockflight version --jsn
  assert_failure 2
  assert_output --partial 'did you mean --json?'
}

@test "an option is never guessed from its beginning" {
  run lockflight version --js
  assert_failure 2
}

@test "--json where there is none is a mistake, and is answered in JSON" {
  run_apart lockflight man lockflight --json
  [ "$status" -eq 2 ]
  jq -e '.v == 1 and .error.id == "LF-U001" and .error.exit == 2 and .error.next' <<<"$out"
  [ "$(wc -l <<<"$out")" -eq 1 ]
}

@test "every error id is explained" {
  run lockflight help lf-g001
  assert_success
  assert_line --partial 'LF-G001  A gate is closed'
}

@test "a full device is an error, not silence" {
  run bash -c 'lockflight help >/dev/full'
  assert_failure 1
  assert_output --partial 'No space left on device'
}

@test "a closed stdout is an error" {
  run bash -c 'lockflight help >&-'
  assert_failure 1
}

@test "a reader that leaves early does no harm" {
  run bash -c 'set -o pipefail; lockflight man lockflight | head -1'
  assert_line --partial '.TH'
  refute_output --partial 'Sanitizer'
}

@test "there is colour on a terminal" {
  run pty 'lockflight hepl'
  assert_output --partial $'\e['
}

@test "there is no colour when piped, with NO_COLOR, TERM=dumb, --no-color or --color=never" {
  run lockflight hepl
  refute_output --partial $'\e['
  for how in 'NO_COLOR=1 lockflight hepl' 'TERM=dumb lockflight hepl' 'lockflight --no-color version x' \
    'lockflight --color=never version x'; do
    run pty "env $how"
    refute_output --partial $'\e['
  done
}

@test "an empty NO_COLOR counts as unset" {
  run pty 'env NO_COLOR= lockflight hepl'
  assert_output --partial $'\e['
}

@test "--color=always colours a pipe" {
  run lockflight --color=always help completion
  assert_output --partial $'\e[1m'
}

@test "--color takes three words" {
  run lockflight --color=sometimes version
  assert_failure 2
  assert_output --partial 'auto|always|never'
}

@test "two dashes end the options" {
  run lockflight help -- --version
  assert_failure 2
  assert_output --partial 'there is no help on "--version"'
}

@test "on GitHub an error is an annotation too, and its text cannot give orders" {
  GITHUB_ACTIONS=true run lockflight $'x\n::set-output name=a::b'
  assert_failure 2
  assert_line --partial '::error title=LF-U001'
  refute_line '::set-output name=a::b'
}

@test "starting takes no network, no project and little time" {
  run env -i HOME=/nonexistent "$LOCKFLIGHT" --version
  assert_success
}
