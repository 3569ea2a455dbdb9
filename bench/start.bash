#!/usr/bin/env bash
# How long until the program has said something: the version, and the state of things, against both vendors' clients.
set -euo pipefail
source "$(dirname "$0")/lib.bash"
stand
site=$(environment staging site_id) ref=$(environment staging project_ref)
ours() { (cd "$studio" && "$LOCKFLIGHT" "$@"); }
for ((r = 1; r <= runs; r++)); do
  timed "$scratch/n.version" netlify "$site" "$studio" --version
  timed "$scratch/o.version" ours --version
  timed "$scratch/s.version" supabase "$studio" --version
  timed "$scratch/n.status" netlify "$site" "$studio" api getSite --data "{\"site_id\":\"$site\"}"
  timed "$scratch/o.status" ours status
  timed "$scratch/s.status" supabase "$studio" functions list --project-ref "$ref"
done
header "start-up"
for kind in version status; do
  o=$(wall "$scratch/o.$kind")
  n="netlify --version" s="supabase --version"
  [[ $kind == status ]] && { n="netlify api getSite"; s="supabase functions list"; }
  verdict "lockflight ${kind/version/--version}, against $n" "$o" "$(wall "$scratch/n.$kind")" s "$(ratio "$(wall "$scratch/n.$kind")" "$o")" 25
  verdict "lockflight ${kind/version/--version}, against $s" "$o" "$(wall "$scratch/s.$kind")" s "$(ratio "$(wall "$scratch/s.$kind")" "$o")" 25
done
