#!/usr/bin/env bats
# Every request that our Netlify client makes, and every answer that the local platform gives it, judged by Prism and
# Netlify's own OpenAPI document: as a made-up service (`prism mock`) and in between (`prism proxy --errors`).
#
# Exceptions: none. (What netlify-cli itself does that the document does not say stands in prism_known.tsv.)

load ../lib/lockflight
load ../lib/clients

setup_file() {
  scratch_make
  export app=$scratch/app calls=$repo/build-check/tests/clients/calls
  mkdir -p "$app"
  printf 'version = 1\nproject = "prism"\n[local]\nport = %d\n' $((20000 + RANDOM % 20000)) >"$app/lockflight.toml"
  platform_up "$app"
  document=$clients/node_modules/@netlify/open-api/dist/swagger.json
  mock_port=$((40000 + RANDOM % 9000)) proxy_port=$((50000 + RANDOM % 9000))
  prism_start mock "$mock_port" mock -p "$mock_port" "$document"
  prism_start proxy "$proxy_port" proxy --errors -p "$proxy_port" "$document" "$api/api/v1"
  export mock=http://127.0.0.1:$mock_port proxy=http://127.0.0.1:$proxy_port
}

teardown_file() {
  local f
  for f in "$scratch"/prism-*.pid; do [[ -s $f ]] && kill "$(<"$f")" 2>/dev/null; done
  platform_down
}

prism_start() { # prism_start NAME PORT ARGUMENT…
  local name=$1 i; shift 2
  PATH="$(client_path)" node "$clients/node_modules/@stoplight/prism-cli/dist/index.js" "$@" >"$scratch/prism-$name.log" 2>&1 3>&- &
  echo $! >"$scratch/prism-$name.pid"
  for ((i = 0; i < 300; i++)); do
    grep -q 'is listening' "$scratch/prism-$name.log" && return 0
    kill -0 "$(<"$scratch/prism-$name.pid")" 2>/dev/null || break
    sleep 0.1
  done
  cat "$scratch/prism-$name.log" >&2
  return 1
}

# objections NAME: what Prism logged against a request or an answer
objections() { grep -E 'did not pass|[Vv]iolation|NO_PATH_MATCHED|NO_METHOD|✖' "$scratch/prism-$1.log" || true; }
received() { grep -c 'Request received' "$scratch/prism-$1.log"; }
# the operations that were asked for, by the source of the client
wanted() { grep -oh '"netlify\.[a-z_]*"' "$repo"/src/provider/netlify*.c | tr -d '"' | sort -u; }

@test "Prism's made-up Netlify accepts every request of ours" {
  "$calls" netlify "$mock" nfp_test --mock >"$scratch/asked"
  [ "$(sed -n 's/^asked //p' "$scratch/asked" | sort -u)" = "$(wanted)" ]
  run objections mock
  assert_output ''
  echo "# prism mock: $(received mock) requests, $(wanted | wc -l) operations" >&3
  [ "$(received mock)" -ge 35 ]
}

@test "it would not accept a wrong one" {
  curl -sS -o /dev/null -H 'Authorization: Bearer x' -H 'Content-Type: application/json' -d '{"draft":"perhaps"}' "$mock/sites/s/deploys"
  run objections mock
  refute_output ''
}

@test "with Prism between, every request and every answer of the local platform passes" {
  run --separate-stderr "$calls" netlify "$proxy" "$netlify_token"
  assert_success
  refute_output --partial FAILED
  [ "$(sed -n 's/^ok //p' <<<"$output" | sort -u)" = "$(wanted)" ]
  run objections proxy
  assert_output ''
  echo "# prism proxy --errors: $(received proxy) exchanges, $(wanted | wc -l) operations, 0 exceptions" >&3
  [ "$(received proxy)" -ge 40 ]
}

@test "it would not let a wrong answer pass" {
  run curl -sS -H "Authorization: Bearer $netlify_token" -H 'Content-Type: application/json' -d '{"draft":"perhaps"}' "$proxy/sites/s/deploys"
  assert_output --partial 'UNPROCESSABLE_ENTITY'
  run objections proxy
  refute_output ''
}
