# What the release tests share: the small project of tests/data/mini on a platform of its own.
#
#   load mini
#   setup_file()    { mini_up; }
#   teardown_file() { platform_down; }
#   setup()         { mini_enter; }
#
# snapshot ENV prints everything by which two states of an environment are compared: catalogue digest, bundle hashes,
# published deploy, digests of variables, applied migrations.

load ../lib/lockflight

# A crash is noticed quickly; the shortest times the lease allows with room for a loaded machine.
export LOCKFLIGHT_LEASE_MS=20000 LOCKFLIGHT_RENEW_MS=1000 LOCKFLIGHT_REQUEST_MS=1000 LOCKFLIGHT_DRAIN_MS=1000
export LOCKFLIGHT_ACTOR=tester NO_COLOR=1
export MINI_STAGING_TOKEN=staging-token-0123456789 MINI_PRODUCTION_TOKEN=production-token-0123456789

mini_copy() {
  scratch_make
  export mini=$scratch/mini
  cp -r "$repo/tests/data/mini" "$mini"
  printf '\n[local]\nport = %d\n' $((20000 + RANDOM % 20000)) >>"$mini/lockflight.toml"
  git -C "$mini" init -q -b main
  mini_commit 'The app as it is'
}

mini_commit() {
  git -C "$mini" add -A
  git -C "$mini" -c user.name=Test -c user.email=test@localhost -c commit.gpgsign=false commit -q --allow-empty -m "$1"
}

mini_up() {
  mini_copy
  platform_up "$mini"
}

mini_enter() { cd "$mini" || return 1; }

snapshot() {
  lockflight status "$1" --json | jq -S '.environments[0] | {
    catalogue: .database.catalogue, applied: .database.applied, deploy: .site.deploy, locked: .site.locked,
    functions: (.functions.running | map_values(.hash)), variables, lease_free, open }'
}

site_says()     { curl -sS --max-time 10 "$(environment "$1" url)/"; }
function_says() { curl -sS --max-time 10 "$(environment "$1" url)/functions/v1/$2"; }
sql()           { psql -qAtX "$(environment "$1" database)" -c "$2"; }

# The second version of the app: another page, a changed function, a new one, a migration, a variable.
mini_second() {
  sed -i 's/mini, first/mini, second/' site/index.html
  sed -i 's/hello, /hello again, /' supabase/functions/_shared/greet.ts
  mkdir -p supabase/functions/extra
  printf 'Deno.serve(() => new Response("hello, extra"));\n' >supabase/functions/extra/index.ts
  printf '\n[functions.extra]\nverify_jwt = false\n' >>supabase/config.toml
  printf -- '-- allow: S01 a table of a test, which nobody reads\ncreate table public.tags (name text primary key);\n' >supabase/migrations/20260103090000_tags.sql
  printf 'drop table public.tags;\n' >supabase/rollbacks/20260103090000_tags.sql
  printf '\n[var.MINI_MODE]\nto = ["supabase"]\nvalue = "second"\n' >>lockflight.toml
  mini_commit 'The second version'
}
