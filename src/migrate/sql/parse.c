/*
 * The grammar of Postgres: see parse.h.
 *
 * CATCHING  libpg_query builds a tree of C structs, packs it into bytes and gives those out; to
 *           read them one unpacks them into the same structs again. Packing and unpacking are nine
 *           tenths of the time, and unpacking needs the most stack. So the linker leads the
 *           library's two calls of its own generated code (…get_packed_size, …pack) here (--wrap,
 *           src/migrate/sql/meson.build), where the tree is copied into the arena and nothing is
 *           packed: 8 times as fast. A library that did not make these calls would trip an assertion
 *           in every test.
 *
 * DEPTH     The copy gives up below PARSE_DEPTH_MAX nodes, so that whoever walks the tree may
 *           recurse.
 */
#include "migrate/sql/parse.h"

#include "base/limits.h"
#include "migrate/sql/token.h"

#include <assert.h>
#include <errno.h>
#include <pg_query.h>
#include <pthread.h>
#include <stdlib.h>

/* A level of an expression takes the library some 130 bytes of stack, and 1 MiB of text has at most
 * 500 000 levels: `a isnull isnull …` is refused earlier, by script.c. */
#define PARSE_STACK_BYTES (64 * MIB)
#define PARSE_DEPTH_MAX   12000 /* a chain of some 6000 operators */

/* ---- copying a tree ---- */

struct copy {
    struct arena *a;
    int depth;
    bool is_too_deep;
};

/* NOLINTBEGIN(misc-no-recursion): stops at PARSE_DEPTH_MAX */

static void *copy_message(struct copy *c, const ProtobufCMessage *m);

/* Texts and messages; `at` is where the copy keeps its pointer, still the library's. */
static void copy_pointer(struct copy *c, const ProtobufCFieldDescriptor *f, void *at)
{
    static char empty[1];
    void *from = *(void **)at;
    if (!from)
        return;
    if (f->type == PROTOBUF_C_TYPE_MESSAGE)
        *(void **)at = copy_message(c, from);
    else
        *(void **)at = *(const char *)from ? arena_strdup(c->a, from) : empty;
}

static bool is_pointer(const ProtobufCFieldDescriptor *f)
{
    assert(f->type != PROTOBUF_C_TYPE_BYTES);
    return f->type == PROTOBUF_C_TYPE_MESSAGE || f->type == PROTOBUF_C_TYPE_STRING;
}

/* All repeated fields of this grammar are messages. */
static void copy_repeated(struct copy *c, const ProtobufCFieldDescriptor *f, size_t n, void *at)
{
    assert(f->type == PROTOBUF_C_TYPE_MESSAGE);
    void **from = *(void ***)at;
    void **to = n > 0 ? ARENA_ARRAY(c->a, void *, n) : NULL;
    for (size_t i = 0; i < n; i++)
        to[i] = from[i] ? copy_message(c, from[i]) : NULL;
    *(void ***)at = to;
}

static void copy_field(struct copy *c, const ProtobufCFieldDescriptor *f, char *message)
{
    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        copy_repeated(c, f, *(size_t *)(void *)(message + f->quantifier_offset),
                      message + f->offset);
    else if (is_pointer(f))
        copy_pointer(c, f, message + f->offset);
}

/* A Node has 238 fields, one of which is set; its case is the field's number. */
static void copy_node(struct copy *c, PgQuery__Node *n)
{
    const ProtobufCFieldDescriptor *fields = pg_query__node__descriptor.fields;
    if (n->node_case == PG_QUERY__NODE__NODE__NOT_SET)
        return;
    const ProtobufCFieldDescriptor *f = &fields[n->node_case - 1];
    assert(f->id == (uint32_t)n->node_case);
    copy_field(c, f, (char *)n);
}

static void *copy_message(struct copy *c, const ProtobufCMessage *m)
{
    const ProtobufCMessageDescriptor *d = m->descriptor;
    char *to = arena_alloc(c->a, d->sizeof_message);
    if (c->depth >= PARSE_DEPTH_MAX) {
        c->is_too_deep = true;
        d->message_init((ProtobufCMessage *)(void *)to);
        return to;
    }
    memcpy(to, m, d->sizeof_message);
    c->depth++;
    if (d == &pg_query__node__descriptor) {
        copy_node(c, (PgQuery__Node *)(void *)to);
    } else {
        for (unsigned i = 0; i < d->n_fields; i++) {
            const ProtobufCFieldDescriptor *f = &d->fields[i];
            bool is_set = !(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
                          *(uint32_t *)(void *)(to + f->quantifier_offset) == f->id;
            if (is_set)
                copy_field(c, f, to);
        }
    }
    c->depth--;
    return to;
}

/* NOLINTEND(misc-no-recursion) */

/* ---- catching it ---- */

/* Set while this thread waits for a tree. */
static _Thread_local struct catcher {
    struct copy copy;
    bool has_caught;
    PgQuery__ParseResult *tree;
} * catcher;

/* These names are the linker's. NOLINTBEGIN(bugprone-reserved-identifier) */
size_t __real_pg_query__parse_result__get_packed_size(const PgQuery__ParseResult *m);
size_t __wrap_pg_query__parse_result__get_packed_size(const PgQuery__ParseResult *m);
size_t __real_pg_query__parse_result__pack(const PgQuery__ParseResult *m, uint8_t *out);
size_t __wrap_pg_query__parse_result__pack(const PgQuery__ParseResult *m, uint8_t *out);
/* NOLINTEND(bugprone-reserved-identifier) */

size_t __wrap_pg_query__parse_result__get_packed_size(const PgQuery__ParseResult *m)
{
    if (!catcher)
        return __real_pg_query__parse_result__get_packed_size(m);
    catcher->tree = copy_message(&catcher->copy, &m->base);
    catcher->has_caught = true;
    return 0;
}

size_t __wrap_pg_query__parse_result__pack(const PgQuery__ParseResult *m, uint8_t *out)
{
    return catcher ? 0 : __real_pg_query__parse_result__pack(m, out);
}

/* ---- parsing ---- */

/* The library counts characters, from 1. */
static size_t offset_of_character(struct str text, int character)
{
    size_t i = 0;
    for (int n = 1; i < text.n && n < character; n++)
        for (i++; i < text.n && ((unsigned char)text.p[i] & 0xc0) == 0x80;)
            i++;
    return i;
}

/* Comments become blanks: they say nothing to the grammar, and nested ones cost its lexer n². */
static const char *without_comments(struct strbuf *scratch, struct str text, bool has_comments)
{
    struct token t;
    strbuf_clear(scratch);
    (void)strbuf_add(scratch, text.p, text.n);
    for (size_t at = 0; has_comments && token_next(text, &at, &t);)
        if (t.kind == TOKEN_COMMENT)
            memset(scratch->p + t.at, ' ', t.n);
    return strbuf_text(scratch);
}

void parse_text(struct arena *a, struct strbuf *scratch, struct str text, bool has_comments,
                struct parsed *ret)
{
    struct catcher here = { .copy.a = a };
    const char *z = without_comments(scratch, text, has_comments);
    *ret = (struct parsed){ 0 };
    catcher = &here;
    PgQueryProtobufParseResult r = pg_query_parse_protobuf(z);
    catcher = NULL;
    if (r.error) {
        ret->complaint = arena_strdup(a, r.error->message);
        ret->complaint_at = offset_of_character(text, r.error->cursorpos);
    } else if (here.copy.is_too_deep) {
        ret->complaint = "nested too deeply to be analysed";
    } else {
        assert(here.has_caught);
        ret->statements = here.tree->stmts;
        ret->n = here.tree->n_stmts;
    }
    pg_query_free_protobuf_parse_result(r);
}

/* ---- threads ---- */

#define THREADS_MAX 2

struct job {
    void (*work)(void *context);
    void *context;
    pthread_t thread;
};

static _Thread_local bool has_deep_stack;

static void *run(void *job)
{
    const struct job *j = job;
    has_deep_stack = true;
    j->work(j->context);
    return NULL;
}

bool parse_with_stack(void (*work)(void *context), void *const *contexts, size_t n, struct err *e)
{
    struct job jobs[THREADS_MAX];
    size_t started = 0;
    pthread_attr_t attributes;
    assert(n >= 1 && n <= THREADS_MAX);
    size_t own = has_deep_stack ? 1 : 0; /* done here, while the others run */
    int failed = pthread_attr_init(&attributes);
    if (failed == 0)
        failed = pthread_attr_setstacksize(&attributes, PARSE_STACK_BYTES);
    for (; failed == 0 && own + started < n; started += failed == 0) {
        jobs[started] = (struct job){ .work = work, .context = contexts[own + started] };
        failed = pthread_create(&jobs[started].thread, &attributes, run, &jobs[started]);
    }
    (void)pthread_attr_destroy(&attributes);
    if (own && failed == 0)
        work(contexts[0]);
    for (size_t i = 0; i < started; i++) {
        int joined = pthread_join(jobs[i].thread, NULL);
        assert(joined == 0);
    }
    errno = failed;
    return failed == 0 || err_system(e, "start a thread to read SQL");
}
