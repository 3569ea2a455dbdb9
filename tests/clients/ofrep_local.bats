# Flags on the local platform: /ofrep on the port of each environment, from the same code as `lockflight serve`.
load ../flow/mini
load ../lib/clients
load ../lib/ofrep

setup_file() {
  mini_copy
  printf '/switches/*  /ofrep/v1/:splat  200\n' >"$mini/site/_redirects"
  mini_commit 'With a short address for flags'
  platform_up "$mini"
}
teardown_file() { serves_down; platform_down; }
setup() { mini_enter; }

asked() { # ENVIRONMENT [PATH [TOKEN [BODY]]]
  curl -sS --max-time 20 -X POST "$(environment "$1" url)${2:-/ofrep/v1/evaluate/flags}" ${3:+-H "Authorization: Bearer $3"} -d "${4-}"
}
until_asked() { # ENVIRONMENT JQ
  local i
  for ((i = 0; i < 200; i++)); do asked "$1" | jq -e "$2" >/dev/null 2>&1 && return 0; sleep 0.05; done
  asked "$1" >&2
  return 1
}
shown() { asked "$1" '' "${2-}" | jq -c '[.flags[] | [.key, .value]]'; }
# The functions of the environment's own database.
there() { psql -XAtq -v ON_ERROR_STOP=1 "$(environment "$1" database)" -c "$2"; }

@test "before the first deploy there are no flags, and that is an answer" {
  run asked staging
  assert_output '{"flags":[],"metadata":{"version":"0"},"eventStreams":[{"type":"sse","endpoint":{"requestUri":"/ofrep/v1/stream"}}]}'
}

@test "a project made over the API has no flags either" {
  ref=$(supabase_api /projects -X POST -H 'Content-Type: application/json' \
    -d '{"name":"made","organization_slug":"mini","region":"eu-central-1","db_pass":"password-1"}' | jq -r .ref)
  for ((i = 0; i < 200; i++)); do [[ $(supabase_api "/projects/$ref" | jq -r .status) == ACTIVE_HEALTHY ]] && break; sleep 0.1; done
  run shown "$ref"
  assert_output '[]'
}

@test "after a deploy flags are served to whom they are exposed, and each environment has its own" {
  run lockflight deploy staging --yes
  assert_success
  there staging "select lockflight.flag_define('[{\"key\":\"crm\",\"exposure\":\"client\",\"initial\":\"on\"},{\"key\":\"inner\",\"initial\":\"on\"}]', 'test', null)" >/dev/null
  until_asked staging '.flags == [{"key":"crm","reason":"STATIC","value":true,"variant":"on"}]'
  [ "$(shown staging "$(environment staging anon_key)")" = '[["crm",true]]' ]
  [ "$(shown staging "$(environment staging service_role_key)")" = '[["crm",true],["inner",true]]' ]
  [ "$(asked staging /ofrep/v1/evaluate/flags "$(environment production service_role_key)" | jq -r .errorDetails)" = 'the token is not valid' ]
  [ "$(shown production)" = '[]' ]
}

@test "a flag switched from the command line is served, by the platform and by serve alike" {
  printf '%s\n' lf-the-token-of-a-server-0123 >"$scratch/tokens"; chmod 600 "$scratch/tokens"
  "$LOCKFLIGHT" serve --env staging --listen 127.0.0.1:0 --json >"$scratch/serve.out" 2>"$scratch/serve.err" 3>&- &
  echo $! >"$scratch/serve.pid"
  for ((i = 0; i < 200; i++)); do [[ -s $scratch/serve.out ]] && break; sleep 0.05; done
  echo "http://127.0.0.1:$(jq -r .port "$scratch/serve.out")" >"$scratch/serve.url"
  lockflight flags off crm --env staging --reason 'a test' --yes
  until_asked staging '.flags[0].value == false'
  until_served serve '.flags[0].value == false'
  [ "$(asked staging)" = "$(bulk serve)" ]
  [ "$(asked staging '' "$(environment staging service_role_key)")" = "$(bulk serve '' -H "Authorization: Bearer $(environment staging service_role_key)")" ]
  serve_down serve
}

@test "a redirect rule of the site passes on to the flags" {
  [ "$(asked staging /switches/evaluate/flags)" = "$(asked staging)" ]
  run asked staging /switches/evaluate/flags/nothing
  assert_output '{"key":"nothing","errorCode":"FLAG_NOT_FOUND"}'
}

@test "an environment that was reset has no flags, and comes to have some again" {
  lockflight local reset staging --yes
  until_asked staging '.flags == [] and .metadata == {"version":"0"}'
}

@test "the platform stops at once although a stream is open" {
  curl -sSN --max-time 60 "$(environment production url)/ofrep/v1/stream" >"$scratch/streamed" &
  local stream=$!
  for ((i = 0; i < 200; i++)); do grep -q refetchEvaluation "$scratch/streamed" && break; sleep 0.05; done
  lockflight local down
  wait "$stream"
}
