create or replace function public.module_enabled(module text) returns boolean
language sql stable set search_path = '' as $$
  select true
$$;
drop function public.lockflight_flags(bigint);
