#!/usr/bin/env bats
# Run by `make check-contract OPENAPI=<file>`; not part of `make check`, since the document is the caller's.

load ../../lib/lockflight
load ../../lib/clients

setup_file() {
  LOCKFLIGHT=$repo/build/lockflight
  studio_copy
  platform_up
  client_home
  relay_start "$LOCKFLIGHT_CONTRACT" "$api"
  sed -i "s|^api_url: .*|api_url: $relay|" "$scratch/profile.yaml"
  export ref=$(environment staging project_ref)
  mkdir -p "$scratch/small/supabase/functions/hello"
  printf 'project_id = "small"\n' >"$scratch/small/supabase/config.toml"
  echo 'Deno.serve(() => new Response("hi"));' >"$scratch/small/supabase/functions/hello/index.ts"
}

teardown_file() { relay_stop; platform_down; }

@test "the Supabase CLI's calls and the answers to them agree with the document" {
  for words in 'projects list' "functions deploy hello --use-api --project-ref $ref" "functions list --project-ref $ref" \
    "secrets set A=b --project-ref $ref" "secrets list --project-ref $ref" "secrets unset A --project-ref $ref" \
    "functions delete hello --project-ref $ref" "projects api-keys --project-ref $ref"; do
    run supabase "$scratch/small" $words
    assert_success
  done
}

@test "lockflight's calls and the answers to them agree with the document" {
  sed -i "s|^\(\[env\.staging\]\)$|\1\nsupabase = { api = \"$relay\" }|" "$studio/lockflight.toml"
  studio_commit 'Supabase by way of the relay'
  cd "$studio"
  run lockflight deploy staging --no-input --yes
  assert_success
}

@test "every call that our client knows agrees with the document" {
  run "$repo/build/tests/clients/calls" supabase "$relay" "$supabase_token"
  assert_success
  refute_output --partial FAILED
  wanted=$(grep -oh '"supabase\.[a-z_]*"' "$repo"/src/provider/supabase*.c | tr -d '"' | sort -u)
  [ "$(sed -n 's/^ok //p' <<<"$output" | sort -u)" = "$wanted" ]
  echo "# $(wc -l <<<"$wanted") operations of ours" >&3
}

@test "Prism found no violation" {
  run relay_violations "$repo/tests/clients/contract/known.tsv"
  assert_output ''
  echo "# $(wc -l <"$relay_dir/exchanges") exchanges judged" >&3
  [ "$(wc -l <"$relay_dir/exchanges")" -gt 15 ]
}
