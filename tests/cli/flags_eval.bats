#!/usr/bin/env bats
# `lockflight flags eval`: questions on the command line and as a stream, from a document in a file.

load ../lib/lockflight

setup() {
  doc=$BATS_TEST_TMPDIR/flags.json
  cat >"$doc" <<'JSON'
{"flags":{
  "crm":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off",
         "targeting":{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]},"metadata":{"owner":"sales"}},
  "old":{"state":"DISABLED","variants":{"on":true}},
  "bad":{"state":"ENABLED","variants":{"on":true},"targeting":{"soem":[1]}}},
 "metadata":{"version":"7"}}
JSON
  snapshot=$BATS_TEST_TMPDIR/snapshot.json
  jq '{v:7,next:null,document:(.metadata.owner = "sales"),flags:{crm:{exposure:"client"},old:{exposure:"server"}},attributes:{plan:{type:"string",trusted:true}}}' \
    "$doc" >"$snapshot"
}

stream() { run --separate-stderr bash -c "printf '%s\n' \"\$@\" | '$LOCKFLIGHT' flags eval ${from-}" _ "$@"; }

@test "one flag, for people and as JSON" {
  run lockflight flags eval --file "$doc" --key crm --context '{"plan":"pro"}'
  assert_success
  assert_output $'crm\ttrue\ton\tTARGETING_MATCH'
  run lockflight flags eval --file "$doc" --key crm --context '{}' --json
  assert_output '{"key":"crm","reason":"TARGETING_MATCH","value":false,"variant":"off","metadata":{"owner":"sales","version":"7"}}'
}

@test "without a key all flags are answered, in the order of their keys" {
  run lockflight flags eval --file "$doc" --context '{"plan":"pro"}'
  assert_success
  assert_line --index 0 --regexp $'^bad\t-\t-\tPARSE_ERROR: .*soem'
  assert_line --index 1 $'crm\ttrue\ton\tTARGETING_MATCH'
  assert_line --index 2 $'old\t-\t-\tDISABLED'
}

@test "--explain tells the steps before the answer" {
  run lockflight flags eval --file "$doc" --key crm --context '{"plan":"pro"}' --explain
  assert_success
  assert_output --partial '"pro"'
  assert_output --partial '=='
  [[ ${lines[-1]} == $'crm\ttrue\ton\tTARGETING_MATCH' ]]
  from="--file $doc --explain" stream '{"key":"crm","context":{"plan":"pro"}}'
  jq -e '.explain | length > 1' <<<"$output"
}

@test "a stream answers each line with a line, and goes on after a bad one" {
  from="--file $doc" stream '{"key":"crm","context":{"plan":"pro"}}' 'no json' '[]' '{"ctx":{}}' '{"key":7}' '{"context":[]}' \
    '{"key":"nobody"}' '{"doc":{"flags":{"x":{"state":"ENABLED","variants":{"a":1},"defaultVariant":"a"}}},"key":"x"}' '{"key":"x"}' \
    '{"doc":{"flags":{"x":{"state":"MAYBE","variants":{"a":1}}}}}' '{"key":"x"}'
  assert_success
  [[ ${#lines[@]} == 11 ]]
  assert_line --index 0 '{"key":"crm","reason":"TARGETING_MATCH","value":true,"variant":"on","metadata":{"owner":"sales","version":"7"}}'
  for i in 1 2 3 4 9; do assert_line --index $i --regexp '^\{"errorCode":"PARSE_ERROR","errorDetails":"'; done
  assert_line --index 3 --partial 'no \"ctx\"'
  assert_line --index 5 --regexp '"errorCode":"INVALID_CONTEXT"'
  assert_line --index 6 --regexp '^\{"key":"nobody","errorCode":"FLAG_NOT_FOUND"'
  assert_line --index 7 '{"key":"x","reason":"STATIC","value":1,"variant":"a"}'
  assert_line --index 8 '{"key":"x","reason":"STATIC","value":1,"variant":"a"}'
  assert_line --index 10 --partial 'there is no document' # a bad document leaves none behind
  [[ $stderr == "7 lines could not be answered." ]]
}

@test "a line has a limit, and the one after it is read" {
  run --separate-stderr bash -c "{ printf '{\"key\":\"'; head -c 2000000 /dev/zero | tr '\0' a; printf '\"}\n{\"key\":\"old\"}\n'; } |
    '$LOCKFLIGHT' flags eval --file '$doc'"
  assert_line --index 0 --partial 'the line is longer than'
  assert_line --index 1 '{"key":"old","reason":"DISABLED","metadata":{"version":"7"}}'
}

@test "a caller of each kind sees what the server would show them" {
  run lockflight flags eval --file "$snapshot" --kind server --context '{"plan":"pro","city":"Porto"}' --json
  assert_output --partial '"key":"old"'
  assert_output --partial '"variant":"on"'
  run lockflight flags eval --file "$snapshot" --kind anonymous --context '{"plan":"pro"}' --json
  assert_output '{"flags":[{"key":"crm","reason":"TARGETING_MATCH","value":false,"variant":"off"}],"metadata":{"version":"7"}}'
  run lockflight flags eval --file "$snapshot" --kind anonymous --key old --context '{}' --json
  assert_output '{"key":"old","errorCode":"FLAG_NOT_FOUND"}'
  run lockflight flags eval --file "$snapshot" --kind user --claims '{"sub":"u1","app_metadata":{"plan":"pro"}}' --context '{}' --key crm --json
  assert_output --partial '"value":true'
  run lockflight flags eval --file "$snapshot" --kind user --context '{}'
  assert_failure
  assert_output --partial 'claims'
}

@test "what it cannot evaluate it says, with what to type" {
  cd "$BATS_TEST_TMPDIR"
  run lockflight flags eval --file nowhere.json --context '{}'
  assert_failure
  assert_output --partial nowhere.json
  run lockflight flags eval --file "$doc" --env staging --context '{}'
  assert_failure 2
  run lockflight flags eval --file "$doc" --context '{"a":'
  assert_failure
  assert_output --partial '--context'
  run lockflight flags eval --file "$doc" --kind somebody --context '{}'
  assert_failure 2
  stream '{"key":"crm"}'
  assert_output --partial 'there is no document yet'
}
