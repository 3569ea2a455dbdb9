--# case grant on a table
--# base shop
--# loss A
--# up
grant select, update on @.orders to corpus_reader with grant option;
--# down
revoke all on @.orders from corpus_reader;

--# case grant on columns
--# base shop
--# loss A
--# up
grant update (state, placed) on @.orders to corpus_reader;
--# down
revoke update (state, placed) on @.orders from corpus_reader;

--# case grant on all tables in a schema
--# base shop
--# loss A
--# up
grant insert on all tables in schema @ to corpus_reader;
--# down
revoke insert on @.orders, @.totals, @.customers from corpus_reader;

--# case grant on schema and sequence
--# base code
--# loss A
--# up
grant usage, create on schema @ to corpus_reader;
grant usage on sequence @.counter to corpus_reader, corpus_owner;
--# down
revoke usage on sequence @.counter from corpus_reader, corpus_owner;
revoke usage, create on schema @ from corpus_reader;

--# case grant on a function and a type
--# base code
--# loss A
--# up
grant execute on function @.add_one(int) to public;
revoke usage on type @.mood from public;
--# down
grant usage on type @.mood to public;
revoke execute on function @.add_one(int) from public;

--# case revoke from the owner
--# base shop
--# loss A
--# up
revoke insert on @.customers from postgres;
--# down
grant insert on @.customers to postgres;

--# case revoke
--# base shop
--# loss A
--# up
revoke select on @.customers from corpus_reader;
--# down
grant select on @.customers to corpus_reader;

--# case revoke on columns
--# base code
--# loss A
--# up
revoke select (a) on @.t from corpus_reader;
--# down
grant select (a) on @.t to corpus_reader;

--# case revoke from public on a function
--# base code
--# loss A
--# up
revoke execute on function @.touch() from public;
--# down
grant execute on function @.touch() to public;

--# case default privileges
--# base code
--# loss A
--# up
alter default privileges in schema @ grant select on tables to corpus_reader;
alter default privileges in schema @ grant execute on functions to corpus_owner;
--# down
alter default privileges in schema @ revoke execute on functions from corpus_owner;
alter default privileges in schema @ revoke select on tables from corpus_reader;

--# case default privileges, revoke
--# base code
--# loss A
--# also
alter default privileges for role corpus_owner in schema @ grant select, insert on tables to corpus_reader;
--# up
alter default privileges for role corpus_owner in schema @ revoke insert on tables from corpus_reader;
--# down
alter default privileges for role corpus_owner in schema @ grant insert on tables to corpus_reader;

--# case comment on a table
--# base shop
--# loss A
--# up
comment on table @.customers is 'people''s names';
--# down
comment on table @.customers is null;

--# case comment changed on a column
--# base shop
--# loss A
--# up
comment on column @.customers.note is 'for everybody';
--# down
comment on column @.customers.note is 'only for us';

--# case comment removed
--# base code
--# loss A
--# up
comment on function @.add_one(int) is null;
comment on view @.v is null;
comment on policy t_read on @.t is null;
--# down
comment on policy t_read on @.t is 'who reads';
comment on view @.v is 'some of t';
comment on function @.add_one(int) is 'one more';

--# case comment on many kinds
--# base code
--# loss A
--# up
comment on schema @ is 'code';
comment on type @.mood is 'how';
comment on domain @.positive is 'more than nothing';
comment on sequence @.counter is 'counts';
comment on trigger t_touch on @.t is 'touches';
comment on constraint t_pkey on @.t is 'key';
comment on index @.mv_a is 'index';
comment on materialized view @.mv is 'stored';
comment on rule v_no_delete on @.v is 'never';
comment on statistics @.st is 'st';
comment on procedure @.nothing(int) is 'idle';
--# down
comment on procedure @.nothing(int) is null;
comment on statistics @.st is null;
comment on rule v_no_delete on @.v is null;
comment on materialized view @.mv is null;
comment on index @.mv_a is null;
comment on constraint t_pkey on @.t is null;
comment on trigger t_touch on @.t is null;
comment on sequence @.counter is null;
comment on domain @.positive is null;
comment on type @.mood is null;
comment on schema @ is null;

--# case create publication
--# base shop
--# loss A
--# up
create publication @_pub for table @.customers (id, email), @.orders where (total > 0) with (publish = 'insert, update');
--# down
drop publication @_pub;

--# case drop publication
--# base shop
--# loss A
--# also
create publication @_pub for table @.customers (id, email), @.orders where (total > 0) with (publish = 'insert');
--# up
drop publication @_pub;
--# down
create publication @_pub for table @.customers (id, email), @.orders where (total > 0) with (publish = 'insert');

--# case publication, add table
--# base shop
--# loss A
--# also
create publication @_pub for table @.customers;
--# up
alter publication @_pub add table @.orders where (total > 1);
--# down
alter publication @_pub drop table @.orders;

--# case publication, drop table
--# base shop
--# loss A
--# also
create publication @_pub for table @.customers (id), @.orders where (total > 1);
--# up
alter publication @_pub drop table @.orders;
--# down
alter publication @_pub add table @.orders where (total > 1);

--# case publication, set
--# base shop
--# loss A
--# also
create publication @_pub for table @.customers;
--# up
alter publication @_pub set (publish = 'insert', publish_via_partition_root = true);
alter publication @_pub set table @.customers, @.orders;
--# down
alter publication @_pub set table @.customers;
alter publication @_pub set (publish = 'insert, update, delete, truncate', publish_via_partition_root = false);

--# case publication, schema
--# base shop
--# loss A
--# also
create publication @_pub for table @.customers;
--# up
alter publication @_pub add tables in schema @;
--# down
alter publication @_pub drop tables in schema @;

--# case create extension
--# base shop
--# loss A
--# up
create extension citext schema @;
--# down
drop extension citext;

--# case drop extension
--# base shop
--# loss A
--# also
create extension hstore schema @;
--# up
drop extension hstore;
--# down
create extension hstore schema @ version '1.8';

--# case extension schema
--# base shop
--# loss A
--# also
create schema @_b;
create extension ltree schema @;
--# up
alter extension ltree set schema @_b;
--# down
alter extension ltree set schema @;

--# case create operator
--# base code
--# loss A
--# up
create operator @.<+> (leftarg = int, rightarg = int, function = int4pl, commutator = operator(@.<+>));
--# down
drop operator @.<+> (int, int);

--# case create cast
--# base code
--# loss A
--# up
create function @.to_mood(int) returns @.mood language sql immutable as $$select 'ok'::@.mood$$;
create cast (int as @.mood) with function @.to_mood(int) as assignment;
--# down
drop cast (int as @.mood);
drop function @.to_mood(int);

--# case create collation
--# base code
--# loss A
--# up
create collation @.plain from "C";
--# down
drop collation @.plain;

--# case create text search configuration
--# base code
--# loss A
--# up
create text search configuration @.words (copy = pg_catalog.simple);
--# down
drop text search configuration @.words;

--# case drop operator
--# base code
--# loss A
--# also
create operator @.<+> (leftarg = int, rightarg = int, function = int4pl, commutator = operator(@.<+>));
comment on operator @.<+> (int, int) is 'plus';
--# up
drop operator @.<+> (int, int);
--# down
create operator @.<+> (leftarg = int, rightarg = int, function = int4pl, commutator = operator(@.<+>));
comment on operator @.<+> (int, int) is 'plus';

--# case drop cast
--# base code
--# loss A
--# also
create function @.to_mood(int) returns @.mood language sql immutable as $$select 'ok'::@.mood$$;
create cast (int as @.mood) with function @.to_mood(int) as assignment;
--# up
drop cast (int as @.mood);
--# down
create cast (int as @.mood) with function @.to_mood(int) as assignment;

--# case drop collation
--# base code
--# loss A
--# also
create collation @.plain from "C";
--# up
drop collation @.plain;
--# down
create collation @.plain from "C";

--# case drop text search configuration
--# base code
--# loss A
--# also
create text search configuration @.words (copy = pg_catalog.simple);
alter text search configuration @.words drop mapping for url;
--# up
drop text search configuration @.words;
--# down
create text search configuration @.words (copy = pg_catalog.simple);
alter text search configuration @.words drop mapping for url;

--# case alter text search configuration
--# base code
--# loss A
--# also
create text search configuration @.words (copy = pg_catalog.simple);
--# up
alter text search configuration @.words alter mapping for asciiword with english_stem;
--# down
alter text search configuration @.words alter mapping for asciiword with simple;

--# case drop aggregate
--# base code
--# loss A
--# also
create aggregate @.total(int) (sfunc = int4pl, stype = int, initcond = '0');
grant execute on function @.total(int) to corpus_reader;
--# up
drop aggregate @.total(int);
--# down
create aggregate @.total(int) (sfunc = int4pl, stype = int, initcond = '0');
grant execute on function @.total(int) to corpus_reader;

--# case create foreign data wrapper, server and table
--# base shop
--# loss A
--# up
create foreign data wrapper @_w options (mode 'x');
create server @_s type 'a' foreign data wrapper @_w options (host 'h');
create user mapping for corpus_reader server @_s options (password 'none');
create foreign table @.far (id int not null, x text options (name 'y')) server @_s options (t 'far');
grant usage on foreign server @_s to corpus_reader;
--# down
drop foreign table @.far;
drop user mapping for corpus_reader server @_s;
drop server @_s;
drop foreign data wrapper @_w;

--# case drop foreign table and server
--# base shop
--# loss A
--# also
create foreign data wrapper @_w;
create server @_s foreign data wrapper @_w options (host 'h');
create foreign table @.far (id int not null, x text default 'q') server @_s options (t 'far');
comment on foreign table @.far is 'elsewhere';
--# up
drop foreign table @.far;
drop server @_s;
--# down
create server @_s foreign data wrapper @_w options (host 'h');
create foreign table @.far (id int not null, x text default 'q') server @_s options (t 'far');
comment on foreign table @.far is 'elsewhere';

--# case extension update
--# base shop
--# loss D
--# also
create extension pg_trgm schema @ version '1.5';
--# up
alter extension pg_trgm update to '1.6';
