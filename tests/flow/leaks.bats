# A built site that contains what must not be published is not uploaded: the error says what, where and what to do.

load mini
setup_file()    { mini_up; }
teardown_file() { platform_down; }
setup()         { mini_enter; git -C "$mini" reset -q --hard "$(git -C "$mini" rev-list --max-parents=0 HEAD)"; git -C "$mini" clean -qfdx; }

deploys() { netlify_api "/sites/$(environment staging site_id)/deploys" | jq length; }

# refused_build COMMAND: the build runs it too; the release is refused and nothing is uploaded
refused_build() {
  printf '%s\n' "$1" >>build.sh
  mini_commit 'Leaks'
  run lockflight deploy staging
  assert_failure
  has_line 'nothing was changed|as before|draft'
  assert_equal "$(deploys)" 0
}

@test "a declared secret, in any form, with file, line and column, and never its value" {
  refused_build 'printf "let a = 1;\nlet t = \"%s\";\n" "staging-token-0123456789" >dist/app.js'
  has_line 'the built file /app.js contains MINI_TOKEN'
  has_line 'dist/app.js:2:10'
  has_line 'read it in an Edge Function'
  refute_output --partial staging-token-0123456789
}

@test "the secret of another environment, in base64 in a source map" {
  refused_build 'printf "{\"sourcesContent\":[\"%s\"]}" "$(printf "x=production-token-0123456789" | base64)" >dist/app.js.map'
  has_line 'the built file /app.js.map contains MINI_TOKEN of production, encoded as base64'
  refute_output --partial production-token-0123456789
}

@test "a service-role key, in a file packed beforehand" {
  refused_build "printf 'x = \"%s.%s.c2lnbmF0dXJl\"' \"\$(printf '{\"alg\":\"HS256\"}' | base64 -w0 | tr -d =)\" \"\$(printf '{\"role\":\"service_role\"}' | base64 -w0 | tr -d =)\" | gzip >dist/app.js.gz"
  has_line 'the built file /app.js.gz contains a service-role key of Supabase'
  has_line 'when it is unpacked'
  has_line 'make a new one at Supabase'
}

@test "a token of a known provider, unless it is allowed with a reason" {
  local token="sk_""live_4eC39HqLyjWDarjtT1zdp7dc"
  refused_build "echo 'pay(\"$token\")' >dist/pay.js"
  has_line 'contains a secret key of Stripe \(stripe-secret-key\)'
  refute_output --partial "$token"
  printf '\n[allow.stripe-secret-key]\nreason = "a made-up one, for this test"\nfiles = ["/pay.js"]\n' >>lockflight.toml
  mini_commit 'Allowed'
  run lockflight deploy staging
  assert_success
}

@test "this environment's own address, where production gets the very bytes" {
  before=$(deploys)
  printf '%s\n' "echo 'fetch(\"$(environment staging url)/x\")' >dist/app.js" >>build.sh
  mini_commit 'Knows where it is'
  run lockflight deploy staging
  assert_failure
  has_line 'the built file /app.js contains address of staging'
  has_line 'production gets these very bytes'
  assert_equal "$(deploys)" "$before"
}
