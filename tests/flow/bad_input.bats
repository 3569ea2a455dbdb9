#!/usr/bin/env bats
# Migration files that cannot be run: one error with file, line, caret and remedy, and a database that is as before.

load mini

setup_file() {
  mini_up
  cd "$mini"
  lockflight migration up staging
  export file=supabase/migrations/20260201090000_bad.sql
  # what `migration up` leaves for the first release to make of schema lockflight is made here, not by a test
  (cd "$mini" && lockflight lock staging --reason 'all of the schema' && lockflight unlock staging --yes) >/dev/null 2>&1
}
teardown_file() { platform_down; }

setup() {
  mini_enter
  git -C "$mini" checkout -q .
  git -C "$mini" clean -fdq supabase
  before=$(database)
}

# All there is in the database: the schema as pg_dump writes it, and the history.
database() {
  pg_dump --schema-only "$(environment staging database)" | grep -v '^\\\(un\)\?restrict '
  sql staging 'select version, name, statements from supabase_migrations.schema_migrations order by 1'
}

bad() { # bad TEXT: the file as printf writes it, with a reverse script that is fine
  printf "$1" >"$file"
  printf -- '-- nothing to take back\nselect 1;\n' >"supabase/rollbacks/${file##*/}"
}

# refused STATUS WHERE WHY REMEDY: by `migration up`; nothing has changed.
refused() {
  run lockflight migration up staging
  assert_failure "$1"
  has_line "$3"
  has_line "where +$2"
  [[ -z ${4-} ]] || has_line "next +.*$4"
  [ "$(grep -c '^error ' <<<"$output")" = 1 ]
  [ "$(database)" = "$before" ]
}

@test "a syntax error is shown at its word, and what stood before it is gone" {
  bad 'create table public.fine (id int);\n\ncreate tabel public.wrong (id int);\n'
  refused 1 "$file:3:8" 'syntax error at or near "tabel"'
  assert_line --regexp '^ +\| +3 \| create tabel public.wrong|^ +3 \| create tabel public.wrong'
  assert_line --regexp '\| +\^$'
}

@test "a syntax error in the reverse script is found before anything is applied" {
  printf 'create table public.fine (id int);\n' >"$file"
  printf "drop table public.fine;\nselect 'open;\n" >"supabase/rollbacks/${file##*/}"
  refused 2 "supabase/rollbacks/${file##*/}:2:8" 'this text does not end' "it''s"
}

@test "a text that does not end is shown where it begins" {
  bad "select 1;\nselect 'it is open;\nselect 2;\n"
  refused 2 "$file:2:8" 'this text does not end' "close it with '"
  assert_line --partial "2 | select 'it is open;"
}

@test "bytes that are not UTF-8 are shown with the command that converts them" {
  bad "select 1;\n-- d\\351j\\340 vu\nselect 2;\n"
  refused 2 "$file:2:5" 'not UTF-8' 'iconv -f LATIN1'
}

@test "a file in UTF-16 is called that" {
  printf 'select 1;\n' | iconv -f UTF-8 -t UTF-16 >"$file"
  refused 2 "$file:1:1" 'UTF-16' 'iconv -f UTF-16'
}

@test "a command of psql is refused, and so are rows behind COPY FROM STDIN" {
  bad '\\restrict abc\nselect 1;\n'
  refused 2 "$file:1:1" 'for psql' 'remove the line'
  bad "create table public.fine (id int, t text);\ncopy public.fine from stdin;\n1\tit's\n\\.\n"
  refused 2 "$file:2:1" 'COPY … FROM STDIN' 'INSERT'
}

@test "a transaction of the file's own is refused" {
  bad 'begin;\ncreate table public.fine (id int);\ncommit;\n'
  refused 2 "$file:1:1" 'BEGIN' 'remove it'
}

@test "two files of one version are both named" {
  bad 'select 1;\n'
  cp "$file" supabase/migrations/20260201090000_again.sql
  run lockflight migration up staging
  assert_failure 2
  has_line '20260201090000_again.sql'
  has_line '20260201090000_bad.sql'
  [ "$(database)" = "$before" ]
}

@test "an applied file that is gone is missed" {
  rm supabase/migrations/20260102090000_authors.sql supabase/rollbacks/20260102090000_authors.sql
  bad 'select 1;\n'
  run lockflight migration up staging
  assert_failure 5
  has_line '20260102090000'
  has_line 'next .*'
  [ "$(database)" = "$before" ]
}

@test "an applied file that was changed is refused, with the way to accept it" {
  printf '\ncreate table public.smuggled (id int);\n' >>supabase/migrations/20260102090000_authors.sql
  run lockflight migration up staging
  assert_failure 5
  has_line '20260102090000_authors.sql'
  has_line 'next .*'
  [ "$(database)" = "$before" ]
}

@test "ten megabytes in one statement are applied, and a mistake behind them is shown briefly" {
  bad 'create table public.many (id int, t text);\n'
  { printf 'insert into public.many values (0,\x27x\x27)'; yes ",(1,'xxxxxxxxxxxxxxxx')" | head -n 450000 | tr -d '\n'; printf ';\n'; } >>"$file"
  [ "$(stat -c %s "$file")" -gt 10000000 ]
  printf 'insert into public.many values (1, 2, 3);\n' >>"$file"
  refused 1 "$file:3:[0-9]+" 'INSERT has more expressions than target columns'
  [ "${#output}" -lt 2000 ]
  sed -i '$d' "$file"
  run lockflight migration up staging
  assert_success
  [ "$(sql staging 'select count(*) from public.many')" = 450001 ]
  lockflight migration down staging --confirm staging || true
  sql staging "drop table public.many; delete from supabase_migrations.schema_migrations where version = '20260201090000'; delete from lockflight.migrations where version = '20260201090000'"
}

@test "comments without end inside each other, and nesting that only an attacker writes, end at once" {
  bad 'select 1\n'
  head -c 100000 /dev/zero | sed 's/\x0/\/*/g' >>"$file"
  refused 2 "$file:2:1" '1000 operator characters in a row' 'remove it'
  { printf 'select '; head -c 30000 /dev/zero | tr '\0' '('; printf '1\n'; } >"$file"
  refused 1 "$file:1:[0-9]+" 'memory exhausted|stack depth|syntax error'
}

@test "the plan of a release shows the same error behind a closed gate, and a deploy stops before it" {
  bad "select 1;\nselect 'open;\n"
  mini_commit 'A migration that cannot be read'
  run lockflight plan staging
  has_line 'wait +migrations +this text does not end'
  has_line "$file:2:8"
  run lockflight deploy staging
  assert_failure
  has_line 'this text does not end'
  git -C "$mini" reset -q --hard HEAD~1
  [ "$(database)" = "$before" ]
}
