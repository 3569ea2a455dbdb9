-- The roles a Supabase project has. Roles belong to the whole cluster, so every statement may be run again.
-- :passwords are set by cluster.c, not here.
do $$
declare
  r record;
begin
  for r in
    select * from (values
      ('anon',                       'nologin noinherit'),
      ('authenticated',              'nologin noinherit'),
      ('service_role',               'nologin noinherit bypassrls'),
      ('authenticator',              'login noinherit'),
      ('postgres',                   'login createrole createdb bypassrls replication'),
      ('supabase_auth_admin',        'nologin noinherit createrole'),
      ('supabase_storage_admin',     'nologin noinherit createrole'),
      ('supabase_realtime_admin',    'nologin noinherit'),
      ('supabase_functions_admin',   'nologin noinherit createrole'),
      ('supabase_replication_admin', 'nologin replication'),
      ('supabase_read_only_user',    'nologin bypassrls'),
      ('supabase_etl_admin',         'nologin replication'),
      ('dashboard_user',             'nologin createrole createdb replication'),
      ('pgbouncer',                  'nologin')
    ) as t(name, attributes)
  loop
    if not exists (select from pg_roles where rolname = r.name) then
      execute format('create role %I %s', r.name, r.attributes);
    end if;
  end loop;
end
$$;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role, authenticator to postgres;
-- On the hosted service an extension lets `postgres` write policies on tables it does not own; membership
-- gives it the same here.
grant supabase_storage_admin, supabase_realtime_admin, supabase_functions_admin to postgres;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
grant pg_read_all_data to supabase_read_only_user, supabase_etl_admin;
grant supabase_read_only_user to postgres;

alter role postgres set search_path = "$user", public, extensions;
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role supabase_auth_admin set search_path = auth;
alter role supabase_storage_admin set search_path = storage;
alter role supabase_read_only_user set default_transaction_read_only = on;
