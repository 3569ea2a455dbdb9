-- The roles that migrations of a Supabase project name, for a server that is not ours: only those that are missing, without
-- login and without rights, and a role that exists is left as it is.
do $$
declare
  r text;
begin
  foreach r in array array['anon', 'authenticated', 'service_role', 'authenticator', 'postgres', 'supabase_admin',
                           'supabase_auth_admin', 'supabase_storage_admin', 'supabase_realtime_admin',
                           'supabase_functions_admin', 'supabase_replication_admin', 'supabase_read_only_user',
                           'dashboard_user'] loop
    if not exists (select from pg_roles where rolname = r) then
      begin
        execute format('create role %I nologin noinherit', r);
        execute format('grant %I to current_user', r); -- so that things may be given to it
      exception when duplicate_object or unique_violation then
        null; -- somebody else was faster
      end;
    end if;
  end loop;
end
$$;
