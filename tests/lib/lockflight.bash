# What the bats files share: the program under test, a copy of the example app, a platform of their own.
#
#   load ../lib/lockflight
#   setup_file()    { studio_copy; platform_up; }
#   teardown_file() { platform_down; }
#
# Everything a file makes lies under $scratch, which the platform's unprivileged user may enter, and which
# platform_down removes. Two files running at once do not meet: state dir and ports are their own.

repo=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
LOCKFLIGHT=${LOCKFLIGHT_UNDER_TEST:-$repo/build-check/lockflight}
if ((EUID == 0)); then lf_runtime=/var/lib/lockflight/runtime; else lf_runtime=${XDG_DATA_HOME:-$HOME/.local/share}/lockflight/runtime; fi
lf_runtime=${LOCKFLIGHT_RUNTIME_DIR:-$lf_runtime}
clients=$lf_runtime/clients

export BATS_LIB_PATH=${BATS_LIB_PATH:-/usr/lib/bats:/usr/share/bats}
bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert

lockflight() { "$LOCKFLIGHT" "$@"; }

# A folder that is short enough for unix sockets and open enough for the platform's user.
scratch_make() {
  scratch=$(mktemp -d "/tmp/lft.${LOCKFLIGHT_CHECK_RUN:-0}.XXXXXX")
  chmod 711 "$scratch"
  export scratch LOCKFLIGHT_STATE_DIR=$scratch/state
}

# studio_copy [DIR]: the example app as a git repository of its own; $studio is where. node_modules is shared.
studio_copy() {
  [[ -n ${scratch-} ]] || scratch_make
  export studio=${1:-$scratch/studio}
  mkdir -p "$studio"
  git -C "$repo" ls-files -z examples/studio | (cd "$repo" && tar -c --null -T - --strip-components=0) |
    tar -x -C "$studio" --strip-components=2
  [[ -d $repo/examples/studio/node_modules ]] && ln -s "$repo/examples/studio/node_modules" "$studio/node_modules"
  git -C "$studio" init -q -b main
  printf '/node_modules\n' >>"$studio/.git/info/exclude"
  studio_commit "The app as it is"
  eval "$(cd "$studio" && sh tests/demo-env.sh)" # its secrets, made up
}

studio_commit() {
  git -C "$studio" add -A
  git -C "$studio" -c user.name=Test -c user.email=test@localhost -c commit.gpgsign=false commit -q --allow-empty -m "$1"
}

# platform_up [PROJECT DIR]: starts the platform and reads where everything is from its platform.json.
platform_up() {
  [[ -n ${scratch-} ]] || scratch_make
  export project=${1:-${studio-$PWD}}
  (cd "$project" && "$LOCKFLIGHT" local up) >"$scratch/up.log" 2>&1 || { cat "$scratch/up.log" >&2; return 1; }
  platform_read
}

platform_read() {
  local file=$LOCKFLIGHT_STATE_DIR/platform.json
  api=$(jq -r .api "$file") netlify_token=$(jq -r .netlify_token "$file") supabase_token=$(jq -r .supabase_token "$file")
  export api netlify_token supabase_token
}

# environment NAME KEY: one value of platform.json, such as `environment staging site_id`
environment() { jq -er --arg e "$1" --arg k "$2" '.environments[$e][$k]' "$LOCKFLIGHT_STATE_DIR/platform.json"; }

platform_down() {
  [[ -n ${project-} ]] && (cd "$project" && "$LOCKFLIGHT" local down) >"$scratch/down.log" 2>&1
  [[ -n ${scratch-} && $scratch == /tmp/lft.* ]] && rm -rf "$scratch"
  return 0
}

netlify_api()  { curl -sS --max-time 20 -H "Authorization: Bearer $netlify_token" "$api/api/v1$1" "${@:2}"; }
supabase_api() { curl -sS --max-time 20 -H "Authorization: Bearer $supabase_token" "$api/v1$1" "${@:2}"; }

# has_line PATTERN: the last `run` printed a line that matches
has_line() { grep -qE -- "$1" <<<"$output" || { printf 'no line matches: %s\n--\n%s\n' "$1" "$output"; return 1; }; }
