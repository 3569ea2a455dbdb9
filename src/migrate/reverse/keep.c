/*
 * Keeping what a migration would destroy: see keep.h. This file walks the statements and puts the
 * new file together; keep_drop.c and keep_copy.c know the statements.
 */
#include "migrate/reverse/keep.h"

#include "base/cleanup.h"
#include "migrate/reverse/keep_inside.h"

#include <pg_query.h>
#include <stdio.h>

void keep_add(struct keep_work *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    strbuf_adds(&w->text, arena_vprintf(w->a, fmt, ap));
    va_end(ap);
    strbuf_addc(&w->text, '\n');
}

bool keep_refuse(struct keep_work *w, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    w->refusal = arena_vprintf(w->a, fmt, ap);
    va_end(ap);
    return true;
}

bool keep_ask(struct keep_work *w, const char *sql, struct pg_params params, struct pg_rows *ret,
              struct err *e)
{
    return pg_query(w->db, w->a, sql, params, ret, e);
}

bool keep_ask_text(struct keep_work *w, const char *sql, struct pg_params params, const char **ret,
                   struct err *e)
{
    struct pg_rows rows;
    if (!keep_ask(w, sql, params, &rows, e))
        return false;
    *ret = rows.n > 0 ? pg_value(&rows, 0, 0) : NULL;
    return true;
}

bool keep_resolve(struct keep_work *w, struct sql_name name, const char **ret_oid, struct err *e)
{
    *ret_oid = NULL;
    return !name.name || keep_ask_text(w, "SELECT pg_catalog.to_regclass($1)::pg_catalog.oid",
                                       PG_PARAMS(sql_name_text(w->a, name)), ret_oid, e);
}

bool keep_is_old(struct keep_work *w, const char *oid, const char *column, bool *ret, struct err *e)
{
    const char *found = NULL;
    if (!keep_ask_text(
            w,
            "SELECT 1 FROM pg_temp.lockflight_before b WHERE b.rel = $1::oid AND"
            " ($2::text IS NULL OR EXISTS (SELECT FROM pg_catalog.pg_attribute a"
            " WHERE a.attrelid = b.rel AND a.attnum = b.num AND a.attname = $2)) LIMIT 1",
            PG_PARAMS(oid, column), &found, e))
        return false;
    *ret = found != NULL;
    return true;
}

const char *keep_deparse(struct arena *a, PgQuery__Node *n)
{
    PgQuery__RawStmt raw = PG_QUERY__RAW_STMT__INIT;
    PgQuery__RawStmt *list = &raw;
    PgQuery__ParseResult tree = PG_QUERY__PARSE_RESULT__INIT;
    raw.stmt = n;
    tree.version = 150001;
    tree.n_stmts = 1;
    tree.stmts = &list;
    size_t bytes = pg_query__parse_result__get_packed_size(&tree);
    PgQueryProtobuf packed = { bytes, arena_alloc(a, bytes + 1) };
    (void)pg_query__parse_result__pack(&tree, (uint8_t *)packed.data);
    PgQueryDeparseResult r = pg_query_deparse_protobuf(packed);
    const char *text = r.error ? NULL : arena_strdup(a, r.query);
    pg_query_free_deparse_result(r);
    return text;
}

/* ---- the walk ---- */

/* A file that was kept before has its copies: they serve the next statement that writes. */
static bool note_copy(struct keep_work *w)
{
    const char *copy = NULL;
    struct sql_name table;
    if (!keep_is_copy(w->statement, &copy, &table))
        return false;
    w->copies++;
    w->has_undo = true;
    *vec_add(&w->copied, w->a) = sql_name_text(w->a, table);
    return true;
}

static bool is_copied(struct keep_work *w)
{
    struct sql_name subject;
    if (!tree_relation(w->statement->tree, &subject))
        return false;
    const char *name = sql_name_text(w->a, subject);
    for (size_t i = 0; i < w->copied.n; i++)
        if (streq(w->copied.v[i], name)) {
            w->copied.v[i] = ""; /* the next one needs a copy of its own */
            return true;
        }
    return subject.schema && streq(subject.schema, KEEP_UNDO);
}

static bool consider(struct keep_work *w, struct err *e)
{
    const PgQuery__Node *n = w->statement->tree;
    if (!n || note_copy(w) || is_copied(w))
        return true;
    switch ((int)n->node_case) {
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
        return keep_columns(w, e);
    case PG_QUERY__NODE__NODE_DROP_STMT:
        return keep_tables(w, e);
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
        return keep_update(w, e);
    case PG_QUERY__NODE__NODE_DELETE_STMT:
        return keep_delete(w, e);
    case PG_QUERY__NODE__NODE_TRUNCATE_STMT:
        return keep_truncate(w, e);
    case PG_QUERY__NODE__NODE_MERGE_STMT:
    case PG_QUERY__NODE__NODE_INSERT_STMT:
        return keep_merge(w, e);
    default:
        return true;
    }
}

/* The statement or what stands instead of it, so that the next ones meet what they will meet. */
static bool run(struct keep_work *w, const char *sql, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct statement *v = NULL;
    size_t n = 0;
    statement_split(a, str_of(sql), &v, &n);
    for (size_t i = 0; i < n; i++)
        if (!pg_run(w->db, str_dup(a, v[i].text), NULL, e))
            return err_wrap(e, "%s line %u", w->m->file, w->statement->line);
    return true;
}

/* The bytes of a statement with its semicolon. */
static size_t bytes_of(const struct migration *m, const struct sql_statement *s)
{
    size_t end = s->offset + s->text.n;
    size_t next = end;
    while (next < m->sql.n && strchr(" \t\r\n", m->sql.p[next]))
        next++;
    return (next < m->sql.n && m->sql.p[next] == ';' ? next + 1 : end) - s->offset;
}

typedef VEC(struct keep_change) change_list;
typedef VEC(struct keep_refusal) refusal_list;

static bool keep_statement(struct keep_work *w, change_list *changes, refusal_list *refusals,
                           struct err *e)
{
    const struct sql_statement *s = w->statement;
    strbuf_clear(&w->text);
    w->what = w->note = w->refusal = NULL;
    if (!consider(w, e))
        return false;
    if (w->refusal)
        *vec_add(refusals, w->a) =
            (struct keep_refusal){ s->line, w->what ? w->what : s->what, w->refusal };
    else if (w->text.n > 0) {
        const char *text = arena_strdup(w->a, strbuf_text(&w->text));
        *vec_add(changes, w->a) = (struct keep_change){ .line = s->line,
                                                        .offset = s->offset,
                                                        .bytes = bytes_of(w->m, s),
                                                        .what = w->what ? w->what : s->what,
                                                        .text = text,
                                                        .note = w->note };
        return run(w, text, e);
    }
    if (s->mode != SQL_IN_TRANSACTION && s->mode != SQL_OWN_TRANSACTION)
        return true; /* it makes nothing that can be kept */
    return run(w, str_dup(w->a, s->text), e);
}

static struct str assemble(struct arena *a, const struct migration *m, const change_list *changes)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(m->sql.n + KEEP_TEXT_MAX);
    size_t at = 0;
    for (size_t i = 0; i < changes->n; i++) {
        const struct keep_change *c = &changes->v[i];
        strbuf_add(&b, m->sql.p + at, c->offset - at);
        strbuf_add(&b, c->text, strlen(c->text) - 1); /* its last line end is the file's */
        at = c->offset + c->bytes;
    }
    strbuf_add(&b, m->sql.p + at, m->sql.n - at);
    return (struct str){ arena_strndup(a, strbuf_text(&b), b.n), b.n };
}

static bool walk(struct keep_work *w, const struct sql_script *script, struct keep *ret,
                 struct err *e)
{
    change_list changes = { 0 };
    refusal_list refusals = { 0 };
    if (!pg_exec(w->db,
                 "CREATE TEMP TABLE lockflight_before ON COMMIT DROP AS SELECT attrelid AS rel,"
                 " attnum AS num FROM pg_catalog.pg_attribute WHERE attrelid >= 16384::oid AND "
                 "attnum > 0",
                 PG_NONE, NULL, e))
        return false;
    for (size_t i = 0; i < script->n; i++) {
        w->statement = &script->statements[i];
        if (!keep_statement(w, &changes, &refusals, e))
            return false;
    }
    *ret = (struct keep){ changes.v, changes.n, refusals.v, refusals.n,
                          assemble(w->a, w->m, &changes) };
    return true;
}

bool keep_plan(struct pg *db, struct arena *a, const struct migration *m, struct keep *ret,
               struct err *e)
{
    struct sql_script script;
    struct keep_work w = { .db = db, .a = a, .m = m, .text = strbuf_init(KEEP_TEXT_MAX) };
    bool ok =
        sql_script_read(a, m->file, m->sql, &script, e) && pg_begin(db, e) &&
        pg_exec(db, "RESET ALL", PG_NONE, NULL, e) && /* the search path it will be applied with */
        walk(&w, &script, ret, e);
    pg_rollback(db);
    strbuf_done(&w.text);
    return ok || err_wrap(e, "keep what %s destroys", m->version);
}

/* ---- for people ---- */

static void add_lines(struct strbuf *b, char sign, struct str text)
{
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        strbuf_printf(b, "%c%.*s\n", sign, STR_FMT(line));
    }
}

const char *keep_diff(struct arena *a, const struct migration *m, const struct keep *k)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(m->sql.n + 2 * (size_t)KEEP_TEXT_MAX);
    for (size_t i = 0; i < k->n; i++) {
        const struct keep_change *c = &k->changes[i];
        strbuf_printf(&b, "@@ line %u: %s\n", c->line, c->what);
        add_lines(&b, '-', (struct str){ m->sql.p + c->offset, c->bytes });
        add_lines(&b, '+', str_of(c->text));
    }
    return str_dup(a, strbuf_str(&b));
}
