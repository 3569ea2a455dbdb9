#!/bin/sh
# The whole app on a platform made for the occasion: up, deploy, seed, the rules of the database, every page in Chromium.
# Prints TAP. Needs lockflight, psql, jq and Chromium; leaves nothing running and nothing behind.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
export LOCKFLIGHT_STATE_DIR="$scratch/state"
mkdir "$LOCKFLIGHT_STATE_DIR"
chmod 755 "$scratch"
trap 'lockflight local down >&2 || true; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

eval "$(sh tests/demo-env.sh)"
echo 1..1
lockflight local up >&2
lockflight deploy staging --yes >&2
lockflight local seed staging >&2
echo "ok 1 - the app is live on staging, with demo data"

staging() { jq -r ".environments.staging.$1" "$LOCKFLIGHT_STATE_DIR/platform.json"; }
psql "$(staging database)" -qAtX -v ON_ERROR_STOP=1 -f tests/schema/rules.sql
LOCKFLIGHT_SITE_URL=$(staging url) npm run --silent e2e
