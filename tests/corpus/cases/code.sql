--# case create view
--# base shop
--# loss A
--# up
create view @.paid with (security_barrier = true) as select * from @.orders where state = 'paid' with check option;
comment on view @.paid is 'paid ones';
--# down
drop view @.paid;

--# case create materialized view
--# base shop
--# loss A
--# up
create materialized view @.counts as select customer, count(*) as n from @.orders group by customer with no data;
create unique index counts_customer on @.counts (customer);
--# down
drop materialized view @.counts;

--# case replace view, other condition
--# base code
--# loss A
--# up
create or replace view @.v with (security_invoker = true) as select id, a from @.t where a > 2;
--# down
create or replace view @.v with (security_invoker = true) as select id, a from @.t where a > 1;

--# case replace view, column added
--# base code
--# loss A
--# up
create or replace view @.v as select id, a, b from @.t where a > 1;
--# down
drop view @.v;
create view @.v with (security_invoker = true) as select id, a from @.t where a > 1;
create rule v_no_delete as on delete to @.v do instead nothing;
grant select on @.v to corpus_reader;
comment on view @.v is 'some of t';

--# case drop view
--# base code
--# loss A
--# up
drop view @.v;
--# down
create view @.v with (security_invoker = true) as select id, a from @.t where a > 1;
create rule v_no_delete as on delete to @.v do instead nothing;
grant select on @.v to corpus_reader;
comment on view @.v is 'some of t';

--# case drop view, cascade
--# base shop
--# loss A
--# also
create view @.big as select * from @.totals where total > 5;
create view @.bigger as select * from @.big where total > 6;
grant select (customer) on @.bigger to corpus_reader;
alter view @.bigger alter column total set default 4;
--# up
drop view @.totals cascade;
--# down
create view @.totals as select customer, sum(total) as total from @.orders group by customer;
create view @.big as select * from @.totals where total > 5;
create view @.bigger as select * from @.big where total > 6;
grant select (customer) on @.bigger to corpus_reader;
alter view @.bigger alter column total set default 4;

--# case drop materialized view
--# base code
--# loss A
--# up
drop materialized view @.mv;
--# down
create materialized view @.mv as select a, count(*) as n from @.t group by a;
create unique index mv_a on @.mv (a);

--# case rename view
--# base code
--# loss A
--# up
alter view @.v rename to v2;
--# down
alter view @.v2 rename to v;

--# case rename view column
--# base code
--# loss A
--# up
alter view @.v rename column a to aa;
--# down
alter view @.v rename column aa to a;

--# case set view options
--# base code
--# loss A
--# up
alter view @.v set (security_barrier = true);
alter view @.v reset (security_invoker);
--# down
alter view @.v reset (security_barrier);
alter view @.v set (security_invoker = true);

--# case refresh materialized view
--# base code
--# loss A
--# up
refresh materialized view @.mv;
--# down
select 1;

--# case refresh materialized view, concurrently
--# base code
--# loss A
--# up
refresh materialized view concurrently @.mv;
--# down
select 1;

--# case create function
--# base code
--# loss A
--# up
create function @.two(a int, b text default 'x') returns table (n int, s text) language sql stable security definer set search_path = '' as 'select a, b';
revoke execute on function @.two(int, text) from public;
--# down
drop function @.two(int, text);

--# case create procedure
--# base code
--# loss A
--# up
create procedure @.run(inout x int) language plpgsql as 'begin x := x + 1; end';
--# down
drop procedure @.run(int);

--# case create aggregate
--# base code
--# loss A
--# up
create aggregate @.total(int) (sfunc = int4pl, stype = int, initcond = '0');
--# down
drop aggregate @.total(int);

--# case replace function, other body
--# base code
--# loss A
--# up
create or replace function @.add_one(x int) returns int language sql immutable as 'select x + 2';
--# down
create or replace function @.add_one(x int) returns int language sql immutable as 'select x + 1';

--# case replace function, other attributes
--# base code
--# loss A
--# up
create or replace function @.add_one(x int) returns int language sql volatile security definer set search_path = pg_catalog cost 5 as 'select x + 1';
--# down
create or replace function @.add_one(x int) returns int language sql immutable as 'select x + 1';

--# case drop function
--# base code
--# loss A
--# up
drop function @.add_one(int);
--# down
create function @.add_one(x int) returns int language sql immutable as 'select x + 1';
revoke execute on function @.add_one(int) from public;
grant execute on function @.add_one(int) to corpus_reader;
comment on function @.add_one(int) is 'one more';

--# case drop function, cascade to triggers
--# base code
--# loss A
--# up
drop function @.touch() cascade;
--# down
create function @.touch() returns trigger language plpgsql as 'begin return new; end';
create trigger t_touch before insert or update of a on @.t for each row when (new.a > 0) execute function @.touch();

--# case drop function, other return type
--# base code
--# loss A
--# up
drop function @.add_one(int);
create function @.add_one(x int) returns bigint language sql immutable as 'select x::bigint + 1';
--# down
drop function @.add_one(int);
create function @.add_one(x int) returns int language sql immutable as 'select x + 1';
revoke execute on function @.add_one(int) from public;
grant execute on function @.add_one(int) to corpus_reader;
comment on function @.add_one(int) is 'one more';

--# case drop procedure
--# base code
--# loss A
--# up
drop procedure @.nothing(int);
--# down
create procedure @.nothing(x int) language sql as 'select x';

--# case rename function
--# base code
--# loss A
--# up
alter function @.add_one(int) rename to plus_one;
--# down
alter function @.plus_one(int) rename to add_one;

--# case function owner
--# base code
--# loss A
--# up
alter function @.touch() owner to corpus_owner;
--# down
alter function @.touch() owner to postgres;

--# case alter function
--# base code
--# loss A
--# up
alter function @.add_one(int) stable security definer set search_path = '';
--# down
alter function @.add_one(int) immutable security invoker reset search_path;

--# case function schema
--# base code
--# loss A
--# also
create schema @_b;
--# up
alter function @.add_one(int) set schema @_b;
--# down
alter function @_b.add_one(int) set schema @;

--# case create trigger
--# base code
--# loss A
--# up
create trigger t_after after delete on @.t referencing old table as gone for each statement execute function @.touch();
--# down
drop trigger t_after on @.t;

--# case create or replace trigger
--# base code
--# loss A
--# up
create or replace trigger t_touch before insert on @.t for each row execute function @.touch();
--# down
create or replace trigger t_touch before insert or update of a on @.t for each row when (new.a > 0) execute function @.touch();

--# case create constraint trigger
--# base code
--# loss A
--# up
create constraint trigger t_late after insert on @.t deferrable initially deferred for each row execute function @.touch();
--# down
drop trigger t_late on @.t;

--# case drop trigger
--# base code
--# loss A
--# up
drop trigger t_touch on @.t;
--# down
create trigger t_touch before insert or update of a on @.t for each row when (new.a > 0) execute function @.touch();

--# case drop trigger that was disabled
--# base code
--# loss A
--# also
alter table @.t disable trigger t_touch;
comment on trigger t_touch on @.t is 'asleep';
--# up
drop trigger t_touch on @.t;
--# down
create trigger t_touch before insert or update of a on @.t for each row when (new.a > 0) execute function @.touch();
alter table @.t disable trigger t_touch;
comment on trigger t_touch on @.t is 'asleep';

--# case rename trigger
--# base code
--# loss A
--# up
alter trigger t_touch on @.t rename to t_touched;
--# down
alter trigger t_touched on @.t rename to t_touch;

--# case disable trigger
--# base code
--# loss A
--# up
alter table @.t disable trigger t_touch;
--# down
alter table @.t enable trigger t_touch;

--# case enable replica trigger
--# base code
--# loss A
--# up
alter table @.t enable replica trigger t_touch;
--# down
alter table @.t enable trigger t_touch;

--# case enable trigger that was always
--# base code
--# loss A
--# also
alter table @.t enable always trigger t_touch;
--# up
alter table @.t enable trigger t_touch;
--# down
alter table @.t enable always trigger t_touch;

--# case create policy
--# base code
--# loss A
--# up
create policy t_all on @.t as restrictive for all to public using (a > 0) with check (a < 9);
--# down
drop policy t_all on @.t;

--# case alter policy
--# base code
--# loss A
--# up
alter policy t_read on @.t to corpus_owner, corpus_reader using (a > 5);
--# down
alter policy t_read on @.t to corpus_reader using (a > 0);

--# case rename policy
--# base code
--# loss A
--# up
alter policy t_read on @.t rename to t_readers;
--# down
alter policy t_readers on @.t rename to t_read;

--# case drop policy
--# base code
--# loss A
--# up
drop policy t_read on @.t;
drop policy t_write on @.t;
--# down
create policy t_write on @.t as restrictive for insert to corpus_reader with check (a < 100);
create policy t_read on @.t for select to corpus_reader using (a > 0);
comment on policy t_read on @.t is 'who reads';

--# case create rule
--# base code
--# loss A
--# up
create rule t_quiet as on insert to @.t where new.a > 50 do instead nothing;
--# down
drop rule t_quiet on @.t;

--# case replace rule
--# base code
--# loss A
--# up
create or replace rule v_no_delete as on delete to @.v do instead select 1;
--# down
create or replace rule v_no_delete as on delete to @.v do instead nothing;

--# case drop rule
--# base code
--# loss A
--# up
drop rule v_no_delete on @.v;
--# down
create rule v_no_delete as on delete to @.v do instead nothing;

--# case create statistics
--# base code
--# loss A
--# up
create statistics @.st2 (ndistinct, mcv) on a, m from @.t;
alter statistics @.st2 set statistics 50;
--# down
drop statistics @.st2;

--# case alter statistics
--# base code
--# loss A
--# up
alter statistics @.st set statistics 50;
--# down
alter statistics @.st set statistics -1;

--# case drop statistics
--# base code
--# loss A
--# up
drop statistics @.st;
--# down
create statistics @.st (dependencies) on a, b from @.t;

--# case create event trigger
--# base code
--# loss A
--# up
create function @.on_ddl() returns event_trigger language plpgsql as 'begin end';
create event trigger @_et on sql_drop when tag in ('DROP TABLE') execute function @.on_ddl();
--# down
drop event trigger @_et;
drop function @.on_ddl();

--# case drop event trigger
--# base code
--# loss A
--# also
create function @.on_ddl() returns event_trigger language plpgsql as 'begin end';
create event trigger @_et on sql_drop when tag in ('DROP TABLE') execute function @.on_ddl();
alter event trigger @_et disable;
--# up
drop event trigger @_et;
--# down
create event trigger @_et on sql_drop when tag in ('DROP TABLE') execute function @.on_ddl();
alter event trigger @_et disable;
