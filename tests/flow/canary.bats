# Canaries in every place a secret can come from. A release, a red check that unwinds, a crash with resume, a rollback and
# a refused build later they are searched in every form: nowhere but in the platform's own stores, which need them.

load mini

# with_canaries COMMAND…: only the program itself has them, and what it prints is kept
with_canaries() {
  status=0
  # shellcheck disable=SC2016
  bash -c 'set -a; . "$0"; LOCKFLIGHT_KEY_FILE=$scratch/vault/key TMPDIR=$scratch/tmp; exec "$LOCKFLIGHT" "$@"' \
    "$scratch/vault/exports" "$@" >"$scratch/kept/out" 2>&1 || status=$?
  output=$(<"$scratch/kept/out")
  printf '== %s: %d\n%s\n' "$*" "$status" "$output" >>"$scratch/kept/all"
}

# search FOLDER…: every hit, as "file: what was found"; no hit is success with no output
search() { LC_ALL=C grep -raoF -f "$scratch/vault/patterns" -- "$@" | LC_ALL=C sort -u; }

# files_with_hits FOLDER…
files_with_hits() { LC_ALL=C grep -rlaF -f "$scratch/vault/patterns" -- "$@" | LC_ALL=C sort; }

declare_canaries() {
  cat >>lockflight.toml <<TOML
[var.CANARY_ENV]
to = ["supabase"]
secret = true
from = { staging = "env:SOURCE_ENV", production = "env:SOURCE_OTHER" }
[var.CANARY_CMD]
to = ["supabase"]
secret = true
from = { staging = "cmd:cat $scratch/vault/cmd" }
[var.CANARY_FILE]
to = ["supabase"]
secret = true
[var.CANARY_SITE]
to = ["netlify:functions"]
secret = true
from = { staging = "env:SOURCE_SITE" }
[var.CANARY_BUILD]
to = ["netlify:build"]
secret = true
from = { staging = "env:SOURCE_BUILD" }
TOML
  printf 'export const all = () => ["CANARY_ENV", "CANARY_CMD", "CANARY_FILE"].map((n) => Deno.env.get(n)?.length);\n// lockflight: env CANARY_ENV, CANARY_CMD, CANARY_FILE\n' >supabase/functions/_shared/canaries.ts
  printf 'import { all } from "../_shared/canaries.ts";\n' | cat - supabase/functions/hello/index.ts >x && mv x supabase/functions/hello/index.ts
  printf 'env\n' >>test.sh
  printf 'env\nenv | cut -d= -f1 >%s/kept/build-names\n' "$scratch" >>build.sh
}

# The value of a canary that is kept in the file of the environment, from standard input.
set_file() { grep "^$1=" "$scratch/vault/canaries" | cut -d= -f2- | LOCKFLIGHT_KEY_FILE=$scratch/vault/key lockflight vars set CANARY_FILE --env staging >>"$scratch/kept/all" 2>&1; }

dump_all() {
  local url password
  url=$(environment staging database)
  password=${url#*://*:} && password=${password%%@*}
  PGPASSWORD=$password pg_dumpall --no-role-passwords --dbname="$url" >"$scratch/kept/dump.sql" 2>"$scratch/kept/dump.err" || cat "$scratch/kept/dump.err" >&2
}

setup_file() {
  mini_up
  cd "$mini" || return 1
  mkdir -m 700 "$scratch/vault"
  mkdir "$scratch/kept" "$scratch/tmp" "$scratch/watched"
  "$repo/tests/lib/canary.py" make SOURCE_ENV SOURCE_OTHER SOURCE_SITE SOURCE_BUILD CMD FILE_ONE FILE_TWO FILE_THREE >"$scratch/vault/canaries"
  "$repo/tests/lib/canary.py" patterns "$scratch/vault/canaries" >"$scratch/vault/patterns"
  sed -n "s/^\(SOURCE_[A-Z]*\)=\(.*\)/\1='\2'/p" "$scratch/vault/canaries" >"$scratch/vault/exports"
  sed -n 's/^CMD=//p' "$scratch/vault/canaries" >"$scratch/vault/cmd"
  LOCKFLIGHT_KEY_FILE=$scratch/vault/key lockflight vars key >"$scratch/kept/all" 2>&1
  declare_canaries
  export LOCKFLIGHT
  "$repo/tests/lib/canary.py" watch "$scratch/watched" "$(readlink -f "$LOCKFLIGHT")" 3>&- &
  echo $! >"$scratch/watcher"
  until [[ -e $scratch/watched/ready ]]; do sleep 0.05; done

  set_file FILE_ONE
  mini_commit 'With canaries'
  with_canaries deploy staging
  cp "$scratch/kept/out" "$scratch/first"

  set_file FILE_TWO # a red check: everything is taken back, the old value too
  sed -i 's/hello, /goodbye, /' supabase/functions/_shared/greet.ts
  mini_commit 'Red'
  with_canaries deploy staging
  echo "$status" >"$scratch/red"

  sed -i 's/goodbye, /hello, /' supabase/functions/_shared/greet.ts
  set_file FILE_THREE # a crash between setting values and recording it
  mini_second
  LOCKFLIGHT_FAULT=supabase.secrets_set.after:1:kill with_canaries deploy staging
  echo "$status" >"$scratch/killed"
  with_canaries resume staging
  echo "$status" >"$scratch/resumed"
  with_canaries rollback staging --through schema --confirm staging
  echo "$status" >"$scratch/rolled"

  # a build that would publish one, and a source that gives too little
  cp build.sh build.kept
  printf 'printf %%s "$CANARY_BUILD" | base64 -w0 >dist/leak.txt\n' >>build.sh
  mini_commit 'Leaks'
  with_canaries deploy staging --clear-quarantine 'tried again'
  echo "$status" >"$scratch/leaks"
  cp build.kept build.sh && printf 'echo "with $CANARY_BUILD"; env; exit 3\n' >>build.sh # what a failed build printed
  mini_commit 'Fails'
  with_canaries deploy staging --clear-quarantine 'tried again'
  echo "$status" >"$scratch/fails"
  rm -rf dist && mv build.kept build.sh && mini_commit 'Leaks no more'

  for command in 'plan staging' 'plan staging --json' "plan staging --out $scratch/kept/plan" 'status staging --json' \
    'log staging' 'log staging --json' 'vars list staging --json' 'vars check staging --json' 'vars check production' \
    'verify staging' 'local logs'; do
    # shellcheck disable=SC2086
    with_canaries $command
  done
  dump_all
  kill "$(<"$scratch/watcher")"
}
teardown_file() { kill "$(<"$scratch/watcher")" 2>/dev/null || true; platform_down; }
setup()         { mini_enter; }

@test "the releases went where they should: up, red, killed, resumed, back, refused" {
  run cat "$scratch/first"
  has_line 'staging is on|released|live'
  assert_equal "$(cat "$scratch/red")" 7 # the code as before; the new value stays, because all is green with it
  assert_equal "$(cat "$scratch/killed")" 137
  assert_equal "$(cat "$scratch/resumed")" 0
  assert_equal "$(cat "$scratch/rolled")" 0
  assert_equal "$(cat "$scratch/leaks")" 5
  assert [ "$(cat "$scratch/fails")" != 0 ]
  run cat "$scratch/kept/all"
  has_line 'contains CANARY_BUILD, encoded as base64'
}

@test "the search finds each form that is planted, whole or in part" {
  mkdir -p "$scratch/planted"
  value=$(sed -n 's/^SOURCE_ENV=//p' "$scratch/vault/canaries")
  plant() { cat >"$scratch/planted/x"; [[ -n $(search "$scratch/planted") ]] || { echo "not found: $1"; return 1; }; }
  plant raw <<<"token=$value"
  plant 'a part' <<<"...${value:4:14}..."
  plant reversed <<<"$(rev <<<"$value")"
  for before in '' a ab; do
    plant base64 <<<"$(printf '%s%s?' "$before" "$value" | base64 -w0)"
    plant 'wrapped base64' <<<"$(printf '%s%s?' "$before" "$value" | base64 -w 24)"
  done
  plant hex <<<"$(printf %s "$value" | od -An -tx1 | tr -d ' \n')"
  plant 'URL' <<<"$(jq -rn --arg v "$value" '$v | @uri')"
  plant 'within SQL' <<<"insert into t values ('$value');"
  : >"$scratch/planted/x"
  assert_equal "$(search "$scratch/planted")" ''
}

@test "no hit in what was printed, logged, planned and journalled, nor in a dump of the whole cluster" {
  assert [ "$(wc -c <"$scratch/kept/dump.sql")" -gt 20000 ]
  grep -q 'lockflight.events' "$scratch/kept/dump.sql"
  run search "$scratch/kept"
  assert_output ''
}

@test "no hit in the arguments and environments of children" {
  [[ $(find "$scratch/watched" -name '*.sh' -o -name '*.dash' -o -name '*.git' | wc -l) -gt 5 ]]
  # the build command has what is declared for it, and nothing else
  run cat "$scratch/kept/build-names"
  has_line '^CANARY_BUILD$'
  refute_line SOURCE_BUILD
  refute_line SOURCE_ENV
  refute_line CANARY_ENV
  run search "$scratch/watched"
  for hit in $(files_with_hits "$scratch/watched"); do
    run grep -c 'CANARY_BUILD=' "$hit"
    assert_equal "$output" 1
    sed -i '/^CANARY_BUILD=/d' "$hit"
  done
  run search "$scratch/watched"
  assert_output ''
}

@test "no hit in temporary files, cores, the project with its built site, and the repository" {
  run find "$scratch/tmp" /tmp -maxdepth 1 -newer "$scratch/vault/canaries" -name 'lockflight-site.*' -user "$(id -un)"
  run search "$scratch/tmp" "$mini"
  assert_output ''
  run find "$scratch" "$mini" -name 'core*' -type f -size +100k -not -path '*/.git/*' -not -path '*/pg/*'
  assert_output ''
}

@test "on the platform they stay in its own stores only, which nobody else may read" {
  run files_with_hits "$LOCKFLIGHT_STATE_DIR"
  while read -r file; do
    case ${file#"$LOCKFLIGHT_STATE_DIR"/} in
    */secrets.json | sites/*/site.json | sites/*/deploys/*.json | sites/team.json) ;;
    *) echo "a canary is in $file"; return 1 ;;
    esac
    assert_equal "$(stat -c %a "$file")" 600
  done <<<"$output"
  has_line 'secrets.json'
}
