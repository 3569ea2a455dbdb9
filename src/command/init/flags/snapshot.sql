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
