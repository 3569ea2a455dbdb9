# The flag server asked by the real OpenFeature clients: every answer that OFREP knows, and what they make of it.
load ../lib/lockflight
load ../lib/clients
load ../lib/ofrep

setup_file() {
  cluster_up
  export LOCKFLIGHT_CLOCK_AHEAD=$scratch/ahead
  serve_up one
  serve_up two
}
teardown_file() { serves_down; cluster_down; [[ $scratch == /tmp/lft.* ]] && rm -rf "$scratch"; }

web()    { run scenario ofrep_web.mjs "$1" "${2:-one}"; assert_success; }
server() { run scenario ofrep_server.mjs "$1" "${2:-one}"; assert_success; }

@test "a browser gets every type of value in one request, and what it may not see is not found" { web bulk; }
@test "an unchanged answer is 304, without a body" { web etag; }
@test "another attribute of the same person is another answer, not 304" { web context; }
@test "a browser is believed what its token says, and nothing else" { web trust; }
@test "a change reaches an open page by its stream, a kill too, and what it cannot see costs it a 304" { web stream; }
@test "a stream that was cut goes on, and what happened in between is not missed" { web drop; }
@test "a stream of an unknown kind is passed over" { web unknown_stream; }
@test "a token that is not valid stops the browser's client for good" { web refused; }
@test "a context that is too large is 413, and the client goes on with a smaller one" { web too_large; }
@test "a context that cannot be used is 400" { web bad_context; }
@test "an answer that is 500 or no JSON leaves the code's own default" { web broken; }
@test "a server gets single flags with metadata, and is believed its context" { server single; }
@test "a server gets its own default with every failure" { server failures; }

@test "who asks too often is sent away for whole seconds, and then let in again" {
  flags_define '[{"key":"o.crm","exposure":"client","initial":"on"},{"key":"o.inner","initial":"on"}]'
  serve_up slow --rate-limit 20
  web too_often slow
  serve_down slow
  serve_up slow --rate-limit 20
  server too_often slow
  serve_down slow
}

@test "two servers of one database say the same bytes" {
  flags_define '[{"key":"w.crm","exposure":"client","initial":"off"}]'
  local i
  for i in on off on; do
    flag_set w.crm "{\"default_variant\":\"$i\"}"
    until_served one ".flags[] | select(.key == \"w.crm\") | .variant == \"$i\""
    until_served two ".flags[] | select(.key == \"w.crm\") | .variant == \"$i\""
    assert_equal "$(bulk one)" "$(bulk two)"
  done
}

@test "with the database stopped for a day, answers go on and are marked" { web a_day; }

@test "asked to end, the server lets its streams go and ends well" {
  curl -sSN --max-time 20 "$(serve_url two)/ofrep/v1/stream" >"$scratch/streamed" &
  local stream=$! i
  for ((i = 0; i < 100; i++)); do grep -q refetchEvaluation "$scratch/streamed" && break; sleep 0.05; done
  serve_down two
  wait "$stream" # 0: the stream was ended, not cut
  run cat "$scratch/two.err"
  assert_output ''
}
