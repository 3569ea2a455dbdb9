#include "migrate/sql/backfill_order.h"

#include "migrate/sql/tree.h"

static bool refuse(const struct sql_script *script, const struct directive *d, const char *why,
                   struct err *e)
{
    sql_error_at(e, ERR_CONFIG, script->file, script->text, d->offset, "%s", why);
    return err_hint(e, "it looks like: -- backfill: key=id batch=1000");
}

/* One "name=value". NULL if it is understood, else why not. */
static const char *take_word(struct arena *a, struct backfill_order *o, struct str word)
{
    struct str value = word;
    struct str name = str_cut(&value, '=');
    uint64_t n = 0;
    if (!value.p || value.n == 0)
        return arena_printf(a, "\"%.*s\" is not written as name=value", STR_FMT(word));
    if (str_is(name, "table")) {
        o->table = str_dup(a, value);
    } else if (str_is(name, "batch")) {
        if (!str_to_u64(value, &n) || n < BACKFILL_ROWS_LEAST || n > BACKFILL_ROWS_MOST)
            return arena_printf(a, "batch= takes a number from %d to %d", BACKFILL_ROWS_LEAST,
                                BACKFILL_ROWS_MOST);
        o->batch = (int64_t)n;
    } else if (str_is(name, "key")) {
        for (struct str left = value; left.p && left.n > 0;) {
            if (o->key_count == BACKFILL_KEYS_MOST)
                return arena_printf(a, "key= takes at most %d columns", BACKFILL_KEYS_MOST);
            o->keys[o->key_count++] = str_dup(a, str_cut(&left, ','));
        }
    } else {
        return arena_printf(a, "a backfill knows key=, batch= and table=, not \"%.*s\"",
                            STR_FMT(name));
    }
    return NULL;
}

bool backfill_order_read(struct arena *a, const struct sql_script *script,
                         const struct directive *d, struct backfill_order *ret, struct err *e)
{
    struct str left = str_of(d->value);
    *ret = (struct backfill_order){ .batch = BACKFILL_ROWS };
    while (left.p && left.n > 0) {
        struct str word = str_cut(&left, ' ');
        const char *why = word.n > 0 ? take_word(a, ret, word) : NULL;
        if (why)
            return refuse(script, d, why, e);
    }
    return true;
}

const PgQuery__RangeVar *backfill_target(const struct sql_statement *s)
{
    if (!s->tree)
        return NULL;
    if (s->tree->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT &&
        s->tree->update_stmt->n_returning_list == 0)
        return s->tree->update_stmt->relation;
    if (s->tree->node_case == PG_QUERY__NODE__NODE_DELETE_STMT &&
        s->tree->delete_stmt->n_returning_list == 0)
        return s->tree->delete_stmt->relation;
    return NULL;
}

bool backfill_order_check(struct arena *a, const struct sql_script *script,
                          const struct sql_statement *s, struct err *e)
{
    const struct directive *d = directive_find(&s->directives, DIRECTIVE_BACKFILL);
    const PgQuery__RangeVar *target = backfill_target(s);
    struct backfill_order order;
    if (!backfill_order_read(a, script, d, &order, e))
        return false;
    if (!target)
        return sql_error_at(e, ERR_CONFIG, script->file, script->text, s->offset,
                            "only an UPDATE or DELETE without RETURNING can run in batches");
    if (!order.table)
        return true;
    struct str name = str_of(order.table), schema = { 0 };
    if (memchr(name.p, '.', name.n))
        schema = str_cut(&name, '.');
    struct sql_name said = { schema.n ? str_dup(a, schema) : NULL, str_dup(a, name) };
    return sql_name_eq(said, tree_range(target)) ||
           refuse(script, d,
                  arena_printf(a, "the statement is about %s, not about %s",
                               sql_name_text(a, tree_range(target)), order.table),
                  e);
}
