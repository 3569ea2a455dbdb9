#!/usr/bin/env bats
# `lockflight vars` without a platform: keys, the file, sharing, merging with git, crashes. Nothing it prints is a value,
# but where a value was asked for.

load ../lib/lockflight

setup() {
  dir=$(mktemp -d)
  cd "$dir"
  export LOCKFLIGHT_KEY_FILE=$dir/key LOCKFLIGHT_ACTOR=ana@acme NO_COLOR=1
  export GIT_AUTHOR_NAME=T GIT_AUTHOR_EMAIL=t@localhost GIT_COMMITTER_NAME=T GIT_COMMITTER_EMAIL=t@localhost
  git init -q -b main
  printf 'version = 1\nproject = "acme"\n[env.staging]\n[env.production]\nrequires = "staging"\n' >lockflight.toml
  for name in A B C TOKEN; do printf '[var.%s]\nto = ["supabase"]\nsecret = true\n' $name; done >>lockflight.toml
  printf '[var.PLACE]\nto = ["runtime"]\n' >>lockflight.toml
}
teardown() { rm -rf "$dir"; }

put() { printf '%s' "$2" | lockflight vars set "$1" --env "${3-staging}"; }
get() { lockflight vars get "$1" --env "${2-staging}"; }
commit() { git add -A && git commit -qm "${1-a change}"; }

@test "a key is made once, readable by its owner alone, and shown again" {
  run lockflight vars key --json
  assert_success
  assert_equal "$(jq -r .name <<<"$output")" ana@acme
  assert_equal "$(stat -c %a key)" 600
  run lockflight vars key
  has_line 'ana@acme lfpk1_'
  refute_output --partial lfsk1_
  chmod 644 key
  run put A value
  assert_failure 4
  has_line 'can be read by others'
}

@test "a key without a name is called as git calls its owner, in letters that a name can have" {
  LOCKFLIGHT_ACTOR='Ana Maria (acme)' run lockflight vars key --json
  assert_success
  assert_equal "$(jq -r .name <<<"$output")" Ana-Maria--acme-
  assert_equal "$(put A one && get A)" "$(printf 'A is set in secrets/staging.lf, revision 1.\none')"
}

@test "a value goes in on standard input and comes out on request; lists and edits show none" {
  lockflight vars key
  run put TOKEN swordfish-12345
  assert_success
  refute_output --partial swordfish
  run put TOKEN swordfish-67890
  has_line 'revision 2'
  run get TOKEN
  assert_output swordfish-67890
  run lockflight vars list staging --json
  refute_output --partial swordfish
  assert_equal "$(jq -r '.variables[] | select(.name == "TOKEN") | .revision' <<<"$output")" 2
  run grep -c swordfish secrets/staging.lf
  assert_output 0
  run lockflight vars set TOKEN swordfish --env staging
  assert_failure 2
}

@test "the value stays the same byte for byte: line ends inside it, quotes, and nothing at its end" {
  lockflight vars key
  printf 'line one\nline "two"\\\n\n' | lockflight vars set TOKEN --env staging
  assert_equal "$(get TOKEN | sha256sum)" "$(printf 'line one\nline "two"\\\n\n' | sha256sum)"
  run put TOKEN $'\n'
  assert_failure 2
  has_line 'empty'
}

@test "one edit changes one line, and a new recipient adds one" {
  lockflight vars key
  put A one; put B two; put C three
  commit
  put B changed
  run git diff --numstat
  assert_output --regexp '^1	1	secrets/staging.lf$'
  commit
  LOCKFLIGHT_KEY_FILE=$dir/rui lockflight vars key --name rui@acme >rui.pub 2>/dev/null
  lockflight vars grant staging $(cat rui.pub)
  run git diff --numstat
  assert_output --regexp '^2	0	secrets/staging.lf$' # and the empty line above it
  LOCKFLIGHT_KEY_FILE=$dir/rui run get B
  assert_output changed
}

@test "two branches that edit neighbouring variables merge without a conflict" {
  lockflight vars key
  put A one; put B two; put C three
  commit
  git checkout -qb other
  put B second; commit
  git checkout -q main
  put A first; put C third; commit
  run git merge -q -m merged other
  assert_success
  assert_equal "$(get A) $(get B) $(get C)" 'first second third'
}

@test "with the merge driver both sides may add variables and recipients at the same place; one variable twice is for a person" {
  lockflight vars key
  put A one
  printf 'secrets/*.lf merge=lockflight diff=lockflight\n' >.gitattributes
  git config merge.lockflight.driver "$LOCKFLIGHT vars merge %O %A %B"
  git config diff.lockflight.textconv "$LOCKFLIGHT vars textconv"
  commit
  LOCKFLIGHT_KEY_FILE=$dir/.git/rui lockflight vars key --name rui >.git/rui.pub 2>/dev/null
  LOCKFLIGHT_KEY_FILE=$dir/.git/eva lockflight vars key --name eva >.git/eva.pub 2>/dev/null
  git checkout -qb other
  put B two; lockflight vars grant staging $(cat .git/rui.pub); commit
  git checkout -q main
  put C three; lockflight vars grant staging $(cat .git/eva.pub); commit
  run git merge -q -m merged other
  assert_success
  assert_equal "$(get A) $(get B) $(get C)" 'one two three'
  assert_equal "$(LOCKFLIGHT_KEY_FILE=$dir/.git/rui get C) $(LOCKFLIGHT_KEY_FILE=$dir/.git/eva get B)" 'three two'
  git checkout -qb third; put A x; commit
  git checkout -q main; put A y; commit
  run git merge -m merged third
  assert_failure
  has_line 'both sides changed A'
  git merge --abort
  put A z
  run git diff
  has_line '^-A revision 2'
  has_line '^\+A revision 3'
}

@test "a removed reader cannot open the new file, and what was read is listed" {
  lockflight vars key
  put A one; put TOKEN two
  lockflight vars key --job --name ci >ci.key 2>ci.pub
  lockflight vars grant staging ci "$(grep -o 'lfpk1_[A-Za-z0-9_-]*' ci.pub)"
  LOCKFLIGHT_KEY=$(cat ci.key) run get A
  assert_output one
  run lockflight vars revoke staging ci --json
  assert_equal "$(jq -c .exposed <<<"$output")" '["A","TOKEN"]'
  LOCKFLIGHT_KEY=$(cat ci.key) run get A
  assert_failure
  has_line 'sealed for ana@acme'
  assert_equal "$(get A)" one
  run lockflight vars who staging
  refute_output --partial ci
}

@test "who cannot read may add; it counts once a reader accepts it" {
  lockflight vars key
  put A one
  export LOCKFLIGHT_KEY_FILE=$dir/none
  printf 'from outside' | lockflight vars set TOKEN --env staging --sealed
  run get TOKEN
  assert_failure
  export LOCKFLIGHT_KEY_FILE=$dir/key
  run lockflight vars list staging
  has_line 'TOKEN.*waits to be accepted'
  run get TOKEN
  assert_failure
  lockflight vars accept TOKEN --env staging
  assert_equal "$(get TOKEN)" 'from outside'
}

@test "a .env file is taken over, what is declared of it, and quotes mean what they mean" {
  lockflight vars key
  printf '# a note\nexport A="one\\ntwo"\nB=plain value # why\nOTHER=x\nTOKEN='"'"'a "b" \\n'"'"'\n' >.env
  run lockflight vars import .env --env staging --json
  assert_success
  assert_equal "$(jq -r .set <<<"$output")" 3
  assert_equal "$(get A)" $'one\ntwo'
  assert_equal "$(get B)" 'plain value'
  assert_equal "$(get TOKEN)" 'a "b" \n'
  run get OTHER
  assert_failure
}

@test "what netlify env:list --json prints is taken over too, and what cannot be a value is said" {
  lockflight vars key
  printf '{"A":"one\\ntwo","B":"","OTHER":"x","TOKEN":"\\u00e9"}' >site.json
  run lockflight vars import site.json --env staging --json
  assert_success
  assert_equal "$(jq -r .set <<<"$output")" 2
  assert_equal "$(jq -r '.variables[] | select(.name == "B") | .state' <<<"$output")" 'skipped: empty, as a host shows what it does not give back'
  assert_equal "$(get A)" $'one\ntwo'
  assert_equal "$(get TOKEN)" é
  printf '[{"name":"A","value":"0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33"}]' >secrets.json
  run lockflight vars import secrets.json --env staging
  assert_failure
  has_line 'no value can be had'
  printf '{"A":5}' >number.json
  run lockflight vars import number.json --env staging
  assert_failure
  has_line 'A is no text'
  assert_equal "$(get A)" $'one\ntwo'
}

@test "older values are dropped on request: all but the one that a release takes back to, or that one too" {
  lockflight vars key
  for value in one two three four; do put A $value; put B $value; done
  run lockflight vars prune staging A --json
  assert_equal "$(jq -c '[.dropped, .variables[].name]' <<<"$output")" '[2,"A"]'
  assert_equal "$(grep -o 'lf1\.' <<<"$(grep ^A= secrets/staging.lf)" | wc -l)" 2
  assert_equal "$(grep -o 'lf1\.' <<<"$(grep ^B= secrets/staging.lf)" | wc -l)" 4
  run lockflight vars prune staging --all
  has_line '^A +1 older value dropped'
  has_line '^B +3 older values dropped'
  assert_equal "$(get A) $(get B)" 'four four'
  run lockflight vars prune staging
  has_line '^0 older values'
  run lockflight vars prune staging NOPE
  assert_failure
}

@test "on GitHub what vars check finds are annotations of their lines" {
  mkdir -p supabase/functions/pay
  printf '// a function\nconst key = Deno.env.get("NOWHERE");\n' >supabase/functions/pay/index.ts
  GITHUB_ACTIONS=true run lockflight vars check staging --no-values
  assert_failure 5
  assert_line --regexp '^::error file=supabase/functions/pay/index.ts,line=2,col=[0-9]+,title=undeclared%3A NOWHERE::'
}

@test "a plain value is readable, and a declared secret cannot be one" {
  lockflight vars key
  printf 'Lisbon' | lockflight vars set PLACE --env staging --plain
  grep -q '^PLACE="Lisbon"$' secrets/staging.lf
  run lockflight vars set A --env staging --plain <<<x
  assert_failure 2
  assert_equal "$(get PLACE)" Lisbon
}

@test "a file moved to another environment, and a line moved to another name, do not open" {
  lockflight vars key
  put A one; put B two
  sed 's/^#env staging/#env production/' secrets/staging.lf >secrets/production.lf
  run get A production
  assert_failure
  cp secrets/staging.lf secrets/production.lf
  run get A production
  has_line 'belongs to staging of acme'
  sed -i 's/^A=/X=/; s/^B=/A=/; s/^X=/B=/' secrets/staging.lf
  run get A
  assert_failure
  has_line 'secrets/staging.lf:'
}

@test "a conflict that git left behind is found by its line" {
  lockflight vars key
  put A one
  printf '<<<<<<< HEAD\n' >>secrets/staging.lf
  run get A
  assert_failure
  has_line 'merge conflict is not resolved'
}

@test "killed anywhere while it sets or rotates, the file is the old one or the new one" {
  lockflight vars key
  put A one
  for point in secrets.save.before fs.replace.written fs.replace.renamed secrets.save.after; do
    for verb in set rotate; do
      cp secrets/staging.lf before.lf
      case $verb in
        set) LOCKFLIGHT_FAULT=$point:1:kill run lockflight vars set B --env staging <<<"value $((++n))" ;;
        rotate) LOCKFLIGHT_FAULT=$point:1:kill run lockflight vars rotate staging ;;
      esac
      assert_equal "$status" 137
      assert_equal "$(get A)" one
      case $point in *.before|*.written) cmp secrets/staging.lf before.lf ;; *) run ! cmp -s secrets/staging.lf before.lf ;; esac
    done
  done
  put C after
  assert_equal "$(get C)" after
}

@test "a job's key is wiped from the environment before anything runs" {
  lockflight vars key --job --name ci >ci.key 2>ci.pub
  export LOCKFLIGHT_KEY_FILE=$dir/none
  export LOCKFLIGHT_KEY=$(cat ci.key)
  export LOCKFLIGHT_ACTOR=
  mkdir bin
  printf '#!/bin/sh\nenv >>"%s/env"\nprintf git-user\n' "$dir" >bin/git
  chmod +x bin/git
  printf one | PATH=$dir/bin:$PATH lockflight vars set A --env staging
  [ -s env ]
  run grep -c -e LOCKFLIGHT_KEY= -e lfsk1_ env
  assert_output 0
}
