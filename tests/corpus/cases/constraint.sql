--# case add check
--# base shop
--# loss A
--# up
alter table @.orders add constraint total_sane check (total < 1000000);
--# down
alter table @.orders drop constraint total_sane;

--# case add check, without a name
--# base shop
--# loss A
--# up
alter table @.orders add check (total < 1000000), add check (id > 0);
--# down
alter table @.orders drop constraint orders_id_check, drop constraint orders_total_check;

--# case add check, not valid
--# base shop
--# loss A
--# up
alter table @.orders add constraint total_sane check (total > 15) not valid;
--# down
alter table @.orders drop constraint total_sane;

--# case add check, not valid then validated
--# base shop
--# loss A
--# up
alter table @.orders add constraint total_sane check (total > 1) not valid;
alter table @.orders validate constraint total_sane;
--# down
alter table @.orders drop constraint total_sane;

--# case validate constraint
--# base shop
--# loss A
--# also
alter table @.orders add constraint total_sane check (total > 1) not valid;
--# up
alter table @.orders validate constraint total_sane;
--# down
alter table @.orders drop constraint total_sane;
alter table @.orders add constraint total_sane check (total > 1) not valid;

--# case validate foreign key
--# base shop
--# loss A
--# also
alter table @.orders drop constraint orders_customer_fk, add constraint orders_customer_fk foreign key (customer) references @.customers on delete cascade not valid;
--# up
alter table @.orders validate constraint orders_customer_fk;
--# down
alter table @.orders drop constraint orders_customer_fk;
alter table @.orders add constraint orders_customer_fk foreign key (customer) references @.customers on delete cascade not valid;

--# case add foreign key
--# base shop
--# loss A
--# also
alter table @.orders add column seller bigint;
--# up
alter table @.orders add constraint orders_seller_fk foreign key (seller) references @.customers (id) on update cascade on delete set null deferrable initially deferred;
--# down
alter table @.orders drop constraint orders_seller_fk;

--# case add foreign key, not valid
--# base shop
--# loss A
--# also
alter table @.orders add column seller bigint;
--# up
alter table @.orders add constraint orders_seller_fk foreign key (seller) references @.customers (id) not valid;
--# down
alter table @.orders drop constraint orders_seller_fk;

--# case add unique
--# base shop
--# loss A
--# up
alter table @.customers add constraint customers_name unique nulls not distinct (name, score);
--# down
alter table @.customers drop constraint customers_name;

--# case add unique, using an index
--# base shop
--# loss A
--# also
create unique index customers_at_name on @.customers (name, at);
--# up
alter table @.customers add constraint customers_at_name unique using index customers_at_name;
--# down
alter table @.customers drop constraint customers_at_name;
create unique index customers_at_name on @.customers (name, at);

--# case add primary key
--# base parts
--# loss A
--# up
alter table @.lone add constraint lone_pk primary key (id);
--# down
alter table @.lone drop constraint lone_pk, alter column id drop not null;

--# case add exclude
--# base shop
--# loss A
--# up
alter table @.orders add constraint orders_apart exclude using btree (placed with =, id with =) where (total > 0);
--# down
alter table @.orders drop constraint orders_apart;

--# case drop check
--# base shop
--# loss A
--# up
alter table @.customers drop constraint customers_score;
--# down
alter table @.customers add constraint customers_score check (score >= 0);

--# case drop check that was not valid
--# base shop
--# loss A
--# also
alter table @.orders add constraint total_sane check (total > 15) not valid;
comment on constraint total_sane on @.orders is 'one day';
--# up
alter table @.orders drop constraint total_sane;
--# down
alter table @.orders add constraint total_sane check (total > 15) not valid;
comment on constraint total_sane on @.orders is 'one day';

--# case drop foreign key
--# base shop
--# loss A
--# up
alter table @.orders drop constraint orders_customer_fk;
--# down
alter table @.orders add constraint orders_customer_fk foreign key (customer) references @.customers (id) on delete cascade;

--# case drop unique
--# base shop
--# loss A
--# up
alter table @.customers drop constraint customers_email;
--# down
alter table @.customers add constraint customers_email unique (email);

--# case drop primary key, cascade
--# base shop
--# loss A
--# up
alter table @.customers drop constraint customers_pkey cascade;
--# down
alter table @.customers add constraint customers_pkey primary key (id);
alter table @.orders add constraint orders_customer_fk foreign key (customer) references @.customers (id) on delete cascade;

--# case rename constraint
--# base shop
--# loss A
--# up
alter table @.customers rename constraint customers_email to email_once;
--# down
alter table @.customers rename constraint email_once to customers_email;

--# case alter constraint deferrable
--# base shop
--# loss A
--# up
alter table @.orders alter constraint orders_customer_fk deferrable initially deferred;
--# down
alter table @.orders alter constraint orders_customer_fk not deferrable;

--# case change a constraint by dropping and adding it
--# base shop
--# loss A
--# up
alter table @.customers drop constraint customers_score, add constraint customers_score check (score >= 0 and score < 1000);
--# down
alter table @.customers drop constraint customers_score, add constraint customers_score check (score >= 0);
