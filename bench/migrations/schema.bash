# schema TABLES: the DDL of so many tables of ten columns, with keys, indexes, policies, a trigger, comments and a view.
schema() {
  local i
  echo 'create schema app; create type app.state as enum ($$new$$, $$open$$, $$done$$);' | tr '$' "'" | sed "s/''/'/g"
  echo 'create function app.touch() returns trigger language plpgsql as $$ begin new.at := now(); return new; end $$;'
  for ((i = 1; i <= $1; i++)); do
    cat <<SQL
create table app.t_$i (id bigint generated always as identity primary key, name text not null default '', note text,
  amount numeric(12,2) check (amount >= 0), state app.state not null default 'new', at timestamptz not null default now(),
  tags text[], data jsonb, parent bigint$( ((i > 1)) && echo " references app.t_$((i - 1))"), is_live boolean not null default true);
create index t_${i}_name on app.t_$i (name); create index t_${i}_live on app.t_$i (at) where is_live;
alter table app.t_$i enable row level security; create policy own on app.t_$i using (is_live);
create trigger touch before update on app.t_$i for each row execute function app.touch();
comment on table app.t_$i is 'Table $i'; create view app.v_$i as select id, name from app.t_$i where is_live;
SQL
  done
}
