#!/usr/bin/env bash
# M3: what is pending, when nothing is. Of 300 migrations, and of ten.
set -euo pipefail
source "$(dirname "$0")/lib.bash"
server_up
for n in 10 300; do
  files $n
  for tool in ours dbmate supabase sqitch; do fresh "db_$tool"; "apply_$tool" "db_$tool" >/dev/null 2>&1; done
  for ((r = 1; r <= 3 * runs; r++)); do # short: more of them
    for tool in ours dbmate supabase sqitch; do
      [[ $tool == s* ]] && ((r > runs)) && continue
      timed_as "m3.$n.$tool" "status_$tool" "db_$tool"
    done
  done
  figure M3 "status of $n migrations, nothing pending" "$(ms "m3.$n.ours")" 15 ms dbmate="$(ms "m3.$n.dbmate")" supabase="$(ms "m3.$n.supabase")" sqitch="$(ms "m3.$n.sqitch")"
done
