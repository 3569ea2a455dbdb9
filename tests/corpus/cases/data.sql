--# case insert rows with a key
--# base shop
--# loss A
--# up
insert into @.orders (id, customer, total) values (10, 1, 5), (11, 2, 6);
--# down
delete from @.orders where id in (10, 11);

--# case insert, on conflict do nothing
--# base shop
--# loss A
--# up
insert into @.orders (id, customer, total) values (1, 1, 5), (12, 2, 6) on conflict do nothing;
--# down
delete from @.orders where id = 12;

--# case insert into a new table
--# base shop
--# loss B
--# up
create table @.kinds (code text primary key, label text not null);
insert into @.kinds values ('a', 'Apples'), ('b', 'Pears');
--# down
drop table @.kinds;

--# case insert, select
--# base shop
--# loss A
--# up
insert into @.orders (id, customer, total) select id + 100, customer, total from @.orders;
--# down
delete from @.orders where id > 100;

--# case insert without a key
--# base parts
--# loss D
--# up
insert into @.lone values (1, 'z');

--# case update
--# base shop
--# loss D
--# up
update @.customers set score = score + 10, name = upper(name) where score > 1;

--# case update of a new column
--# base shop
--# loss B
--# up
alter table @.customers add column rank int;
update @.customers set rank = score * 2;
alter table @.customers alter column rank set not null;
--# down
alter table @.customers drop column rank;

--# case delete
--# base shop
--# loss D
--# up
delete from @.orders where total is null;

--# case delete that cascades
--# base shop
--# loss D
--# up
delete from @.customers where score = 1;

--# case merge
--# base shop
--# loss D
--# up
merge into @.orders o using (values (1, 99), (50, 5)) as n (id, total) on o.id = n.id
  when matched then update set total = n.total when not matched then insert (id, customer, total) values (n.id, 1, n.total);

--# case insert, on conflict do update
--# base shop
--# loss D
--# up
insert into @.orders (id, customer, total) values (1, 1, 5), (13, 2, 6) on conflict (id) do update set total = excluded.total;

--# case do block that changes the schema
--# base shop
--# loss B
--# up
do $$ begin
  if not exists (select from pg_attribute where attrelid = '@.orders'::regclass and attname = 'extra') then
    execute 'alter table @.orders add column extra int default 4';
  end if;
  execute format('create index %I on @.orders (extra)', 'orders_extra');
end $$;
--# down
drop index @.orders_extra;
alter table @.orders drop column extra;

--# case do block that changes rows
--# base shop
--# loss D
--# up
do $$ begin
  update @.orders set total = 0 where total is null;
end $$;

--# case call
--# base code
--# loss A
--# up
call @.nothing(1);
--# down
select 1;

--# case select
--# base shop
--# loss A
--# up
select count(*) from @.orders;
--# down
select 1;

--# case lock table
--# base shop
--# loss A
--# up
lock table @.orders in share mode;
alter table @.orders alter column state set default 'open';
--# down
alter table @.orders alter column state set default 'new';

--# case set and reset
--# base shop
--# loss A
--# up
set local search_path = @;
alter table orders alter column state set default 'open';
--# down
alter table @.orders alter column state set default 'new';

--# case analyze
--# base shop
--# loss A
--# up
analyze @.orders;
--# down
select 1;

--# case vacuum
--# base shop
--# loss A
--# alone
--# up
vacuum @.orders;
--# down
select 1;

--# case vacuum full
--# base shop
--# loss A
--# alone
--# up
vacuum full @.orders;
--# down
select 1;

--# case cluster
--# base shop
--# loss A
--# also
alter table @.orders cluster on orders_pk;
--# up
cluster @.orders;
--# down
select 1;

--# case create role
--# base shop
--# loss D
--# refuse
--# up
create role @_role;

--# case drop role
--# base shop
--# loss D
--# refuse
--# also
create role @_role;
--# up
drop role @_role;

--# case create database
--# base shop
--# loss D
--# refuse
--# alone
--# up
create database @_db;

--# case alter system
--# base shop
--# loss D
--# refuse
--# alone
--# up
alter system set work_mem = '4MB';

--# case create tablespace
--# base shop
--# loss D
--# refuse
--# alone
--# up
create tablespace @_space location '/nowhere';

--# case create subscription
--# base shop
--# loss D
--# refuse
--# up
create subscription @_sub connection 'host=nowhere' publication p with (connect = false);
