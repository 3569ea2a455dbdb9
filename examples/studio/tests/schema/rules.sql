-- What the database itself guarantees, tried as the people it is about. Nothing is kept.
--   psql "$DATABASE_URL" -qAtX -v ON_ERROR_STOP=1 -f tests/schema/rules.sql
\set as_staff 'select set_config(''request.jwt.claims'', ''{"sub": "7e570000-0000-4000-8000-000000000001", "role": "authenticated"}'', true) is null;'
\set as_owner 'select set_config(''request.jwt.claims'', ''{"sub": "7e570000-0000-4000-8000-000000000002", "role": "authenticated"}'', true) is null;'
\set as_stranger 'select set_config(''request.jwt.claims'', ''{"sub": "7e570000-0000-4000-8000-000000000003", "role": "authenticated"}'', true) is null;'
\echo 1..20
begin;

insert into auth.users (id, email, aud, role)
select ('7e570000-0000-4000-8000-00000000000' || n)::uuid, 'rules-' || n || '@studio.test', 'authenticated', 'authenticated'
  from generate_series(1, 3) as n;
insert into public.profiles (user_id, full_name, role) values
  ('7e570000-0000-4000-8000-000000000001', 'Rules Staff', 'staff'),
  ('7e570000-0000-4000-8000-000000000002', 'Rules Owner', 'owner');
insert into public.staff (id, full_name) values ('7e570000-0000-4000-8000-000000000010', 'Rules Chair');
insert into public.services (id, name) values ('7e570000-0000-4000-8000-000000000011', 'Rules Service');
insert into public.clients (id, first_name) values ('7e570000-0000-4000-8000-000000000012', 'Rules Client');
insert into public.expenses (category, amount_cents, spent_on) values ('rent', 100, current_date);

select case when count(*) = 0 then 'ok' else 'not ok' end || ' 1 - every table has row level security'
  from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relrowsecurity;

select case when count(*) = 0 then 'ok' else 'not ok' end || ' 2 - anon has no right on any table or view'
  from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')
   and has_table_privilege('anon', oid, 'select, insert, update, delete');

select case when count(*) = 0 then 'ok' else 'not ok' end || ' 3 - anon may call none of our functions'
  from pg_proc where pronamespace = 'public'::regnamespace and has_function_privilege('anon', oid, 'execute')
   and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e');

set local role authenticated;
\o /dev/null
:as_stranger
\o
select case when (select count(*) from public.clients) + (select count(*) from public.invoices)
              + (select count(*) from public.profiles) = 0
       then 'ok' else 'not ok' end || ' 4 - somebody who signed in but has no profile sees nothing';
do $$
begin
  insert into public.clients (first_name) values ('Intruder');
  raise exception 'a stranger could add a client';
exception when insufficient_privilege then null;
end
$$;
select 'ok 5 - and cannot write';

\o /dev/null
:as_staff
\o
select case when (select count(*) from public.clients where first_name = 'Rules Client') = 1
       then 'ok' else 'not ok' end || ' 6 - staff see the clients';
select case when (select count(*) from public.expenses) = 0 and (select count(*) from public.webhook_inbox) = 0
       then 'ok' else 'not ok' end || ' 7 - staff see neither expenses nor the inbox';
update public.profiles set role = 'owner' where user_id = '7e570000-0000-4000-8000-000000000001';
select case when public.staff_role() = 'staff' then 'ok' else 'not ok' end || ' 8 - staff cannot make themselves owner';

do $$
declare
  chair uuid := '7e570000-0000-4000-8000-000000000010';
  service uuid := '7e570000-0000-4000-8000-000000000011';
  client uuid := '7e570000-0000-4000-8000-000000000012';
begin
  insert into public.appointments (client_id, staff_id, service_id, starts_at, ends_at, status) values
    (client, chair, service, '2099-01-05 10:00+00', '2099-01-05 11:00+00', 'approved'),
    (client, chair, service, '2099-01-05 11:00+00', '2099-01-05 12:00+00', 'pending'),
    (client, chair, service, '2099-01-05 10:30+00', '2099-01-05 11:30+00', 'canceled');
  begin
    insert into public.appointments (client_id, staff_id, service_id, starts_at, ends_at)
    values (client, chair, service, '2099-01-05 10:45+00', '2099-01-05 11:15+00');
    raise exception 'two appointments overlap';
  exception when exclusion_violation then null;
  end;
end
$$;
select 'ok 9 - one chair is never booked twice, and canceled appointments do not count';

select public.save_invoice(
  '{"client_id": "7e570000-0000-4000-8000-000000000012"}',
  '[{"description": "Cut", "qty": 1.5, "unit_cents": 3333, "tax_rate": 23}]') as invoice \gset
select case when (subtotal_cents, tax_cents, total_cents) = (5000, 1150, 6150) and number is null then 'ok' else 'not ok' end
       || ' 10 - a draft has totals and no number' from public.invoices where id = :'invoice';
update public.invoices set status = 'open' where id = :'invoice';
select case when number = (select max(number) from public.invoices as every where every.year = invoices.year)
             and reference ~ '^\d{4}-\d{4}$' and due_on = issued_on + 14
       then 'ok' else 'not ok' end || ' 11 - issuing gives the next number and a due date' from public.invoices where id = :'invoice';
do $$
begin
  update public.invoice_items set qty = 9 where invoice_id = (select id from public.invoices where client_id = '7e570000-0000-4000-8000-000000000012');
  raise exception 'an issued invoice could be changed';
exception when check_violation then null;
end
$$;
delete from public.invoices where id = :'invoice';
select case when count(*) = 1 then 'ok' else 'not ok' end || ' 12 - an issued invoice can be neither changed nor deleted'
  from public.invoices where id = :'invoice';
insert into public.payments (invoice_id, amount_cents, paid_at) values (:'invoice', 6000, now());
insert into public.payments (invoice_id, amount_cents, paid_at) values (:'invoice', 150, now());
select case when status = 'paid' then 'ok' else 'not ok' end || ' 13 - the last cent makes it paid' from public.invoices where id = :'invoice';

\o /dev/null
:as_owner
\o
select case when (select count(*) from public.expenses) > 0
             and (select bool_and(changed <@ array['status', 'number', 'year', 'reference', 'issued_on', 'due_on', 'subtotal_cents',
                                                   'tax_cents', 'total_cents'] or action <> 'UPDATE')
                    from public.audit_log where row_id = :'invoice')
       then 'ok' else 'not ok' end || ' 14 - the owner sees expenses, and an audit log of names without values';

reset role;
select case when count(*) > 10 and bool_and(qual ~ 'SELECT.*module_enabled') then 'ok' else 'not ok' end
       || ' 15 - policies of modules ask for their flag once for a query'
  from pg_policies where schemaname = 'public' and qual ~ 'module_enabled';
\o /dev/null
select lockflight.flag_set_state('financial', '{"killed": true}', null, 'rules', 'cli', 'rules');
\o
set local role authenticated;
select case when (select count(*) from public.invoices) + (select count(*) from public.payments)
                 + (select count(*) from public.expenses) = 0
             and (select count(*) from public.clients) > 0
       then 'ok' else 'not ok' end || ' 16 - a module that is off shows nothing, even to the owner, and others are as before';
do $$
begin
  insert into public.expenses (category, amount_cents, spent_on) values ('rent', 100, current_date);
  raise exception 'a module that is off could be written to';
exception when insufficient_privilege then null;
end
$$;
select 'ok 17 - and takes nothing';
reset role;
\o /dev/null
select lockflight.flag_set_state('financial', '{"killed": false}', null, 'rules', 'cli', 'rules');
\o
set local role authenticated;
select case when count(*) = 1 then 'ok' else 'not ok' end || ' 18 - on again, all of it is there' from public.invoices where id = :'invoice';

reset role;
select case when public.module_enabled('nobody-defined-it') then 'ok' else 'not ok' end
       || ' 19 - where there is no flag nothing is switched off';
alter schema lockflight rename to away;
select case when public.module_enabled('financial')
             and public.lockflight_flags(null) = '{"v": 0, "next": null, "document": {"flags": {}}, "flags": {}, "attributes": {}}'
             and public.lockflight_flags(0) is null
       then 'ok' else 'not ok' end || ' 20 - nor in a database that Lockflight does not know';
rollback;
