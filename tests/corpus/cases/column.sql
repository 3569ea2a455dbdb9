--# case add column, nullable
--# base shop
--# loss B
--# up
alter table @.customers add column phone text;
--# down
alter table @.customers drop column phone;

--# case add column, constant default
--# base shop
--# loss B
--# up
alter table @.customers add column level int not null default 3;
--# down
alter table @.customers drop column level;

--# case add column, stable default
--# base shop
--# loss B
--# up
alter table @.customers add column seen timestamptz not null default now(), add column who text default current_user;
--# down
alter table @.customers drop column who, drop column seen;

--# case add column, volatile default
--# base shop
--# loss B
--# up
alter table @.orders add column token uuid not null default gen_random_uuid();
--# down
alter table @.orders drop column token;

--# case add column, serial
--# base shop
--# loss B
--# up
alter table @.orders add column n serial;
--# down
alter table @.orders drop column n;

--# case add column, identity
--# base shop
--# loss B
--# up
alter table @.orders add column n int generated always as identity (start 5 increment 5);
--# down
alter table @.orders drop column n;

--# case add column, generated stored
--# base shop
--# loss A
--# up
alter table @.orders add column doubled numeric generated always as (total * 2) stored;
--# down
alter table @.orders drop column doubled;

--# case add column, domain with a constraint
--# base code
--# loss B
--# up
alter table @.t add column p2 @.positive;
--# down
alter table @.t drop column p2;

--# case add column, references
--# base shop
--# loss B
--# up
alter table @.orders add column payer bigint references @.customers (id);
--# down
alter table @.orders drop column payer;

--# case add column, check
--# base shop
--# loss B
--# up
alter table @.orders add column quantity int check (quantity > 0);
--# down
alter table @.orders drop column quantity;

--# case add column, unique
--# base shop
--# loss B
--# up
alter table @.orders add column code text unique;
--# down
alter table @.orders drop column code;

--# case add column, if not exists
--# base shop
--# loss A
--# up
alter table @.orders add column if not exists state text;
--# down
select 1;

--# case drop column
--# base shop
--# loss C
--# up
alter table @.customers drop column note;
--# down
alter table @.customers add column note text collate "C";
comment on column @.customers.note is 'only for us';

--# case drop column, with what hangs on it
--# base shop
--# loss C
--# also
alter table @.customers alter column balance set statistics 77, alter column balance set storage main;
create index customers_balance on @.customers (balance desc nulls last) where balance > 0;
alter table @.customers add constraint balance_small check (balance < 100000) not valid;
grant update (balance) on @.customers to corpus_reader;
comment on index @.customers_balance is 'by money';
create statistics @.money on score, balance from @.customers;
--# up
alter table @.customers drop column balance cascade;
--# down
alter table @.customers add column balance numeric(10,2) default 0.00;
alter table @.customers alter column balance set statistics 77, alter column balance set storage main;
create index customers_balance on @.customers (balance desc nulls last) where balance > 0;
comment on index @.customers_balance is 'by money';
alter table @.customers add constraint balance_small check (balance < 100000) not valid;
grant update (balance) on @.customers to corpus_reader;
create statistics @.money on score, balance from @.customers;

--# case drop column, cascade to views
--# base shop
--# loss C
--# also
create view @.rich as select customer, total * 2 as twice from @.totals where total > 1;
grant select on @.rich to corpus_reader;
comment on view @.rich is 'twice';
--# up
alter table @.orders drop column total cascade;
--# down
alter table @.orders add column total numeric(12,2);
create index orders_state on @.orders (lower(state)) where total > 0;
create view @.totals as select customer, sum(total) as total from @.orders group by customer;
create view @.rich as select customer, total * 2 as twice from @.totals where total > 1;
grant select on @.rich to corpus_reader;
comment on view @.rich is 'twice';

--# case drop column, identity primary key cascade
--# base shop
--# loss C
--# up
alter table @.orders drop column id;
--# down
alter table @.orders add column id int;
update @.orders set id = n from (select ctid as place, row_number() over () as n from @.orders) x where orders.ctid = x.place;
alter table @.orders alter column id set not null;
alter table @.orders add constraint orders_pk primary key (id);

--# case rename column
--# base shop
--# loss A
--# up
alter table @.customers rename column name to full_name;
--# down
alter table @.customers rename column full_name to name;

--# case rename column, two swapped
--# base shop
--# loss A
--# up
alter table @.customers rename column name to swap;
alter table @.customers rename column note to name;
alter table @.customers rename column swap to note;
--# down
alter table @.customers rename column note to swap;
alter table @.customers rename column name to note;
alter table @.customers rename column swap to name;

--# case set default
--# base shop
--# loss A
--# up
alter table @.customers alter column score set default 10;
--# down
alter table @.customers alter column score set default 0;

--# case set default where none was
--# base shop
--# loss A
--# up
alter table @.orders alter column placed set default current_date;
--# down
alter table @.orders alter column placed drop default;

--# case drop default
--# base shop
--# loss A
--# up
alter table @.orders alter column state drop default;
--# down
alter table @.orders alter column state set default 'new';

--# case set not null
--# base shop
--# loss A
--# also
update @.orders set total = 0 where total is null;
--# up
alter table @.orders alter column total set not null;
--# down
alter table @.orders alter column total drop not null;

--# case set not null, by a check
--# base shop
--# loss A
--# also
update @.orders set total = 0 where total is null;
--# up
alter table @.orders add constraint total_is check (total is not null) not valid;
alter table @.orders validate constraint total_is;
alter table @.orders alter column total set not null;
alter table @.orders drop constraint total_is;
--# down
alter table @.orders alter column total drop not null;

--# case drop not null
--# base shop
--# loss A
--# up
alter table @.customers alter column email drop not null;
--# down
alter table @.customers alter column email set not null;

--# case set statistics
--# base shop
--# loss A
--# up
alter table @.customers alter column name set statistics 500;
--# down
alter table @.customers alter column name set statistics -1;

--# case set storage
--# base shop
--# loss A
--# up
alter table @.customers alter column note set storage external;
--# down
alter table @.customers alter column note set storage extended;

--# case set compression
--# base shop
--# loss A
--# up
alter table @.customers alter column note set compression pglz;
--# down
alter table @.customers alter column note set compression default;

--# case set column options
--# base shop
--# loss A
--# up
alter table @.customers alter column name set (n_distinct = -0.5);
--# down
alter table @.customers alter column name reset (n_distinct);

--# case drop identity
--# base shop
--# loss A
--# up
alter table @.customers alter column id drop identity;
--# down
alter table @.customers alter column id add generated by default as identity;
select setval(pg_get_serial_sequence('@.customers', 'id'), 3);

--# case set generated
--# base shop
--# loss A
--# up
alter table @.customers alter column id set generated always;
--# down
alter table @.customers alter column id set generated by default;

--# case add identity
--# base shop
--# loss A
--# up
alter table @.orders alter column id add generated always as identity (start 100);
--# down
alter table @.orders alter column id drop identity;

--# case drop expression
--# base shop
--# loss B
--# also
alter table @.orders add column vat numeric generated always as (total * 0.2) stored;
--# up
alter table @.orders alter column vat drop expression;
--# down
alter table @.orders drop column vat;
alter table @.orders add column vat numeric generated always as (total * 0.2) stored;

--# case type, varchar to larger
--# base wide
--# loss A
--# up
alter table @.w alter column v10 type varchar(50);
--# down
alter table @.w alter column v10 type varchar(10);

--# case type, varchar to text
--# base wide
--# loss A
--# up
alter table @.w alter column v10 type text;
--# down
alter table @.w alter column v10 type varchar(10);

--# case type, text to varchar
--# base wide
--# loss A
--# up
alter table @.w alter column t type varchar;
--# down
alter table @.w alter column t type text;

--# case type, numeric precision up
--# base wide
--# loss A
--# up
alter table @.w alter column n62 type numeric(12,2);
--# down
alter table @.w alter column n62 type numeric(6,2);

--# case type, numeric without limits
--# base wide
--# loss A
--# up
alter table @.w alter column n62 type numeric;
--# down
alter table @.w alter column n62 type numeric(6,2);

--# case type, numeric scale
--# base wide
--# loss C
--# up
alter table @.w alter column n62 type numeric(6,0);
--# down
alter table @.w alter column n62 type numeric(6,2);

--# case type, int to bigint
--# base wide
--# loss A
--# up
alter table @.w alter column i type bigint, alter column s type int;
--# down
alter table @.w alter column i type int, alter column s type smallint;

--# case type, text to varchar(n)
--# base wide
--# loss C
--# up
alter table @.w alter column t type varchar(5);
--# down
alter table @.w alter column t type text;

--# case type, varchar shrink
--# base wide
--# loss C
--# up
alter table @.w alter column v10 type varchar(5);
--# down
alter table @.w alter column v10 type varchar(10);

--# case type, char(n)
--# base wide
--# loss A
--# up
alter table @.w alter column c type char(8);
--# down
alter table @.w alter column c type char(4);

--# case type, json to jsonb
--# base wide
--# loss C
--# up
alter table @.w alter column j type jsonb using j::jsonb;
--# down
alter table @.w alter column j type json using j::json;

--# case type, jsonb to json
--# base wide
--# loss C
--# up
alter table @.w alter column jb type json using jb::json;
--# down
alter table @.w alter column jb type jsonb using jb::jsonb;

--# case type, using a lossy expression
--# base wide
--# loss C
--# up
alter table @.w alter column t type int using length(t);
--# down
alter table @.w alter column t type text using t::text;

--# case type, timestamp to timestamptz
--# base wide
--# loss A
--# up
set local timezone = 'UTC';
alter table @.w alter column ts type timestamptz;
--# down
set local timezone = 'UTC';
alter table @.w alter column ts type timestamp;

--# case type, timestamptz to timestamp
--# base wide
--# loss A
--# up
set local timezone = 'UTC';
alter table @.w alter column tz type timestamp;
--# down
set local timezone = 'UTC';
alter table @.w alter column tz type timestamptz;

--# case type, collation
--# base wide
--# loss A
--# up
alter table @.w alter column t type text collate "C";
--# down
alter table @.w alter column t type text;

--# case type, to an unconstrained domain
--# base wide
--# loss A
--# also
create domain @.words as text;
--# up
alter table @.w alter column t type @.words;
--# down
alter table @.w alter column t type text;

--# case type, bit to varbit
--# base wide
--# loss A
--# up
alter table @.w alter column b type varbit;
--# down
alter table @.w alter column b type bit(4);

--# case type, uuid to text
--# base wide
--# loss A
--# up
alter table @.w alter column u type text using u::text;
--# down
alter table @.w alter column u type uuid using u::uuid;

--# case type, date to timestamp
--# base wide
--# loss A
--# up
alter table @.w alter column d type timestamp;
--# down
alter table @.w alter column d type date;

--# case type, with index default and view gone
--# base wide
--# loss A
--# also
create index w_i on @.w (i) where i > 0;
alter table @.w alter column i set default 7, add constraint i_big check (i < 1000);
--# up
alter table @.w alter column i type bigint;
--# down
alter table @.w alter column i type int;
