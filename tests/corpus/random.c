#include "random.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/strbuf.h"

#define TABLES_MAX  3
#define COLUMNS_MAX 8

/* A type, two values of it, and another type its values fit into ("" none). */
static const struct kind_of_column {
    const char *type, *one, *two, *wider;
    bool has_order; /* can be in an index and a CHECK with > */
} kinds[] = {
    { "int", "1", "2", "bigint", true },
    { "bigint", "10", "20", "numeric", true },
    { "smallint", "3", "4", "int", true },
    { "text", "'a'", "'b'", "", true },
    { "text collate \"C\"", "'c'", "'d'", "", true },
    { "varchar(20)", "'v'", "'w'", "varchar(40)", true },
    { "varchar(9)", "'v'", "'w'", "text", true },
    { "numeric(8,2)", "1.50", "2.25", "numeric(12,2)", true },
    { "boolean", "true", "false", "", false },
    { "date", "'2026-01-01'", "'2026-02-02'", "timestamp", true },
    { "timestamptz", "'2026-01-01 00:00:00+00'", "'2026-03-01 00:00:00+00'", "", true },
    { "uuid", "'6b29fc40-ca47-1067-b31d-00dd010662da'", "'6b29fc40-ca47-1067-b31d-00dd010662db'",
      "", false },
    { "jsonb", "'{\"a\": 1}'", "'[]'", "", false },
    { "text[]", "'{x,y}'", "'{}'", "", false },
    { "char(3)", "'abc'", "'xyz'", "", true },
    { "interval", "'1 day'", "'2 hours'", "", true },
    { "bytea", "'\\x00ff'", "'\\x01'", "", false },
    { "double precision", "1.5", "2.5", "", true },
    { "@.mood", "'sad'", "'ok'", "", false },
    { "@.positive", "5", "6", "", false },
    { "int4range", "'[1,5)'", "'[2,9)'", "", false },
};

struct column {
    const char *name; /* as written: quoted where needed */
    const struct kind_of_column *kind;
    bool is_required, has_default, is_used; /* used: a statement is about it already */
};

struct table {
    const char *name;
    struct column columns[COLUMNS_MAX];
    size_t n;
    bool has_index, has_check, has_view, has_trigger, has_policy, has_unique;
    bool is_gone;
};

struct making {
    struct arena *a;
    uint64_t state;
    struct strbuf base, up;
    struct table tables[TABLES_MAX];
    size_t n;
    size_t serial; /* for names */
    const char *kind;
};

/* ---- chance ---- */

static uint64_t next(struct making *m)
{
    uint64_t z = m->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(struct making *m, size_t n)
{
    return (size_t)(next(m) % n);
}

static bool one_in(struct making *m, size_t n)
{
    return below(m, n) == 0;
}

static const char *pick(struct making *m, const char *const *list, size_t n)
{
    return list[below(m, n)];
}
#define PICK(m, ...)                                                                               \
    pick((m), (const char *const[]){ __VA_ARGS__ },                                                \
         sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

/* ---- the schema it starts from ---- */

static const char *column_name(struct making *m, size_t i)
{
    static const char *const odd[] = { "\"Camel\"", "\"with space\"", "\"select\"", "\"größe\"" };
    return one_in(m, 9)
               ? arena_printf(m->a, "%.*s_%zu\"", (int)strlen(odd[i % 4]) - 1, odd[i % 4], i)
               : arena_printf(m->a, "col%zu", i);
}

static void make_column(struct making *m, struct table *t)
{
    struct column *c = &t->columns[t->n];
    *c = (struct column){ .name = column_name(m, t->n),
                          .kind = &kinds[below(m, sizeof kinds / sizeof *kinds)],
                          .is_required = one_in(m, 3),
                          .has_default = one_in(m, 3) };
    t->n++;
    strbuf_printf(&m->base, ",\n  %s %s%s", c->name, c->kind->type,
                  c->is_required ? " not null" : "");
    if (c->has_default)
        strbuf_printf(&m->base, " default %s", c->kind->one);
}

static void make_rows(struct making *m, const struct table *t)
{
    for (int row = 1; row <= 3; row++) {
        strbuf_printf(&m->base, "insert into @.%s values (%d", t->name, row);
        for (size_t i = 0; i < t->n; i++) {
            const struct column *c = &t->columns[i];
            strbuf_printf(&m->base, ", %s",
                          row == 3 && !c->is_required ? "null"
                          : row == 2                  ? c->kind->two
                                                      : c->kind->one);
        }
        strbuf_adds(&m->base, ");\n");
    }
}

static const struct column *ordered_column(struct making *m, const struct table *t)
{
    for (int tries = 0; tries < 12; tries++) {
        const struct column *c = &t->columns[below(m, t->n)];
        if (c->kind->has_order)
            return c;
    }
    return NULL;
}

/* What hangs on a table. */
static void make_extras(struct making *m, struct table *t)
{
    const struct column *o = ordered_column(m, t), *c = &t->columns[below(m, t->n)];
    struct strbuf *b = &m->base;
    const char *n = t->name;
    if (o && one_in(m, 2)) {
        t->has_index = true;
        strbuf_printf(b, "create index %s_i on @.%s (%s%s)%s%s;\n", n, n, o->name,
                      PICK(m, "", " desc", " desc nulls last"),
                      PICK(m, "", " include (id)", " with (fillfactor = 70)"),
                      PICK(m, "", " where id > 0"));
    }
    if (o && one_in(m, 2)) {
        t->has_check = true;
        strbuf_printf(b, "alter table @.%s add constraint %s_c check (%s >= %s)%s;\n", n, n,
                      o->name, o->kind->one, PICK(m, "", " not valid"));
    }
    if (one_in(m, 3)) {
        t->has_unique = true;
        strbuf_printf(b, "alter table @.%s add constraint %s_u unique (id, %s)%s;\n", n, n,
                      o ? o->name : "id", PICK(m, "", " deferrable"));
    }
    if (one_in(m, 2)) {
        t->has_view = true;
        strbuf_printf(b, "create view @.%s_v%s as select id, %s as x from @.%s;\n", n,
                      PICK(m, "", " with (security_invoker = true)"), c->name, n);
        if (one_in(m, 2))
            strbuf_printf(b, "grant select on @.%s_v to corpus_reader;\n", n);
    }
    if (one_in(m, 3)) {
        t->has_trigger = true;
        strbuf_printf(b,
                      "create trigger %s_t %s on @.%s for each row execute function @.touch();\n",
                      n, PICK(m, "before insert", "after update", "before insert or delete"), n);
        if (one_in(m, 3))
            strbuf_printf(b, "alter table @.%s %s trigger %s_t;\n", n,
                          PICK(m, "disable", "enable always", "enable replica"), n);
    }
    if (one_in(m, 3)) {
        t->has_policy = true;
        strbuf_printf(b, "alter table @.%s enable row level security;\n", n);
        strbuf_printf(b, "create policy %s_p on @.%s%s for %s to corpus_reader using (id > 0);\n",
                      n, n, PICK(m, "", " as restrictive"), PICK(m, "select", "all", "delete"));
    }
    if (one_in(m, 3))
        strbuf_printf(b, "comment on column @.%s.%s is 'it''s %s';\n", n, c->name, n);
    if (one_in(m, 3))
        strbuf_printf(b, "grant %s on @.%s to corpus_reader%s;\n",
                      PICK(m, "select", "select, insert", "all"), n,
                      PICK(m, "", " with grant option"));
    if (one_in(m, 3))
        strbuf_printf(b, "grant update (%s) on @.%s to corpus_reader;\n", c->name, n);
    if (one_in(m, 5))
        strbuf_printf(b, "alter table @.%s alter column %s set statistics 42;\n", n, c->name);
    if (one_in(m, 5))
        strbuf_printf(b, "alter table @.%s set (fillfactor = 90);\n", n);
    if (one_in(m, 5))
        strbuf_printf(b, "alter table @.%s replica identity full;\n", n);
}

static void make_base(struct making *m)
{
    strbuf_adds(&m->base,
                "create schema @;\ncreate type @.mood as enum ('sad', 'ok', 'happy');\n"
                "create domain @.positive as int constraint positive_is check (value > 0);\n"
                "create function @.touch() returns trigger language plpgsql as"
                " 'begin return coalesce(new, old); end';\n"
                "create sequence @.counter increment 3;\n");
    m->n = 1 + below(m, TABLES_MAX);
    for (size_t i = 0; i < m->n; i++) {
        struct table *t = &m->tables[i];
        t->name = arena_printf(m->a, "t%zu", i);
        strbuf_printf(
            &m->base, "create table @.%s (\n  id int %s", t->name,
            PICK(m, "primary key", "generated by default as identity primary key", "not null"));
        size_t columns = 2 + below(m, COLUMNS_MAX - 2);
        while (t->n < columns)
            make_column(m, t);
        strbuf_adds(&m->base, ");\n");
        make_rows(m, t);
        make_extras(m, t);
    }
}

/* ---- what is done to it ---- */

static struct column *unused_column(struct making *m, struct table *t)
{
    for (int tries = 0; tries < 12; tries++) {
        struct column *c = &t->columns[below(m, t->n)];
        if (!c->is_used) {
            c->is_used = true;
            return c;
        }
    }
    return NULL;
}

typedef bool operation(struct making *m, struct table *t);
#define UP(m, ...) (strbuf_printf(&(m)->up, __VA_ARGS__), true)

static bool add_column(struct making *m, struct table *t)
{
    const struct kind_of_column *k = &kinds[below(m, sizeof kinds / sizeof *kinds)];
    const char *rest = "";
    switch (below(m, 4)) {
    case 0:
        rest = arena_printf(m->a, " not null default %s", k->one);
        break;
    case 1:
        rest = arena_printf(m->a, " default %s", k->two);
        break;
    case 2:
        rest =
            k->has_order ? arena_printf(m->a, " check (new%zu > %s)", m->serial + 1, k->one) : "";
        break;
    default:
        break;
    }
    return UP(m, "alter table @.%s add column new%zu %s%s;\n", t->name, ++m->serial, k->type, rest);
}

static bool drop_column(struct making *m, struct table *t)
{
    const struct column *c = unused_column(m, t);
    return c && UP(m, "alter table @.%s drop column %s cascade;\n", t->name, c->name);
}

static bool rename_column(struct making *m, struct table *t)
{
    const struct column *c = unused_column(m, t);
    return c && UP(m, "alter table @.%s rename column %s to renamed%zu;\n", t->name, c->name,
                   ++m->serial);
}

static bool change_default(struct making *m, struct table *t)
{
    const struct column *c = unused_column(m, t);
    if (!c)
        return false;
    if (c->has_default && one_in(m, 2))
        return UP(m, "alter table @.%s alter column %s drop default;\n", t->name, c->name);
    return UP(m, "alter table @.%s alter column %s set default %s;\n", t->name, c->name,
              c->kind->two);
}

static bool change_null(struct making *m, struct table *t)
{
    const struct column *c = unused_column(m, t);
    return c && c->is_required &&
           UP(m, "alter table @.%s alter column %s drop not null;\n", t->name, c->name);
}

static bool widen(struct making *m, struct table *t)
{
    const struct column *c = unused_column(m, t);
    return c && *c->kind->wider && !t->has_view &&
           UP(m, "alter table @.%s alter column %s type %s;\n", t->name, c->name, c->kind->wider);
}

static bool set_column_option(struct making *m, struct table *t)
{
    const struct column *c = unused_column(m, t);
    return c && UP(m, "alter table @.%s alter column %s %s;\n", t->name, c->name,
                   PICK(m, "set statistics 99", "set storage plain", "set (n_distinct = 5)",
                        "set statistics 0"));
}

static bool comment(struct making *m, struct table *t)
{
    const struct column *c = &t->columns[below(m, t->n)];
    return one_in(m, 2) ? UP(m, "comment on table @.%s is 'said %zu';\n", t->name, ++m->serial)
                        : UP(m, "comment on column @.%s.%s is %s;\n", t->name, c->name,
                             PICK(m, "null", "'other'"));
}

static bool change_grants(struct making *m, struct table *t)
{
    const struct column *c = &t->columns[below(m, t->n)];
    switch (below(m, 4)) {
    case 0:
        return UP(m, "grant %s on @.%s to corpus_owner, public;\n",
                  PICK(m, "select", "insert, delete", "all"), t->name);
    case 1:
        return UP(m, "revoke all on @.%s from corpus_reader, %s;\n", t->name,
                  PICK(m, "public", "postgres"));
    case 2:
        return UP(m, "grant select (%s, id) on @.%s to corpus_reader;\n", c->name, t->name);
    default:
        return UP(m, "revoke update (%s) on @.%s from corpus_reader;\n", c->name, t->name);
    }
}

static bool create_index(struct making *m, struct table *t)
{
    const struct column *c = ordered_column(m, t);
    return c &&
           UP(m, "create %sindex new%zu on @.%s (%s%s, id)%s;\n", PICK(m, "", "unique "),
              ++m->serial, t->name, c->name, PICK(m, "", " desc"), PICK(m, "", " where id < 100"));
}

static bool drop_index(struct making *m, struct table *t)
{
    bool had = t->has_index;
    t->has_index = false;
    return had && UP(m, "drop index @.%s_i;\n", t->name);
}

static bool rename_index(struct making *m, struct table *t)
{
    bool had = t->has_index;
    t->has_index = false;
    return had && UP(m, "alter index @.%s_i rename to %s_j;\n", t->name, t->name);
}

static bool add_check(struct making *m, struct table *t)
{
    const struct column *c = ordered_column(m, t);
    return c && UP(m, "alter table @.%s add constraint new%zu check (%s >= %s)%s;\n", t->name,
                   ++m->serial, c->name, c->kind->one, PICK(m, "", " not valid"));
}

static bool drop_constraint(struct making *m, struct table *t)
{
    if (t->has_check) {
        t->has_check = false;
        return UP(m, "alter table @.%s drop constraint %s_c;\n", t->name, t->name);
    }
    bool had = t->has_unique;
    t->has_unique = false;
    return had && UP(m, "alter table @.%s drop constraint %s_u;\n", t->name, t->name);
}

static bool rename_constraint(struct making *m, struct table *t)
{
    bool had = t->has_check;
    t->has_check = false;
    return had &&
           UP(m, "alter table @.%s rename constraint %s_c to %s_d;\n", t->name, t->name, t->name);
}

static bool add_foreign_key(struct making *m, struct table *t)
{
    return UP(m,
              "alter table @.%s add column ref%zu int;\nalter table @.%s add constraint ref%zu_fk"
              " foreign key (ref%zu) references @.keyed (id)%s%s;\n",
              t->name, m->serial + 1, t->name, m->serial + 1, m->serial + 1,
              PICK(m, "", " on delete set null", " on update cascade"),
              PICK(m, "", " not valid", " deferrable initially deferred")) &&
           (++m->serial, true);
}

static bool table_option(struct making *m, struct table *t)
{
    return UP(m, "alter table @.%s %s;\n", t->name,
              PICK(m, "set (fillfactor = 55)", "reset (fillfactor)", "replica identity nothing",
                   "replica identity default", "enable row level security",
                   "force row level security", "disable row level security",
                   "owner to corpus_owner", "set unlogged", "set (autovacuum_enabled = false)"));
}

static bool change_policy(struct making *m, struct table *t)
{
    if (!t->has_policy)
        return UP(m,
                  "create policy new%zu on @.%s for update using (id > 1) with check (id > 2);\n",
                  ++m->serial, t->name);
    t->has_policy = false;
    switch (below(m, 3)) {
    case 0:
        return UP(m, "drop policy %s_p on @.%s;\n", t->name, t->name);
    case 1:
        return UP(m, "alter policy %s_p on @.%s using (id > 7);\n", t->name, t->name);
    default:
        return UP(m, "alter policy %s_p on @.%s to public;\n", t->name, t->name);
    }
}

static bool change_trigger(struct making *m, struct table *t)
{
    if (!t->has_trigger)
        return UP(m,
                  "create trigger new%zu after insert on @.%s for each row execute function"
                  " @.touch();\n",
                  ++m->serial, t->name);
    t->has_trigger = false;
    switch (below(m, 3)) {
    case 0:
        return UP(m, "drop trigger %s_t on @.%s;\n", t->name, t->name);
    case 1:
        return UP(m, "alter table @.%s %s trigger %s_t;\n", t->name,
                  PICK(m, "disable", "enable", "enable always"), t->name);
    default:
        return UP(m, "alter trigger %s_t on @.%s rename to %s_s;\n", t->name, t->name, t->name);
    }
}

static bool change_view(struct making *m, struct table *t)
{
    if (!t->has_view)
        return UP(m, "create view @.new%zu as select * from @.%s where id > 1;\n", ++m->serial,
                  t->name);
    t->has_view = false;
    switch (below(m, 3)) {
    case 0:
        return UP(m, "drop view @.%s_v;\n", t->name);
    case 1:
        return UP(m, "alter view @.%s_v rename column x to y;\n", t->name);
    default:
        return UP(m, "alter view @.%s_v set (security_barrier = true);\n", t->name);
    }
}

static bool rename_table(struct making *m, struct table *t)
{
    t->is_gone = true;
    return UP(m, "alter table @.%s rename to renamed%zu;\n", t->name, ++m->serial);
}

static bool drop_table(struct making *m, struct table *t)
{
    t->is_gone = true;
    return UP(m, "drop table @.%s cascade;\n", t->name);
}

static bool create_table(struct making *m, struct table *t)
{
    const struct kind_of_column *k = &kinds[below(m, sizeof kinds / sizeof *kinds)];
    (void)t;
    return UP(m,
              "create table @.new%zu (id bigint generated always as identity primary key, x %s"
              " default %s);\ngrant select on @.new%zu to corpus_reader;\n",
              m->serial + 1, k->type, k->one, m->serial + 1) &&
           (++m->serial, true);
}

static bool change_sequence(struct making *m, struct table *t)
{
    (void)t;
    return UP(m, "alter sequence @.counter %s;\n",
              PICK(m, "increment 5", "maxvalue 900 cycle", "cache 7", "owner to corpus_owner"));
}

static bool change_type(struct making *m, struct table *t)
{
    (void)t;
    switch (below(m, 3)) {
    case 0:
        return UP(m, "alter type @.mood rename value 'happy' to 'glad%zu';\n", ++m->serial);
    case 1:
        return UP(m, "alter domain @.positive add constraint new%zu check (value < 999);\n",
                  ++m->serial);
    default:
        return UP(m, "create type @.new%zu as (a int, b @.mood);\n", ++m->serial);
    }
}

static bool change_function(struct making *m, struct table *t)
{
    (void)t;
    switch (below(m, 3)) {
    case 0:
        return UP(m,
                  "create or replace function @.touch() returns trigger language plpgsql security"
                  " definer as 'begin return null; end';\n");
    case 1:
        return UP(m,
                  "create function @.new%zu(a int, b text default 'x') returns int language sql"
                  " as 'select a';\n",
                  ++m->serial);
    default:
        return UP(m, "revoke execute on function @.touch() from public;\n");
    }
}

static const struct {
    const char *name;
    operation *run;
} operations[] = {
    { "add column", add_column },
    { "drop column", drop_column },
    { "rename column", rename_column },
    { "default", change_default },
    { "drop not null", change_null },
    { "type", widen },
    { "column option", set_column_option },
    { "comment", comment },
    { "grants", change_grants },
    { "create index", create_index },
    { "drop index", drop_index },
    { "rename index", rename_index },
    { "add check", add_check },
    { "drop constraint", drop_constraint },
    { "rename constraint", rename_constraint },
    { "add foreign key", add_foreign_key },
    { "table option", table_option },
    { "policy", change_policy },
    { "trigger", change_trigger },
    { "view", change_view },
    { "rename table", rename_table },
    { "drop table", drop_table },
    { "create table", create_table },
    { "sequence", change_sequence },
    { "type and domain", change_type },
    { "function", change_function },
};

static bool change_something(struct making *m)
{
    struct table *t = &m->tables[below(m, m->n)];
    size_t i = below(m, sizeof operations / sizeof *operations);
    if (t->is_gone || !operations[i].run(m, t))
        return false;
    m->kind =
        m->kind ? arena_printf(m->a, "%s + %s", m->kind, operations[i].name) : operations[i].name;
    return true;
}

struct corpus_case random_case(struct arena *a, uint64_t seed, size_t n)
{
    struct making m = { .a = a, .state = seed * 1000003u + n };
    m.base = strbuf_init(1 << 20);
    m.up = strbuf_init(1 << 20);
    make_base(&m);
    strbuf_adds(&m.base, "create table @.keyed (id int primary key);\n");
    size_t wanted = 1 + below(&m, 3);
    for (size_t made = 0, tries = 0; made < wanted && tries < 200; tries++)
        made += change_something(&m);
    struct corpus_case c = { .kind = m.kind ? m.kind : "nothing",
                             .family = "by chance",
                             .base = str_dup(a, strbuf_str(&m.base)),
                             .up = m.kind ? str_dup(a, strbuf_str(&m.up)) : "select 1;",
                             .loss = 'A' };
    strbuf_done(&m.base);
    strbuf_done(&m.up);
    return c;
}

uint64_t random_seed(void)
{
    uint64_t seed;
    const char *given = env_value("LOCKFLIGHT_SEED");
    return given && str_to_u64(str_of(given), &seed) ? seed : (uint64_t)clock_unix_ms() % 1000000;
}
