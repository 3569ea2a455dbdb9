--# case create type, enum
--# base code
--# loss A
--# up
create type @.size as enum ('s', 'm', 'l');
--# down
drop type @.size;

--# case create type, composite
--# base code
--# loss A
--# up
create type @.point3 as (x int, y int, z text collate "C");
comment on type @.point3 is 'three';
--# down
drop type @.point3;

--# case create type, range
--# base code
--# loss A
--# up
create type @.span as range (subtype = float8, subtype_diff = float8mi);
--# down
drop type @.span;

--# case create domain
--# base code
--# loss A
--# up
create domain @.email as text collate "C" default 'x' not null check (value <> '') constraint at_sign check (value like '%.%');
--# down
drop domain @.email;

--# case enum, add value
--# base code
--# loss D
--# up
alter type @.mood add value if not exists 'great' after 'happy';

--# case enum, add value in the middle
--# base code
--# loss D
--# up
alter type @.mood add value 'soso' before 'ok';

--# case enum, rename value
--# base code
--# loss A
--# up
alter type @.mood rename value 'ok' to 'fine';
--# down
alter type @.mood rename value 'fine' to 'ok';

--# case rename type
--# base code
--# loss A
--# up
alter type @.mood rename to feeling;
--# down
alter type @.feeling rename to mood;

--# case type owner
--# base code
--# loss A
--# up
alter type @.mood owner to corpus_owner;
--# down
alter type @.mood owner to postgres;

--# case type schema
--# base code
--# loss A
--# also
create schema @_b;
--# up
alter type @.pair set schema @_b;
--# down
alter type @_b.pair set schema @;

--# case composite, add attribute
--# base code
--# loss B
--# up
alter type @.pair add attribute third int;
--# down
alter type @.pair drop attribute third;

--# case composite, drop attribute
--# base code
--# loss C
--# also
create type @.trio as (a int, b text, c int);
--# up
alter type @.trio drop attribute c;
--# down
alter type @.trio add attribute c int;

--# case composite, rename attribute
--# base code
--# loss A
--# up
alter type @.pair rename attribute right_side to other_side;
--# down
alter type @.pair rename attribute other_side to right_side;

--# case composite, attribute type
--# base code
--# loss A
--# also
create type @.trio as (a int, b varchar(10), c int);
--# up
alter type @.trio alter attribute b type text;
--# down
alter type @.trio alter attribute b type varchar(10);

--# case drop type, enum
--# base code
--# loss A
--# also
create type @.spare as enum ('one', 'two');
comment on type @.spare is 'not used';
grant usage on type @.spare to corpus_reader;
--# up
drop type @.spare;
--# down
create type @.spare as enum ('one', 'two');
comment on type @.spare is 'not used';
grant usage on type @.spare to corpus_reader;

--# case drop type, composite cascade to a column
--# base code
--# loss C
--# up
drop type @.pair cascade;
--# down
create type @.pair as (left_side int, right_side text);
alter table @.t add column q @.pair;

--# case drop domain
--# base code
--# loss A
--# also
create domain @.spare as varchar(5) default 'a' not null constraint short check (length(value) < 4);
--# up
drop domain @.spare;
--# down
create domain @.spare as varchar(5) default 'a' not null constraint short check (length(value) < 4);

--# case domain, add constraint
--# base code
--# loss A
--# up
alter domain @.positive add constraint small check (value < 1000);
--# down
alter domain @.positive drop constraint small;

--# case domain, add constraint not valid and validate
--# base code
--# loss A
--# up
alter domain @.positive add constraint small check (value < 1000) not valid;
alter domain @.positive validate constraint small;
--# down
alter domain @.positive drop constraint small;

--# case domain, drop constraint
--# base code
--# loss A
--# up
alter domain @.positive drop constraint positive_is;
--# down
alter domain @.positive add constraint positive_is check (value > 0);

--# case domain, default and not null
--# base code
--# loss A
--# also
create domain @.spare as int;
--# up
alter domain @.positive set default 9;
alter domain @.spare set not null;
--# down
alter domain @.spare drop not null;
alter domain @.positive set default 1;

--# case domain, drop default
--# base code
--# loss A
--# up
alter domain @.positive drop default;
--# down
alter domain @.positive set default 1;

--# case domain, rename constraint
--# base code
--# loss A
--# up
alter domain @.positive rename constraint positive_is to above_zero;
--# down
alter domain @.positive rename constraint above_zero to positive_is;

--# case create sequence
--# base code
--# loss A
--# up
create sequence @.tickets as int start 100 increment 10 minvalue 100 cache 5;
--# down
drop sequence @.tickets;

--# case alter sequence
--# base code
--# loss A
--# up
alter sequence @.counter increment 3 maxvalue 2000 no cycle cache 4;
--# down
alter sequence @.counter increment 2 maxvalue 1000 cycle cache 1;

--# case alter sequence, type
--# base code
--# loss A
--# also
create sequence @.small as smallint;
--# up
alter sequence @.small as bigint;
--# down
alter sequence @.small as smallint;

--# case sequence owned by
--# base code
--# loss A
--# up
alter sequence @.counter owned by @.t.id;
--# down
alter sequence @.counter owned by none;

--# case rename sequence
--# base code
--# loss A
--# up
alter sequence @.counter rename to counter2;
--# down
alter sequence @.counter2 rename to counter;

--# case drop sequence
--# base code
--# loss C
--# also
grant usage on sequence @.counter to corpus_reader;
--# up
drop sequence @.counter;
--# down
create sequence @.counter start 10 increment 2 maxvalue 1000 cycle;
grant usage on sequence @.counter to corpus_reader;

--# case drop sequence, cascade to a default
--# base wide
--# loss C
--# up
drop sequence @.w_id_seq cascade;
--# down
create sequence @.w_id_seq as int owned by @.w.id;
alter table @.w alter column id set default nextval('@.w_id_seq'::regclass);
select setval('@.w_id_seq', 2);
