/*
 * bench_flags FOLDER: our times on the documents of that folder, one line each: what, nanoseconds.
 *
 * As for the peer, a question is a key and a context that is there already as a value; each question
 * has a context of its own, as each request has. The shortest of some blocks counts.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"
#include "flag/evaluate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define BLOCKS 12

static struct arena *arena;
static unsigned long on;

static struct str read_file(const char *folder, const char *name)
{
    struct err e;
    struct str text;
    if (fs_read(arena, fs_join(arena, folder, name), MIB, &text, &e))
        return text;
    (void)fprintf(stderr, "bench_flags: %s\n", e.why);
    exit(1);
}

static struct flag_document *compile(struct str text)
{
    struct err e;
    struct flag_document *d;
    if (flag_document_parse(text, "document", &d, &e))
        return d;
    (void)fprintf(stderr, "bench_flags: %s\n", e.why);
    exit(1);
}

static double now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void one(const struct flag_document *d, const json_t *values)
{
    struct flag_answer a;
    struct flag_context c = flag_context(values, 1700000000);
    flag_evaluate(d, flag_document_find(d, STR("flag")), &c, &a);
    on += json_is_true(a.value);
}

static void all(const struct flag_document *d, const json_t *values)
{
    struct flag_answer a;
    struct flag_context c = flag_context(values, 1700000000);
    for (size_t i = 0; i < flag_document_count(d); i++) {
        flag_evaluate(d, flag_document_at(d, i), &c, &a);
        on += json_is_true(a.value);
    }
}

static void measure(const char *what, long times,
                    void (*run)(const struct flag_document *d, const json_t *values),
                    const struct flag_document *d, const json_t *values)
{
    double best = 1e18;
    for (int block = 0; block < BLOCKS; block++) {
        double start = now_ns();
        for (long i = 0; i < times; i++)
            run(d, values);
        double each = (now_ns() - start) / (double)times;
        best = each < best ? each : best;
    }
    printf("%s %.1f\n", what, best);
}

static struct str fifty_text;

static void load(const struct flag_document *d, const json_t *values)
{
    (void)d;
    (void)values;
    flag_document_free(compile(fifty_text));
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    struct err e;
    arena = arena_new(0);
    json_auto_t *context = json_parse(read_file(argv[1], "context.json"), "context", &e);
    if (!context)
        return 1;
    fifty_text = read_file(argv[1], "fifty.json");
    struct flag_document *still = compile(read_file(argv[1], "static.json"));
    struct flag_document *rule = compile(read_file(argv[1], "rule.json"));
    struct flag_document *fifty = compile(fifty_text);
    measure("static", 2000000, one, still, context);
    measure("rule", 300000, one, rule, context);
    measure("fifty", 20000, all, fifty, context);
    measure("load", 100, load, NULL, NULL);
    flag_document_free(still);
    flag_document_free(rule);
    flag_document_free(fifty);
    arena_free(arena);
    return on == 1;
}
