-- What the examples of the linter meet: tables in use, read from this file or from a database made of it.
create schema auth;
create function auth.uid() returns uuid language sql stable as $$ select null::uuid $$;

create type public.mood as enum ('happy', 'sad');
create domain public.positive as integer check (value > 0);
create domain public.plain_text as text;
create type public.pair as (a integer, b integer);

create table public.customers (
  id    bigint primary key,
  name  text not null,
  email text
);
create table public.orders (
  id          bigint primary key,
  customer_id bigint not null references public.customers (id),
  note        varchar(20),
  body        text,
  status      text not null default 'new',
  amount      integer not null default 0,
  tag         varchar(40),
  made_at     timestamp,
  seen_at     timestamptz,
  code        text constraint orders_code_key unique,
  payload     json,
  constraint orders_amount_check check (amount >= 0),
  constraint orders_body_there check (body is not null)
);
create index orders_customer on public.orders (customer_id);
create index orders_note on public.orders (note);
create unique index orders_tag on public.orders (tag);
alter table public.orders enable row level security;
create policy orders_read on public.orders for select using (true);
alter table public.orders add constraint orders_note_short check (length(note) < 20) not valid;

create table public.plain (id bigint primary key, amount integer, label text);
create table public.keyless (a text);
create table public.events (id bigint, at timestamptz not null) partition by range (at);
create table public.events_2026 partition of public.events for values from ('2026-01-01') to ('2027-01-01');
create table public.events_2027 (id bigint, at timestamptz not null);
create table public.events_2028 (id bigint, at timestamptz not null check (at >= '2028-01-01' and at < '2029-01-01'));

create view public.order_notes as select id, note from public.orders;
create materialized view public.order_sums as select customer_id, sum(amount) as amount from public.orders group by 1;
create sequence public.numbers;

create function public.total(customer bigint) returns bigint language sql stable as
  $$ select sum(amount) from public.orders where customer_id = customer $$;
create function public.recent() returns setof public.customers language sql stable as
  $$ select id, name, email from public.customers limit 3 $$;
create function public.touch() returns trigger language plpgsql as $$ begin return new; end $$;
create function public.stamp() returns text language sql volatile as $$ select 'x' $$;
create function public.labels() returns setof text language sql stable as
  $$ select name from public.customers join public.plain on plain.id = customers.id $$;
