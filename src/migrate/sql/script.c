/*
 * Reading a file: see script.h. Cut, parse each piece in one thread, then say of each what it is.
 */
#include "migrate/sql/script.h"

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/vec.h"
#include "migrate/sql/cut.h"
#include "migrate/sql/judge.h"
#include "migrate/sql/mode.h"
#include "migrate/sql/parse.h"

#include <stdarg.h>
#include <stdio.h>

#define TREE_BYTES_MAX   (128 * MIB) /* of one file; what comes after is not analysed */
#define PIECE_BYTES_MAX  (1 * MIB)   /* of one statement */
#define PIECE_TOKENS_MAX 300000      /* each may be a level of an expression: parse.c's stack */
#define BULK_BYTES       (16 * KIB)  /* INSERT of more than this is data, not thought */

bool sql_error_at(struct err *e, enum err_code code, const char *file, struct str text,
                  size_t offset, const char *fmt, ...)
{
    char what[sizeof e->why];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct place p = statement_place(text, offset);
    err_set(e, code, "%s\n%s", what, statement_excerpt(a, &p));
    return err_where(e, "%s:%u:%u", file, p.line, p.column);
}

/* ---- parsing, in the thread ---- */

typedef VEC(struct sql_statement) statement_list;

struct reading {
    struct arena *a;
    struct str text;
    struct cut cut;
    statement_list list;
};

/* Rows of data: their first words say all that matters. */
static bool is_bulk(struct str text)
{
    return text.n > BULK_BYTES && strncasecmp(text.p, "insert", 6) == 0;
}

static const char *too_large(const struct reading *r, const struct piece *p, size_t used_before)
{
    if (p->n > PIECE_BYTES_MAX || p->tokens > PIECE_TOKENS_MAX)
        return "too large to be analysed";
    if (arena_used_bytes(r->a) - used_before > TREE_BYTES_MAX)
        return "the file is too large to be analysed to its end";
    return NULL;
}

static void add(struct reading *r, const struct piece *p, size_t at, size_t n,
                const PgQuery__Node *tree)
{
    *vec_add(&r->list, r->a) = (struct sql_statement){
        .text = { r->text.p + at, n },
        .offset = at,
        .tree = tree,
        .is_analysed = tree != NULL,
        .lead = p->lead,
    };
}

/* A piece that holds several statements was cut too late: the grammar knows better. */
static void add_parsed(struct reading *r, const struct piece *p, const struct parsed *parsed)
{
    for (size_t i = 0; i < parsed->n; i++) {
        const PgQuery__RawStmt *s = parsed->statements[i];
        struct str text = { r->text.p + p->at, p->n };
        if (parsed->n > 1) {
            size_t from = (size_t)s->stmt_location;
            text = str_trim((struct str){ text.p + from,
                                          s->stmt_len > 0 ? (size_t)s->stmt_len : text.n - from });
        }
        add(r, p, (size_t)(text.p - r->text.p), text.n, s->stmt);
    }
}

static void parse_all(void *context)
{
    struct reading *r = context;
    size_t used_before = arena_used_bytes(r->a);
    for (size_t i = 0; i < r->cut.n; i++) {
        const struct piece *p = &r->cut.v[i];
        struct str text = { r->text.p + p->at, p->n };
        struct parsed parsed = { .complaint = too_large(r, p, used_before) };
        if (is_bulk(text)) {
            add(r, p, p->at, p->n, NULL);
            r->list.v[r->list.n - 1].is_bulk = true;
            r->list.v[r->list.n - 1].is_analysed = true;
            continue;
        }
        if (!parsed.complaint)
            parse_text(r->a, text, &parsed);
        if (parsed.n > 0) {
            add_parsed(r, p, &parsed);
            continue;
        }
        add(r, p, p->at, p->n, NULL);
        r->list.v[r->list.n - 1].complaint = parsed.complaint;
        r->list.v[r->list.n - 1].complaint_offset = p->at + parsed.complaint_at;
    }
}

/* ---- putting it together ---- */

/* Lines and directives, in one walk. */
static void place_all(struct sql_script *s, const struct directives *all, struct arena *a)
{
    size_t counted = 0, next = 0;
    unsigned line = 1;
    VEC(struct directive) head = { 0 };
    for (size_t i = 0; i < s->n; i++) {
        struct sql_statement *st = &s->statements[i];
        for (; counted < st->offset; counted++)
            line += s->text.p[counted] == '\n';
        st->line = line;
        VEC(struct directive) own = { 0 };
        for (; next < all->n && all->v[next].offset < st->offset; next++) {
            if (all->v[next].is_head)
                *vec_add(&head, a) = all->v[next];
            else
                *vec_add(&own, a) = all->v[next];
        }
        st->directives = (struct directives){ own.v, own.n };
    }
    for (; next < all->n; next++)
        if (all->v[next].is_head)
            *vec_add(&head, a) = all->v[next];
    s->head = (struct directives){ head.v, head.n };
}

static void judge_all(struct sql_script *s, struct arena *a)
{
    s->is_transactional = s->is_analysed = true;
    bool has_transaction = !directive_find(&s->head, DIRECTIVE_TRANSACTION);
    for (size_t i = 0; i < s->n; i++) {
        struct sql_statement *st = &s->statements[i];
        judge(a, st);
        if (directive_find(&st->directives, DIRECTIVE_BACKFILL))
            st->mode = SQL_BACKFILL;
        else if (!has_transaction && st->mode == SQL_IN_TRANSACTION)
            st->mode = SQL_OWN_TRANSACTION;
        s->is_transactional = s->is_transactional && st->mode == SQL_IN_TRANSACTION;
        s->is_analysed = s->is_analysed && st->is_analysed;
        if (st->class > s->class)
            s->class = st->class;
    }
}

bool sql_script_read(struct arena *a, const char *file, struct str text, struct sql_script *ret,
                     struct err *e)
{
    struct reading r = { .a = a, .text = text };
    struct directives all;
    if (text.n > LIMIT_SQL_FILE_BYTES)
        return err_set(e, ERR_LIMIT, "%s: larger than %zu MiB", file, LIMIT_SQL_FILE_BYTES / MIB);
    if (!cut_text(a, file, text, &r.cut, e) || !directives_read(a, file, text, &all, e) ||
        !parse_with_stack(parse_all, &r, e))
        return false;
    struct sql_script s = { .file = file, .text = text, .statements = r.list.v, .n = r.list.n };
    place_all(&s, &all, a);
    judge_all(&s, a);
    *ret = s;
    return true;
}
