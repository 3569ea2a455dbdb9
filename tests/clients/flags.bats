#!/usr/bin/env bats
# Our evaluator beside @openfeature/flagd-core, the engine of the hosted function: whatever rules and contexts chance
# makes, both say the same. LOCKFLIGHT_SEED repeats a run; LOCKFLIGHT_FLAG_EVALUATIONS says how many (make check-long: a
# million). Where we differ from its interpreter on purpose, outside the portable profile: flags/known.cjs.

load ../lib/lockflight

setup_file() {
  modules=$lf_runtime/flags/node_modules
  probe=${LOCKFLIGHT%/*}/tests/clients/flags_probe
  seed=${LOCKFLIGHT_SEED:-$((RANDOM * 32768 + RANDOM))}
  many=${LOCKFLIGHT_FLAG_EVALUATIONS:-100000}
  [[ -d $modules/@openfeature/flagd-core ]] || skip "flagd-core is not installed"
  export modules probe seed many
  echo "# seed $seed" >&3
}

compare() { # compare KIND COUNT
  run node "$repo/tests/clients/flags/compare.cjs" "$1" "$2" "$seed" "$LOCKFLIGHT" "$probe" "$modules"
  echo "$output"
  [[ $status == 0 ]]
}

@test "portable rules give what the engine gives, compiled and interpreted" {
  compare profile "$many"
  has_line "^[0-9]+ evaluations, 0 differences$"
}

@test "whatever else the validator lets through gives what the engine gives" {
  compare mutated $((many / 10))
  has_line "^[0-9]+ evaluations, 0 differences$"
}

@test "rules of every operator give what its interpreter gives" {
  compare full $((many / 5))
  has_line "^[0-9]+ evaluations, 0 differences"
}

@test "flags that require one another give what the engine makes of their export" {
  compare requires $((many / 20))
  has_line "^[0-9]+ evaluations, 0 differences$"
}
