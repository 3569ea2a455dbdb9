# What the tests of the flag server share: a PostgreSQL of their own with schema lockflight, flags in it, and
# `lockflight serve`. Needs tests/lib/lockflight.bash and tests/lib/clients.bash.

binaries=/usr/lib/postgresql/15/bin
openfeature=$lf_runtime/openfeature/node_modules

cluster_up() {
  [[ -n ${scratch-} ]] || scratch_make
  local as=()
  ((EUID == 0)) && as=(setpriv --reuid=nobody --regid=nogroup --clear-groups --)
  mkdir "$scratch/pg" && { ((EUID)) || chown nobody "$scratch/pg"; }
  (cd "$scratch/pg" && "${as[@]}" "$binaries/initdb" -D data -U postgres -A trust -N --no-instructions -E UTF8 --locale=C.UTF-8) \
    >"$scratch/initdb.log" 2>&1 || { cat "$scratch/initdb.log" >&2; return 1; }
  (cd "$scratch/pg" && exec setsid "${as[@]}" "$binaries/postgres" -D data -k "$scratch/pg" -c listen_addresses= -c fsync=off \
    -c shared_buffers=16MB) >"$scratch/pg.log" 2>&1 3>&- &
  export cluster=$! database="postgresql://postgres@/postgres?host=$scratch/pg"
  local i
  for ((i = 0; i < 200; i++)); do psql -XAtqc 'select 1' "$database" >/dev/null 2>&1 && break; sleep 0.05; done
  (cd "$repo/src/engine/schema" && cat 00[123]_*.sql 004_flags.sql 004_flags_{read,write,define}.sql) | psql -XAtq -v ON_ERROR_STOP=1 -1 "$database" >"$scratch/schema.log" 2>&1 || { cat "$scratch/schema.log" >&2; return 1; }
  cat >"$scratch/lockflight.toml" <<'TOML'
version = 1
project = "ofrep"
[env.production]
platform = "hosted"
requires = "none"
database = "env:OFREP_DATABASE_URL"
netlify = { site = "x" }
supabase = { ref = "abcdefghijklmnopqrst" }
TOML
  export OFREP_DATABASE_URL=$database OFREP_JWT_SECRET=a-secret-of-at-least-thirty-two-bytes
  export OFREP_TOKEN=lf-the-token-of-a-server-0123
  (umask 077 && echo "$OFREP_TOKEN" >"$scratch/tokens")
}

# The whole process group: what stands still must not let the others run on.
cluster_stop()     { kill -STOP -- "-$cluster"; }
cluster_continue() { kill -CONT -- "-$cluster"; }
cluster_down()     { [[ -n ${cluster-} ]] && { kill -CONT -- "-$cluster"; kill -QUIT "$cluster"; wait "$cluster"; } 2>/dev/null; return 0; }

sql() { psql -XAtq -v ON_ERROR_STOP=1 "$database" -c "$1"; }
flags_define() { sql "select lockflight.flag_define(\$\$$1\$\$, 'test', null)" >/dev/null; } # one definition or a list
flag_set()     { sql "select lockflight.flag_set_state('$1', \$\$$2\$\$, null, 'test', 'cli', 'a test')"; } # prints the state's version
flags_version() { sql 'select lockflight.flag_version()'; }

# serve_up NAME [OPTION…]: a server whose address and process are then in $scratch/NAME.{url,pid}. One that was up before has
# its port again, which a connection of anybody's may hold for a moment: then it is tried again.
serve_up() {
  local try
  for ((try = 0; try < 40; try++)); do
    serve_once "$@" && return 0
    grep -q 'in use' "$scratch/$1.out" "$scratch/$1.err" || break
    sleep 0.25
  done
  cat "$scratch/$1.out" "$scratch/$1.err" >&2
  return 1
}
serve_once() {
  local name=$1 i; shift
  (cd "$scratch" && exec "$LOCKFLIGHT" serve --json --token-file "$scratch/tokens" --jwt-secret-env OFREP_JWT_SECRET "$@" \
    --listen "127.0.0.1:$(cat "$scratch/$name.port" 2>/dev/null || echo 0)") >"$scratch/$name.out" 2>"$scratch/$name.err" 3>&- &
  echo $! >"$scratch/$name.pid"
  for ((i = 0; i < 200; i++)); do
    if jq -e '.port | numbers' "$scratch/$name.out" >"$scratch/$name.found" 2>/dev/null && [[ -s $scratch/$name.found ]]; then
      mv "$scratch/$name.found" "$scratch/$name.port"
      echo "http://127.0.0.1:$(<"$scratch/$name.port")" >"$scratch/$name.url"
      return 0
    fi
    kill -0 "$(<"$scratch/$name.pid")" 2>/dev/null || break
    sleep 0.05
  done
  return 1
}
serve_url()  { cat "$scratch/$1.url"; }
serve_down() { # NAME: asks it to end, and says how it ended
  local pid; pid=$(<"$scratch/$1.pid")
  kill "$pid" 2>/dev/null; local i
  for ((i = 0; i < 400; i++)); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.05; done
  return 1
}
serves_down() { local f; for f in "$scratch"/*.pid; do [[ -e $f ]] && kill "$(<"$f")" 2>/dev/null; done; return 0; }

# bulk NAME [BODY] [CURL OPTION…]
bulk() { curl -sS --max-time 10 -X POST "$(serve_url "$1")/ofrep/v1/evaluate/flags" -d "${2-}" "${@:3}"; }

# until_served NAME JQ: the answer of a bulk request makes JQ true
until_served() {
  local i
  for ((i = 0; i < 400; i++)); do bulk "$1" | jq -e "$2" >/dev/null 2>&1 && return 0; sleep 0.05; done
  bulk "$1" >&2
  return 1
}

# scenario FILE NAME SERVER: one scenario of a Node program with the real clients
scenario() {
  PATH="$(client_path)" OFREP_URL=$(serve_url "$3") OFREP_MODULES=$openfeature timeout 60 node "$repo/tests/clients/$1" "$2"
}
