#!/usr/bin/env bats
# `lockflight init`: what it finds, what it asks, what it writes, and that it leaves alone what is there.

load ../lib/lockflight

setup() {
  unset CI GITHUB_ACTIONS LOCKFLIGHT_CONFIG
  export NO_COLOR=1 TERM=xterm PATH=${LOCKFLIGHT%/*}:$PATH LOCKFLIGHT_STATE_DIR=$BATS_TEST_TMPDIR/state
  cd "$BATS_TEST_TMPDIR"
}

# The example app as somebody would bring it: no lockflight.toml, no reverse scripts.
bare_studio() {
  mkdir app
  git -C "$repo" ls-files -z examples/studio | (cd "$repo" && tar -c --null -T - --strip-components=0) |
    tar -x -C app --strip-components=2
  cd app
  rm -rf lockflight.toml supabase/rollbacks
  git init -q -b trunk .
}

tiny() { # the least that can be released
  mkdir -p app/.git && cd app
  printf '<div id="root"></div>\n' >index.html
}

# answers LINE…: `init` on a terminal, with these lines typed
answers() { printf '%s\n' "$@" | script -qec 'lockflight init' /dev/null | tr -d '\r'; }

loads() { lockflight migration lint --help >/dev/null && lockflight local status >/dev/null 2>err || ! grep -q 'LF-C' err; }

@test "a bare app on a terminal: three prompts, the last one whether to write, and a file that loads" {
  bare_studio
  run answers '' github studio
  assert_success
  # three lines were typed and then nothing more: a fourth question would have met the end of input
  assert_output --partial 'all on this machine)'
  assert_output --partial 'github, gitlab or none [none]'
  assert_output --partial 'Type studio to continue'
  assert_line '+++ b/lockflight.toml'
  [ -f lockflight.toml ] && [ -f .github/workflows/release.yml ]
  [ "$(ls supabase/rollbacks | wc -l)" -eq "$(ls supabase/migrations | wc -l)" ]
  grep -q 'branches: \[trunk\]' .github/workflows/release.yml
  [ "$(grep -c 'fetch-depth:' .github/workflows/release.yml)" -eq 1 ] # GitHub refuses a key that comes twice
  loads
}

@test "another word than the project's name writes nothing" {
  bare_studio
  run answers '' none yes
  assert_output --partial 'not confirmed'
  [ ! -e lockflight.toml ] && [ ! -e supabase/rollbacks ]
}

@test "a second run changes nothing and says so, on a terminal too without a question" {
  bare_studio
  lockflight init --yes >/dev/null 2>&1
  git add -A && before=$(git write-tree)
  run lockflight init
  assert_success
  assert_line 'Nothing to do: studio has all that init would write.'
  run answers
  assert_line 'Nothing to do: studio has all that init would write.'
  refute_output --partial 'continue'
  git add -A && [ "$(git write-tree)" = "$before" ]
}

@test "without a terminal nothing is written unless --yes says so; the difference is on stdout" {
  bare_studio
  run --separate-stderr lockflight init </dev/null
  assert_failure 2
  assert_line '+version = 1'
  grep -q 'add --yes' <<<"$stderr"
  [ ! -e lockflight.toml ]
  run lockflight init --dry-run --yes
  assert_success
  [ ! -e lockflight.toml ]
}

@test "the difference is one that git can apply" {
  bare_studio
  lockflight init --dry-run 2>/dev/null >"$BATS_TEST_TMPDIR/patch"
  git apply "$BATS_TEST_TMPDIR/patch"
  run lockflight init
  assert_line 'Nothing to do: studio has all that init would write.'
}

@test "links of the vendors' clients are production, and nothing is asked about them" {
  bare_studio
  mkdir -p .netlify supabase/.temp
  printf '{"siteId":"0f0e0d0c-0000-4000-8000-000000000001"}\n' >.netlify/state.json
  printf 'abcdefghijklmnopqrst' >supabase/.temp/project-ref
  git remote add origin git@github.com:studio/app.git
  run answers studio
  assert_success
  refute_output --partial 'all on this machine)'
  grep -qx 'netlify = { site = "0f0e0d0c-0000-4000-8000-000000000001" }' lockflight.toml
  grep -qx 'supabase = { ref = "abcdefghijklmnopqrst" }' lockflight.toml
  loads
}

@test "flags answer every question" {
  tiny
  lockflight init --yes --site shop --ref abcdefghijklmnopqrst --ci gitlab
  grep -q '^release:$' .gitlab-ci.yml
  [ "$(grep -c '^  variables:' .gitlab-ci.yml)" -eq 1 ]
  grep -q 'site = "shop"' lockflight.toml
  grep -q 'contains = "root"' lockflight.toml
  loads
}

@test "a GitLab file that is there gets one include, and its own lines stay" {
  tiny
  printf 'stages: [test]\ntest:\n  script: make test\n' >.gitlab-ci.yml
  cp .gitlab-ci.yml before
  lockflight init --yes >/dev/null
  tail -n 3 .gitlab-ci.yml | diff - before
  head -n 2 .gitlab-ci.yml | grep -q 'local: .gitlab/lockflight.yml'
  grep -q 'stage: .post' .gitlab/lockflight.yml
  run lockflight init
  assert_line --partial 'Nothing to do'
}

@test "a workflow that calls lockflight already is its owner's" {
  tiny
  mkdir -p .github/workflows
  printf 'jobs: { x: { steps: [ { run: npx lockflight ci } ] } }\n' >.github/workflows/mine.yml
  lockflight init --yes >/dev/null
  [ "$(ls .github/workflows)" = mine.yml ]
}

@test "values of .env files are never read into anything, their names are" {
  tiny
  mkdir -p supabase/functions/pay src
  printf 'Deno.serve(() => new Response(Deno.env.get("PAY_TOKEN")));\n' >supabase/functions/pay/index.ts
  printf 'MAIL_API_KEY=canary-of-a-value\n' >supabase/functions/.env
  printf 'fetch(import.meta.env.VITE_SUPABASE_URL);\n' >src/main.ts
  run lockflight init --yes
  assert_success
  refute_output --partial canary
  ! grep -rq canary lockflight.toml
  grep -A2 '^\[var.PAY_TOKEN\]' lockflight.toml | grep -q 'secret = true'
  grep -q '^\[var.MAIL_API_KEY\]' lockflight.toml
  grep -A2 '^\[var.VITE_SUPABASE_URL\]' lockflight.toml | grep -q '{supabase_url}'
  grep -q '^artefact = "rebuild"' lockflight.toml
  loads
}

@test "a secret that the bundler would publish is not declared, and the note says why" {
  tiny
  mkdir src
  printf 'send(import.meta.env.VITE_WHATSAPP_ACCESS_TOKEN)\n' >src/main.ts
  run lockflight init --yes
  assert_success
  assert_output --partial 'VITE_WHATSAPP_ACCESS_TOKEN (src/main.ts:1) looks like a secret'
  ! grep -q WHATSAPP lockflight.toml
}

@test "netlify.toml is written where there is none and something builds" {
  tiny
  printf '{"name":"@shop/web","scripts":{"build":"vite build","test":"echo \\"Error: no test specified\\" && exit 1"},"devDependencies":{"vite":"6"}}' >package.json
  touch pnpm-lock.yaml
  lockflight init --yes >/dev/null
  grep -qx 'command = "pnpm run build"' netlify.toml
  grep -qx 'publish = "dist"' netlify.toml
  grep -qx 'project = "web"' lockflight.toml
  ! grep -q '^\[test\]' lockflight.toml
}

@test "each broken input is one error that names it, and nothing is written" {
  bare_studio
  mkdir -p .netlify supabase/.temp
  try() { # try FILE CONTENT TEXT
    local kept=
    [ -e "$1" ] && kept=$(cat "$1"; echo x)
    printf %s "$2" >"$1"
    run lockflight init --yes
    assert_failure 2
    assert_output --partial "$3"
    [ "$(grep -c '^error ' <<<"$output")" -eq 1 ]
    [ ! -e lockflight.toml ]
    if [ -n "$kept" ]; then printf %s "${kept%x}" >"$1"; else rm "$1"; fi
  }
  try .netlify/state.json '{"siteId":' .netlify/state.json
  try supabase/.temp/project-ref 'not a ref' supabase/.temp/project-ref
  try package.json '{"name":' package.json
  try netlify.toml '[build' netlify.toml
  try supabase/config.toml 'project_id = 3' supabase/config.toml
  run lockflight init --yes --ref short
  assert_failure 2
  assert_output --partial '20 letters'
  run lockflight init --yes --site 'a b'
  assert_failure 2
  run lockflight init --yes --site shop
  assert_failure 2
  assert_output --partial '--ref'
  [ ! -e lockflight.toml ]
}

@test "where there is nothing to release it says which folders below look like it" {
  mkdir -p repo/.git repo/apps/web
  touch repo/apps/web/netlify.toml
  cd repo
  run lockflight init --yes
  assert_failure 2
  assert_output --partial 'nothing to release here'
  assert_output --partial 'apps/web'
}

@test "a lockflight.toml that does not load is the error, and is not touched" {
  tiny
  printf 'version = 1\nproject = "x"\nplatfrom = 1\n' >lockflight.toml
  cp lockflight.toml before
  run lockflight init --yes
  assert_failure 2
  assert_output --partial 'platfrom'
  cmp lockflight.toml before
}

@test "--json is one document with every file's content" {
  tiny
  lockflight init --yes --json 2>/dev/null >"$BATS_TEST_TMPDIR/document"
  jq -e '.v == 1 and .written and (.files | map(.path) | index("lockflight.toml")) != null' "$BATS_TEST_TMPDIR/document"
  jq -r '.files[] | select(.path == "lockflight.toml").content' "$BATS_TEST_TMPDIR/document" | diff - <(cat lockflight.toml; echo)
}

with_database() {
  mkdir -p app/.git app/supabase/migrations && cd app
  printf 'project_id = "shop"\n' >supabase/config.toml
  printf 'create table public.t (a int);\n' >supabase/migrations/20260101000000_t.sql
}

@test "a project with a database gets the function flags, a migration with its reverse, and a starter file" {
  with_database
  run lockflight init --yes
  assert_success
  grep -A1 '^\[functions.flags\]' supabase/config.toml | grep -qx 'verify_jwt = true'
  grep -q '^project_id = "shop"$' supabase/config.toml
  up=$(echo supabase/migrations/*_lockflight_flags.sql)
  grep -q 'create function public.module_enabled(module text)' "$up"
  [ "$(grep -c '^drop function' "supabase/rollbacks/${up##*/}")" -eq 2 ]
  [ -f lockflight.flags.toml ]
  loads
  run lockflight init
  assert_line --partial 'Nothing to do'
}

@test "the example reads flags through the very function that init writes" {
  with_database
  lockflight init --yes >/dev/null
  diff -r supabase/functions/flags "$repo/examples/studio/supabase/functions/flags"
  # its migration too, but for replacing a module_enabled that had grants already
  grep -vE '^-- allow:' "$repo/examples/studio/supabase/migrations/20260209090000_flags.sql" |
    sed 's/create or replace function public.module/create function public.module/' >example
  head -n "$(wc -l <example)" supabase/migrations/*_lockflight_flags.sql | diff - example
  run lockflight migration lint
  refute_output --partial '_lockflight_flags.sql:'
}

@test "module_enabled of a project's own stays, and --no-flags writes none of it" {
  with_database
  printf 'create function public.module_enabled(m text) returns boolean language sql as $$ select true $$;\n' >supabase/migrations/20260102000000_m.sql
  lockflight init --yes --no-flags >/dev/null
  [ ! -e lockflight.flags.toml ] && [ ! -e supabase/functions ]
  lockflight init --yes >/dev/null
  ! grep -q module_enabled supabase/migrations/*_lockflight_flags.sql
  ! grep -q module_enabled supabase/rollbacks/*_lockflight_flags.sql
}

@test "a migration of the future is followed by ours" {
  with_database
  mv supabase/migrations/20260101000000_t.sql supabase/migrations/29990101000000_t.sql
  lockflight init --yes >/dev/null
  [ -f supabase/migrations/29990101000001_lockflight_flags.sql ]
}
