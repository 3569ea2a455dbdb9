-- Platform: who works here, what came in from outside, what was changed.

create table public.profiles (
  user_id    uuid primary key references auth.users (id) on delete cascade,
  full_name  text not null check (length(trim(full_name)) > 0),
  role       text not null default 'staff' check (role in ('owner', 'manager', 'staff')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.webhook_inbox (
  id           uuid primary key default gen_random_uuid(),
  source       text not null check (source in ('amelia', 'whatsapp')),
  action       text not null,
  subject      text,
  dedupe_key   text not null unique,
  payload      jsonb not null,
  received_at  timestamptz not null default now(),
  processed_at timestamptz,
  attempts     integer not null default 0 check (attempts >= 0),
  last_error   text
);

create index webhook_inbox_waiting on public.webhook_inbox (source, received_at) where processed_at is null;
create index webhook_inbox_subject on public.webhook_inbox (subject, received_at);

create table public.audit_log (
  id         uuid primary key default gen_random_uuid(),
  at         timestamptz not null default now(),
  actor      uuid,
  action     text not null check (action in ('INSERT', 'UPDATE', 'DELETE')),
  table_name text not null,
  row_id     uuid,
  changed    text[] not null default '{}'
);

create index audit_log_row on public.audit_log (table_name, row_id, at desc);

create function public.staff_role() returns text
language sql stable security definer set search_path = '' as $$
  select role from public.profiles where user_id = auth.uid()
$$;

create function public.is_staff() returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select from public.profiles where user_id = auth.uid())
$$;

create function public.is_manager() returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select from public.profiles where user_id = auth.uid() and role in ('owner', 'manager'))
$$;

create function public.module_enabled(module text) returns boolean
language sql stable set search_path = '' as $$
  select true
$$;

create function public.schema_version() returns text
language plpgsql stable security definer set search_path = '' as $$
declare
  newest text;
begin
  if to_regclass('supabase_migrations.schema_migrations') is not null then
    execute 'select max(version) from supabase_migrations.schema_migrations' into newest;
  end if;
  return newest;
end
$$;

create function public.touch_updated_at() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end
$$;

-- Column names only: the log says what was changed without becoming a second copy of personal data.
create function public.record_audit() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  before jsonb := coalesce(to_jsonb(old), '{}');
  after  jsonb := coalesce(to_jsonb(new), '{}');
  differing text[];
begin
  select coalesce(array_agg(key order by key), '{}') into differing
    from jsonb_object_keys(before || after) as key
   where key <> 'updated_at' and before -> key is distinct from after -> key;
  if tg_op <> 'UPDATE' or cardinality(differing) > 0 then
    insert into public.audit_log (actor, action, table_name, row_id, changed)
    values (auth.uid(), tg_op, tg_table_name, coalesce(after ->> 'id', before ->> 'id')::uuid, differing);
  end if;
  return null;
end
$$;

create trigger profiles_touch before update on public.profiles
  for each row execute function public.touch_updated_at();

alter table public.profiles enable row level security;
alter table public.webhook_inbox enable row level security;
alter table public.audit_log enable row level security;

create policy profiles_read on public.profiles for select to authenticated
  using ((select public.is_staff()));
create policy profiles_manage on public.profiles for update to authenticated
  using ((select public.staff_role()) = 'owner') with check ((select public.staff_role()) = 'owner');
create policy webhook_inbox_read on public.webhook_inbox for select to authenticated
  using ((select public.is_manager()));
create policy audit_log_read on public.audit_log for select to authenticated
  using ((select public.is_manager()));

revoke all on public.profiles, public.webhook_inbox, public.audit_log from anon, authenticated;
grant select, update on public.profiles to authenticated;
grant select on public.webhook_inbox, public.audit_log to authenticated;
grant all on public.profiles, public.webhook_inbox, public.audit_log to service_role;

revoke all on function public.staff_role(), public.is_staff(), public.is_manager(), public.module_enabled(text),
  public.schema_version(), public.touch_updated_at(), public.record_audit() from public, anon, authenticated;
grant execute on function public.staff_role(), public.is_staff(), public.is_manager(), public.module_enabled(text)
  to authenticated, service_role;
grant execute on function public.schema_version() to service_role;
