# What the sources ask for is found before anything is touched: by `vars check`, by `plan` and by `deploy`.

load mini
setup_file()    { mini_up; }
teardown_file() { platform_down; }
setup()         { mini_enter; git -C "$mini" reset -q --hard "$(git -C "$mini" rev-list --max-parents=0 HEAD)"; git -C "$mini" clean -qfd; }

deploys() { netlify_api "/sites/$(environment staging site_id)/deploys" | jq length; }

@test "a project that declares what it uses passes, and every use is listed" {
  run lockflight vars check staging --uses
  assert_success
  has_line '^GREETING.*an Edge Function.*supabase/functions/_shared/greet.ts:1:[0-9]+'
  has_line '^LOCKFLIGHT_RELEASE.*supabase/functions/health/index.ts:1:'
  has_line '0 errors'
  run lockflight plan staging
  assert_success
  has_line 'inventory.*uses of variables in [0-9]+ sources'
}

@test "a variable that nobody declares stops a release in phase 0, with its place and what to write" {
  printf 'export const key = () => Deno.env.get("PAYMENT_KEY");\n// Deno.env.get("NOT_THIS")\n' >supabase/functions/_shared/pay.ts
  sed -i '1i import { key } from "../_shared/pay.ts"; key();' supabase/functions/hello/index.ts
  mini_commit 'Asks for a key'
  run lockflight vars check staging
  assert_failure 5
  has_line 'supabase/functions/_shared/pay.ts:1:40'
  has_line 'PAYMENT_KEY is used by an Edge Function and not declared'
  has_line '\[var.PAYMENT_KEY\] to = \["supabase"\]'
  refute_output --partial NOT_THIS
  run lockflight plan staging --json
  assert_success
  assert_equal "$(jq -r '.gates[] | select(.name == "inventory") | .state' <<<"$output")" wait
  run lockflight deploy staging
  assert_failure 5
  has_line 'PAYMENT_KEY is used by an Edge Function'
  has_line 'nothing was changed'
  assert_equal "$(deploys)" 0
  printf '[inventory]\noptional = ["PAYMENT_KEY"]\n' >>lockflight.toml
  run lockflight vars check staging
  assert_success
}

@test "a frontend that imports a secret through a public name is stopped with the remedy, nothing uploaded" {
  mkdir -p src
  printf 'const headers = {\n  authorization: `Bearer ${import.meta.env.VITE_WHATSAPP_ACCESS_TOKEN}`,\n};\n' >src/send.ts
  printf '\n[var.VITE_WHATSAPP_ACCESS_TOKEN]\nto = ["netlify:build"]\nvalue = "EAAB-what-a-secret"\n' >>lockflight.toml
  mini_commit 'Sends from the browser'
  run lockflight deploy staging
  assert_failure 5
  has_line 'VITE_WHATSAPP_ACCESS_TOKEN'
  has_line 'published with the site'
  has_line 'rename it WHATSAPP_ACCESS_TOKEN with to = \["supabase"\] and use it in an Edge Function'
  refute_output --partial EAAB-what
  assert_equal "$(deploys)" 0
  run lockflight vars check staging --json
  assert_failure 5
  jq -e '.findings[] | select(.rule == "public-secret" and .where == "src/send.ts:2:44")' <<<"$output"
  printf '\n[allow.VITE_WHATSAPP_ACCESS_TOKEN]\nreason = "a test of the list"\n' >>lockflight.toml
  run lockflight vars check staging
  assert_success
}

@test "a value that is missing in one environment is an error there only, unused and unresolved ones are told" {
  run env -u MINI_PRODUCTION_TOKEN "$LOCKFLIGHT" vars check production
  assert_failure 5
  has_line 'MINI_TOKEN has no value in production: MINI_PRODUCTION_TOKEN is not set'
  run env -u MINI_PRODUCTION_TOKEN "$LOCKFLIGHT" vars check staging
  assert_success
  has_line 'MINI_TOKEN is declared, but its name stands nowhere'
  printf 'Deno.env.get(location.hash);\n' >supabase/functions/hello/more.ts
  sed -i '1i import "./more.ts";' supabase/functions/hello/index.ts
  run lockflight vars check staging
  assert_success
  has_line 'note +supabase/functions/hello/more.ts:1:1'
  has_line '// lockflight: env A, B'
}

@test "what is allowed needs a reason, and an unknown environment is named" {
  printf '\n[allow.VITE_TOKEN]\n' >>lockflight.toml
  run lockflight vars check staging
  assert_failure
  has_line 'does not say why it may be published'
  git -C "$mini" checkout -q -f main
  run lockflight vars check stagin
  assert_failure 2
  has_line 'did you mean staging'
}
