#!/usr/bin/env bats
# The house itself: packages, layers, installation, and that the judge of all tests judges rightly.

load ../lib/lockflight

setup() { cd "$repo"; unset MAKEFLAGS MAKELEVEL; }

tree() { # a scratch tree with one of our tools in it
  mkdir -p "$BATS_TEST_TMPDIR/tools"
  cp "$repo/tools/$1" "$BATS_TEST_TMPDIR/tools/"
  cd "$BATS_TEST_TMPDIR"
}

@test "install-deps finds everything there and says nothing" {
  run tools/install-deps build run test
  assert_success
  assert_output ''
}

@test "install-deps refuses a group it does not know" {
  run tools/install-deps everything
  assert_failure 2
}

@test "no Postgres cluster was made by installing Postgres" {
  [ -e /etc/postgresql-common/createcluster.d/lockflight.conf ] || [ "$(pg_lsclusters -h | wc -l)" -gt 0 ]
  [ ! -e /etc/postgresql-common/createcluster.d/lockflight.conf ] ||
    grep -q 'create_main_cluster = false' /etc/postgresql-common/createcluster.d/lockflight.conf
}

@test "make install puts program, manual pages and completions where they are looked for" {
  run make -s install DESTDIR="$BATS_TEST_TMPDIR" PREFIX=/usr
  assert_success
  to=$BATS_TEST_TMPDIR/usr
  run "$to/bin/lockflight" --version
  assert_success
  for file in share/man/man1/lockflight.1 share/man/man5/lockflight.toml.5 share/man/man5/lockflight.flags.toml.5 share/bash-completion/completions/lockflight \
    share/zsh/site-functions/_lockflight share/fish/vendor_completions.d/lockflight.fish; do
    [ -s "$to/$file" ] || { echo "missing: $file"; false; }
  done
  run bash -n "$to/share/bash-completion/completions/lockflight"
  assert_success
}

@test "check-layers names the line of an include that points upwards" {
  tree check-layers
  mkdir -p src/base src/engine
  printf '#include "engine/journal.h"\n' >src/base/str.c
  touch src/engine/journal.h
  run tools/check-layers
  assert_failure
  assert_output --partial 'src/base/str.c:1: includes "engine/journal.h": upwards'
}

@test "check-layers names the line of an include that points sideways" {
  tree check-layers
  mkdir -p src/migrate/apply src/site
  printf '\n#include "site/artefact.h"\n' >src/migrate/apply/apply.c
  touch src/site/artefact.h
  run tools/check-layers
  assert_failure
  assert_output --partial 'src/migrate/apply/apply.c:2: includes "site/artefact.h": sideways'
}

@test "check-layers names the line of an include that points upwards inside migrate" {
  tree check-layers
  mkdir -p src/migrate/sql src/migrate/prove
  printf '#include "migrate/prove/proof.h"\n' >src/migrate/sql/script.c
  touch src/migrate/prove/proof.h
  run tools/check-layers
  assert_failure
  assert_output --partial 'src/migrate/sql/script.c:1: includes "migrate/prove/proof.h": upwards inside migrate/, from sql to prove'
}

judge() { # judge SCRIPT: what tools/check says about a suite that does this
  tree check
  mkdir -p tests/cli build-check bin
  printf '#!/bin/sh\n%s\n' "$1" >bin/bats
  printf '#!/bin/sh\necho "ok 1 - layers"\n' >tools/check-layers
  chmod +x bin/bats tools/check-layers
  touch tests/cli/x.bats
  PATH=$PWD/bin:$PATH run tools/check x.bats
}

@test "a suite that prints no test is a failure" {
  judge 'exit 0'
  assert_failure
  [ "${lines[-1]}" = '1 passed, 1 failed' ]
}

@test "a suite that stops before its plan is complete is a failure" {
  judge 'echo 1..3; echo "ok 1 a"; echo "ok 2 b"'
  assert_failure
  [ "${lines[-1]}" = '3 passed, 1 failed' ]
}

@test "a suite that passes every test and then dies is a failure" {
  judge 'echo 1..1; echo "ok 1 a"; exit 3'
  assert_failure
  [ "${lines[-1]}" = '2 passed, 1 failed' ]
}

@test "a skipped test is a failure, unless the hardware is missing" {
  judge 'echo 1..2; echo "ok 1 a # skip later"; echo "ok 2 b # skip no hardware: one core"'
  assert_failure
  [ "${lines[-1]}" = '2 passed, 1 failed' ]
}

@test "what passed is counted test by test" {
  judge 'echo 1..2; echo "ok 1 a"; echo "ok 2 b"'
  assert_success
  [ "${lines[-1]}" = '3 passed, 0 failed' ]
}

@test "a process that a suite left behind is a failure" {
  judge 'setsid sleep 30 >/dev/null 2>&1 & echo 1..1; echo "ok 1 a"'
  assert_failure
  assert_output --partial 'left running: 1'
}
