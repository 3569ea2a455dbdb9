-- Financial: money is integer cents with its currency; the database keeps totals, numbers and paid state true.

create table public.invoices (
  id             uuid primary key default gen_random_uuid(),
  client_id      uuid not null references public.clients (id) on delete restrict,
  status         text not null default 'draft' check (status in ('draft', 'open', 'paid', 'void')),
  year           integer,
  number         integer,
  reference      text generated always as (
    year::text || '-' || lpad(number::text, greatest(4, length(number::text)), '0')) stored,
  currency       text not null default 'EUR' check (currency ~ '^[A-Z]{3}$'),
  subtotal_cents bigint not null default 0,
  tax_cents      bigint not null default 0,
  total_cents    bigint not null default 0,
  issued_on      date,
  due_on         date,
  notes          text not null default '',
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  unique (year, number),
  check (status = 'draft' or (number is not null and issued_on is not null))
);

create index invoices_client on public.invoices (client_id, created_at desc);
create index invoices_status on public.invoices (status, due_on);

create table public.invoice_items (
  id          uuid primary key default gen_random_uuid(),
  invoice_id  uuid not null references public.invoices (id) on delete cascade,
  service_id  uuid references public.services (id) on delete set null,
  position    integer not null default 0,
  description text not null check (length(trim(description)) > 0),
  qty         numeric(10, 2) not null default 1 check (qty > 0),
  unit_cents  bigint not null,
  tax_rate    numeric(5, 2) not null default 23 check (tax_rate between 0 and 100)
);

create index invoice_items_invoice on public.invoice_items (invoice_id, position);

create table public.payments (
  id                uuid primary key default gen_random_uuid(),
  amelia_payment_id bigint unique,
  invoice_id        uuid references public.invoices (id) on delete restrict,
  appointment_id    uuid references public.appointments (id) on delete set null,
  gateway           text not null default 'onSite'
                    check (gateway in ('onSite', 'card', 'transfer', 'payPal', 'stripe', 'wc', 'mollie', 'razorpay')),
  status            text not null default 'paid' check (status in ('pending', 'partially_paid', 'paid', 'refunded')),
  amount_cents      bigint not null check (amount_cents > 0),
  currency          text not null default 'EUR' check (currency ~ '^[A-Z]{3}$'),
  paid_at           timestamptz,
  external_ref      text,
  created_at        timestamptz not null default now(),
  check (status = 'pending' or paid_at is not null)
);

create index payments_invoice on public.payments (invoice_id);
create index payments_appointment on public.payments (appointment_id);
create index payments_paid_at on public.payments (paid_at) where status <> 'pending';

create table public.refunds (
  id           uuid primary key default gen_random_uuid(),
  payment_id   uuid not null references public.payments (id) on delete restrict,
  amount_cents bigint not null check (amount_cents > 0),
  reason       text not null default '',
  refunded_at  timestamptz not null default now()
);

create index refunds_payment on public.refunds (payment_id);

create table public.expenses (
  id           uuid primary key default gen_random_uuid(),
  category     text not null check (category in ('rent', 'supplies', 'wages', 'marketing', 'other')),
  supplier     text not null default '',
  amount_cents bigint not null check (amount_cents > 0),
  currency     text not null default 'EUR' check (currency ~ '^[A-Z]{3}$'),
  spent_on     date not null,
  created_at   timestamptz not null default now()
);

create index expenses_spent_on on public.expenses (spent_on);

create view public.monthly_revenue with (security_invoker = true) as
  select date_trunc('month', moved.at at time zone 'UTC')::date as month,
         moved.currency,
         sum(moved.amount_cents)::bigint as revenue_cents
    from (select paid_at as at, currency, amount_cents from public.payments where status <> 'pending'
          union all
          select r.refunded_at, p.currency, -r.amount_cents
            from public.refunds r join public.payments p on p.id = r.payment_id) as moved
   group by 1, 2;

create function public.number_invoice() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.status <> 'draft' and new.number is null then
    new.issued_on := coalesce(new.issued_on, current_date);
    new.due_on := coalesce(new.due_on, new.issued_on + 14);
    new.year := extract(year from new.issued_on);
    perform pg_advisory_xact_lock(hashtext('public.invoices.number'), new.year);
    select coalesce(max(number), 0) + 1 into new.number from public.invoices where year = new.year;
  end if;
  return new;
end
$$;

create function public.total_invoice() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  target uuid := coalesce(new.invoice_id, old.invoice_id);
  current_status text;
begin
  select status into current_status from public.invoices where id = target for update;
  if current_status <> 'draft' then
    raise exception 'Only a draft invoice can be changed' using errcode = 'check_violation';
  end if;
  update public.invoices set
    (subtotal_cents, tax_cents, total_cents) = (
      select coalesce(sum(line), 0), coalesce(sum(tax), 0), coalesce(sum(line + tax), 0)
        from (select round(qty * unit_cents) as line, round(round(qty * unit_cents) * tax_rate / 100) as tax
                from public.invoice_items where invoice_id = target) as lines)
   where id = target;
  return null;
end
$$;

create function public.settle_invoice() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  target uuid := coalesce(new.invoice_id, old.invoice_id);
  received bigint;
begin
  perform from public.invoices where id = target for update;
  select coalesce(sum(amount_cents), 0) into received
    from public.payments where invoice_id = target and status in ('paid', 'partially_paid');
  update public.invoices set status = case when received >= total_cents then 'paid' else 'open' end
   where id = target and status in ('open', 'paid')
     and status <> case when received >= total_cents then 'paid' else 'open' end;
  return null;
end
$$;

create function public.save_invoice(invoice jsonb, items jsonb) returns uuid
language plpgsql set search_path = '' as $$
declare
  target uuid := coalesce((invoice ->> 'id')::uuid, gen_random_uuid());
begin
  insert into public.invoices (id, client_id, due_on, notes)
  values (target, (invoice ->> 'client_id')::uuid, (invoice ->> 'due_on')::date, coalesce(invoice ->> 'notes', ''))
  on conflict (id) do update
     set client_id = excluded.client_id, due_on = excluded.due_on, notes = excluded.notes;
  delete from public.invoice_items where invoice_id = target;
  insert into public.invoice_items (invoice_id, service_id, position, description, qty, unit_cents, tax_rate)
  select target, (item ->> 'service_id')::uuid, place, item ->> 'description',
         (item ->> 'qty')::numeric, (item ->> 'unit_cents')::bigint, (item ->> 'tax_rate')::numeric
    from jsonb_array_elements(items) with ordinality as listed (item, place);
  return target;
end
$$;

create trigger invoices_number before insert or update of status on public.invoices
  for each row execute function public.number_invoice();
create trigger invoices_touch before update on public.invoices
  for each row execute function public.touch_updated_at();
create trigger invoices_audit after insert or update or delete on public.invoices
  for each row execute function public.record_audit();
create trigger invoice_items_total after insert or update on public.invoice_items
  for each row execute function public.total_invoice();
create trigger invoice_items_removed after delete on public.invoice_items
  for each row when (pg_trigger_depth() = 0) execute function public.total_invoice();
create trigger payments_settle after insert or update or delete on public.payments
  for each row execute function public.settle_invoice();
create trigger payments_audit after insert or update or delete on public.payments
  for each row execute function public.record_audit();

alter table public.invoices enable row level security;
alter table public.invoice_items enable row level security;
alter table public.payments enable row level security;
alter table public.refunds enable row level security;
alter table public.expenses enable row level security;

create policy invoices_staff on public.invoices for all to authenticated
  using ((select public.is_staff() and public.module_enabled('financial')))
  with check ((select public.is_staff() and public.module_enabled('financial')));
create policy invoices_delete_drafts on public.invoices as restrictive for delete to authenticated
  using (status = 'draft');
create policy invoice_items_staff on public.invoice_items for all to authenticated
  using ((select public.is_staff() and public.module_enabled('financial')))
  with check ((select public.is_staff() and public.module_enabled('financial')));
create policy payments_staff on public.payments for all to authenticated
  using ((select public.is_staff() and public.module_enabled('financial')))
  with check ((select public.is_staff() and public.module_enabled('financial')));
create policy refunds_staff on public.refunds for all to authenticated
  using ((select public.is_staff() and public.module_enabled('financial')))
  with check ((select public.is_staff() and public.module_enabled('financial')));
create policy expenses_staff on public.expenses for all to authenticated
  using ((select public.is_staff() and public.module_enabled('financial')))
  with check ((select public.is_staff() and public.module_enabled('financial')));

revoke all on public.invoices, public.invoice_items, public.payments, public.refunds, public.expenses,
  public.monthly_revenue from anon, authenticated;
grant select, delete,
  insert (id, client_id, status, currency, issued_on, due_on, notes),
  update (client_id, status, currency, issued_on, due_on, notes) on public.invoices to authenticated;
grant select, insert, update, delete on public.invoice_items, public.payments, public.refunds, public.expenses
  to authenticated;
grant select on public.monthly_revenue to authenticated;
grant all on public.invoices, public.invoice_items, public.payments, public.refunds, public.expenses to service_role;
grant select on public.monthly_revenue to service_role;

revoke all on function public.number_invoice(), public.total_invoice(), public.settle_invoice(),
  public.save_invoice(jsonb, jsonb) from public, anon, authenticated;
grant execute on function public.save_invoice(jsonb, jsonb) to authenticated, service_role;
