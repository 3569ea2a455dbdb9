#!/usr/bin/env bats
# A contract step that was kept, on the local platform: applied as the role that migrations have there, rows written
# meanwhile, taken back; and at last purged.

load mini

setup_file()    { mini_up; }
teardown_file() { platform_down; }
setup()         { mini_enter; }

version=20260104090000
file=supabase/migrations/${version}_contract.sql
reverse=supabase/rollbacks/${version}_contract.sql

status() { curl -sS -o /dev/null -w '%{http_code}' "$(environment staging url)$1" -H "apikey: $(environment staging service_role_key)"; }
status_becomes() { # status_becomes PATH CODE
  local i; for i in $(seq 50); do [[ $(status "$1") == "$2" ]] && return 0; sleep 0.1; done; status "$1"; return 1
}

@test "keep shows what it would write, and writes it only when asked" {
  printf '%s\n' 'create table public.tags (name text primary key);' \
    'create table public.pets (id int primary key, tag text references public.tags, kind text not null);' \
    "insert into public.tags values ('x'), ('y');" "insert into public.pets values (1, 'x', 'cat'), (2, 'y', 'dog');" \
    >supabase/migrations/20260103090000_pets.sql
  lockflight migration reverse --write
  lockflight migration up staging --yes
  printf -- '-- phase: contract\n%s\n%s\n%s\n' 'alter table public.notes drop column author;' 'drop table public.pets;' \
    "update public.tags set name = upper(name);" >$file
  sql staging "insert into public.notes (body, author) values ('first', 'Ann'), ('second', null)"

  run lockflight migration keep $version
  assert_failure 5 # the key of tags is what the third statement changes
  assert_output --partial 'changes the key (name)'
  sed -i "3s/.*//;4s/.*/delete from public.tags where name = 'x';/" $file
  sed -i '3s/.*/drop table public.pets;/' $file
  before=$(cat $file)
  run lockflight migration keep $version
  assert_success
  assert_line '-drop table public.pets;'
  assert_line '+ALTER TABLE public.pets SET SCHEMA lockflight_gone;'
  assert_equal "$(cat $file)" "$before"

  run lockflight migration keep $version --write --json
  assert_success
  assert_equal "$(jq -c '[.written, (.changes | length)]' <<<"$output")" '[true,3]'
  run lockflight migration reverse $version --write
  assert_success
  assert_output --partial 'A: Restores schema and data exactly as before'
  run lockflight migration prove $version
  assert_success
}

@test "the contract step runs, the API shows the table no more, and down brings everything back" {
  status_becomes /rest/v1/pets 200
  lockflight migration up staging --yes
  status_becomes /rest/v1/pets 404
  sql staging "insert into public.notes (body) values ('third')"
  sql staging "insert into public.tags values ('x')" # somebody makes anew what was deleted
  run lockflight migration keep $version
  assert_failure 5
  assert_output --partial 'is applied on staging'

  run lockflight migration down staging --confirm staging
  assert_success
  assert_output --partial 'loses nothing'
  assert_output --partial 'public.tags: 1 row was written since and stays as it is'
  assert_equal "$(sql staging 'select string_agg(body || coalesce(author, $$-$$), $$,$$ order by id) from public.notes')" 'firstAnn,second-,third-'
  assert_equal "$(sql staging 'select string_agg(kind, $$,$$ order by id) from public.pets')" 'cat,dog'
  assert_equal "$(sql staging 'select string_agg(name, $$,$$ order by name) from public.tags')" 'x,y'
  status_becomes /rest/v1/pets 200
}

@test "purge writes the end of it, with what goes for good" {
  lockflight migration up staging --yes
  run lockflight migration purge staging
  assert_success
  assert_output --partial 'drop  table lockflight_gone.pets, 2 rows'
  assert_output --partial 'Loss class C'
  run --separate-stderr lockflight migration purge staging --write
  assert_success
  purge=${lines[0]}
  run lockflight migration prove "$(basename "${purge%%_purge.sql}")"
  assert_success
  assert_output --partial 'C: '
  lockflight migration up staging --yes
  assert_equal "$(sql staging "select count(*) from information_schema.columns where column_name like '\\_gone\\_%'")" 0
  run lockflight migration purge staging
  assert_output 'There is nothing that was put aside.'
}
