-- Scheduling: two appointments that are still on can never overlap for one member of staff.

create extension if not exists btree_gist with schema extensions;

create table public.locations (
  id         uuid primary key default gen_random_uuid(),
  name       text not null check (length(trim(name)) > 0),
  address    text not null default '',
  created_at timestamptz not null default now()
);

create table public.staff (
  id                 uuid primary key default gen_random_uuid(),
  user_id            uuid unique references public.profiles (user_id) on delete set null,
  amelia_provider_id bigint unique,
  full_name          text not null check (length(trim(full_name)) > 0),
  active             boolean not null default true,
  created_at         timestamptz not null default now()
);

create table public.services (
  id                uuid primary key default gen_random_uuid(),
  amelia_service_id bigint unique,
  name              text not null check (length(trim(name)) > 0),
  duration_min      integer not null default 60 check (duration_min between 5 and 720),
  price_cents       bigint not null default 0 check (price_cents >= 0),
  currency          text not null default 'EUR' check (currency ~ '^[A-Z]{3}$'),
  active            boolean not null default true,
  created_at        timestamptz not null default now()
);

create table public.staff_services (
  staff_id   uuid not null references public.staff (id) on delete cascade,
  service_id uuid not null references public.services (id) on delete cascade,
  primary key (staff_id, service_id)
);

create index staff_services_service on public.staff_services (service_id);

create table public.working_hours (
  id        uuid primary key default gen_random_uuid(),
  staff_id  uuid not null references public.staff (id) on delete cascade,
  weekday   smallint not null check (weekday between 1 and 7),
  opens_at  time not null,
  closes_at time not null,
  check (opens_at < closes_at),
  unique (staff_id, weekday, opens_at)
);

create table public.appointments (
  id                    uuid primary key default gen_random_uuid(),
  amelia_appointment_id bigint unique,
  client_id             uuid not null references public.clients (id) on delete restrict,
  staff_id              uuid not null references public.staff (id) on delete restrict,
  service_id            uuid not null references public.services (id) on delete restrict,
  location_id           uuid references public.locations (id) on delete set null,
  starts_at             timestamptz not null,
  ends_at               timestamptz not null,
  status                text not null default 'approved'
                        check (status in ('approved', 'pending', 'canceled', 'rejected', 'no-show')),
  persons               integer not null default 1 check (persons > 0),
  price_cents           bigint not null default 0 check (price_cents >= 0),
  currency              text not null default 'EUR' check (currency ~ '^[A-Z]{3}$'),
  source                text not null default 'manual' check (source in ('manual', 'amelia', 'whatsapp')),
  cancel_reason         text,
  created_at            timestamptz not null default now(),
  updated_at            timestamptz not null default now(),
  check (starts_at < ends_at),
  constraint appointments_no_overlap exclude using gist
    (staff_id with =, tstzrange(starts_at, ends_at) with &&) where (status in ('approved', 'pending'))
);

create index appointments_time on public.appointments (starts_at);
create index appointments_client on public.appointments (client_id, starts_at desc);

create table public.appointment_events (
  id             uuid primary key default gen_random_uuid(),
  appointment_id uuid not null references public.appointments (id) on delete cascade,
  from_status    text,
  to_status      text not null,
  at             timestamptz not null default now(),
  actor          uuid
);

create index appointment_events_appointment on public.appointment_events (appointment_id, at);

create table public.reminders (
  id             uuid primary key default gen_random_uuid(),
  appointment_id uuid not null references public.appointments (id) on delete cascade,
  kind           text not null default 'day_before' check (kind in ('day_before', 'hour_before')),
  due_at         timestamptz not null,
  sent_at        timestamptz,
  unique (appointment_id, kind)
);

create index reminders_due on public.reminders (due_at) where sent_at is null;

-- allow: L05 messages is empty until this module sends the first one
alter table public.messages add constraint messages_appointment_id_fkey
  foreign key (appointment_id) references public.appointments (id) on delete set null;

create function public.record_appointment_event() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'INSERT' then
    insert into public.appointment_events (appointment_id, to_status, actor) values (new.id, new.status, auth.uid());
  elsif new.status <> old.status then
    insert into public.appointment_events (appointment_id, from_status, to_status, actor)
    values (new.id, old.status, new.status, auth.uid());
  end if;
  return null;
end
$$;

create trigger appointments_touch before update on public.appointments
  for each row execute function public.touch_updated_at();
create trigger appointments_audit after insert or update or delete on public.appointments
  for each row execute function public.record_audit();
create trigger appointments_event after insert or update on public.appointments
  for each row execute function public.record_appointment_event();

alter table public.locations enable row level security;
alter table public.staff enable row level security;
alter table public.services enable row level security;
alter table public.staff_services enable row level security;
alter table public.working_hours enable row level security;
alter table public.appointments enable row level security;
alter table public.appointment_events enable row level security;
alter table public.reminders enable row level security;

create policy locations_staff on public.locations for all to authenticated
  using ((select public.is_staff())) with check ((select public.is_staff()));
create policy staff_staff on public.staff for all to authenticated
  using ((select public.is_staff())) with check ((select public.is_staff()));
create policy services_staff on public.services for all to authenticated
  using ((select public.is_staff())) with check ((select public.is_staff()));
create policy staff_services_staff on public.staff_services for all to authenticated
  using ((select public.is_staff())) with check ((select public.is_staff()));
create policy working_hours_staff on public.working_hours for all to authenticated
  using ((select public.is_staff() and public.module_enabled('scheduling')))
  with check ((select public.is_staff() and public.module_enabled('scheduling')));
create policy appointments_staff on public.appointments for all to authenticated
  using ((select public.is_staff() and public.module_enabled('scheduling')))
  with check ((select public.is_staff() and public.module_enabled('scheduling')));
create policy appointment_events_read on public.appointment_events for select to authenticated
  using ((select public.is_staff() and public.module_enabled('scheduling')));
create policy reminders_staff on public.reminders for all to authenticated
  using ((select public.is_staff() and public.module_enabled('scheduling')))
  with check ((select public.is_staff() and public.module_enabled('scheduling')));

revoke all on public.locations, public.staff, public.services, public.staff_services, public.working_hours,
  public.appointments, public.appointment_events, public.reminders from anon, authenticated;
grant select, insert, update, delete on public.locations, public.staff, public.services, public.staff_services,
  public.working_hours, public.appointments, public.reminders to authenticated;
grant select on public.appointment_events to authenticated;
grant all on public.locations, public.staff, public.services, public.staff_services, public.working_hours,
  public.appointments, public.appointment_events, public.reminders to service_role;
revoke all on function public.record_appointment_event() from public, anon, authenticated;
