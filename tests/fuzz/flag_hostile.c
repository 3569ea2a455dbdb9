/*
 * Rules, contexts and documents as somebody would write them who wants to hurt: too deep, too long,
 * of the wrong shape, made to grow when they are run. Each is read, compiled and evaluated; nothing
 * may crash, leak or take more steps than a request has.
 *
 *     flag_hostile COUNT [SEED]
 *
 * Prints TAP, with how many were refused, failed and answered, so that a generator that only makes
 * nonsense is seen.
 */
#include "flags.h"

#include "base/json.h"
#include "base/strbuf.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define SEED         20260101
#define TEXT_BYTES   (256 * KIB)
#define HANG_SECONDS 20

/* Of the sanitizer's runtime; absent in a build without. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static uint64_t state;
static struct strbuf out;
static unsigned long at; /* the number of the one at hand, which SEED repeats */

static size_t below(size_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return limit ? (size_t)((state >> 11) % limit) : 0;
}

static bool one_in(size_t n)
{
    return below(n) == 0;
}

#define PICK(list) (list)[below(sizeof(list) / sizeof *(list))]

static void add(const char *text)
{
    (void)strbuf_adds(&out, text);
}

/* ---- Values ---------------------------------------------------------------------------------- */

static const char *const scalars[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-0.0",
    "1",
    "-1",
    "2",
    "1e308",
    "-1e308",
    "5e-324",
    "0.1",
    "9007199254740993",
    "9223372036854775807",
    "2147483647",
    "2147483648",
    "4294967296",
    "\"\"",
    "\"a\"",
    "\"on\"",
    "\"off\"",
    "\"1\"",
    "\"-1\"",
    "\"1e999\"",
    "\"0x\"",
    "\"0xffffffffffffffffffff\"",
    "\"NaN\"",
    "\"-Infinity\"",
    "\" \\t\\u00a0\\ufeff7\"",
    "\"1.2.3\"",
    "\"1.2.3-\"",
    "\"v1.0.0-a.b.c+d.e\"",
    "\"^\"",
    "\"é😀日本\"",
    "\"😀\"",
    "\"a.b\"",
    "\"a\\\\.b\"",
    "\".\"",
    "\"..\"",
    "\"../\"",
    "\"../../../../x\"",
    "\"[object Object]\"",
    "\"\\u0001\\u001f\\\"\\\\\"",
    "\"\\\\\"",
    "[]",
    "{}",
    "[[]]",
    "[null]",
    "[[[[[[1]]]]]]",
};

static const char *const names[] = {
    "a",
    "b",
    "l",
    "list",
    "text",
    "deep",
    "deep.a.a.a.a",
    "targetingKey",
    "$flagd.flagKey",
    "$flagd.timestamp",
    "$flagd",
    "",
    "__proto__",
    "constructor.prototype",
    "toString",
    "length",
    "l.length",
    "l.0",
    "l.00",
    "l.4294967295",
    "l.18446744073709551616",
    "accumulator",
    "current",
    "../index",
    "../iterator",
    "../../a",
    "../../../a",
    "a\\\\.b",
    ".",
    "...",
    "text.0",
};

static const char *const operators[] = {
    "var",         "missing",   "missing_some",
    "if",          "and",       "or",
    "!",           "!!",        "==",
    "===",         "!=",        "!==",
    "<",           "<=",        ">",
    ">=",          "+",         "-",
    "*",           "/",         "%",
    "max",         "min",       "cat",
    "substr",      "in",        "merge",
    "map",         "filter",    "reduce",
    "all",         "some",      "none",
    "starts_with", "ends_with", "sem_ver",
    "fractional",
};

static const char *const iterators[] = { "map", "filter", "all", "some", "none" };

static void add_name(void)
{
    add("\"");
    add(PICK(names));
    add("\"");
}

static void add_long_text(void)
{
    static const char *const pieces[] = { "x", "1", "é", "😀", ".", "0", "a.", "\\\\", "-1." };
    const char *piece = PICK(pieces);
    size_t times = below(one_in(20) ? 20000 : 300);
    add("\"");
    for (size_t i = 0; i < times; i++)
        add(piece);
    add("\"");
}

static void add_value(unsigned depth);

static void add_list(unsigned depth)
{
    size_t n = one_in(depth == 3 ? 12 : 100) ? below(3000) : below(6);
    add("[");
    for (size_t i = 0; i < n; i++) {
        add(i ? "," : "");
        add_value(n > 6 ? 0 : depth - 1);
    }
    add("]");
}

static void add_value(unsigned depth)
{
    if (depth == 0 || one_in(2))
        add(PICK(scalars));
    else if (one_in(12))
        add_long_text();
    else if (one_in(2))
        add_list(depth);
    else {
        add("{\"a\":");
        add_value(depth - 1);
        add(",\"b\":");
        add_value(depth - 1);
        add("}");
    }
}

/* ---- Rules ----------------------------------------------------------------------------------- */

static void add_rule(unsigned depth);

static void add_operands(unsigned depth, size_t n)
{
    add("[");
    for (size_t i = 0; i < n; i++) {
        add(i ? "," : "");
        add_rule(depth - 1);
    }
    add("]");
}

/* The same operator again and again inside itself. */
static void add_tower(void)
{
    const char *name = PICK(operators);
    size_t height = below(40);
    bool in_list = one_in(2);
    for (size_t i = 0; i < height; i++) {
        add("{\"");
        add(name);
        add(in_list ? "\":[" : "\":");
    }
    add_name();
    for (size_t i = 0; i < height; i++)
        add(in_list ? "]}" : "}");
}

/* Iterators in iterators over all that the context has. */
static void add_walk(unsigned depth)
{
    add("{\"");
    add(PICK(iterators));
    add("\":[{\"var\":");
    add_name();
    add("},");
    if (depth > 1)
        add_walk(depth - 1);
    else
        add_rule(2);
    add("]}");
}

/* A text or a list that doubles with each item. */
static void add_growth(void)
{
    static const char *const grow[] = { "cat", "merge", "+", "*", "max", "in" };
    add("{\"reduce\":[{\"var\":");
    add_name();
    add("},{\"");
    add(PICK(grow));
    add("\":[{\"var\":\"accumulator\"},{\"var\":\"");
    add(one_in(2) ? "accumulator" : "current");
    add("\"}]},");
    add_value(2);
    add("]}");
}

static void add_share(unsigned depth)
{
    size_t n = below(one_in(50) ? 500 : 6);
    add("{\"fractional\":[");
    if (one_in(2)) {
        add_rule(depth - 1);
        add(n ? "," : "");
    }
    for (size_t i = 0; i < n; i++) {
        add(i ? ",[" : "[");
        add(PICK(scalars));
        add(",");
        add(PICK(scalars));
        add("]");
    }
    add("]}");
}

static void add_usual(unsigned depth)
{
    add("{\"");
    add(PICK(operators));
    add("\":");
    if (one_in(8))
        add_rule(depth - 1);
    else if (one_in(4))
        add_name();
    else
        add_operands(depth, one_in(200) ? below(400) : below(5));
    add("}");
}

static void add_rule(unsigned depth)
{
    if (depth == 0) {
        add(PICK(scalars));
        return;
    }
    switch (below(24)) {
    case 0:
        add_tower();
        return;
    case 1:
        add_walk(1 + (unsigned)below(3));
        return;
    case 2:
        add_growth();
        return;
    case 3:
        add_share(depth);
        return;
    case 4:
        add_value(depth);
        return;
    case 5:
        add("{\"$ref\":\"staff\"}");
        return;
    case 6:
    case 7:
    case 8:
        add("{\"var\":");
        add_name();
        add("}");
        return;
    case 9:
        add(one_in(8) ? "{\"throw\":1}" : "{\"if\":[{\"var\":\"a\"},\"on\",\"off\"]}");
        return;
    default:
        add_usual(depth);
        return;
    }
}

/* ---- Documents and contexts ------------------------------------------------------------------ */

static void add_flag(size_t i)
{
    static const char *const variants[] = {
        "{\"on\":true,\"off\":false}",
        "{\"on\":1.5,\"off\":-0.0,\"1\":2,\"true\":3}",
        "{\"on\":\"\\u2028\",\"off\":\"\",\"NaN\":\"x\",\"\":\"y\"}",
        "{\"on\":{\"1\":{\"0\":[]}},\"off\":[[[]]]}",
        "{\"on\":true}",
    };
    (void)strbuf_printf(&out, "%s\"f%zu\":{\"state\":\"%s\",\"variants\":%s", i ? "," : "", i,
                        one_in(30) ? "DISABLED" : "ENABLED",
                        one_in(40) ? variants[2] : variants[below(2)]);
    if (one_in(2))
        add(",\"defaultVariant\":\"off\",\"offVariant\":\"off\"");
    if (one_in(6))
        (void)strbuf_printf(&out, ",\"requires\":[{\"flag\":\"f%zu\",\"variant\":\"on\"}]",
                            below(5));
    if (one_in(10)) {
        add(",\"metadata\":");
        add_value(2);
    }
    add(",\"targeting\":");
    add_rule(1 + (unsigned)below(6));
    add("}");
}

static void make_document(void)
{
    size_t n = 1 + below(4);
    strbuf_clear(&out);
    add("{\"$evaluators\":{\"staff\":");
    if (one_in(10))
        add_value(3);
    else
        add("{\"in\":[{\"var\":\"a\"},[1,\"a\",null]]}");
    add("},\"flags\":{");
    for (size_t i = 0; i < n; i++)
        add_flag(i);
    add("}}");
    for (size_t i = one_in(12) ? 1 + below(4) : 0; i > 0 && out.n; i--) /* and spoil it */
        out.p[below(out.n)] = "{}[]\",:\\x0\xff"[below(11)];
}

static json_t *make_context(void)
{
    static const char *const members[] = {
        "a", "b", "l", "list", "text", "deep", "targetingKey", "$flagd", ""
    };
    if (one_in(200))
        return NULL;
    strbuf_clear(&out);
    add("{");
    size_t written = 0;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (one_in(3))
            continue;
        (void)strbuf_printf(&out, "%s\"%s\":", written++ ? "," : "", members[i]);
        if (members[i][0] == 'l')
            add_list(3);
        else
            add_value(4);
    }
    add("}");
    return json_loadb(out.p, out.n, 0, NULL);
}

struct tally {
    unsigned long refused;
    unsigned long failed;
    unsigned long answered;
    unsigned most_steps;
};

static void count(const struct flag_document *d, const json_t *values, struct tally *t)
{
    struct flag_context c;
    unsigned steps = fuzz_evaluate_all(d, values, &c);
    t->most_steps = steps > t->most_steps ? steps : t->most_steps;
    for (size_t i = 0; i < flag_document_count(d); i++) {
        struct flag_answer a;
        flag_evaluate(d, flag_document_at(d, i), &c, &a);
        assert(a.steps <= LIMIT_FLAG_STEPS);
        *(a.error == FLAG_OK ? &t->answered : &t->failed) += 1;
    }
    if (one_in(20))
        fuzz_explain_first(d, values);
}

static void run(struct tally *t)
{
    struct err e = { 0 };
    CLEANUP(flag_document) struct flag_document *d = NULL;
    make_document();
    (void)alarm(HANG_SECONDS);
    if (!flag_document_parse(strbuf_str(&out), "hostile", &d, &e)) {
        assert(e.code == ERR_DATA || e.code == ERR_LIMIT);
        t->refused++;
        return;
    }
    json_auto_t *values = make_context();
    count(d, values, t);
}

static void tell_which(void)
{
    (void)fprintf(stderr, "# it was number %lu\n", at);
}

static void on_signal(int number)
{
    tell_which();
    _exit(128 + number);
}

int main(int argc, char **argv)
{
    uint64_t times = 0;
    uint64_t seed = SEED;
    if (argc < 2 || !str_to_u64(str_of(argv[1]), &times) ||
        (argc > 2 && !str_to_u64(str_of(argv[2]), &seed)))
        return 2;
    const char *more = getenv("LOCKFLIGHT_FLAG_EVALUATIONS");
    if (more && !str_to_u64(str_of(more), &times))
        return 2;
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(tell_which);
    (void)signal(SIGABRT, on_signal);
    (void)signal(SIGALRM, on_signal);
    state = seed ? seed : 1;
    out = strbuf_init(TEXT_BYTES);
    struct tally t = { 0 };
    printf("1..2\n");
    for (at = 1; at <= times; at++)
        run(&t);
    printf("ok 1 - %llu hostile documents, rules and contexts end none of it (seed %llu)\n",
           (unsigned long long)times, (unsigned long long)seed);
    printf("# %lu documents refused; flags: %lu failed, %lu answered; at most %u steps\n",
           t.refused, t.failed, t.answered, t.most_steps);
    bool varied = t.refused > times / 100 && t.failed > times / 10 && t.answered > times / 10 &&
                  t.most_steps <= LIMIT_FLAG_STEPS;
    printf("%sok 2 - some were refused, some failed, many were answered, none took too long\n",
           varied ? "" : "not ");
    strbuf_done(&out);
    return !varied;
}
