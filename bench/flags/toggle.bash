#!/usr/bin/env bash
# From `lockflight flags off|on financial` to a tab of the example that hides or shows the module, in Chromium. Pushed by the
# local platform, and polled through the Edge Function as on hosted Supabase. BENCH_TOGGLES, BENCH_POLLED: how often.
source "$(dirname "$0")/../lib.bash"
set -euo pipefail
stand >/dev/null
(cd "$studio" && "$LOCKFLIGHT" deploy staging --yes && "$LOCKFLIGHT" local seed staging) >"$scratch/deploy.log" 2>&1 ||
  { cat "$scratch/deploy.log" >&2; exit 1; }
cp "$here/flags/toggle.mjs" "$studio/toggle.mjs"
cd "$studio"
LOCKFLIGHT=$LOCKFLIGHT LOCKFLIGHT_SITE_URL=$(environment staging url) DATABASE_URL=$(environment staging database) node toggle.mjs
