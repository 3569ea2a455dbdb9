--# case create index
--# base shop
--# loss A
--# up
create index customers_name on @.customers (name text_pattern_ops, score desc) include (at) where score > 0;
--# down
drop index @.customers_name;

--# case create index, without a name
--# base shop
--# loss A
--# up
create index on @.customers (name);
create index on @.customers (lower(note));
--# down
drop index @.customers_lower_idx;
drop index @.customers_name_idx;

--# case create index, gin with comment and storage
--# base shop
--# loss A
--# up
create index customers_tags on @.customers using gin (tags) with (fastupdate = off);
comment on index @.customers_tags is 'words';
--# down
drop index @.customers_tags;

--# case create index, concurrently
--# base shop
--# loss A
--# alone
--# up
create index concurrently customers_name on @.customers (name);
--# down
drop index concurrently @.customers_name;

--# case create unique index, concurrently
--# base shop
--# loss A
--# alone
--# up
create unique index concurrently if not exists customers_name on @.customers (name, id);
--# down
drop index concurrently @.customers_name;

--# case create index on a partitioned table
--# base parts
--# loss A
--# up
create index log_at on @.log (at, what);
--# down
drop index @.log_at;

--# case drop index
--# base shop
--# loss A
--# up
drop index @.orders_state;
--# down
create index orders_state on @.orders (lower(state)) where total > 0;

--# case drop index, with all its marks
--# base shop
--# loss A
--# also
create unique index orders_marks on @.orders (id, customer) with (fillfactor = 60);
comment on index @.orders_marks is 'marked';
alter table @.orders cluster on orders_marks;
alter table @.orders replica identity using index orders_marks;
create index orders_expression on @.orders ((total * 2), lower(state) desc);
alter index @.orders_expression alter column 1 set statistics 99;
--# up
drop index @.orders_marks, @.orders_expression;
--# down
create unique index orders_marks on @.orders (id, customer) with (fillfactor = 60);
comment on index @.orders_marks is 'marked';
alter table @.orders cluster on orders_marks;
alter table @.orders replica identity using index orders_marks;
create index orders_expression on @.orders ((total * 2), lower(state) desc);
alter index @.orders_expression alter column 1 set statistics 99;

--# case drop index, concurrently
--# base shop
--# loss A
--# alone
--# up
drop index concurrently @.orders_state;
--# down
create index concurrently orders_state on @.orders (lower(state)) where total > 0;

--# case drop index, if exists
--# base shop
--# loss A
--# up
drop index if exists @.no_such_index;
--# down
select 1;

--# case rename index
--# base shop
--# loss A
--# up
alter index @.orders_state rename to orders_by_state;
--# down
alter index @.orders_by_state rename to orders_state;

--# case set index options
--# base shop
--# loss A
--# up
alter index @.orders_state set (fillfactor = 50);
--# down
alter index @.orders_state reset (fillfactor);

--# case set index statistics
--# base shop
--# loss A
--# up
alter index @.orders_state alter column 1 set statistics 321;
--# down
alter index @.orders_state alter column 1 set statistics -1;

--# case reindex index
--# base shop
--# loss A
--# up
reindex index @.orders_state;
--# down
select 1;

--# case reindex, concurrently
--# base shop
--# loss A
--# alone
--# up
reindex index concurrently @.orders_state;
--# down
select 1;

--# case reindex table
--# base shop
--# loss A
--# up
reindex table @.orders;
--# down
select 1;
