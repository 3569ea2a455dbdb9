#!/usr/bin/env bats
# Completion in bash, zsh and fish, and the manual pages.

load ../lib/lockflight

setup() {
  export PATH=${LOCKFLIGHT%/*}:$PATH
  unset LOCKFLIGHT_CONFIG
  cd "$BATS_TEST_TMPDIR"
  printf 'version = 1\nproject = "shop"\n[env.staging]\n[env.production]\nrequires = "staging"\n' >lockflight.toml
}

bash_completes() { # bash_completes WORD…: candidates for the last word
  bash -c 'source <(lockflight completion bash)
    COMP_WORDS=(lockflight "$@"); COMP_CWORD=$#; _lockflight; printf "%s\n" "${COMPREPLY[@]}"' - "$@"
}

zsh_completes() {
  zsh -fc 'source <(lockflight completion zsh)
    _describe() { print -rl -- "${(@P)2}"; }; _files() { print FILES; }
    words=(lockflight "$@"); CURRENT=$#words; _lockflight' - "$@"
}

fish_completes() { # fish_completes LINE
  env HOME="$BATS_TEST_TMPDIR" fish -c 'lockflight completion fish | source; complete -C $argv[1]' "$1"
}

@test "bash completes commands, options, words and values" {
  [ "$(bash_completes compl)" = completion ]
  [ "$(bash_completes completion z)" = zsh ]
  bash_completes version -- | grep -qx -- --json
  [ "$(bash_completes --color al)" = always ]
}

@test "environments come from lockflight.toml" {
  [ "$(bash_completes local reset st)" = staging ]
  zsh_completes local reset '' | grep -qx 'production:environment'
}

@test "bash completes files where a file is wanted" {
  [ "$(bash_completes --config lock)" = lockflight.toml ]
}

@test "zsh completes commands with their summaries" {
  zsh_completes '' | grep -q '^completion:Print the completion script'
  zsh_completes --config '' | grep -qx FILES
}

@test "fish completes commands with their summaries" {
  fish_completes 'lockflight comp' | grep -q $'^completion\tPrint the completion script'
  [ "$(fish_completes 'lockflight completion f' | cut -f1)" = fish ]
}

@test "the scripts pass the shells' own syntax checks" {
  lockflight completion bash | bash -n
  lockflight completion zsh | zsh -n
  lockflight completion fish | fish --no-execute
}

@test "a hidden command is not offered, but works" {
  ! lockflight complete -- '' | cut -f1 | grep -qx complete
}

@test "an unreadable project offers no environments and says nothing" {
  echo 'nonsense' >lockflight.toml
  run lockflight complete -- local reset ''
  assert_success
  assert_output ''
}

@test "the manual pages are well-formed" {
  for page in lockflight lockflight.toml; do
    lockflight man "$page" >"$page"
    run mandoc -T lint -W warning "$page"
    assert_success
    assert_output ''
  done
}

@test "lockflight(1) has every command" {
  lockflight man lockflight | mandoc -T ascii | sed $'s,.\b,,g' >page
  lockflight complete -- '' | cut -f1 | while read -r verb; do grep -q "lockflight $verb" page; done
  grep -q 'LOCKFLIGHT_<ENV>_DATABASE_URL' page
}

@test "lockflight.toml(5) has every key with its default" {
  lockflight man lockflight.toml | mandoc -T ascii | sed $'s,.\b,,g' >page
  grep -q 'schema.lock_timeout' page
  grep -q 'default 250ms' page
  grep -q 'env.<name>.watch.max_error' page
}

@test "lockflight.flags.toml(5) has every key with its default" {
  lockflight man lockflight.flags.toml | mandoc -T ascii | sed $'s,.\b,,g' >page
  grep -q 'flag.<name>.exposure' page
  grep -q 'one of string|number|boolean|list|version' page
  grep -q 'flag.<name>.requires\[\].variant' page
  grep -q 'attributes.<name>.trusted' page
}
