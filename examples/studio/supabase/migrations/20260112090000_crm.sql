-- CRM: clients belong to the whole studio; tags, conversations, leads and messages to this module.

create table public.clients (
  id                  uuid primary key default gen_random_uuid(),
  amelia_customer_id  bigint unique,
  first_name          text not null check (length(trim(first_name)) > 0),
  last_name           text not null default '',
  email               text check (email = lower(email)),
  phone_e164          text check (phone_e164 ~ '^\+[1-9][0-9]{6,14}$'),
  birth_date          date,
  locale              text not null default 'en',
  source              text not null default 'manual' check (source in ('manual', 'amelia', 'whatsapp', 'referral')),
  whatsapp_opt_in_at  timestamptz,
  notes               text not null default '',
  archived_at         timestamptz,
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now(),
  search_text         text not null generated always as (
    lower(first_name || ' ' || last_name || ' ' || coalesce(email, '') || ' ' || coalesce(phone_e164, ''))) stored
);

create index clients_phone on public.clients (phone_e164);
create index clients_email on public.clients (email);
create index clients_name on public.clients (last_name, first_name) where archived_at is null;

create table public.client_tags (
  id         uuid primary key default gen_random_uuid(),
  name       text not null unique check (length(trim(name)) > 0),
  created_at timestamptz not null default now()
);

create table public.client_tag_links (
  client_id uuid not null references public.clients (id) on delete cascade,
  tag_id    uuid not null references public.client_tags (id) on delete cascade,
  primary key (client_id, tag_id)
);

create index client_tag_links_tag on public.client_tag_links (tag_id);

create table public.interactions (
  id          uuid primary key default gen_random_uuid(),
  client_id   uuid not null references public.clients (id) on delete cascade,
  channel     text not null check (channel in ('whatsapp', 'phone', 'email', 'visit', 'note')),
  direction   text not null default 'in' check (direction in ('in', 'out')),
  body        text not null default '',
  external_id text unique,
  occurred_at timestamptz not null default now()
);

create index interactions_client on public.interactions (client_id, occurred_at desc);

create table public.leads (
  id           uuid primary key default gen_random_uuid(),
  client_id    uuid not null references public.clients (id) on delete cascade,
  title        text not null check (length(trim(title)) > 0),
  stage        text not null default 'new' check (stage in ('new', 'contacted', 'visit', 'won', 'lost')),
  value_cents  bigint not null default 0 check (value_cents >= 0),
  currency     text not null default 'EUR' check (currency ~ '^[A-Z]{3}$'),
  next_step_on date,
  lost_reason  text,
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now()
);

create index leads_client on public.leads (client_id);
create index leads_stage on public.leads (stage, updated_at desc);

create table public.messages (
  id             uuid primary key default gen_random_uuid(),
  client_id      uuid not null references public.clients (id) on delete cascade,
  appointment_id uuid,
  template       text not null,
  language       text not null default 'en',
  params         jsonb not null default '[]',
  wamid          text unique,
  status         text not null default 'queued'
                 check (status in ('queued', 'accepted', 'sent', 'delivered', 'read', 'failed')),
  error_code     integer,
  status_at      timestamptz not null default now(),
  created_at     timestamptz not null default now()
);

create index messages_client on public.messages (client_id, created_at desc);
create index messages_appointment on public.messages (appointment_id);

create trigger clients_touch before update on public.clients
  for each row execute function public.touch_updated_at();
create trigger leads_touch before update on public.leads
  for each row execute function public.touch_updated_at();
create trigger clients_audit after insert or update or delete on public.clients
  for each row execute function public.record_audit();
create trigger leads_audit after insert or update or delete on public.leads
  for each row execute function public.record_audit();

alter table public.clients enable row level security;
alter table public.client_tags enable row level security;
alter table public.client_tag_links enable row level security;
alter table public.interactions enable row level security;
alter table public.leads enable row level security;
alter table public.messages enable row level security;

create policy clients_staff on public.clients for all to authenticated
  using ((select public.is_staff())) with check ((select public.is_staff()));
create policy client_tags_staff on public.client_tags for all to authenticated
  using ((select public.is_staff() and public.module_enabled('crm')))
  with check ((select public.is_staff() and public.module_enabled('crm')));
create policy client_tag_links_staff on public.client_tag_links for all to authenticated
  using ((select public.is_staff() and public.module_enabled('crm')))
  with check ((select public.is_staff() and public.module_enabled('crm')));
create policy interactions_staff on public.interactions for all to authenticated
  using ((select public.is_staff() and public.module_enabled('crm')))
  with check ((select public.is_staff() and public.module_enabled('crm')));
create policy leads_staff on public.leads for all to authenticated
  using ((select public.is_staff() and public.module_enabled('crm')))
  with check ((select public.is_staff() and public.module_enabled('crm')));
create policy messages_staff on public.messages for all to authenticated
  using ((select public.is_staff() and public.module_enabled('crm')))
  with check ((select public.is_staff() and public.module_enabled('crm')));

revoke all on public.clients, public.client_tags, public.client_tag_links, public.interactions, public.leads,
  public.messages from anon, authenticated;
grant select, insert, update, delete on public.clients, public.client_tags, public.client_tag_links,
  public.interactions, public.leads, public.messages to authenticated;
grant all on public.clients, public.client_tags, public.client_tag_links, public.interactions, public.leads,
  public.messages to service_role;
