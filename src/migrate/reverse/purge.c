/*
 * Writing the end of what was kept: see purge.h. The catalogue leaves the two schemas out, so that a
 * kept table counts as gone; for the reverse script they are given other names for a while, on the
 * scratch database.
 */
#include "migrate/reverse/purge.h"

#include "base/strbuf.h"
#include "base/vec.h"
#include "migrate/reverse/generate.h"
#include "migrate/reverse/keep.h"

#define SEEN     "_seen" /* behind the names of the schemas, while they must be seen */
#define TEXT_MAX (8 << 20)

/* kind, name, the statement that drops it, and how to count what goes. Tables of lockflight_gone come
 * in one statement, because of the keys between them. */
static const char kept_sql[] =
    "SELECT 'table', format('%I.%I', n.nspname, c.relname), n.nspname,"
    " format('SELECT count(*) FROM %I.%I', n.nspname, c.relname), NULL"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname IN ('" KEEP_GONE "', '" KEEP_UNDO "') AND c.relkind IN ('r', 'p')"
    " AND NOT c.relispartition"
    " UNION ALL"
    " SELECT 'column', format('%I.%I.%I', n.nspname, c.relname, a.attname), n.nspname,"
    " format('SELECT count(%I) FROM %I.%I', a.attname, n.nspname, c.relname),"
    " format('ALTER TABLE %I.%I DROP COLUMN %I', n.nspname, c.relname, a.attname)"
    " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE a.attname ~ '^_gone_[0-9]+_' AND NOT a.attisdropped AND a.attinhcount = 0"
    " AND c.relkind IN ('r', 'p') AND n.nspname NOT IN ('" KEEP_GONE "', '" KEEP_UNDO "')"
    " ORDER BY 1 DESC, 2";

struct kept {
    const char *kind, *name, *schema, *count, *drop;
};

typedef VEC(struct kept) kept_list;

static bool find(struct pg *db, struct arena *a, kept_list *ret, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(db, a, kept_sql, PG_NONE, &r, e))
        return false;
    for (size_t i = 0; i < r.n; i++)
        *vec_add(ret, a) =
            (struct kept){ pg_value(&r, i, 0), pg_value(&r, i, 1), pg_value(&r, i, 2),
                           pg_value(&r, i, 3), pg_value(&r, i, 4) };
    return true;
}

static bool is_in(const kept_list *list, const struct kept *k)
{
    for (size_t i = 0; i < list->n; i++)
        if (streq(list->v[i].kind, k->kind) && streq(list->v[i].name, k->name))
            return true;
    return false;
}

/* What is both in the files and, if asked, in the database. */
static bool choose(struct shadow *all, struct pg *db, struct arena *a, kept_list *ret,
                   struct err *e)
{
    kept_list planned = { 0 }, real = { 0 };
    if (!find(shadow_db(all), a, &planned, e) || (db && !find(db, a, &real, e)))
        return false;
    for (size_t i = 0; i < planned.n; i++)
        if (!db || is_in(&real, &planned.v[i]))
            *vec_add(ret, a) = planned.v[i];
    return true;
}

static bool count(struct pg *db, struct arena *a, const kept_list *list, struct purge *ret,
                  struct err *e)
{
    ret->items = ARENA_ARRAY(a, struct purge_item, list->n + 1);
    ret->n = list->n;
    for (size_t i = 0; i < list->n; i++) {
        const struct kept *k = &list->v[i];
        struct pg_rows r = { 0 };
        if (db && !pg_query(db, a, k->count, PG_NONE, &r, e))
            return false;
        ret->items[i] = (struct purge_item){ arena_printf(a, "%s %s", k->kind, k->name),
                                             db ? pg_int(&r, 0, 0) : -1 };
    }
    return true;
}

static const char *up_text(struct arena *a, const kept_list *list)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(TEXT_MAX);
    strbuf_adds(&b, "-- phase: contract\n"
                    "-- Drops for good what earlier migrations put aside. Afterwards only backups "
                    "have what was in it.\n\n");
    static const char *const schemas[] = { KEEP_GONE, KEEP_UNDO };
    for (size_t s = 0; s < 2; s++) {
        size_t n = 0;
        for (size_t i = 0; i < list->n; i++)
            if (streq(list->v[i].kind, "table") && streq(list->v[i].schema, schemas[s]))
                strbuf_printf(&b, "%s%s", n++ ? ", " : "DROP TABLE ", list->v[i].name);
        if (n)
            strbuf_adds(&b, ";\n");
    }
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].drop)
            strbuf_printf(&b, "%s;\n", list->v[i].drop);
    return str_dup(a, strbuf_str(&b));
}

/* Every `from` as `to`. */
static const char *replaced(struct arena *a, const char *text, const char *from, const char *to)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(TEXT_MAX);
    for (const char *at; (at = strstr(text, from)) != NULL; text = at + strlen(from)) {
        strbuf_add(&b, text, (size_t)(at - text));
        strbuf_adds(&b, to);
    }
    strbuf_adds(&b, text);
    return str_dup(a, strbuf_str(&b));
}

static bool show_schema(struct pg *db, struct arena *a, const char *schema, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(db, a, "SELECT pg_catalog.to_regnamespace($1) IS NOT NULL", PG_PARAMS(schema), &r,
                  e))
        return false;
    return !pg_bool(&r, 0, 0) ||
           pg_exec(db, arena_printf(a, "ALTER SCHEMA %s RENAME TO %s" SEEN, schema, schema),
                   PG_NONE, NULL, e);
}

static bool down_text(struct shadow *all, struct arena *a, const char *up, const char **ret,
                      struct err *e)
{
    struct reverse_script r = { 0 };
    const char *shown = replaced(a, replaced(a, up, KEEP_GONE ".", KEEP_GONE SEEN "."),
                                 KEEP_UNDO ".", KEEP_UNDO SEEN ".");
    struct migration m = {
        .version = "0", .name = "purge", .file = "purge.sql", .sql = str_of(shown), .sha256 = ""
    };
    if (!show_schema(shadow_db(all), a, KEEP_GONE, e) ||
        !show_schema(shadow_db(all), a, KEEP_UNDO, e) ||
        !reverse_generate(shadow_db(all), a, &m, &r, e))
        return false;
    if (!r.sql)
        return err_set(e, ERR_BLOCKED, "no reverse script for it: %s", r.refusal);
    *ret = replaced(a, replaced(a, r.sql, KEEP_GONE SEEN, KEEP_GONE), KEEP_UNDO SEEN, KEEP_UNDO);
    return true;
}

bool purge_plan(struct shadow *all, struct pg *db, struct arena *a, struct purge *ret,
                struct err *e)
{
    kept_list list = { 0 };
    *ret = (struct purge){ 0 };
    if (!choose(all, db, a, &list, e) || !count(db, a, &list, ret, e))
        return false;
    if (list.n == 0)
        return true;
    ret->up = up_text(a, &list);
    return down_text(all, a, ret->up, &ret->down, e);
}
