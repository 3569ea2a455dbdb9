--# case forgotten default
--# base shop
--# up
alter table @.orders alter column state drop default;
--# down
select 1;

--# case forgotten not null
--# base shop
--# up
alter table @.customers alter column email drop not null;
--# down
select 1;

--# case forgotten predicate of an index
--# base shop
--# up
drop index @.orders_state;
--# down
create index orders_state on @.orders (lower(state));

--# case forgotten expression of an index
--# base shop
--# up
drop index @.orders_state;
--# down
create index orders_state on @.orders (state) where total > 0;

--# case forgotten on delete
--# base shop
--# up
alter table @.orders drop constraint orders_customer_fk;
--# down
alter table @.orders add constraint orders_customer_fk foreign key (customer) references @.customers (id);

--# case forgotten not valid
--# base shop
--# also
alter table @.orders add constraint total_sane check (total > 1) not valid;
--# up
alter table @.orders drop constraint total_sane;
--# down
alter table @.orders add constraint total_sane check (total > 1);

--# case forgotten replica trigger
--# base code
--# also
alter table @.t enable replica trigger t_touch;
--# up
drop trigger t_touch on @.t;
--# down
create trigger t_touch before insert or update of a on @.t for each row when (new.a > 0) execute function @.touch();

--# case forgotten restrictive policy
--# base code
--# up
drop policy t_write on @.t;
--# down
create policy t_write on @.t for insert to corpus_reader with check (a < 100);

--# case forgotten row level security
--# base code
--# up
alter table @.t disable row level security;
--# down
select 1;

--# case forgotten column grant
--# base code
--# up
revoke select (id, a) on @.t from corpus_reader;
--# down
grant select (id) on @.t to corpus_reader;

--# case forgotten comment
--# base shop
--# up
alter table @.customers drop column note;
--# down
alter table @.customers add column note text collate "C";

--# case forgotten storage
--# base shop
--# also
alter table @.customers alter column note set storage external;
--# up
alter table @.customers alter column note set storage main;
--# down
alter table @.customers alter column note set storage extended;

--# case forgotten statistics target
--# base shop
--# also
alter table @.customers alter column note set statistics 400;
--# up
alter table @.customers drop column note;
--# down
alter table @.customers add column note text collate "C";
comment on column @.customers.note is 'only for us';

--# case forgotten fillfactor
--# base shop
--# also
alter table @.orders set (fillfactor = 80);
--# up
alter table @.orders set (fillfactor = 50);
--# down
alter table @.orders reset (fillfactor);

--# case forgotten replica identity
--# base shop
--# also
alter table @.orders replica identity full;
--# up
alter table @.orders replica identity nothing;
--# down
alter table @.orders replica identity default;

--# case forgotten collation
--# base shop
--# up
alter table @.customers alter column note type varchar collate "C";
--# down
alter table @.customers alter column note type text;

--# case forgotten security_invoker
--# base code
--# up
create or replace view @.v with (security_invoker = true) as select id, a from @.t where a > 2;
--# down
create or replace view @.v with (security_invoker = false) as select id, a from @.t where a > 1;

--# case forgotten grant on a view
--# base code
--# up
drop view @.v;
--# down
create view @.v with (security_invoker = true) as select id, a from @.t where a > 1;
create rule v_no_delete as on delete to @.v do instead nothing;
comment on view @.v is 'some of t';

--# case forgotten index of a materialized view
--# base code
--# up
drop materialized view @.mv;
--# down
create materialized view @.mv as select a, count(*) as n from @.t group by a;

--# case forgotten security definer
--# base code
--# also
create or replace function @.add_one(x int) returns int language sql immutable security definer as 'select x + 1';
--# up
create or replace function @.add_one(x int) returns int language sql immutable security definer as 'select x + 2';
--# down
create or replace function @.add_one(x int) returns int language sql immutable as 'select x + 1';

--# case forgotten access to a function
--# base code
--# up
drop function @.add_one(int);
--# down
create function @.add_one(x int) returns int language sql immutable as 'select x + 1';
comment on function @.add_one(int) is 'one more';

--# case forgotten cycle of a sequence
--# base code
--# up
alter sequence @.counter no cycle;
--# down
select 1;

--# case forgotten owner of a sequence
--# base wide
--# up
alter sequence @.w_id_seq owned by none;
--# down
select 1;

--# case forgotten kind of statistics
--# base code
--# up
drop statistics @.st;
--# down
create statistics @.st on a, b from @.t;

--# case forgotten row filter
--# base shop
--# also
create publication @_pub for table @.orders where (total > 0);
--# up
alter publication @_pub drop table @.orders;
--# down
alter publication @_pub add table @.orders;

--# case left an enum label
--# base code
--# up
alter type @.mood add value 'great';
--# down
select 1;

--# case left an index invalid
--# base shop
--# up
drop index @.orders_state;
--# down
create index orders_state on @.orders (lower(state)) where total > 0;
update pg_catalog.pg_index set indisvalid = false where indexrelid = '@.orders_state'::regclass;

--# case forgotten default privileges
--# base code
--# up
alter default privileges in schema @ grant select on tables to corpus_reader;
--# down
select 1;

--# case forgotten owner
--# base code
--# also
alter function @.touch() owner to corpus_owner;
--# up
drop function @.touch() cascade;
--# down
create function @.touch() returns trigger language plpgsql as 'begin return new; end';
create trigger t_touch before insert or update of a on @.t for each row when (new.a > 0) execute function @.touch();

--# case other name of a constraint
--# base shop
--# up
alter table @.customers drop constraint customers_score;
--# down
alter table @.customers add check (score >= 0);

--# case forgotten deferrable
--# base shop
--# also
alter table @.orders alter constraint orders_customer_fk deferrable initially deferred;
--# up
alter table @.orders alter constraint orders_customer_fk not deferrable;
--# down
alter table @.orders alter constraint orders_customer_fk deferrable;

--# case forgotten inheritance
--# base parts
--# also
alter table @.lone inherit @.parent;
--# up
alter table @.lone no inherit @.parent;
--# down
select 1;

--# case forgotten cluster mark
--# base shop
--# also
alter table @.orders cluster on orders_pk;
--# up
alter table @.orders drop constraint orders_pk;
--# down
alter table @.orders add constraint orders_pk primary key (id);

--# case forgotten compression
--# base shop
--# also
alter table @.customers alter column note set compression pglz;
--# up
alter table @.customers alter column note set compression default;
--# down
select 1;

--# case identity of the other kind
--# base shop
--# up
alter table @.customers alter column id drop identity;
--# down
alter table @.customers alter column id add generated always as identity;
select setval(pg_get_serial_sequence('@.customers', 'id'), 3);

--# case right: an index written in other words
--# base shop
--# right
--# up
drop index @.orders_state;
--# down
create index orders_state on @.orders using btree (lower(state) asc nulls last) where (total > (0)::numeric);

--# case right: two renames crossed
--# base shop
--# right
--# up
alter table @.customers rename column name to swap;
alter table @.customers rename column note to name;
alter table @.customers rename column swap to note;
--# down
alter table @.customers rename column note to x;
alter table @.customers rename column name to note;
alter table @.customers rename column x to name;

--# case right: a column at the end instead of in its place
--# base shop
--# right
--# up
alter table @.customers drop column note;
--# down
-- loss: C what was in the notes

alter table @.customers add column note text;
alter table @.customers alter column note type text collate "C";
comment on column @.customers.note is 'only for us';

--# case right: grants given one by one and in another order
--# base code
--# right
--# up
revoke all on @.t, @.v from corpus_reader;
revoke select (id, a) on @.t from corpus_reader;
--# down
grant select on @.v to corpus_reader;
grant select (a) on @.t to corpus_reader;
grant select (id) on @.t to corpus_reader;
