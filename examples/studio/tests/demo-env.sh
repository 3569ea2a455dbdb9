#!/bin/sh
# Makes demo secrets once and prints them as exports:  eval "$(sh tests/demo-env.sh)"
set -eu
file="$(dirname "$0")/../.demo.env"
if [ ! -s "$file" ]; then
  umask 077
  for environment in STAGING PRODUCTION; do
    for name in AMELIA_WEBHOOK_SECRET WHATSAPP_TOKEN WHATSAPP_APP_SECRET WHATSAPP_VERIFY_TOKEN; do
      printf 'export STUDIO_%s_%s=%s\n' "$environment" "$name" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
    done
  done >"$file.new"
  mv "$file.new" "$file"
fi
cat "$file"
