-- Demo data for a small studio. Safe to run again: a new week gets its own appointments, nothing is doubled.
-- Sign in with demo@studio.test and the password studio-demo. Never seed a database with real clients.

insert into auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
  raw_app_meta_data, raw_user_meta_data, created_at, updated_at,
  confirmation_token, recovery_token, email_change_token_new, email_change)
values ('00000000-0000-0000-0000-000000000000', '5d000000-0000-4000-8000-000000000001', 'authenticated', 'authenticated',
  'demo@studio.test', extensions.crypt('studio-demo', extensions.gen_salt('bf')), now(),
  '{"provider": "email", "providers": ["email"]}', '{"full_name": "Marta Reis"}', now(), now(), '', '', '', '')
on conflict do nothing;

insert into auth.identities (id, user_id, provider_id, provider, identity_data, last_sign_in_at, created_at, updated_at)
values ('5d000000-0000-4000-8000-000000000002', '5d000000-0000-4000-8000-000000000001',
  '5d000000-0000-4000-8000-000000000001', 'email',
  '{"sub": "5d000000-0000-4000-8000-000000000001", "email": "demo@studio.test", "email_verified": true}',
  now(), now(), now())
on conflict do nothing;

insert into public.profiles (user_id, full_name, role)
values ('5d000000-0000-4000-8000-000000000001', 'Marta Reis', 'owner')
on conflict do nothing;

insert into public.locations (id, name, address)
values ('5d000000-0000-4000-8001-000000000001', 'Studio Alfama', 'Rua da Regueira 18, Lisboa')
on conflict do nothing;

insert into public.staff (id, user_id, amelia_provider_id, full_name) values
  ('5d000000-0000-4000-8002-000000000001', '5d000000-0000-4000-8000-000000000001', 11, 'Marta Reis'),
  ('5d000000-0000-4000-8002-000000000002', null, 12, 'Rui Tavares'),
  ('5d000000-0000-4000-8002-000000000003', null, 13, 'Inês Lobo')
on conflict do nothing;

insert into public.services (id, amelia_service_id, name, duration_min, price_cents) values
  ('5d000000-0000-4000-8003-000000000001', 21, 'Cut and finish', 45, 3200),
  ('5d000000-0000-4000-8003-000000000002', 22, 'Colour', 120, 8500),
  ('5d000000-0000-4000-8003-000000000003', 23, 'Deep tissue massage', 60, 5500),
  ('5d000000-0000-4000-8003-000000000004', 24, 'Facial', 75, 6400),
  ('5d000000-0000-4000-8003-000000000005', 25, 'Consultation', 30, 0)
on conflict do nothing;

insert into public.staff_services (staff_id, service_id)
select staff.id, services.id
  from (values (11, 21), (11, 22), (11, 25), (12, 23), (12, 25), (13, 21), (13, 24), (13, 25)) as offered (provider, service)
  join public.staff on staff.amelia_provider_id = offered.provider
  join public.services on services.amelia_service_id = offered.service
on conflict do nothing;

insert into public.working_hours (staff_id, weekday, opens_at, closes_at)
select staff.id, weekday, '09:00', '18:30'
  from public.staff cross join generate_series(1, 6) as weekday
on conflict do nothing;

insert into public.clients (id, first_name, last_name, email, phone_e164, birth_date, locale, source, whatsapp_opt_in_at, notes, created_at)
select ('5d000000-0000-4000-8004-' || lpad(n::text, 12, '0'))::uuid, first_name, last_name, email, phone, birth_date::date,
       locale, source, case when opted_in then now() - interval '40 days' end, notes, now() - n * interval '9 days'
  from (values
  (1, 'Ana', 'Figueiredo', 'ana.figueiredo@example.com', '+351912345601', '1988-04-12', 'pt', 'amelia', true, 'Prefers mornings. Allergic to ammonia.'),
  (2, 'Beatriz', 'Moura', 'beatriz.moura@example.com', '+351912345602', '1994-11-02', 'pt', 'whatsapp', true, ''),
  (3, 'Carlos', 'Antunes', 'carlos.antunes@example.com', '+351912345603', '1979-07-23', 'pt', 'manual', false, 'Shoulder injury in 2021.'),
  (4, 'Diana', 'Petrova', 'diana.petrova@example.com', '+359881234504', '1991-01-30', 'en', 'amelia', true, ''),
  (5, 'Eva', 'Lindqvist', 'eva.lindqvist@example.com', '+46701234505', null, 'en', 'referral', false, 'Came through Beatriz.'),
  (6, 'Filipe', 'Sá', null, '+351912345606', '1985-09-14', 'pt', 'whatsapp', true, ''),
  (7, 'Grace', 'Okafor', 'grace.okafor@example.com', '+447700900507', '1990-06-06', 'en', 'amelia', true, 'Regular facial, every five weeks.'),
  (8, 'Henrique', 'Vale', 'henrique.vale@example.com', null, null, 'pt', 'manual', false, ''),
  (9, 'Isabel', 'Coutinho', 'isabel.coutinho@example.com', '+351912345609', '1968-12-19', 'pt', 'referral', true, 'Wants a quiet chair.'),
  (10, 'João', 'Brandão', 'joao.brandao@example.com', '+351912345610', '1996-03-03', 'pt', 'amelia', false, ''),
  (11, 'Katarina', 'Novak', 'katarina.novak@example.com', '+386401234511', null, 'en', 'amelia', true, ''),
  (12, 'Luís', 'Pimentel', 'luis.pimentel@example.com', '+351912345612', '1982-08-27', 'pt', 'manual', false, 'Pays by transfer.'),
  (13, 'Maria do Carmo', 'Esteves', 'mc.esteves@example.com', '+351912345613', '1959-05-15', 'pt', 'manual', false, ''),
  (14, 'Noah', 'Bakker', 'noah.bakker@example.com', '+31612345614', '1999-10-10', 'en', 'whatsapp', true, '')
  ) as listed (n, first_name, last_name, email, phone, birth_date, locale, source, opted_in, notes)
on conflict do nothing;

insert into public.client_tags (id, name) values
  ('5d000000-0000-4000-8005-000000000001', 'Regular'),
  ('5d000000-0000-4000-8005-000000000002', 'Bridal'),
  ('5d000000-0000-4000-8005-000000000003', 'Sensitive skin')
on conflict do nothing;

insert into public.client_tag_links (client_id, tag_id)
select ('5d000000-0000-4000-8004-' || lpad(client::text, 12, '0'))::uuid,
       ('5d000000-0000-4000-8005-' || lpad(tag::text, 12, '0'))::uuid
  from (values (1, 1), (1, 3), (2, 2), (4, 1), (7, 1), (7, 3), (9, 1), (12, 1)) as tagged (client, tag)
on conflict do nothing;

insert into public.interactions (id, client_id, channel, direction, body, occurred_at)
select ('5d000000-0000-4000-8006-' || lpad(n::text, 12, '0'))::uuid,
       ('5d000000-0000-4000-8004-' || lpad(client::text, 12, '0'))::uuid, channel, direction, body, now() - ago::interval
  from (values
  (1, 1, 'whatsapp', 'in', 'Can I come half an hour later on Thursday?', '3 days'),
  (2, 1, 'whatsapp', 'out', 'Of course, 10:30 is yours.', '3 days'),
  (3, 2, 'phone', 'in', 'Asked about a bridal package for June.', '6 days'),
  (4, 2, 'email', 'out', 'Sent the bridal price list.', '5 days'),
  (5, 7, 'visit', 'in', 'Skin reacted well to the new serum.', '12 days'),
  (6, 9, 'note', 'in', 'Gift card of 60 € for her sister.', '20 days'),
  (7, 14, 'whatsapp', 'in', 'Do you have time for a massage this weekend?', '1 day')
  ) as listed (n, client, channel, direction, body, ago)
on conflict do nothing;

insert into public.leads (id, client_id, title, stage, value_cents, next_step_on, lost_reason)
select ('5d000000-0000-4000-8007-' || lpad(n::text, 12, '0'))::uuid,
       ('5d000000-0000-4000-8004-' || lpad(client::text, 12, '0'))::uuid,
       title, stage, value_cents, current_date + next_step, lost_reason
  from (values
  (1, 2, 'Bridal package, party of four', 'visit', 62000, 2, null),
  (2, 14, 'Massage, course of five', 'new', 25000, 0, null),
  (3, 5, 'Colour and quarterly plan', 'contacted', 34000, 1, null),
  (4, 8, 'Company wellness day', 'contacted', 120000, 5, null),
  (5, 11, 'Facial, course of three', 'new', 18000, 1, null),
  (6, 9, 'Gift cards for her office', 'won', 30000, null, null),
  (7, 10, 'Monthly cut', 'lost', 38400, null, 'Moved to Porto')
  ) as listed (n, client, title, stage, value_cents, next_step, lost_reason)
on conflict do nothing;

insert into public.appointments (id, client_id, staff_id, service_id, location_id, starts_at, ends_at, status, price_cents, source, cancel_reason)
select md5('studio-demo' || week.monday || listed.n)::uuid,
       ('5d000000-0000-4000-8004-' || lpad(client::text, 12, '0'))::uuid,
       staff.id, services.id, '5d000000-0000-4000-8001-000000000001',
       starts.at, starts.at + services.duration_min * interval '1 minute',
       case when listed.status = 'approved' and listed.n % 9 = 4 and starts.at < now() then 'no-show' else listed.status end,
       services.price_cents, listed.source, case when listed.status = 'canceled' then 'Client is travelling' end
  from (select (date_trunc('week', now() at time zone 'Europe/Lisbon') + offset_days * interval '1 day')::date as monday
          from unnest(array[-7, 0, 7]) as offset_days) as week
 cross join (values
  (1, 0, '09:00'::time, 11, 21, 1, 'approved', 'amelia'),
  (2, 0, '10:30'::time, 11, 22, 4, 'approved', 'manual'),
  (3, 0, '11:00'::time, 12, 23, 3, 'approved', 'amelia'),
  (4, 0, '15:00'::time, 13, 24, 7, 'approved', 'amelia'),
  (5, 1, '09:30'::time, 13, 21, 10, 'approved', 'whatsapp'),
  (6, 1, '10:00'::time, 12, 23, 12, 'approved', 'manual'),
  (7, 1, '14:00'::time, 11, 22, 9, 'approved', 'manual'),
  (8, 1, '16:30'::time, 12, 25, 14, 'pending', 'whatsapp'),
  (9, 2, '09:00'::time, 12, 23, 6, 'approved', 'amelia'),
  (10, 2, '11:00'::time, 13, 24, 11, 'approved', 'amelia'),
  (11, 2, '11:30'::time, 11, 21, 13, 'approved', 'manual'),
  (12, 2, '15:30'::time, 11, 25, 2, 'pending', 'manual'),
  (13, 3, '10:30'::time, 11, 21, 1, 'approved', 'amelia'),
  (14, 3, '12:00'::time, 12, 23, 5, 'canceled', 'manual'),
  (15, 3, '14:00'::time, 13, 24, 4, 'approved', 'amelia'),
  (16, 3, '16:00'::time, 12, 23, 8, 'approved', 'manual'),
  (17, 4, '09:00'::time, 11, 22, 2, 'approved', 'amelia'),
  (18, 4, '10:00'::time, 13, 21, 12, 'approved', 'manual'),
  (19, 4, '13:30'::time, 12, 23, 3, 'approved', 'amelia'),
  (20, 4, '17:00'::time, 13, 21, 6, 'pending', 'whatsapp'),
  (21, 5, '10:00'::time, 11, 21, 9, 'approved', 'manual'),
  (22, 5, '11:00'::time, 13, 24, 7, 'approved', 'amelia')
  ) as listed (n, day, at, provider, service, client, status, source)
  join public.staff on staff.amelia_provider_id = listed.provider
  join public.services on services.amelia_service_id = listed.service
 cross join lateral (select (week.monday + listed.day + listed.at) at time zone 'Europe/Lisbon' as at) as starts
on conflict do nothing;

insert into public.reminders (appointment_id, due_at)
select id, starts_at - interval '1 day' from public.appointments
 where status in ('approved', 'pending') and starts_at > now() + interval '1 day'
on conflict do nothing;

insert into public.invoices (id, client_id, issued_on, due_on, notes)
select ('5d000000-0000-4000-8008-' || lpad(n::text, 12, '0'))::uuid,
       ('5d000000-0000-4000-8004-' || lpad(client::text, 12, '0'))::uuid,
       current_date - issued, current_date - issued + 14, notes
  from (values (1, 1, 96, ''), (2, 7, 74, ''), (3, 12, 61, 'By transfer, as agreed.'), (4, 9, 40, ''), (5, 4, 33, ''),
               (6, 3, 21, ''), (7, 2, 12, 'Deposit for the bridal package.'), (8, 10, 6, ''), (9, 6, 2, ''), (10, 8, 0, 'Waiting for their purchase order.'))
    as listed (n, client, issued, notes)
on conflict do nothing;

insert into public.invoice_items (id, invoice_id, service_id, position, description, qty, unit_cents, tax_rate)
select ('5d000000-0000-4000-8009-' || lpad(n::text, 12, '0'))::uuid, invoices.id, services.id, n, description, qty, unit_cents, 23
  from (values
  (1, 1, 22, 'Colour', 1, 6911), (2, 1, 21, 'Cut and finish', 1, 2602), (3, 2, 24, 'Facial', 2, 5203),
  (4, 3, 23, 'Deep tissue massage', 4, 4472), (5, 4, 21, 'Cut and finish', 1, 2602), (6, 4, null, 'Gift card', 5, 4878),
  (7, 5, 22, 'Colour', 1, 6911), (8, 6, 23, 'Deep tissue massage', 1, 4472), (9, 7, null, 'Bridal package, deposit', 1, 15000),
  (10, 8, 21, 'Cut and finish', 1, 2602), (11, 8, null, 'Shampoo, 250 ml', 2, 1220), (12, 9, 23, 'Deep tissue massage', 1, 4472),
  (13, 10, null, 'Company wellness day', 1, 97561), (14, 10, 23, 'Chair massage, per hour', 2.5, 4000)
  ) as listed (n, invoice, service, description, qty, unit_cents)
  join public.invoices on invoices.id = ('5d000000-0000-4000-8008-' || lpad(invoice::text, 12, '0'))::uuid
  left join public.services on services.amelia_service_id = listed.service
 where invoices.status = 'draft'
on conflict do nothing;

do $$
declare
  draft uuid;
begin
  for draft in
    select id from public.invoices
     where status = 'draft' and issued_on < current_date and id::text like '5d000000-0000-4000-8008-%' order by issued_on
  loop
    update public.invoices set status = 'open' where id = draft;
  end loop;
end
$$;

insert into public.payments (id, invoice_id, gateway, status, amount_cents, paid_at)
select ('5d000000-0000-4000-800a-' || lpad(n::text, 12, '0'))::uuid, invoices.id, gateway,
       case when share < 1 then 'partially_paid' else 'paid' end, round(invoices.total_cents * share),
       (invoices.issued_on + paid_after) + time '11:00'
  from (values (1, 1, 'card', 1.0, 0), (2, 2, 'stripe', 1.0, 1), (3, 3, 'transfer', 1.0, 9), (4, 4, 'onSite', 1.0, 0),
               (5, 5, 'card', 1.0, 3), (6, 7, 'transfer', 0.5, 2), (7, 9, 'card', 1.0, 0))
    as listed (n, invoice, gateway, share, paid_after)
  join public.invoices on invoices.id = ('5d000000-0000-4000-8008-' || lpad(invoice::text, 12, '0'))::uuid
 where invoices.total_cents > 0
on conflict do nothing;

insert into public.expenses (id, category, supplier, amount_cents, spent_on)
select ('5d000000-0000-4000-800b-' || lpad(n::text, 12, '0'))::uuid, category, supplier, amount_cents, current_date - ago
  from (values (1, 'rent', 'Imobiliária Graça', 95000, 24), (2, 'supplies', 'Cor & Forma', 21840, 18),
               (3, 'marketing', 'Gráfica Oito', 6000, 9), (4, 'supplies', 'Azulejo Pro', 4390, 4))
    as listed (n, category, supplier, amount_cents, ago)
on conflict do nothing;
