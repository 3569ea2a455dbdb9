#!/usr/bin/env bats
# Visitors notice nothing: every request is answered, in time, and by one version or the other.

load ../lib/lockflight

setup_file() {
  # The program as people run it; the sanitizers' build is several times slower and would test patience, not switching.
  LOCKFLIGHT=$repo/build/lockflight
  studio_copy
  platform_up
}

teardown_file() { platform_down; }

@test "500 publishes, 100 rollbacks and 100 function switches under 64 connections: 0 failed, 0 mixed" {
  run "$repo/build/tests/load/lf_load" --api "${api##*:}" --site-port "$(environment staging port)" \
    --netlify-token "$netlify_token" --site "$(environment staging site_id)" \
    --supabase-token "$supabase_token" --ref "$(environment staging project_ref)"
  echo "$output" >&3
  assert_success
}
