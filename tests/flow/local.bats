#!/usr/bin/env bats
# The local platform itself: it starts once, survives being killed, leaves nothing behind, and serves a project's
# parts as Supabase does.

bats_require_minimum_version 1.5.0
load ../lib/lockflight

setup_file() {
  scratch_make
  export app=$scratch/app
  mkdir -p "$app/supabase/seeds"
  cat >"$app/lockflight.toml" <<'TOML'
version = 1
project = "small"
[local]
port = 4650
[env.staging]
platform = "local"
[env.production]
platform = "local"
requires = "staging"
TOML
  printf 'project_id = "small"\n[db.seed]\nenabled = true\nsql_paths = ["./seeds/*.sql"]\n' >"$app/supabase/config.toml"
  cat >"$app/supabase/seeds/people.sql" <<'SQL'
insert into auth.users (id, instance_id, aud, role, email, encrypted_password, email_confirmed_at, created_at, updated_at)
values ('11111111-1111-1111-1111-111111111111', '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated',
        'anna@studio.test', crypt('correct horse', gen_salt('bf', 4)), now(), now(), now()) on conflict do nothing;
SQL
  export LOCKFLIGHT_FUNCTION_IDLE_MS=8000 # hosted: 150 s
  platform_up "$app"
  ref=$(environment staging project_ref) url=$(environment staging url)
  anon=$(environment staging anon_key) service=$(environment staging service_role_key) db=$(environment staging database)
  export ref url anon service db
}

teardown_file() { platform_down; }

setup() { cd "$app"; }

local_() { "$LOCKFLIGHT" local "$@"; }
sql() { psql -XAtq -v ON_ERROR_STOP=1 "$db" -c "$1"; }
pid() { jq -r .pid "$LOCKFLIGHT_STATE_DIR/platform.json"; }
part() { local_ status --json | jq -r --arg p "$1" '.parts[] | select(.part == $p and (.environment // "staging") == "staging") | .pid'; }

# processes whose command line names our state folder, zombies left aside
leftovers() {
  local p
  for p in /proc/[0-9]*; do
    [[ $(tr '\0' ' ' <"$p/cmdline" 2>/dev/null) == *"$LOCKFLIGHT_STATE_DIR"* ]] && [[ $p != /proc/$$ ]] && echo "${p#/proc/}"
  done
  true
}

# deploy SLUG CODE [QUERY]: one function of one file
deploy() {
  printf '%s\n' "$2" >"$scratch/index.ts"
  supabase_api "/projects/$ref/functions/deploy?slug=$1${3-}" -w '\n%{http_code}' \
    -F "file=@$scratch/index.ts;filename=supabase/functions/$1/index.ts;type=application/octet-stream" \
    -F "metadata={\"entrypoint_path\":\"supabase/functions/$1/index.ts\",\"name\":\"$1\",\"verify_jwt\":${jwt-false}}"
}
call() { curl -sS --max-time 20 "$url/functions/v1/$1" "${@:2}"; }
status() { curl -sS --max-time 20 -o /dev/null -w '%{http_code}' "$url$1" "${@:2}"; }

# ---- Life ----------------------------------------------------------------------------------------------------

@test "a second up finds it running and changes nothing" {
  before=$(pid)
  run local_ up
  assert_success
  assert_output --partial "is up."
  [ "$(pid)" = "$before" ]
}

@test "the tokens are generated and the file that holds them is closed to others" {
  [[ $supabase_token =~ ^sbp_[0-9a-f]{40}$ && $netlify_token =~ ^nfp_[0-9a-f]{40}$ ]]
  [ "$(stat -c %a "$LOCKFLIGHT_STATE_DIR/platform.json")" = 600 ]
}

@test "everything listens on loopback only" {
  run ss -Hltn
  for port in 4650 "$(environment staging port)" "$(jq -r .pg_port "$LOCKFLIGHT_STATE_DIR/platform.json")"; do
    refute_line --regexp "(0\.0\.0\.0|\[::\]|\*):$port "
  done
}

@test "nothing runs as root" {
  ((EUID == 0)) || skip "no hardware for it: not root"
  for p in $(leftovers); do [ "$(stat -c %U "/proc/$p")" != root ] || { tr '\0' ' ' <"/proc/$p/cmdline"; false; }; done
}

@test "an environment that is added to lockflight.toml comes up beside the others" {
  printf '[env.preview]\nplatform = "local"\nrequires = "none"\n' >>lockflight.toml
  run local_ up
  assert_success
  assert_output --partial preview
  psql -XAtq "$(environment preview database)" -c 'select 1'
}

@test "after kill -9 of the daemon its children die, and up finds data, ports and keys again" {
  sql 'create table if not exists kept (id int); insert into kept values (1)'
  kept=$(jq -S 'del(.pid)' "$LOCKFLIGHT_STATE_DIR/platform.json")
  kill -9 "$(pid)"
  for _ in $(seq 100); do [ -z "$(leftovers)" ] && break; sleep 0.1; done
  [ -z "$(leftovers)" ]
  run local_ up
  assert_success
  [ "$(jq -S 'del(.pid)' "$LOCKFLIGHT_STATE_DIR/platform.json")" = "$kept" ]
  [ "$(sql 'select count(*) from kept')" -ge 1 ]
}

@test "kill -9 and up at once waits for the old Postgres" {
  kill -9 "$(pid)"
  run local_ up
  assert_success
  [ "$(sql 'select 1')" = 1 ]
}

@test "a Postgres that dies comes back" {
  kill -9 "$(part postgres)"
  for _ in $(seq 100); do sql 'select 1' >/dev/null 2>&1 && break; sleep 0.1; done
  [ "$(sql 'select 1')" = 1 ]
}

@test "down leaves nothing running, and up again has the data" {
  run local_ down
  assert_success
  [ -z "$(leftovers)" ]
  [ -z "$(ls "$LOCKFLIGHT_STATE_DIR/run")" ]
  run ! curl -sS --max-time 2 -o /dev/null "$url/"
  run local_ down
  assert_success
  assert_output --partial "was not up"
  run local_ up
  assert_success
  [ "$(sql 'select count(*) from kept')" -ge 1 ]
}

# ---- The database --------------------------------------------------------------------------------------------

@test "postgres is no superuser and may do what migrations do" {
  [ "$(sql "select rolsuper from pg_roles where rolname = current_user")" = f ]
  sql "create extension if not exists citext; create extension if not exists pg_cron; drop table if exists m;
       create table m (id uuid primary key default uuid_generate_v4(), owner uuid references auth.users (id));
       alter table m enable row level security; create policy own on m using (auth.uid() = owner);
       alter publication supabase_realtime add table m;
       drop policy if exists p on storage.objects; create policy p on storage.objects for select using (bucket_id = 'x');
       select cron.schedule('nightly', '0 3 * * *', 'select 1')"
}

@test "PostgREST sees a new table at once" {
  sql "drop table if exists fresh; create table fresh (id int primary key); insert into fresh values (7)"
  for _ in $(seq 50); do [ "$(status /rest/v1/fresh -H "apikey: $service")" = 200 ] && break; sleep 0.1; done
  run curl -sS "$url/rest/v1/fresh" -H "apikey: $service"
  assert_output '[{"id":7}]'
}

@test "supabase-js signs in, and row level security decides what it reads" {
  sql "drop table if exists notes; create table notes (id int primary key, owner uuid, text text);
       alter table notes enable row level security;
       create policy own on notes for select to authenticated using (auth.uid() = owner);
       insert into notes values (1, '11111111-1111-1111-1111-111111111111', 'mine'), (2, gen_random_uuid(), 'theirs')"
  run local_ seed staging
  assert_success
  jwt=false deploy signin 'import { createClient } from "https://esm.sh/@supabase/supabase-js@2";
    Deno.serve(async () => {
      const make = () => createClient(Deno.env.get("SUPABASE_URL")!, Deno.env.get("SUPABASE_ANON_KEY")!, { auth: { persistSession: false, autoRefreshToken: false } });
      const c = make();
      const before = (await c.from("notes").select("text")).data;
      const wrong = (await c.auth.signInWithPassword({ email: "anna@studio.test", password: "wrong" })).error?.code;
      const { data } = await c.auth.signInWithPassword({ email: "anna@studio.test", password: "correct horse" });
      const after = (await c.from("notes").select("text")).data;
      const first = data.session!.refresh_token;
      const refreshed = (await c.auth.refreshSession()).data.session!.refresh_token !== first;
      const user = (await c.auth.getUser()).data.user?.email;
      await c.auth.signOut();
      const ended = (await make().auth.refreshSession({ refresh_token: first })).error?.code;
      return Response.json({ before, wrong, after, refreshed, user, ended });
    });'
  run call signin
  assert_output '{"before":[],"wrong":"invalid_credentials","after":[{"text":"mine"}],"refreshed":true,"user":"anna@studio.test","ended":"refresh_token_not_found"}'
}

@test "guessing a password is slowed" {
  for _ in $(seq 9); do last=$(status '/auth/v1/token?grant_type=password' -d '{"email":"nobody@x.test","password":"no"}'); done
  [ "$last" = 429 ]
}

@test "auth says that it is not GoTrue" {
  run curl -sS "$url/auth/v1"
  assert_output --partial "is not GoTrue"
}

# ---- Functions -----------------------------------------------------------------------------------------------

@test "a function sees its own path, the body and what the platform gives it" {
  deploy echo 'Deno.serve(async (r) => Response.json({ path: new URL(r.url).pathname, body: await r.text(),
    id: Deno.env.get("DENO_DEPLOYMENT_ID"), url: Deno.env.get("SUPABASE_URL"), home: Deno.env.get("HOME") ?? null }));'
  run call echo/deep/er?x=1 -d hello
  assert_output --regexp "^\{\"path\":\"/echo/deep/er\",\"body\":\"hello\",\"id\":\"${ref}_[0-9a-f-]{36}_[0-9]+\",\"url\":\"$url\",\"home\":null\}$"
}

@test "a function's own import map, shared modules and static files are found" {
  dir=$scratch/cfg; mkdir -p "$dir"
  printf '%s\n' 'import { w } from "word"; import { s } from "@shared/s.ts";' \
    'const note = await Deno.readTextFile(new URL("./note.txt", import.meta.url));' \
    'export default { fetch: () => new Response(w + s + note) };' >"$dir/index.ts"
  echo 'export const w = "W";' >"$dir/word.ts"; echo 'export const s = "S";' >"$dir/s.ts"; printf N >"$dir/note.txt"
  echo '{ // with a comment
    "imports": { "word": "./word.ts", "@shared/": "../_shared/", }, "nodeModulesDir": "auto" }' >"$dir/deno.jsonc"
  at=supabase/functions
  supabase_api "/projects/$ref/functions/deploy?slug=cfg" -F "file=@$dir/index.ts;filename=$at/cfg/index.ts" \
    -F "file=@$dir/word.ts;filename=$at/cfg/word.ts" -F "file=@$dir/s.ts;filename=$at/_shared/s.ts" \
    -F "file=@$dir/note.txt;filename=$at/cfg/note.txt" -F "file=@$dir/deno.jsonc;filename=$at/cfg/deno.jsonc" \
    -F "metadata={\"entrypoint_path\":\"$at/cfg/index.ts\",\"import_map_path\":\"$at/cfg/deno.jsonc\",\"verify_jwt\":false}"
  run call cfg
  assert_output WSN
}

@test "a function that asks for a token gets only good ones, and OPTIONS passes" {
  jwt=true deploy guarded 'Deno.serve(() => new Response("in"));'
  none=$(printf '{"alg":"none"}' | base64 -w0 | tr -d =).$(printf '{"role":"service_role"}' | base64 -w0 | tr '+/' '-_' | tr -d =).
  [ "$(call guarded)" = '{"code":401,"message":"Missing authorization header"}' ]
  [ "$(call guarded -H 'Authorization: Bearer x')" = '{"code":401,"message":"Invalid JWT"}' ]
  [ "$(call guarded -H "Authorization: Bearer $none")" = '{"code":401,"message":"Invalid JWT"}' ]
  [ "$(call guarded -H "Authorization: Bearer $(environment production anon_key)")" = '{"code":401,"message":"Invalid JWT"}' ]
  [ "$(call guarded -H "Authorization: Bearer $anon")" = in ]
  [ "$(call guarded -X OPTIONS)" = in ]
}

@test "what does not compile is refused with Deno's words, and the running version stays" {
  deploy steady 'Deno.serve(() => new Response("one"));'
  run deploy steady 'Deno.serve(('
  assert_line 400
  assert_output --partial "Expression expected"
  [ "$(call steady)" = one ]
}

@test "what does not boot answers 503 BOOT_ERROR" {
  deploy broken 'throw new Error("no");'
  run call broken
  assert_output --partial '"code":"BOOT_ERROR"'
  run local_ logs function-staging-broken
  assert_output --partial 'Error: no'
}

@test "a crash answers 500 to its own request and the next one is served" {
  deploy frail 'Deno.serve((r) => { if (r.url.endsWith("/die")) { queueMicrotask(() => { throw new Error("boom"); }); return new Promise(() => {}); }
    return new Response("alive"); });'
  run call frail/die
  assert_output --partial '"code":"WORKER_ERROR"'
  [ "$(call frail)" = alive ]
}

@test "a heap over the limit answers 546" {
  deploy greedy 'Deno.serve((r) => { if (r.url.endsWith("/eat")) { const a = []; for (;;) a.push(new Array(2e6).fill(1.5)); } return new Response("thin"); });'
  run call greedy/eat
  assert_output --partial '"code":"WORKER_LIMIT"'
  [ "$(call greedy)" = thin ]
}

@test "a function that hangs answers 504, and a fresh process serves the next request" {
  deploy hanging 'Deno.serve((r) => { if (r.url.endsWith("/loop")) for (;;); return new Response("quick"); });'
  run call hanging/loop
  assert_output --partial '"code":"IDLE_TIMEOUT"'
  for _ in $(seq 50); do [ "$(call hanging)" = quick ] && break; sleep 0.1; done
  [ "$(call hanging)" = quick ]
}

@test "a function deleted and deployed again is a new one" {
  deploy reborn 'throw new Error("first life");' >/dev/null
  supabase_api "/projects/$ref/functions/reborn" -X DELETE
  [ "$(call reborn)" = '{"code":"NOT_FOUND","message":"Requested function was not found"}' ]
  deploy reborn 'Deno.serve(() => new Response("second"));' >/dev/null
  [ "$(call reborn)" = second ]
}

@test "a function may not start programs, read outside its files or load libraries" {
  deploy caged 'Deno.serve(async () => { const t = async (f: () => unknown) => { try { await f(); return "ALLOWED"; } catch (e) { return (e as Error).name; } };
    return Response.json([ await t(() => new Deno.Command("/bin/true").output()), await t(() => Deno.readTextFile("/etc/passwd")),
      await t(() => Deno.writeTextFile("/tmp/x", "x")), await t(() => Deno.dlopen("/lib/x86_64-linux-gnu/libc.so.6", {})) ]); });'
  run call caged
  assert_output '["NotCapable","NotCapable","NotCapable","NotCapable"]'
}

@test "a changed secret reaches a running function, and one that is unset leaves it" {
  deploy secretive 'Deno.serve(() => new Response(Deno.env.get("WORD") ?? "-"));'
  [ "$(call secretive)" = - ]
  supabase_api "/projects/$ref/secrets" -d '[{"name":"WORD","value":"geheim"}]'
  [ "$(call secretive)" = geheim ]
  supabase_api "/projects/$ref/secrets" -X DELETE -d '["WORD"]'
  [ "$(call secretive)" = - ]
}

@test "a bundle is not served before the bulk update names it" {
  deploy staged 'Deno.serve(() => new Response("one"));' >/dev/null
  next=$(deploy staged 'Deno.serve(() => new Response("two"));' '&bundleOnly=true' | head -n 1)
  [ "$(call staged)" = one ]
  supabase_api "/projects/$ref/functions" -X PUT -d "[$next]" >/dev/null
  [ "$(call staged)" = two ]
}

@test "20 switches under requests lose none and mix nothing" {
  deploy swift 'Deno.serve(async (r) => { await r.text(); await new Promise((k) => setTimeout(k, 20)); return new Response("v0"); });' >/dev/null
  : >"$scratch/answers"
  for n in 1 2 3 4; do
    (while [ ! -e "$scratch/enough" ]; do call swift -d "body $n" -w ' %{http_code}\n' || echo lost; done >>"$scratch/answers.$n" 2>&1) &
  done
  for i in $(seq 20); do
    deploy swift "Deno.serve(async (r) => { await r.text(); await new Promise((k) => setTimeout(k, 20)); return new Response('v$i'); });" >/dev/null
  done
  touch "$scratch/enough"; wait
  cat "$scratch"/answers.* >"$scratch/answers"
  [ "$(wc -l <"$scratch/answers")" -gt 50 ]
  run grep -cvE '^v[0-9]+ 200$' "$scratch/answers"
  assert_output 0
}

@test "functions and secrets are there after kill -9" {
  deploy lasting 'Deno.serve(() => new Response("still " + (Deno.env.get("KEPT") ?? "-")));' >/dev/null
  supabase_api "/projects/$ref/secrets" -d '[{"name":"KEPT","value":"here"}]'
  kill -9 "$(pid)"
  run local_ up
  assert_success
  [ "$(call lasting)" = "still here" ]
}

@test "a path that leaves the bundle is refused" {
  for path in ../x.ts /etc/x.ts supabase/../../x.ts 'a\b.ts' ./x.ts a//b.ts; do
    run supabase_api "/projects/$ref/functions/deploy?slug=evil" -w '\n%{http_code}' \
      -F "file=@$scratch/index.ts;filename=\"$path\"" -F "metadata={\"entrypoint_path\":\"$path\"}"
    assert_line 400
  done
}

@test "the management API wants its token" {
  for token in "" sbp_0000000000000000000000000000000000000000 "$netlify_token"; do
    [ "$(curl -sS -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" "$api/v1/projects")" = 401 ]
  done
}

# ---- Reset ---------------------------------------------------------------------------------------------------

@test "reset asks first, then makes one environment as new and leaves the others" {
  psql -XAtq "$(environment production database)" -c 'create table kept_there (id int)'
  run -2 local_ reset staging --no-input </dev/null
  run local_ reset staging --yes
  assert_success
  [ "$(sql "select to_regclass('public.kept') is null")" = t ]
  [ "$(status /functions/v1/lasting)" = 404 ]
  [ "$(supabase_api "/projects/$ref/secrets")" = '[]' ]
  [ "$(environment staging project_ref)" = "$ref" ]
  psql -XAtq "$(environment production database)" -c 'select * from kept_there'
}

@test "the sanitizers found nothing while the platform ran" {
  local_ down
  run grep -E 'ERROR: AddressSanitizer|runtime error|LeakSanitizer' "$LOCKFLIGHT_STATE_DIR/daemon.log"
  assert_failure
}
