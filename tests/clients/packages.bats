#!/usr/bin/env bats
# The packages as a user gets them: installed from the files that `make package` makes, without a network.

load ../lib/lockflight
load ../lib/clients

setup_file() {
  scratch_make
  "$repo/tools/package" "$scratch/packages"
  mkdir -p "$scratch/project" "$scratch/home"
  cd "$scratch/project"
  echo '{"private":true}' >package.json
  npm_offline install --no-audit --no-fund --loglevel=error "$scratch"/packages/*.tgz
}
teardown_file() { rm -rf "$scratch"; }
setup() { cd "$scratch/project" || return 1; }

npm_offline() { env -i PATH="$(client_path)" HOME="$scratch/home" npm --offline "$@"; }
installed()   { echo "$scratch/project/node_modules/@lockflight/linux-x64"; }
wanted()      { "$repo/build/lockflight" version; }

@test "npx lockflight runs the program from the npm packages" {
  run env -i PATH="$(client_path)" HOME="$scratch/home" npx --offline lockflight version
  assert_success
  assert_output "$(wanted)"
}

@test "the exit status and the signal of the program are those of npx" {
  launcher=$scratch/project/node_modules/.bin/lockflight
  run env -i PATH="$(client_path)" "$launcher" nonsense
  assert_equal "$status" 2
  run env -i PATH="$(client_path)" "$launcher" plan production --config nowhere.toml
  assert_failure
  assert_output --partial nowhere.toml
}

@test "of the system the npm package takes the C library alone" {
  run ldd "$(installed)/bin/lockflight"
  assert_success
  refute_output --partial 'not found'
  foreign=$(awk '$2 == "=>" { print $3 }' <<<"$output" | grep -v "^$(installed)/bin/../lib/" |
    grep -vE '/(libc|libm|libresolv|libpthread|libdl|librt)\.so\.[0-9]+$' || true)
  assert_equal "$foreign" ''
}

@test "the libraries that are loaded when they are needed come along too, and are the ones that are loaded" {
  for name in libpq.so.5 libcurl.so.4; do
    run env LD_LIBRARY_PATH="$(installed)/lib" ldd "$(installed)/lib/$name"
    assert_success
    refute_output --partial 'not found'
    foreign=$(awk '$2 == "=>" { print $3 }' <<<"$output" | grep -v "^$(installed)/lib/" |
      grep -vE '/(libc|libm|libresolv|libpthread|libdl|librt)\.so\.[0-9]+$' || true)
    assert_equal "$foreign" ''
  done
  mkdir -p "$scratch/none"
  LD_DEBUG=files LD_DEBUG_OUTPUT=$scratch/loaded run "$(installed)/bin/lockflight" migration status --migrations "$scratch/none" \
    --database-url postgresql://nobody@127.0.0.1:1/none
  assert_failure
  assert_output --partial 'Connection refused'
  run grep -hE 'calling init: .*/lib(pq|krb5)\.so' "$scratch"/loaded.*
  assert_equal "$(grep -cv "$(installed)" <<<"$output" || true)" 0
  assert_output --partial libpq.so
}

@test "each library that is brought along comes with its terms" {
  assert [ "$(ls "$(installed)/licenses" | wc -l)" -gt 10 ]
  for file in "$(installed)"/licenses/*; do assert [ -s "$file" ]; done
}

@test "the Debian package has the program, its pages and completions, and names what it needs" {
  deb=$(echo "$scratch"/packages/*.deb)
  run dpkg-deb -f "$deb" Depends
  for name in libc6 libpq5 libcurl4 libsodium23 libjansson4; do assert_output --partial "$name"; done
  dpkg -x "$deb" "$scratch/root"
  run "$scratch/root/usr/bin/lockflight" version
  assert_output "$(wanted)"
  for file in share/man/man1/lockflight.1.gz share/man/man5/lockflight.toml.5.gz share/man/man5/lockflight.flags.toml.5.gz share/bash-completion/completions/lockflight \
    share/zsh/site-functions/_lockflight share/fish/vendor_completions.d/lockflight.fish share/doc/lockflight/copyright; do
    assert [ -s "$scratch/root/usr/$file" ]
  done
  [[ $(dpkg-deb -c "$deb" | awk '{ print $2 }' | sort -u) == root/root ]]
}

@test "the same commit gives the same packages, byte for byte" {
  "$repo/tools/package" "$scratch/again"
  for file in "$scratch"/packages/*; do cmp "$file" "$scratch/again/${file##*/}"; done
}
