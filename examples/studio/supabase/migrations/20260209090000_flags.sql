-- What the Edge Function `flags` reads: all flags at once, or nothing if their version is still the `known` one.
-- Schema lockflight, which Lockflight keeps in this database, need not be there yet: then there are no flags.
create function public.lockflight_flags(known bigint) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  answer jsonb;
begin
  if to_regprocedure('lockflight.flag_version()') is null
     or to_regprocedure('lockflight.flag_snapshot(timestamptz)') is null then
    answer := '{"v": 0, "next": null, "document": {"flags": {}}, "flags": {}, "attributes": {}}';
    return case when known is distinct from 0 then answer end;
  end if;
  execute 'select case when lockflight.flag_version() is distinct from $1
                       then lockflight.flag_snapshot(clock_timestamp()) end' into answer using known;
  return answer;
end
$$;

revoke all on function public.lockflight_flags(bigint) from public, anon, authenticated;
grant execute on function public.lockflight_flags(bigint) to service_role;

-- Is a module on, for whoever is signed in? For policies and functions:  using ((select public.module_enabled('crm')))
-- The inner select matters: with it the question is asked once for a query, without it once for each row.
-- Where there is no flag of that name (a database that Lockflight does not know yet, a flag that the release being
-- deployed creates after its migrations) nothing has been switched off, and the answer is true. A flag that exists
-- decides, and what cannot be decided in SQL is off.
-- allow: S03 it keeps the grants of the function that it replaces: authenticated and service_role
create or replace function public.module_enabled(module text) returns boolean
language plpgsql stable security definer set search_path = '' as $$
declare
  answer boolean;
begin
  if to_regclass('lockflight.flag') is null or to_regprocedure('lockflight.is_on(text,text)') is null then
    return true;
  end if;
  execute 'select lockflight.is_on(flag_key, $2) from lockflight.flag where flag_key = $1'
    into answer using module, (select auth.uid())::text;
  return coalesce(answer, true);
end
$$;
