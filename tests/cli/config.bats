#!/usr/bin/env bats
# What a user reads when a file of the project is wrong, and where it is looked for.

load ../lib/lockflight

setup() {
  export PATH=${LOCKFLIGHT%/*}:$PATH LOCKFLIGHT_STATE_DIR=$BATS_TEST_TMPDIR/state
  unset LOCKFLIGHT_CONFIG GITHUB_ACTIONS CI
  cd "$BATS_TEST_TMPDIR"
  mkdir -p project/apps/web
  cd project
}

project() { printf 'version = 1\nproject = "shop"\n%s\n' "$1" >lockflight.toml; }

@test "an unknown key is shown with its place, the nearest name and the page to read" {
  project $'[env.staging]\nplatfrom = "local"'
  run lockflight local status
  assert_failure 2
  assert_line --partial 'error LF-C001'
  assert_line --partial 'unknown key "platfrom" in [env.staging]; did you mean "platform"?'
  assert_line --regexp '^  where +lockflight.toml:4:1$'
  assert_line --regexp '^  next +lockflight man lockflight.toml'
}

@test "on GitHub the mistake is an annotation of its line" {
  project 'artifact = "same"'
  GITHUB_ACTIONS=true run lockflight local status
  assert_failure 2
  assert_line --regexp '^::error file=lockflight.toml,line=3,col=1,title=LF-C001::'
}

@test "with --json the error is one document with the same fields" {
  project 'artifact = "same"'
  lockflight local status --json 2>/dev/null >document || [ $? -eq 2 ]
  jq -e '.v == 1 and .error.id == "LF-C001" and .error.where == "lockflight.toml:3:1" and .error.exit == 2' document
}

@test "a mistake in a vendor's file names that file" {
  project ''
  mkdir -p supabase
  printf 'project_id = "shop"\n[functions.hook]\nverify_jwt = "no"\n' >supabase/config.toml
  run lockflight local status
  assert_failure 2
  assert_line --regexp '^  where +supabase/config.toml:3:14$'
}

@test "the file is found from a folder below" {
  project 'artifact = "same"'
  mkdir .git
  cd apps/web
  run lockflight local status
  assert_failure 2
  assert_output --partial 'lockflight.toml:3:1'
}

@test "--config outranks LOCKFLIGHT_CONFIG, which outranks the nearest file" {
  project 'near = 1'
  (cd apps && project 'variable = 1')
  (cd apps/web && project 'flag = 1')
  run lockflight local status
  assert_output --partial '"near"'
  LOCKFLIGHT_CONFIG=apps/lockflight.toml run lockflight local status
  assert_output --partial '"variable"'
  LOCKFLIGHT_CONFIG=apps/lockflight.toml run lockflight local status --config apps/web/lockflight.toml
  assert_output --partial '"flag"'
}

@test "a file that was named and is not there is a mistake of the command line" {
  run lockflight local status --config nowhere.toml
  assert_failure 2
  assert_output --partial 'nowhere.toml (--config)'
}

@test "a password in the file is refused without repeating it" {
  project $'[env.staging]\ndatabase = "postgresql://u:hunter2secret@h/d"'
  run lockflight local status
  assert_failure 2
  assert_output --partial 'holds a password'
  refute_output --partial hunter2secret
}

@test "a file of more than a megabyte is refused" {
  project ''
  head -c 1100000 /dev/zero | tr '\0' '#' >>lockflight.toml
  run lockflight local status
  assert_failure
  refute_output --partial Sanitizer
}

@test "bytes that are no text are refused" {
  printf 'version = 1\nproject = "\xff\xfe"\n' >lockflight.toml
  run lockflight local status
  assert_failure 2
  assert_output --partial 'lockflight.toml:2:11'
}
