# What the measurements share: a platform of their own, medians, a line of a table. See bench/README.md.

here=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
repo=${here%/*}
# shellcheck source=../tests/lib/lockflight.bash
bats_load_library() { :; }
bats_require_minimum_version() { :; }
export LOCKFLIGHT_UNDER_TEST=$repo/build/lockflight
source "$repo/tests/lib/lockflight.bash"
source "$repo/tests/lib/clients.bash"
export LC_ALL=C.UTF-8 NO_COLOR=1
runs=${BENCH_RUNS:-5}

median() { sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.1f", a / b; else print "-" }'; }

# timed FILE COMMAND…: appends wall seconds and CPU seconds (user + system, children too) to FILE
timed() {
  local file=$1 t; shift
  local TIMEFORMAT='%R %U %S'
  t=$({ time "$@" >/dev/null 2>"$scratch/timed.err"; } 2>&1) || { cat "$scratch/timed.err" >&2; echo "bench: failed: $*" >&2; exit 1; }
  awk '{ printf "%.3f %.3f\n", $1, $2 + $3 }' <<<"$t" >>"$file"
}
wall() { cut -d' ' -f1 "$1" | median; }
cpu() { cut -d' ' -f2 "$1" | median; }

# verdict WHAT OURS THEIRS UNIT RATIO WANTED: one line of the table
verdict() {
  local ok=short; awk -v r="$5" -v w="$6" 'BEGIN { exit !(r + 0 >= w + 0) }' && ok=ok
  printf '%-46s %10s %10s %-4s %8sx  wanted %4sx  %s\n' "$1" "$2" "$3" "$4" "$5" "$6" "$ok"
}
header() { printf '\n%-46s %10s %10s %-4s %9s\n' "$1" "ours" "theirs" '' ratio; }

stand() { # a platform for the measurements, taken down at the end
  scratch_make
  trap 'platform_down' EXIT
  studio_copy
  platform_up
  client_home
}
