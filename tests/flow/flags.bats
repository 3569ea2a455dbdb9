#!/usr/bin/env bats
# `lockflight flags` on a platform of its own: what is switched, by whom, what two people at once do to each other, and the way
# back. The definitions are put there as a release would.

load mini

setup_file() {
  mini_up
  cd "$mini" || return 1
  for env in staging production; do
    lockflight lock $env --reason 'makes the schema' && lockflight unlock $env
  done
}
teardown_file() { platform_down; }

# Every test has a flag of its own, $flag, in both environments; and "crm".
setup() {
  mini_enter
  export flag=f$BATS_TEST_NUMBER
  for env in staging production; do
    define $env "{\"key\":\"$flag\",\"exposure\":\"client\",\"owner\":\"tests\"}" '{"key":"crm"}'
  done
}

define() {
  local env=$1 IFS=,
  shift
  sql "$env" "select lockflight.flag_define('[$*]'::jsonb, 'release', null)" >/dev/null
}

state()   { lockflight flags show "$1" --env "${2-staging}" --json | jq -c "${3-.state}"; }
told()    { lockflight flags show "$1" --env "${2-staging}" --json | jq -r .text; }
entries() { lockflight flags history "$1" --env "${2-staging}" --json | jq -r "$3"; }

@test "off keeps what was rolled out, and on brings exactly that back" {
  run lockflight flags ramp $flag 25 --env staging
  assert_success
  assert_output "$flag in staging: off for everyone → on for 25 %
  25 % of users move: off → on"
  run lockflight flags off $flag --env staging --reason 'invoices go out twice'
  assert_success
  assert_equal "$(told $flag)" 'off for everyone, held off; kept: on for 25 %'
  assert_equal "$(sql staging "select lockflight.is_on('$flag', u::text) from generate_series(1, 200) u" | sort -u)" f
  run lockflight status staging
  has_line "^Flag +staging: $flag is off, held off by tester .*: invoices go out twice"
  assert_equal "$(lockflight status staging --json | jq ".environments[0].flags_held_off | index(\"$flag\") != null")" true
  run lockflight flags on $flag --env staging
  assert_success
  assert_equal "$(told $flag)" 'on for 25 %'
  run lockflight flags on $flag --env staging --everyone
  assert_success
  assert_equal "$(state $flag)" '{"enabled":true,"killed":false,"default_variant":"on","targeting":null,"bucketing":2}'
}

@test "the share that is said to move is the share that moves" {
  lockflight flags ramp $flag 10 --env staging
  before=$(sql staging "select u from generate_series(1, 4000) u where lockflight.is_on('$flag', u::text)")
  run lockflight flags ramp $flag 35 --env staging --json
  assert_success
  assert_equal "$(jq -c '.moves | [.kind, .buckets, .lost]' <<<"$output")" '["exact",1073741824,0]'
  after=$(sql staging "select u from generate_series(1, 4000) u where lockflight.is_on('$flag', u::text)")
  assert_equal "$(comm -23 <(sort <<<"$before") <(sort <<<"$after") | wc -l)" 0 # nobody was put out
  moved=$(comm -13 <(sort <<<"$before") <(sort <<<"$after") | wc -l)
  ((moved > 850 && moved < 1150))
}

@test "whoever loses something is asked for, and nobody's silence is a yes" {
  lockflight flags on $flag --env staging
  run lockflight flags ramp $flag 40 --env staging --no-input
  assert_failure 2
  has_line '60 % of users move: on → off'
  has_line 'add --yes'
  assert_equal "$(told $flag)" 'on for everyone'
  run bash -c "printf 'no\n' | script -qec 'env -u CI $LOCKFLIGHT flags ramp $flag 40 --env staging' /dev/null"
  assert_failure 5
  assert_equal "$(told $flag)" 'on for everyone'
  run bash -c "printf 'staging\n' | script -qec 'env -u CI $LOCKFLIGHT flags ramp $flag 40 --env staging' /dev/null"
  assert_success
  assert_equal "$(told $flag)" 'on for 40 %'
}

@test "only on, and whoever says yes, lifts the brake" {
  lockflight flags off $flag --env staging --actor ana --reason 'invoices go out twice'
  run lockflight flags ramp $flag 40 --env staging --no-input
  assert_failure 2
  has_line 'is switched off \(ana, .*: invoices go out twice'
  run lockflight flags promote production staging $flag --no-input
  assert_failure 2
  run lockflight flags on $flag --env staging --no-input
  assert_success
  lockflight flags off $flag --env staging
  run lockflight flags ramp $flag 40 --env staging --yes
  assert_success
  assert_equal "$(told $flag)" 'on for 40 %'
}

@test "in a protected environment a change needs a reason and a yes; the brake needs the reason alone" {
  run lockflight flags on $flag --env production --yes
  assert_failure 2
  has_line 'needs a reason'
  run lockflight flags on $flag --env production --reason launch --no-input
  assert_failure 2
  has_line 'add --yes'
  assert_equal "$(entries $flag production '[.entries[].action] | join(" ")')" create
  lockflight flags on $flag --env production --reason launch --yes
  run lockflight flags off $flag --env production --no-input
  assert_failure 2
  run lockflight flags off $flag --env production --no-input --reason 'twice'
  assert_success
  assert_equal "$(told $flag production)" 'off for everyone, held off; kept: on for everyone'
}

@test "the history knows who, how and why, and cannot be changed" {
  lockflight flags on $flag --env staging --actor ana@laptop --reason 'first try'
  LOCKFLIGHT_ACTOR= GITHUB_ACTOR=octocat lockflight flags off $flag --env staging --reason 'from the pipeline'
  assert_equal "$(entries $flag staging '.entries[] | [.action, .by, .via, .reason // "-"] | join("|")')" 'kill|octocat|cli|from the pipeline
set|ana@laptop|cli|first try
create|release|deploy|-'
  run lockflight flags history $flag --env staging
  has_line 'off for everyone → on for everyone'
  for change in "update lockflight.flag_audit set actor = 'nobody'" 'delete from lockflight.flag_audit' 'truncate lockflight.flag_audit'; do
    run sql staging "$change"
    assert_failure
    has_line 'append-only'
  done
}

@test "what somebody wrote by another way gives no orders to the terminal" {
  sql staging "select lockflight.flag_set_state('$flag', '{\"killed\":true}', null, E'eve\\033[31m', 'api', E'a\\nb')" >/dev/null
  for verb in "history $flag" "show $flag" list; do
    run lockflight flags $verb --env staging
    assert_success
    refute_output --partial $'\033'
    has_line 'eve\?\[31m'
  done
  assert_equal "$(entries $flag staging '.entries[0].reason')" $'a\nb'
}

@test "flags that have done their work are listed with the reason, for a pipeline too" {
  define staging "{\"key\":\"$flag\",\"expires\":\"2020-01-01\"}"
  run lockflight flags stale --env staging --fail
  assert_failure 3
  has_line "$flag.*expired on 2020-01-01"
  define staging "{\"key\":\"$flag\"}"
  sql staging "update lockflight.flag_state set updated_at = now() - interval '31 days' where flag_key = '$flag'"
  run lockflight flags stale --env staging --json
  assert_success
  assert_equal "$(jq -r ".flags[] | select(.flag == \"$flag\") | .why" <<<"$output" | cut -d' ' -f1-4)" 'the same for everyone'
  define staging "{\"key\":\"$flag\",\"kind\":\"ops\"}"
  run lockflight flags stale --env staging --json
  assert_equal "$(jq "[.flags[] | select(.flag == \"$flag\")] | length" <<<"$output")" 0
}

@test "two people at once: one is told who was first, and nothing is lost" {
  version=$(state $flag staging .version)
  lockflight flags ramp $flag 30 --env staging --expect "$version" --actor ana --reason 'ana was here' >"$BATS_TEST_TMPDIR/a" 2>&1 &
  a=$!
  lockflight flags ramp $flag 60 --env staging --expect "$version" --actor rui --reason 'rui was here' >"$BATS_TEST_TMPDIR/b" 2>&1 &
  b=$!
  ra=0 rb=0
  wait $a || ra=$?
  wait $b || rb=$?
  assert_equal "$(printf '%s\n' $ra $rb | sort | xargs)" '0 1'
  if ((ra == 0)); then winner=ana loser=b; else winner=rui loser=a; fi
  grep -q "by $winner" "$BATS_TEST_TMPDIR/$loser"
  grep -q "$winner was here" "$BATS_TEST_TMPDIR/$loser"
  grep -q 'nothing was changed here' "$BATS_TEST_TMPDIR/$loser"
  assert_equal "$(entries $flag staging '.entries | map(select(.action == "set")) | [length, .[0].by] | join(" ")')" "1 $winner"
}

until_one() {
  for _ in {1..600}; do
    [[ $(sql staging "$1") != 1 ]] || return 0
    sleep 0.05
  done
  return 1
}
# hold SQL: somebody who is in the middle of a transaction, until they finish.
hold() {
  mkfifo "$BATS_TEST_TMPDIR/somebody"
  psql -qAtX "$(environment staging database)" <"$BATS_TEST_TMPDIR/somebody" >/dev/null 3>&- &
  somebody=$!
  exec 7>"$BATS_TEST_TMPDIR/somebody"
  echo "begin; $1 /* $flag */;" >&7
  until_one "select count(*) from pg_stat_activity where state = 'idle in transaction' and query like '%$flag%'"
}
finish() {
  echo 'commit;' >&7
  exec 7>&-
  wait $somebody
  rm "$BATS_TEST_TMPDIR/somebody"
}
# The command in the background is where it waits for them: it has read the flag, and is about to write it.
until_it_waits() {
  until_one "select count($1) from pg_stat_activity where application_name = 'lockflight flags' and wait_event_type = 'Lock'"
}
rui_was_faster="select lockflight.flag_set_state('%s', '{\"default_variant\":\"on\"}', null, 'rui', 'cli', 'rui was faster')"

@test "the brake brakes whoever is faster" {
  hold "$(printf "$rui_was_faster" $flag)"
  lockflight flags off $flag --env staging --reason 'stop' --no-input --wait 1m 3>&- &
  until_it_waits '*'
  finish
  wait $!
  assert_equal "$(told $flag)" 'off for everyone, held off; kept: on for everyone'
  assert_equal "$(entries $flag staging '[.entries[0, 1].action] | join(" ")')" 'kill set'
}

@test "the brake works while the files of the project are broken" {
  cp -r "$mini" "$BATS_TEST_TMPDIR/broken"
  cd "$BATS_TEST_TMPDIR/broken"
  echo '[flag.' >lockflight.flags.toml
  echo 'x = ' >>netlify.toml
  echo 'y = ' >>supabase/config.toml
  mkdir -p secrets && echo rubbish >secrets/staging.lf
  run lockflight status staging
  assert_failure 2
  run lockflight flags off $flag --env staging
  assert_success
  assert_equal "$(told $flag)" 'off for everyone, held off'
}

@test "any other change by one who was late is refused, and says what it is now" {
  hold "$(printf "$rui_was_faster" $flag)"
  lockflight flags ramp $flag 10 --env staging --yes --wait 1m >"$BATS_TEST_TMPDIR/late" 2>&1 3>&- &
  late=$!
  until_it_waits '*'
  finish
  status=0
  wait $late || status=$?
  output=$(<"$BATS_TEST_TMPDIR/late")
  assert_failure 1
  has_line 'LF-N002'
  has_line 'is now on for everyone \(version 2, by rui.*rui was faster'
  assert_equal "$(told $flag)" 'on for everyone'
}

@test "somebody who does not finish is named, and what to do about it" {
  hold "$(printf "$rui_was_faster" $flag)"
  run lockflight flags off $flag --env staging --wait 200ms --reason stop
  finish
  assert_failure 5
  has_line 'has been open for .*: session [0-9]+ \(psql\)'
  has_line 'select pg_terminate_backend'
  assert_equal "$(told $flag)" 'on for everyone'
}

@test "an answer that was lost is looked for, and the change is made once" {
  for verb in "ramp $flag 25 --yes" "off $flag"; do
    before=$(state $flag staging .version)
    hold 'select from lockflight.flag_set for update'
    lockflight flags $verb --env staging --json --wait 1m >"$BATS_TEST_TMPDIR/out" 3>&- &
    cli=$!
    until_it_waits 'pg_terminate_backend(pid)'
    finish
    wait $cli
    assert_equal "$(state $flag staging .version)" $((before + 1))
    assert_equal "$(jq .version "$BATS_TEST_TMPDIR/out")" $((before + 1))
  done
  assert_equal "$(told $flag)" 'off for everyone, held off; kept: on for 25 %'
  assert_equal "$(entries $flag staging '[.entries[].action] | join(" ")')" 'kill set create'
}

@test "of many writers without a word about versions, each is in the history or was refused" {
  for i in 1 2 3 4 5 6; do
    lockflight flags ramp $flag $((i * 10)) --env staging --yes --actor "op$i" --reason "try $i" >"$BATS_TEST_TMPDIR/$i" 2>&1 &
    pids[i]=$!
  done
  lockflight flags off $flag --env staging --reason brake --no-input # it never loses
  ok=0
  for i in 1 2 3 4 5 6; do
    if wait ${pids[i]}; then ((++ok)); else grep -q 'LF-N002' "$BATS_TEST_TMPDIR/$i"; fi
  done
  assert_equal "$(entries $flag staging '.entries | map(select(.by | startswith("op"))) | length')" $ok
  # each entry begins where the one before it ended
  assert_equal "$(entries $flag staging '.entries | map(select(.old.enabled != null)) | [range(0; length - 1) as $i | .[$i].old == .[$i + 1].new] | all')" true
}

@test "taking back writes the old state again, as an entry of its own" {
  lockflight flags ramp $flag 20 --env staging
  lockflight flags ramp $flag 80 --env staging
  entry=$(entries $flag staging '.entries[0].entry')
  run lockflight flags revert "$entry" --env staging --yes
  assert_success
  has_line 'as before entry'
  assert_equal "$(told $flag)" 'on for 20 %'
  assert_equal "$(entries $flag staging '.entries[0].reason')" "takes back entry $entry"
  run lockflight flags revert "$entry" --env staging
  assert_success
  has_line 'already'
  run lockflight flags revert 999999 --env staging
  assert_failure 1
}

@test "a schedule falls due by itself, is in what everyone reads, and names who made it" {
  run lockflight flags schedule $flag --at +2s --on --env staging --actor eva --reason 'launch'
  assert_success
  lockflight flags schedule $flag --at +1h --off --env staging
  assert_equal "$(lockflight flags schedule list $flag --env staging --json | jq '.schedules | length')" 2
  for _ in {1..100}; do
    [[ $(told $flag) == 'off for everyone' ]] || break
    sleep 0.2
  done
  assert_equal "$(told $flag)" 'on for everyone'
  assert_equal "$(sql staging "select lockflight.is_on('$flag', 'anybody')")" t
  assert_equal "$(lockflight flags export --env staging | jq -r ".flags[\"$flag\"].defaultVariant")" on
  # the next write puts it into the rows; its author is the schedule, its reason names the person's
  lockflight flags on crm --env staging
  assert_equal "$(entries $flag staging '.entries[] | select(.via == "schedule") | .reason')" launch
}

@test "a schedule that somebody overtook by hand does not run, and can be cancelled" {
  lockflight flags schedule $flag --at +1h --ramp 50 --env staging
  lockflight flags ramp $flag 10 --env staging
  run lockflight flags schedule list $flag --env staging
  has_line 'suspended'
  lockflight flags schedule $flag --at +2h --on --env staging
  id=$(lockflight flags schedule list $flag --env staging --json | jq '[.schedules[] | select(.state == "waiting")][0].schedule')
  run lockflight flags schedule cancel "$id" --env staging
  assert_success
  assert_equal "$(lockflight flags schedule list $flag --env staging --json | jq '[.schedules[] | select(.state == "waiting")] | length')" 0
  run lockflight flags schedule $flag --at 2020-01-01T00:00Z --on --env staging
  assert_failure 2
  has_line 'in the past'
}

@test "two environments are compared, and a state goes over with the version that was there" {
  lockflight flags ramp $flag 15 --env staging
  run lockflight flags diff staging production --json
  assert_equal "$(jq -c ".flags[] | select(.flag == \"$flag\") | [.from.text, .to.text]" <<<"$output")" '["on for 15 %","off for everyone"]'
  run lockflight flags promote staging production $flag --reason 'a week in staging' --yes
  assert_success
  assert_equal "$(state $flag production)" "$(state $flag staging)"
  run lockflight flags diff staging production --json
  assert_equal "$(jq -c "[.flags[] | select(.flag == \"$flag\")]" <<<"$output")" '[]'
}

@test "what is exported comes back the same, with its segments, all or nothing" {
  rule='{"if":[{"$ref":"staff"},"on",{"fractional":[["on",10],["off",90]]}]}'
  printf '{"flags":{"%s":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","targeting":%s}},
    "$evaluators":{"staff":{"in":[{"var":"targetingKey"},["ana","rui"]]}}}' "$flag" "$rule" >in.json
  run lockflight flags import in.json --env staging --no-input
  assert_failure 2
  assert_equal "$(told $flag)" 'off for everyone'
  run lockflight flags import in.json --env staging --yes --reason 'the team'
  assert_success
  assert_equal "$(told $flag)" 'on if staff, else on for 10 %'
  lockflight flags export --env staging --output all.json
  lockflight flags set $flag --env staging --no-rule --yes
  lockflight flags on crm --env staging --everyone --yes
  run lockflight flags import all.json --env staging --yes
  assert_success
  lockflight flags export --env staging --output again.json
  assert_equal "$(jq -S 'del(.metadata)' again.json)" "$(jq -S 'del(.metadata)' all.json)"
  run lockflight flags import all.json --env staging
  has_line 'Nothing to change'
  jq ".flags[\"$flag\"].targeting = {\"in\":[1,2,3]} | .flags.crm.defaultVariant = \"on\" | .flags.nobody = .flags.crm" all.json >bad.json
  before=$(lockflight flags export --env staging)
  run lockflight flags import bad.json --env staging --dry-run
  assert_failure 1
  has_line "flag $flag"
  run lockflight flags import bad.json --env staging --yes
  assert_failure 1
  assert_equal "$(lockflight flags export --env staging)" "$before"
}

@test "segments are the environment's own, and are asked for while a rule uses them" {
  run lockflight flags segment crew$BATS_TEST_NUMBER --env staging --rule '{"in":[{"var":"targetingKey"},["ana"]]}' --no-input
  assert_success
  lockflight flags set $flag --env staging --rule "{\"if\":[{\"\$ref\":\"crew$BATS_TEST_NUMBER\"},\"on\",\"off\"]}" --yes
  assert_equal "$(sql staging "select lockflight.is_on('$flag', 'ana'), lockflight.is_on('$flag', 'rui')")" 't|f'
  run lockflight flags segment crew$BATS_TEST_NUMBER --env staging --rule '{"in":[{"var":"targetingKey"},["rui"]]}' --no-input
  assert_failure 2
  has_line "used by $flag"
  run lockflight flags segment crew$BATS_TEST_NUMBER --env staging --remove --yes
  assert_failure 5
  lockflight flags segment crew$BATS_TEST_NUMBER --env staging --rule '{"in":[{"var":"targetingKey"},["rui"]]}' --yes --reason 'rui instead'
  assert_equal "$(sql staging "select lockflight.is_on('$flag', 'ana'), lockflight.is_on('$flag', 'rui')")" 'f|t'
  run lockflight flags segment --env staging --json
  assert_equal "$(jq -c ".segments[] | select(.segment == \"crew$BATS_TEST_NUMBER\") | [.version, .used_by]" <<<"$output")" "[2,\"$flag\"]"
  run lockflight flags segment crew$BATS_TEST_NUMBER --env staging --rule '{"==":[{"var":"n"},0]}' --yes
  assert_failure 1
}

@test "what is exported of a flag that requires another comes back as its own rule" {
  define staging "{\"key\":\"other-$flag\"}" "{\"key\":\"$flag\",\"requires\":[{\"flag\":\"other-$flag\",\"variant\":\"on\"}]}"
  lockflight flags ramp $flag 30 --env staging
  before=$(state $flag)
  lockflight flags export --env staging --output all.json
  lockflight flags export --env staging --for lockflight --output ours.json
  assert_equal "$(lockflight flags eval --key $flag --file ours.json --context '{"targetingKey":"u"}' --json | jq -r .variant)" off
  lockflight flags on $flag --env staging --everyone
  run lockflight flags import all.json --env staging --yes # the other one was off: nobody can tell from it
  assert_success
  has_line "left out.*: .*$flag"
  assert_equal "$(told $flag)" 'on for everyone'
  lockflight flags import ours.json --env staging --yes
  assert_equal "$(state $flag)" "$before"
  lockflight flags ramp other-$flag 50 --env staging --yes
  lockflight flags export --env staging --output all.json
  lockflight flags on $flag --env staging --everyone
  run lockflight flags import all.json --env staging --yes
  assert_success
  assert_equal "$(state $flag)" "$before"
}

@test "check looks at the policies and rules of a live environment" {
  define staging "{\"key\":\"$flag\",\"exposure\":\"db\"}"
  run lockflight flags check --env staging --json
  assert_equal "$(jq "[.findings[] | select(.flag == \"$flag\")] | length" <<<"$output")" 0
  lockflight flags set $flag --env staging --rule '{"if":[{"in":[{"var":"targetingKey"},["ana"]]},"on",{"fractional":[["on",5],["off",95]]}]}' --yes
  sql staging "create table public.t_$flag (id int); create policy p on public.t_$flag using (lockflight.is_on('$flag', 'u'));
    create policy q on public.t_$flag using ((select lockflight.is_on('$flag', 'u')))"
  run lockflight flags check --env staging --json
  assert_failure 5
  assert_equal "$(jq -c "[.findings[] | select(.flag == \"$flag\") | .rule]" <<<"$output")" '["asked-for-every-row"]'
  lockflight flags set $flag --env staging --rule '{"if":[{"starts_with":[{"var":"targetingKey"},"a"]},"on","off"]}' --yes
  run lockflight flags check --env staging --json
  assert_equal "$(jq -c "[.findings[] | select(.flag == \"$flag\") | .rule]" <<<"$output")" '["asked-for-every-row","not-for-sql"]'
  sql staging "drop table public.t_$flag"
}

@test "a rule that engines read differently is refused with its place, and kept only on demand, on record" {
  bad='{"==":[{"var":"n"},0]}'
  run lockflight flags set $flag --env staging --rule "$bad" --yes
  assert_failure 1
  has_line "flag $flag"
  assert_equal "$(told $flag)" 'off for everyone'
  run lockflight flags set $flag --env staging --rule '{"nonsense":[1]}' --unportable --yes
  assert_failure 1
  run lockflight flags set $flag --env staging --rule '{"if":[{"==":[{"var":"n"},0]},"on","off"]}' --unportable --yes --reason 'for the old app'
  assert_success
  assert_equal "$(entries $flag staging '.entries[0].reason')" 'for the old app (stored with --unportable)'
}

@test "one that requires another says so while that is off" {
  define staging "{\"key\":\"needed-$flag\"}" "{\"key\":\"$flag\",\"requires\":[{\"flag\":\"needed-$flag\",\"variant\":\"on\"}]}"
  run lockflight flags on $flag --env staging
  assert_success
  has_line "requires needed-$flag, which is off"
}

@test "content that is not live holds a flag off, and the error says what is missing" {
  define staging "{\"key\":\"$flag\",\"needs\":{\"migrations\":[\"20990101000000\"]}}"
  run lockflight flags on $flag --env staging
  assert_failure 5
  has_line '20990101000000'
  assert_equal "$(told $flag)" 'off for everyone'
}

@test "a flag is archived after a yes, and then is not served and not found" {
  run lockflight flags archive $flag --env staging --no-input
  assert_failure 2
  run lockflight flags archive $flag --env staging --yes
  assert_success
  assert_equal "$(lockflight flags export --env staging | jq ".flags | has(\"$flag\")")" false
  run lockflight flags on $flag --env staging
  assert_failure 1
  has_line 'archived'
}

@test "an unknown flag gets the nearest name" {
  run lockflight flags off crmm --env staging
  assert_failure 1
  has_line 'crm'
  for verb in 'history crmm' 'schedule list crmm' 'show crmm' 'set crmm --no-rule' 'archive crmm --yes' 'promote production staging crmm'; do
    run lockflight flags $verb $([[ $verb == promote* ]] || echo --env staging)
    assert_failure 1
    has_line 'did you mean crm'
  done
  run lockflight flags off crmm --env staging --json
  assert_equal "$(tail -n1 <<<"$output" | jq -r .error.id)" LF-N001
}
