
-- Is a module on, for whoever is signed in? For policies and functions:  using ((select public.module_enabled('crm')))
-- The inner select matters: with it the question is asked once for a query, without it once for each row.
-- Where there is no flag of that name (a database that Lockflight does not know yet, a flag that the release being
-- deployed creates after its migrations) nothing has been switched off, and the answer is true. A flag that exists
-- decides, and what cannot be decided in SQL is off.
create function public.module_enabled(module text) returns boolean
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

revoke all on function public.module_enabled(text) from public;
grant execute on function public.module_enabled(text) to authenticated, service_role;
