/*
 * The schema of a database, as far as the rules ask. Sizes come from the planner's and the
 * statistics collector's figures: no table is touched, so nothing can wait for a lock.
 */
#include "base/str.h"
#include "migrate/lint/schema.h"

#include <stdlib.h>

#define NOT_SYSTEM                                                                                 \
    "n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'lockflight', "               \
    "'lockflight_undo')"

static const char tables_sql[] =
    "select n.nspname, c.relname, c.relkind, "
    "greatest(c.reltuples, pg_catalog.pg_stat_get_live_tuples(c.oid))::bigint, "
    "c.relpages::bigint * 8192, c.relrowsecurity, "
    "exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid), "
    "coalesce(c.reloptions::text, '') ~ 'security_invoker=(true|on|1)', c.relreplident <> 'd', "
    "exists (select from pg_catalog.pg_publication_rel r where r.prrelid = c.oid) "
    "from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
    "where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c') and " NOT_SYSTEM;

static const char columns_sql[] =
    "select n.nspname, c.relname, a.attname, coalesce(e.typname, t.typname), e.oid is not null, "
    "a.atttypmod, a.attnotnull, a.atthasdef, a.attidentity <> '' "
    "from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid "
    "join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
    "join pg_catalog.pg_type t on t.oid = a.atttypid "
    "left join pg_catalog.pg_type e on e.oid = t.typelem and t.typcategory = 'A' "
    "where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c') "
    "and " NOT_SYSTEM " order by a.attrelid, a.attnum";

static const char constraints_sql[] =
    "select n.nspname, c.relname, k.conname, k.contype, k.convalidated, "
    "(select string_agg(a.attname, ',' order by x.i) from unnest(k.conkey) with ordinality x(att, "
    "i) "
    " join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = x.att), "
    "fn.nspname, f.relname, "
    "(select a.attname from pg_catalog.pg_attribute a where a.attrelid = k.confrelid "
    " and a.attnum = k.confkey[1]), "
    "(select m[1] from regexp_match(pg_catalog.pg_get_constraintdef(k.oid), "
    " '^CHECK \\(\\(\"?([^ \"()]+)\"? IS NOT NULL\\)\\)') m) "
    "from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid "
    "join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
    "left join pg_catalog.pg_class f on f.oid = k.confrelid "
    "left join pg_catalog.pg_namespace fn on fn.oid = f.relnamespace "
    "where k.contype in ('c', 'f', 'p', 'u', 'x') and " NOT_SYSTEM;

static const char indexes_sql[] =
    "select n.nspname, c.relname, i.relname, m.amname, x.indisunique, "
    "x.indpred is not null or x.indexprs is not null or x.indnatts <> x.indnkeyatts, "
    "(select string_agg(coalesce(a.attname, ''), ',' order by k.i) "
    " from unnest(x.indkey::int2[]) with ordinality k(att, i) "
    " left join pg_catalog.pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.att) "
    "from pg_catalog.pg_index x join pg_catalog.pg_class i on i.oid = x.indexrelid "
    "join pg_catalog.pg_class c on c.oid = x.indrelid join pg_catalog.pg_am m on m.oid = i.relam "
    "join pg_catalog.pg_namespace n on n.oid = c.relnamespace where x.indisvalid and " NOT_SYSTEM;

static const char functions_sql[] =
    "select n.nspname, p.proname, "
    "(select string_agg(case when e.oid is null then t.typname else e.typname || '[]' end, ', ' "
    " order by x.i) from unnest(p.proargtypes) with ordinality x(t, i) "
    " join pg_catalog.pg_type t on t.oid = x.t "
    " left join pg_catalog.pg_type e on e.oid = t.typelem and t.typcategory = 'A'), "
    "array_to_string(p.proargnames[1:p.pronargs], ', '), "
    "case when p.proretset then 'setof ' else '' end || rt.typname, "
    "case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end, "
    "p.prosecdef, p.pronargdefaults, p.prosrc, l.lanname, rt.typname = 'trigger' "
    "from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace "
    "join pg_catalog.pg_type rt on rt.oid = p.prorettype "
    "join pg_catalog.pg_language l on l.oid = p.prolang "
    "where not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_proc'::regclass "
    "and d.objid = p.oid and d.deptype = 'e') and " NOT_SYSTEM;

static const char types_sql[] =
    "select n.nspname, t.typname, t.typtype = 'd', t.typnotnull or exists (select from "
    "pg_catalog.pg_constraint k where k.contypid = t.oid) from pg_catalog.pg_type t "
    "join pg_catalog.pg_namespace n on n.oid = t.typnamespace where t.typtype in ('d', 'e') "
    "and " NOT_SYSTEM;

static const char publications_sql[] =
    "select exists (select from pg_catalog.pg_publication where puballtables)";

static struct lint_table *table_of(struct lint_schema *s, const struct pg_rows *r, size_t row)
{
    return lint_schema_table(s, (struct sql_name){ pg_value(r, row, 0), pg_value(r, row, 1) });
}

static enum lint_table_kind kind_of(char relkind)
{
    switch (relkind) {
    case 'p':
        return LINT_PARTITIONED;
    case 'v':
        return LINT_VIEW;
    case 'm':
        return LINT_MATVIEW;
    case 'S':
        return LINT_SEQUENCE;
    case 'f':
        return LINT_FOREIGN_TABLE;
    case 'c':
        return LINT_COMPOSITE;
    default:
        return LINT_TABLE;
    }
}

static void take_tables(struct lint_schema *s, const struct pg_rows *r)
{
    for (size_t i = 0; i < r->n; i++) {
        struct lint_table *t =
            lint_schema_add_table(s, (struct sql_name){ pg_value(r, i, 0), pg_value(r, i, 1) },
                                  kind_of(pg_value(r, i, 2)[0]));
        t->is_sized = true;
        t->rows = pg_int(r, i, 3) > 0 ? pg_int(r, i, 3) : 0;
        t->bytes = pg_int(r, i, 4);
        t->has_row_security = pg_bool(r, i, 5);
        t->has_policies = pg_bool(r, i, 6);
        t->is_invoker = pg_bool(r, i, 7);
        t->has_identity = pg_bool(r, i, 8);
        t->is_published = pg_bool(r, i, 9);
        t->has_columns = true;
    }
}

/* A type modifier as it is stored, in the numbers that SQL writes. */
static void take_mods(struct lint_type *t, int mod)
{
    if (mod < 0)
        return;
    if (streq(t->name, "numeric")) {
        t->mod[0] = ((mod - 4) >> 16) & 0xffff;
        t->mod[1] = (mod - 4) & 0x7ff;
        t->mods = 2;
    } else {
        bool has_header = streq(t->name, "varchar") || streq(t->name, "bpchar");
        t->mod[0] = has_header ? mod - 4 : mod;
        t->mods = 1;
    }
}

static void take_columns(struct lint_schema *s, const struct pg_rows *r)
{
    for (size_t i = 0; i < r->n; i++) {
        struct lint_table *t = table_of(s, r, i);
        if (!t)
            continue;
        struct lint_column *c = vec_add(&t->columns, s->arena);
        c->name = pg_value(r, i, 2);
        c->type.name = pg_value(r, i, 3);
        c->type.is_array = pg_bool(r, i, 4);
        take_mods(&c->type, (int)strtol(pg_value(r, i, 5), NULL, 10));
        c->is_not_null = pg_bool(r, i, 6);
        c->has_default = pg_bool(r, i, 7);
        c->is_identity = pg_bool(r, i, 8);
    }
}

/* "a,b" into at most eight texts. */
static size_t take_names(struct arena *a, const char *list, const char **ret)
{
    size_t n = 0;
    struct str rest = str_of(list);
    while (list && rest.p && n < 8)
        ret[n++] = str_dup(a, str_cut(&rest, ','));
    return n;
}

static enum lint_constraint_kind constraint_kind(char contype)
{
    switch (contype) {
    case 'f':
        return LINT_FOREIGN;
    case 'p':
        return LINT_PRIMARY;
    case 'u':
        return LINT_UNIQUE;
    case 'x':
        return LINT_EXCLUDE;
    default:
        return LINT_CHECK;
    }
}

static void take_constraints(struct lint_schema *s, const struct pg_rows *r)
{
    for (size_t i = 0; i < r->n; i++) {
        struct lint_table *t = table_of(s, r, i);
        if (!t)
            continue;
        struct lint_constraint *c = vec_add(&t->constraints, s->arena);
        c->name = pg_value(r, i, 2);
        c->kind = constraint_kind(pg_value(r, i, 3)[0]);
        c->is_valid = pg_bool(r, i, 4);
        c->column_count = take_names(s->arena, pg_value(r, i, 5), c->columns);
        c->target = (struct sql_name){ pg_value(r, i, 6), pg_value(r, i, 7) };
        c->target_column = pg_value(r, i, 8);
        c->not_null_column = pg_value(r, i, 9);
    }
}

static void take_indexes(struct lint_schema *s, const struct pg_rows *r)
{
    for (size_t i = 0; i < r->n; i++) {
        struct lint_table *t = table_of(s, r, i);
        if (!t)
            continue;
        struct lint_index *x = vec_add(&t->indexes, s->arena);
        x->name = pg_value(r, i, 2);
        x->method = pg_value(r, i, 3);
        x->is_unique = pg_bool(r, i, 4);
        x->is_partial = pg_bool(r, i, 5);
        x->column_count = take_names(s->arena, pg_value(r, i, 6), x->columns);
    }
}

static void take_functions(struct lint_schema *s, const struct pg_rows *r)
{
    for (size_t i = 0; i < r->n; i++)
        *vec_add(&s->functions, s->arena) = (struct lint_function){
            .name = { pg_value(r, i, 0), pg_value(r, i, 1) },
            .arguments = pg_value(r, i, 2) ? pg_value(r, i, 2) : "",
            .names = pg_value(r, i, 3) ? pg_value(r, i, 3) : "",
            .returns = pg_value(r, i, 4),
            .volatility = pg_value(r, i, 5),
            .is_definer = pg_bool(r, i, 6),
            .defaults = (int)pg_int(r, i, 7),
            .body = pg_value(r, i, 8),
            .language = pg_value(r, i, 9),
            .is_trigger = pg_bool(r, i, 10),
        };
}

static void take_types(struct lint_schema *s, const struct pg_rows *r)
{
    for (size_t i = 0; i < r->n; i++)
        *vec_add(&s->types, s->arena) = (struct lint_user_type){
            .name = { pg_value(r, i, 0), pg_value(r, i, 1) },
            .kind = pg_bool(r, i, 2) ? LINT_DOMAIN : LINT_ENUM,
            .is_constrained = pg_bool(r, i, 3),
        };
}

static void take_publications(struct lint_schema *s, const struct pg_rows *r)
{
    s->publishes_all = pg_bool(r, 0, 0);
}

bool lint_schema_read(struct pg *db, struct lint_schema *s, struct err *e)
{
    static const struct {
        const char *sql;
        void (*take)(struct lint_schema *s, const struct pg_rows *r);
    } parts[] = {
        { tables_sql, take_tables },
        { columns_sql, take_columns },
        { constraints_sql, take_constraints },
        { indexes_sql, take_indexes },
        { functions_sql, take_functions },
        { types_sql, take_types },
        { publications_sql, take_publications },
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct pg_rows rows;
        if (!pg_query(db, s->arena, parts[i].sql, PG_NONE, &rows, e))
            return err_wrap(e, "read the schema");
        parts[i].take(s, &rows);
    }
    s->is_complete = true;
    return true;
}
