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
#include <stdlib.h>

#define TREE_BYTES_MAX (128 * MIB) /* of one file; what comes after is not analysed */
#define TREES_TOGETHER_MAX                                                                         \
    (384 * MIB)                     /* of all files in one arena, which ends at LIMIT_ARENA_BYTES */
#define PIECE_BYTES_MAX   (1 * MIB) /* of one statement */
#define PIECE_TOKENS_MAX  300000    /* each may be a level of an expression: parse.c's stack */
#define TWO_THREADS_BYTES (64 * KIB)
#define SHORT_BYTES       1024       /* cannot nest so deeply that it needs a stack of its own */
#define BULK_BYTES        (16 * KIB) /* INSERT of more than this is data, not thought */

bool sql_error_at(struct err *e, enum err_code code, const char *file, struct str text,
                  size_t offset, const char *fmt, ...)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    va_list ap;
    va_start(ap, fmt);
    const char *what = arena_vprintf(a, fmt, ap);
    va_end(ap);
    struct place p = statement_place(text, offset);
    err_set(e, code, "%s\n%s", what, statement_excerpt(a, &p));
    return err_where(e, "%s:%u:%u", file, p.line, p.column);
}

/* The server counts characters from the start of the statement; people want a place in the file. */
static size_t offset_of(const struct sql_statement *s, int position)
{
    size_t i = 0;
    if (position <= 0)
        return s->offset;
    for (int characters = 0; i < s->text.n; i++)
        if (((unsigned char)s->text.p[i] & 0xc0) != 0x80 && ++characters == position)
            break;
    return s->offset + i;
}

bool sql_refused_at(struct err *e, const char *file, struct str text, const struct sql_statement *s,
                    int position)
{
    const struct err cause = *e;
    if (e->code != ERR_DB)
        return false;
    sql_error_at(e, ERR_DB, file, text, offset_of(s, position), "%s", cause.why);
    (void)snprintf(e->sqlstate, sizeof e->sqlstate, "%s", cause.sqlstate);
    return false;
}

/* ---- parsing and judging, in threads ---- */

typedef VEC(struct sql_statement) statement_list;

/* A run of pieces, read by one thread. */
struct reading {
    struct arena *a;
    struct str text;
    const struct piece *pieces;
    size_t n;
    size_t tree_bytes_max;
    struct strbuf scratch;
    struct words words;
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
    if (arena_used_bytes(r->a) - used_before > r->tree_bytes_max)
        return "too much SQL to be analysed to its end";
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

static void add_unparsed(struct reading *r, const struct piece *p, const struct parsed *parsed)
{
    add(r, p, p->at, p->n, NULL);
    struct sql_statement *s = &r->list.v[r->list.n - 1];
    s->is_bulk = s->is_analysed = is_bulk(s->text);
    s->complaint = parsed->complaint;
    s->complaint_offset = p->at + parsed->complaint_at;
}

static void read_all(void *context)
{
    struct reading *r = context;
    size_t used_before = arena_used_bytes(r->a);
    for (size_t i = 0; i < r->n; i++) {
        const struct piece *p = &r->pieces[i];
        struct str text = { r->text.p + p->at, p->n };
        struct parsed parsed = { .complaint = too_large(r, p, used_before) };
        if (!parsed.complaint && !is_bulk(text))
            parse_text(r->a, &r->scratch, text, p->has_comments, &parsed);
        if (parsed.n > 0)
            add_parsed(r, p, &parsed);
        else
            add_unparsed(r, p, &parsed);
    }
    for (size_t i = 0; i < r->list.n; i++)
        judge(r->a, &r->words, &r->list.v[i]);
}

/* Half of the bytes each. */
static size_t half_of(const struct cut *cut, size_t bytes)
{
    size_t i = 0;
    while (i < cut->n && cut->v[i].at < bytes / 2)
        i++;
    return i;
}

/* Trees take some 25 times the bytes of their text. When many files are read into one arena, the
 * last ones are not analysed, rather than that memory runs out. */
static size_t tree_bytes_left(const struct arena *a)
{
    size_t used = arena_used_bytes(a);
    size_t left = used < TREES_TOGETHER_MAX ? TREES_TOGETHER_MAX - used : 0;
    return left < TREE_BYTES_MAX ? left : TREE_BYTES_MAX;
}

/* A long file is read by two threads, the second with an arena that ends up in the first. */
static bool read_pieces(struct arena *a, struct str text, const struct cut *cut,
                        statement_list *ret, struct err *e)
{
    size_t half = text.n >= TWO_THREADS_BYTES ? half_of(cut, text.n) : cut->n;
    size_t threads = half < cut->n ? 2 : 1;
    struct arena *second = arena_new(0);
    struct reading *r = calloc(2, sizeof *r);
    if (!r)
        memory_exhausted(2 * sizeof *r);
    struct sql_statement *list = ARENA_ARRAY(a, struct sql_statement, cut->n);
    for (size_t i = 0; i < threads; i++)
        r[i] = (struct reading){ .a = i == 0 ? a : second,
                                 .text = text,
                                 .pieces = cut->v + (i == 0 ? 0 : half),
                                 .n = i == 0 ? half : cut->n - half,
                                 .list.v = list + (i == 0 ? 0 : half),
                                 .list.capacity = i == 0 ? half : cut->n - half,
                                 .tree_bytes_max = tree_bytes_left(a) / threads,
                                 .scratch = strbuf_init(PIECE_BYTES_MAX + 1) };
    bool ok = true;
    if (text.n <= SHORT_BYTES)
        read_all(&r[0]);
    else
        ok = parse_with_stack(read_all, (void *const[]){ &r[0], &r[1] }, threads, e);
    arena_adopt(a, second);
    for (size_t i = 0; i < threads; i++)
        strbuf_done(&r[i].scratch);
    *ret = r[0].list;
    if (r[0].list.n == half && threads == 2 && r[1].list.v == list + half)
        ret->n += r[1].list.n; /* each wrote its part of the same array */
    else
        for (size_t i = 0; i < r[1].list.n; i++)
            *vec_add(ret, a) = r[1].list.v[i];
    free(r);
    return ok;
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

/* What the directives add, and what holds of the file as a whole. */
static void sum_up(struct sql_script *s)
{
    s->is_transactional = s->is_analysed = true;
    bool has_transaction = !directive_find(&s->head, DIRECTIVE_TRANSACTION);
    for (size_t i = 0; i < s->n; i++) {
        struct sql_statement *st = &s->statements[i];
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

bool sql_on_deep_stack(void (*work)(void *context), void *context, struct err *e)
{
    return parse_with_stack(work, &context, 1, e);
}

bool sql_script_read(struct arena *a, const char *file, struct str text, struct sql_script *ret,
                     struct err *e)
{
    struct cut cut;
    struct directives all;
    statement_list list = { 0 };
    if (text.n > LIMIT_SQL_FILE_BYTES)
        return err_set(e, ERR_LIMIT, "%s: larger than %zu MiB", file, LIMIT_SQL_FILE_BYTES / MIB);
    if (!cut_text(a, file, text, &cut, e) || !directives_read(a, file, text, &all, e) ||
        !read_pieces(a, text, &cut, &list, e))
        return false;
    struct sql_script s = { .file = file, .text = text, .statements = list.v, .n = list.n };
    place_all(&s, &all, a);
    sum_up(&s);
    *ret = s;
    return true;
}
