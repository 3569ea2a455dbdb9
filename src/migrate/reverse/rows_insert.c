/*
 * Rows that INSERT put into a table that was there before, and how to know them again in a real
 * database: by a key that the statement itself wrote as a constant. Everything else it wrote as a
 * constant is compared too, so that a row which somebody changed since stays.
 *
 * On the scratch database the rows are found by the number of the transaction that made them; every
 * statement runs under a savepoint, so it has one of its own.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "migrate/reverse/rows.h"

#define ROWS_MAX   2000 /* more make a script that nobody reads */
#define TEXT_BYTES (8 * MIB)

/* ---- constants ---- */

struct fixed {
    struct run *r;
    bool is_fixed;
    VEC(const char *) functions;
};

static bool look(void *context, const ProtobufCMessage *m)
{
    struct fixed *f = context;
    if (TREE_IS(m, sub_link) || TREE_IS(m, column_ref) || TREE_IS(m, sqlvalue_function) ||
        TREE_IS(m, set_to_default) || TREE_IS(m, param_ref) || TREE_IS(m, range_var))
        f->is_fixed = false;
    if (TREE_IS(m, func_call)) {
        const PgQuery__FuncCall *x = (const PgQuery__FuncCall *)m;
        const char *name = tree_name(x->funcname, x->n_funcname).name;
        *vec_add(&f->functions, f->r->a) = name ? name : "";
    }
    return f->is_fixed;
}

/* The same value wherever and whenever it is computed. */
static bool is_fixed(struct run *r, const PgQuery__Node *value)
{
    struct fixed f = { .r = r, .is_fixed = true };
    struct pg_rows rows;
    struct err e;
    (void)tree_walk(value, look, &f);
    if (!f.is_fixed || f.functions.n == 0)
        return f.is_fixed;
    return pg_query(r->db, r->a,
                    "SELECT count(*) FROM pg_proc WHERE provolatile <> 'i' AND proname = ANY ($1)",
                    PG_PARAMS(pg_text_array(r->a, f.functions.v, f.functions.n)), &rows, &e) &&
           pg_int(&rows, 0, 0) == 0;
}

static bool is_default(const PgQuery__Node *value)
{
    return value->node_case == PG_QUERY__NODE__NODE_SET_TO_DEFAULT;
}

/* Column `i` of what is inserted has only constants. */
static bool column_is_fixed(struct run *r, const PgQuery__SelectStmt *q, size_t i)
{
    if (q->n_values_lists > 0) {
        for (size_t k = 0; k < q->n_values_lists; k++) {
            const PgQuery__List *row = q->values_lists[k]->list;
            if (i >= row->n_items || is_default(row->items[i]) || !is_fixed(r, row->items[i]))
                return false;
        }
        return true;
    }
    if (q->op > PG_QUERY__SET_OPERATION__SETOP_NONE || q->n_from_clause > 0 ||
        i >= q->n_target_list)
        return false;
    const PgQuery__Node *target = q->target_list[i];
    return target->node_case == PG_QUERY__NODE__NODE_RES_TARGET &&
           is_fixed(r, target->res_target->val);
}

/* ---- before ---- */

/* The columns that the statement names, or all of the table's, as attnum. */
static bool named_columns(struct run *r, const struct object *t, const PgQuery__InsertStmt *x,
                          struct pg_rows *ret, struct err *e)
{
    const char **names = ARENA_ARRAY(r->a, const char *, x->n_cols + 1);
    for (size_t i = 0; i < x->n_cols; i++)
        names[i] = x->cols[i]->node_case == PG_QUERY__NODE__NODE_RES_TARGET
                       ? x->cols[i]->res_target->name
                       : "";
    const char *oid = arena_printf(r->a, "%u", t->key.oid);
    return pg_query(
        r->db, r->a,
        "SELECT a.attnum FROM pg_attribute a"
        " LEFT JOIN unnest($2::text[]) WITH ORDINALITY AS n (name, place) ON n.name = a.attname"
        " WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped"
        " AND (n.name IS NOT NULL OR cardinality($2::text[]) = 0) ORDER BY n.place, a.attnum",
        PG_PARAMS(oid, pg_text_array(r->a, names, x->n_cols)), ret, e);
}

/* Marks the columns of a unique index of which all are known. */
static bool find_key(struct run *r, struct rows_insert *n, struct err *e)
{
    struct pg_rows rows;
    const char *oid = arena_printf(r->a, "%u", n->table->key.oid);
    if (!pg_query(
            r->db, r->a,
            "SELECT i.indexrelid, k FROM pg_index i, unnest(i.indkey) k WHERE i.indrelid = $1::oid"
            " AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL"
            " ORDER BY i.indisprimary DESC, i.indexrelid",
            PG_PARAMS(oid), &rows, e))
        return false;
    for (size_t from = 0; from < rows.n;) {
        size_t to = from, known = 0;
        while (to < rows.n && pg_int(&rows, to, 0) == pg_int(&rows, from, 0))
            to++;
        for (size_t k = from; k < to; k++)
            for (size_t c = 0; c < n->column_count; c++)
                known += pg_int(&rows, k, 1) == n->columns[c];
        for (size_t k = from; known == to - from && k < to; k++)
            for (size_t c = 0; c < n->column_count; c++)
                n->is_key[c] |= pg_int(&rows, k, 1) == n->columns[c];
        if (known == to - from)
            return true;
        from = to;
    }
    return true;
}

static bool has_key(const struct rows_insert *n)
{
    for (size_t i = 0; i < n->column_count; i++)
        if (n->is_key[i])
            return true;
    return false;
}

static bool note_known(struct run *r, struct rows_insert *n, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(r->db, r->a,
                  arena_printf(r->a,
                               "SELECT coalesce(array_agg(DISTINCT xmin::text), '{}') FROM %s",
                               n->table->identity),
                  PG_NONE, &rows, e))
        return false;
    n->known = pg_value(&rows, 0, 0);
    return true;
}

/* A number that the table would have given by itself is not given back. */
static void note_sequences(struct run *r, struct rows_seen *s, const struct rows_insert *n,
                           const struct pg_rows *named)
{
    for (size_t i = 0; i < s->before->n; i++) {
        const struct object *c = &s->before->v[i];
        bool is_named = false;
        if (!object_is(c, "column") || c->key.oid != n->table->key.oid)
            continue;
        for (size_t k = 0; k < named->n; k++)
            is_named |= pg_int(named, k, 0) == c->key.column;
        if (!is_named && (object_text(r, c, "identity") ||
                          starts_with(object_text_or(r, c, "default", ""), "nextval(")))
            *vec_add(&s->l->notes, r->a) =
                arena_printf(r->a, "The numbers that %s took from its sequence are not given back.",
                             c->identity);
    }
}

static bool begin(struct run *r, struct rows_seen *s, struct rows_insert *n, struct err *e)
{
    if (!find_key(r, n, e))
        return false;
    if (!has_key(n)) {
        rows_stay(r, s,
                  arena_printf(r->a,
                               "rows stay that INSERT added to %s, because nothing that it wrote "
                               "tells them from others",
                               n->table->identity));
        return true;
    }
    if (!note_known(r, n, e))
        return false;
    s->insert = n;
    return true;
}

bool rows_insert_before(struct run *r, struct rows_seen *s, const PgQuery__InsertStmt *x,
                        struct err *e)
{
    const struct object *t = rows_table(r, s, tree_range(x->relation), e);
    struct pg_rows named;
    if (!t)
        return e->code == ERR_NONE;
    *vec_add(&s->explained, r->a) = t->key.oid;
    for (size_t i = 0; i < s->copies.n; i++)
        if (s->copies.v[i].oid == t->key.oid)
            return true;
    PgQuery__OnConflictAction action = x->on_conflict_clause
                                           ? x->on_conflict_clause->action
                                           : PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_NONE;
    if (action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE || !x->select_stmt ||
        x->select_stmt->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) {
        rows_stay(r, s, arena_printf(r->a, "rows stay as INSERT left them in %s", t->identity));
        return true;
    }
    if (!named_columns(r, t, x, &named, e))
        return false;
    struct rows_insert *n = ARENA_NEW(r->a, struct rows_insert);
    *n = (struct rows_insert){ .table = t,
                               .columns = ARENA_ARRAY(r->a, int, named.n + 1),
                               .is_key = ARENA_ARRAY(r->a, bool, named.n + 1),
                               .may_have_been =
                                   action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_NOTHING };
    for (size_t i = 0; i < named.n; i++)
        if (column_is_fixed(r, x->select_stmt->select_stmt, i))
            n->columns[n->column_count++] = (int)pg_int(&named, i, 0);
    note_sequences(r, s, n, &named);
    return begin(r, s, n, e);
}

/* Not parsed, because it is long: too long also for a script that names each row. */
bool rows_bulk_before(struct run *r, struct rows_seen *s, const struct sql_statement *x,
                      struct err *e)
{
    for (size_t i = 0; i < x->object_count; i++) {
        const struct object *t =
            x->objects[i].effect == SQL_WRITES ? rows_table(r, s, x->objects[i].name, e) : NULL;
        if (t)
            rows_stay(r, s,
                      arena_printf(r->a,
                                   "rows stay that line %u added to %s: there are too many to "
                                   "name",
                                   x->line, t->identity));
    }
    return e->code == ERR_NONE;
}

/* ---- after ---- */

/* Their values, as literals. */
bool rows_insert_after(struct run *r, struct rows_seen *s, struct err *e)
{
    struct rows_insert *n = s->insert;
    struct pg_rows names;
    CLEANUP(strbuf) struct strbuf b = strbuf_init(64 * KIB);
    const char *oid = arena_printf(r->a, "%u", n->table->key.oid);
    (void)strbuf_adds(&b, "SELECT ");
    for (size_t i = 0; i < n->column_count; i++) {
        if (!pg_query(r->db, r->a,
                      "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = $1::oid AND"
                      " attnum = $2::int",
                      PG_PARAMS(oid, arena_printf(r->a, "%d", n->columns[i])), &names, e))
            return false;
        (void)strbuf_printf(&b, "%squote_nullable(%s::text)", i ? ", " : "",
                            pg_value(&names, 0, 0));
    }
    (void)strbuf_printf(&b, " FROM %s WHERE xmin::text <> ALL ($1::text[]) ORDER BY ctid LIMIT %d",
                        n->table->identity, ROWS_MAX + 1);
    if (!pg_query(r->db, r->a, strbuf_text(&b), PG_PARAMS(n->known), &n->written, e))
        return false;
    if (n->written.n > ROWS_MAX)
        rows_stay(r, s,
                  arena_printf(r->a,
                               "rows stay that INSERT added to %s: there are too many to name",
                               n->table->identity));
    else if (n->written.n > 0)
        *vec_add(&s->inserts, r->a) = *n;
    if (n->written.n > 0 && n->may_have_been) {
        loss_raise(s->l, 'B');
        *vec_add(&s->l->deleted, r->a) =
            arena_printf(r->a, "rows of %s that equal the added ones", n->table->identity);
    }
    return true;
}

/* ---- the way back ---- */

struct column {
    const char *name; /* NULL: it is not there any more */
    const char *type;
    bool is_comparable;
};

static bool columns_now(struct run *r, const struct rows_insert *n, struct column *ret)
{
    struct err e;
    struct pg_rows rows;
    const char *oid = arena_printf(r->a, "%u", n->table->key.oid);
    for (size_t i = 0; i < n->column_count; i++) {
        if (!pg_query(
                r->db, r->a,
                "SELECT quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),"
                " EXISTS (SELECT FROM pg_operator o WHERE o.oprname = '=' AND o.oprcode <> 0 AND"
                "  t.typname NOT IN ('json', 'xml', 'point', 'polygon'))"
                " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
                " WHERE a.attrelid = $1::oid AND a.attnum = $2::int AND NOT a.attisdropped",
                PG_PARAMS(oid, arena_printf(r->a, "%d", n->columns[i])), &rows, &e))
            return false;
        if (rows.n == 0)
            continue;
        ret[i] =
            (struct column){ pg_value(&rows, 0, 0), pg_value(&rows, 0, 1), pg_bool(&rows, 0, 2) };
    }
    return true;
}

static bool is_used(const struct rows_insert *n, const struct column *c, size_t i)
{
    return c[i].name && (n->is_key[i] || c[i].is_comparable);
}

static void add_rows(struct strbuf *b, const struct rows_insert *n, const struct column *c)
{
    for (size_t row = 0; row < n->written.n; row++) {
        (void)strbuf_printf(b, "%s\n    (", row ? "," : "");
        for (size_t i = 0, k = 0; i < n->column_count; i++)
            if (is_used(n, c, i))
                (void)strbuf_printf(b, "%s%s%s%s", k++ ? ", " : "", pg_value(&n->written, row, i),
                                    row ? "" : "::", row ? "" : c[i].type);
        (void)strbuf_addc(b, ')');
    }
}

static void restore(struct run *r, struct rows_seen *s, const struct rows_insert *n)
{
    struct err e;
    struct pg_rows rows;
    struct column *c = ARENA_ARRAY(r->a, struct column, n->column_count + 1);
    const char *oid = arena_printf(r->a, "%u", n->table->key.oid);
    if (!pg_query(r->db, r->a,
                  "SELECT n.nspname || '', format('%I.%I', n.nspname, c.relname) FROM pg_class c"
                  " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid",
                  PG_PARAMS(oid), &rows, &e) ||
        rows.n == 0 || !columns_now(r, n, c))
        return; /* the table is gone, with its rows */
    CLEANUP(strbuf) struct strbuf b = strbuf_init(TEXT_BYTES);
    (void)strbuf_printf(&b, "DELETE FROM %s AS t USING (VALUES", pg_value(&rows, 0, 1));
    add_rows(&b, n, c);
    (void)strbuf_adds(&b, "\n) AS put (");
    for (size_t i = 0, k = 0; i < n->column_count; i++)
        if (is_used(n, c, i))
            (void)strbuf_printf(&b, "%s%s", k++ ? ", " : "", c[i].name);
    (void)strbuf_adds(&b, ")\nWHERE ");
    for (size_t i = 0, k = 0; i < n->column_count; i++)
        if (is_used(n, c, i))
            (void)strbuf_printf(&b, "%st.%s %s put.%s", k++ ? " AND " : "", c[i].name,
                                n->is_key[i] ? "=" : "IS NOT DISTINCT FROM", c[i].name);
    if (b.overflowed ||
        !attempt_with(r, n->table, "The rows that were added, where nobody changed them since.",
                      strbuf_text(&b)))
        rows_stay(r, s,
                  arena_printf(r->a, "rows stay that INSERT added to %s: %s", n->table->identity,
                               r->why.why));
}

void rows_insert_restore(struct run *r, struct rows_seen *s)
{
    for (size_t i = s->inserts.n; i-- > 0;)
        restore(r, s, &s->inserts.v[i]);
}
