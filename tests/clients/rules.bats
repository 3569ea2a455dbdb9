#!/usr/bin/env bats
# Our _redirects and _headers against the vendor's own code: the production engine compiled to WebAssembly
# (netlify-redirector) and @netlify/headers-parser. Known differences, on purpose: a "." in a header path
# is a dot, "/t/*" does not fit "/tt", and a path with an empty segment fits a rule that has one too.

load ../lib/lockflight

setup_file() {
  modules=${LOCKFLIGHT_CLIENT_MODULES:-$clients/node_modules}
  probe=${LOCKFLIGHT%/*}/tests/clients/rules_probe
  cases=$repo/tests/clients
  [[ -d $modules/netlify-redirector && -d $modules/@netlify/headers-parser ]] || skip "netlify-cli is not installed"
  export modules probe cases
}

agree() { # agree KIND RULES PATHS
  node "$cases/rules_oracle.cjs" "$1" "$2" "$modules" <"$3" >"$BATS_TEST_TMPDIR/theirs"
  "$probe" "$1" "$2" <"$3" >"$BATS_TEST_TMPDIR/ours"
  paste "$3" "$BATS_TEST_TMPDIR/ours" "$BATS_TEST_TMPDIR/theirs" | awk -F'\t' '$2 != $3 { print; bad = 1 } END { exit bad }' ||
    { cat "$2"; return 1; }
}

@test "every way to write a redirect leads where the vendor's engine leads" {
  for rules in "$cases"/rules/*.redirects; do agree redirects "$rules" "$cases/rules/paths"; done
}

@test "every way to write a header rule sets what the vendor's parser sets" {
  agree headers "$cases/rules/one.headers" "$cases/rules/header_paths"
}

@test "random redirect rules lead where the vendor's engine leads" {
  for seed in $(seq 25); do
    node "$cases/rules_random.cjs" redirects "$seed" "$BATS_TEST_TMPDIR/rules" "$BATS_TEST_TMPDIR/paths"
    agree redirects "$BATS_TEST_TMPDIR/rules" "$BATS_TEST_TMPDIR/paths"
  done
}

@test "random header rules set what the vendor's parser sets" {
  for seed in $(seq 25); do
    node "$cases/rules_random.cjs" headers "$seed" "$BATS_TEST_TMPDIR/rules" "$BATS_TEST_TMPDIR/paths"
    agree headers "$BATS_TEST_TMPDIR/rules" "$BATS_TEST_TMPDIR/paths"
  done
}
