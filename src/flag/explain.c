/*
 * Telling what a rule did: see flag_explain() in evaluate.h. Each operator is told after its
 * operands, which stand deeper:
 *
 *         var plan → "pro"
 *       == "pro", "pro" → true
 *     if true, "on" → "on"
 */
#include "flag/explain.h"

#include "base/strbuf.h"
#include "flag/json_text.h"
#include "flag/number.h"

#define LINE_BYTES  ((size_t)1024)
#define VALUE_BYTES ((size_t)200)

static void add_value(struct strbuf *b, struct value v, unsigned depth);

// NOLINTNEXTLINE(misc-no-recursion): as add_value()
static void add_items(struct strbuf *b, struct value v, unsigned depth)
{
    (void)strbuf_addc(b, '[');
    for (uint32_t i = 0; i < v.n && !b->overflowed && depth; i++) {
        if (i > 0)
            (void)strbuf_addc(b, ',');
        add_value(b, value_item(v, i), depth - 1);
    }
    (void)strbuf_addc(b, ']');
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than `depth`
static void add_value(struct strbuf *b, struct value v, unsigned depth)
{
    char number[NUMBER_TEXT_BYTES];
    switch ((int)v.kind) {
    case VALUE_TEXT:
        (void)json_text_add_string(b, value_str(v));
        return;
    case VALUE_NUMBER:
        (void)strbuf_add(b, number, number_print(v.number, number));
        return;
    case VALUE_LIST:
    case VALUE_JSON_LIST:
        add_items(b, v, depth);
        return;
    case VALUE_TRUE:
    case VALUE_FALSE:
        (void)strbuf_adds(b, v.kind == VALUE_TRUE ? "true" : "false");
        return;
    case VALUE_NULL:
    case VALUE_UNDEFINED:
        (void)strbuf_adds(b, "null");
        return;
    case VALUE_OBJECT:
        (void)json_text_add(b, v.json, JSON_AS_WRITTEN);
        return;
    case VALUE_RAISED:
        (void)strbuf_adds(b, "failed");
        return;
    default:
        (void)strbuf_adds(b, "{…}");
        return;
    }
}

static void add_short(struct strbuf *to, struct value v)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(VALUE_BYTES);
    add_value(&b, v, LIMIT_JSON_DEPTH);
    size_t n = b.n;
    while (b.overflowed && n && ((unsigned char)b.p[n - 1] & 0xC0) == 0x80)
        n--; /* not in the middle of a letter */
    (void)strbuf_add(to, strbuf_text(&b), n);
    if (b.overflowed)
        (void)strbuf_adds(to, "…");
}

static void note(struct telling *t, struct value v)
{
    if (!t->operands)
        return;
    (void)strbuf_adds(t->operands, t->operands->n ? ", " : " ");
    add_short(t->operands, v);
}

static void add_path(struct strbuf *b, const struct path *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        (void)strbuf_printf(b, "%s%.*s", i ? "." : " ", STR_FMT(p->parts[i].name));
}

// NOLINTNEXTLINE(misc-no-recursion): as run_node()
struct value telling_node(struct run *r, const struct node *n)
{
    struct telling *t = r->telling;
    struct value v;
    if (n->op == OP_LITERAL) {
        note(t, n->literal);
        return n->literal;
    }
    CLEANUP(strbuf) struct strbuf mine = strbuf_init(LINE_BYTES);
    struct strbuf *outer = t->operands;
    bool is_list = n->op == OP_LIST;
    if (n->op == OP_VAR || n->op == OP_VAR_OR)
        add_path(&mine, n->path);
    t->operands = &mine;
    t->depth += !is_list;
    v = run_operator(r, n);
    t->depth -= !is_list;
    t->operands = outer;
    if (!is_list) {
        CLEANUP(strbuf) struct strbuf line = strbuf_init(2 * LINE_BYTES);
        const char *name = op_name(n->op);
        (void)strbuf_printf(&line, "%s%s%s → ", name ? name : "", strbuf_text(&mine),
                            mine.overflowed ? "…" : "");
        if (v.kind == VALUE_RAISED)
            (void)strbuf_printf(&line, "failed: %s", r->why);
        else
            add_short(&line, v);
        t->line(t->to, t->depth, strbuf_text(&line));
    }
    note(t, v);
    return v;
}

void telling_bucket(struct run *r, struct str unit, uint32_t bucket, uint32_t total)
{
    struct strbuf *b = r->telling->operands;
    (void)strbuf_adds(b, b->n ? "; unit " : " unit ");
    add_short(b, value_of_text(unit));
    (void)strbuf_printf(b, " is in bucket %u of %u", bucket, total);
}
