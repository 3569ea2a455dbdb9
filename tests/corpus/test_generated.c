/*
 * The generator and the proof on trial, over the whole corpus: every kind of statement once or more
 * by hand, the rest by chance (LOCKFLIGHT_SEED repeats a run).
 *
 *   generate   on a scratch database that stands before the migration
 *   prove      as `migration prove` does
 *   judge      in another database, with the oracle of oracle.h, which shares nothing with either:
 *              the schema as pg_dump says it, and, if the script promises it, every row
 *
 * What must hold: nearly everything is generated and proved; the rest is refused, with a reason; no
 * script that the oracle finds wrong is proved; no script promises more than can be.
 */
#include "assert_ok.h"
#include "oracle.h"
#include "random.h"

#include "base/cleanup.h"
#include "base/env.h"
#include "migrate/prove/generated.h"
#include "migrate/reverse/keep.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CASES_MIN   400
#define RANDOM_MORE 170
#define PERCENT     95

enum answer {
    LEFT_OUT, /* the server refuses the migration itself */
    REFUSED,
    STATED, /* proved to leave what the script says it leaves: class D */
    PROVEN,
};

struct outcome {
    enum answer answer;
    char loss;
    bool was_kept; /* rewritten by `migration keep` first */
    const char *up;
    const char *down;
    const char *reason;
};

/* What both tests need: made once, by whichever comes first. */
static struct arena *arena;
static struct corpus corpus;
static size_t by_hand; /* the first ones of the corpus; the others are made by chance */
static struct outcome *outcomes;
static uint64_t seed;
static const char
    *only; /* LOCKFLIGHT_CORPUS: kinds with this in their name; for a person at work */

/* ---- generate and prove ---- */

static const char *quit(struct arena *a, const struct err *e)
{
    return arena_printf(a, "%s%s%s", e->what, e->what[0] ? ": " : "", e->why);
}

static void generate(struct shadow *s, struct arena *a, struct migration *m, struct outcome *o)
{
    struct err e = { 0 };
    struct reverse_script r = { 0 };
    struct proof p = { 0 };
    *o = (struct outcome){ .up = m->sql.p };
    if (!generated_prove(s, a, m, &r, &p, &e)) {
        o->answer = LEFT_OUT;
        o->reason = quit(a, &e);
        return;
    }
    o->loss = r.sql ? p.loss : 'D';
    o->down = r.sql ? r.sql : r.draft;
    o->answer = !r.sql ? REFUSED : p.loss == 'D' ? STATED : PROVEN;
    o->reason = !r.sql ? r.refusal : p.loss_text;
    if (p.change_count > 0)
        o->reason = arena_printf(a, "%s: %s", p.reason, proof_change_text(a, &p.changes[0]));
}

/* What `migration keep --write` would make of it; false if it has nothing to keep, or refuses. */
static bool keep(struct shadow *s, struct arena *a, struct migration *m)
{
    struct err e = { 0 };
    struct keep k = { 0 };
    if (!keep_plan(shadow_db(s), a, m, &k, &e) || k.n == 0 || k.refusal_count > 0)
        return false;
    m->sql = k.text;
    return true;
}

static void try_case(struct shadow *s, struct arena *a, const struct corpus_case *k, size_t n,
                     struct outcome *o)
{
    struct err e = { 0 };
    struct migration m = { .version = arena_printf(a, "%014zu", n),
                           .name = "case",
                           .file = "case.sql",
                           .sql = str_of(corpus_sql(a, k->up, n)),
                           .sha256 = "-",
                           .reverse_file = "back.sql" };
    if (!corpus_run(shadow_db(s), corpus_sql(a, k->base, n), false, &e)) {
        *o = (struct outcome){ .answer = LEFT_OUT, .reason = quit(a, &e) };
        return;
    }
    generate(s, a, &m, o);
    if ((o->answer == STATED || (o->answer == REFUSED && o->down)) && keep(s, a, &m)) {
        generate(s, a, &m, o);
        o->was_kept = true;
    }
}

/* Everything a case can have made, so that the next one begins with nothing. */
static void sweep(struct shadow *s, struct arena *a, size_t n)
{
    struct err e = { 0 };
    static const char all[] = "drop event trigger if exists @_et;"
                              "drop publication if exists @_pub;"
                              "drop schema if exists @, @_b, @_c cascade;"
                              "drop schema if exists lockflight_gone, lockflight_undo cascade;"
                              "drop foreign data wrapper if exists @_w cascade;"
                              "drop role if exists @_role;";
    assert_ok(corpus_run(shadow_db(s), corpus_sql(a, all, n), false, &e), &e);
}

static void say(FILE *to, const struct outcome *o)
{
    fprintf(to, "%d%d%c%s%c%s%c%s%c", (int)o->answer, o->was_kept, o->loss ? o->loss : '-',
            o->up ? o->up : "", 0, o->down ? o->down : "", 0, o->reason ? o->reason : "", 0);
}

/* Every other case, in a process of its own: two processors, half the time. */
static void work(const char *url, size_t first, FILE *to)
{
    struct err e = { 0 };
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct shadow *s = NULL;
    assert_ok(shadow_open(&(struct shadow_spec){ .server_url = url }, a, &s, &e), &e);
    for (size_t i = first; i < corpus.cases.n; i += 2) {
        CLEANUP(arena) struct arena *case_arena = arena_new(0);
        struct outcome o = { 0 };
        if (only && !strstr(corpus.cases.v[i].kind, only)) {
            say(to, &o);
            continue;
        }
        try_case(s, case_arena, &corpus.cases.v[i], i, &o);
        sweep(s, case_arena, i);
        say(to, &o);
    }
    shadow_close(s);
}

static const char *hear_text(FILE *from)
{
    char *text = NULL;
    size_t room = 0;
    if (getdelim(&text, &room, 0, from) < 0)
        fail_msg("a worker ended early");
    const char *copy = *text ? arena_strdup(arena, text) : NULL;
    free(text);
    return copy;
}

static void hear(FILE *from, struct outcome *o)
{
    int answer = fgetc(from), was_kept = fgetc(from), loss = fgetc(from);
    if (loss == EOF)
        fail_msg("a worker ended early");
    *o = (struct outcome){ .answer = (enum answer)(answer - '0'),
                           .was_kept = was_kept == '1',
                           .loss = (char)loss };
    o->up = hear_text(from);
    o->down = hear_text(from);
    o->reason = hear_text(from);
}

static void try_all(void)
{
    CLEANUP(pg) struct pg *db = NULL;
    const char *url = corpus_database(arena, &db); /* the door, and the roles */
    FILE *from[2];
    for (size_t w = 0; w < 2; w++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t pid = fork();
        if (pid == 0) {
            FILE *to = fdopen(ends[1], "w");
            work(url, w, to);
            (void)fclose(to);
            _exit(0);
        }
        (void)close(ends[1]);
        from[w] = fdopen(ends[0], "r");
    }
    for (size_t i = 0; i < corpus.cases.n; i++)
        hear(from[i % 2], &outcomes[i]);
    for (size_t w = 0; w < 2; w++) {
        (void)fclose(from[w]);
        (void)wait(NULL);
    }
}

static int setup(void **state)
{
    (void)state;
    arena = arena_new(0);
    seed = random_seed();
    only = env_value("LOCKFLIGHT_CORPUS");
    corpus_load_all(arena, &corpus);
    by_hand = corpus.cases.n;
    for (size_t i = 0; i < RANDOM_MORE; i++)
        *vec_add(&corpus.cases, arena) = random_case(arena, seed, i);
    outcomes = ARENA_ARRAY(arena, struct outcome, corpus.cases.n);
    print_message("# seed %llu: LOCKFLIGHT_SEED=%llu repeats this\n", (unsigned long long)seed,
                  (unsigned long long)seed);
    try_all();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* ---- judge ---- */

#define BATCH 120

static bool is_accepted(const struct outcome *o)
{
    return o->answer == PROVEN || o->answer == STATED;
}

/* Runs up and down of each case that has a script in a database that the generator never saw. */
static size_t judge_batch(size_t from, size_t to)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct oracle before, after;
    struct err e = { 0 };
    size_t wrong = 0;
    char *url = corpus_database(a, &db);
    for (size_t i = from; i < to; i++)
        if (is_accepted(&outcomes[i]))
            assert_ok(corpus_run(db, corpus_sql(a, corpus.cases.v[i].base, i), false, &e), &e);
    oracle_look(a, db, url, &before);
    for (size_t i = from; i < to; i++) {
        const struct corpus_case *k = &corpus.cases.v[i];
        if (is_accepted(&outcomes[i]) && (!corpus_run(db, outcomes[i].up, k->is_alone, &e) ||
                                          !corpus_run(db, outcomes[i].down, k->is_alone, &e))) {
            print_message("# proved, but does not run: %s: %s\n%s", k->kind, e.why,
                          outcomes[i].down);
            wrong++;
        }
    }
    oracle_look(a, db, url, &after);
    for (size_t i = from; i < to; i++) {
        if (!is_accepted(&outcomes[i]))
            continue;
        char *difference = oracle_differ(a, &before, &after, (long)i, outcomes[i].loss < 'C');
        if (difference && !strstr(outcomes[i].down, "\n-- leaves: ")) {
            print_message("# proved, but wrong: %s (%c)\n%s%s", corpus.cases.v[i].kind,
                          outcomes[i].loss, outcomes[i].down, difference);
            wrong++;
        }
    }
    return wrong;
}

static void no_wrong_script_is_accepted(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < corpus.cases.n; i += BATCH)
        wrong += judge_batch(i, i + BATCH < corpus.cases.n ? i + BATCH : corpus.cases.n);
    assert_int_equal(wrong, 0);
}

static const char *const answers[] = { "left out", "refused", "stated", "proven" };

/* "column 53 of 53, table 36 of 38 …": proved of those that were tried. */
static void tell_families(void)
{
    for (size_t i = 0; i < corpus.cases.n;) {
        const char *family = corpus.cases.v[i].family;
        size_t proven = 0, tried = 0;
        for (; i < corpus.cases.n && streq(corpus.cases.v[i].family, family); i++) {
            proven += outcomes[i].answer == PROVEN;
            tried += outcomes[i].answer != LEFT_OUT;
        }
        print_message("# %-10s %zu of %zu\n", family, proven, tried);
    }
}

static void nearly_everything_is_generated_and_proved_and_the_rest_refused_with_a_reason(
    void **state)
{
    (void)state;
    size_t count[4] = { 0 }, kept = 0, silent = 0, left_out_by_hand = 0;
    for (size_t i = 0; i < corpus.cases.n; i++) {
        const struct outcome *o = &outcomes[i];
        count[o->answer]++;
        kept += o->answer == PROVEN && o->was_kept;
        left_out_by_hand += o->answer == LEFT_OUT && i < by_hand;
        if (o->answer == PROVEN || (o->answer == LEFT_OUT && i >= by_hand))
            continue;
        print_message("# %s: %s: %s\n%s", answers[o->answer], corpus.cases.v[i].kind,
                      o->reason ? o->reason : "no reason",
                      o->answer == REFUSED && o->down ? o->down : "");
        silent += !o->reason || !*o->reason;
    }
    size_t tried = corpus.cases.n - count[LEFT_OUT];
    print_message(
        "# %zu schema changes, seed %llu: %zu generated and proved (%zu.%zu %%), %zu of "
        "them kept first;\n# %zu refused, %zu say what stays; "
        "%zu made by chance do not run\n",
        tried, (unsigned long long)seed, count[PROVEN], count[PROVEN] * 100 / tried,
        count[PROVEN] * 1000 / tried % 10, kept, count[REFUSED], count[STATED], count[LEFT_OUT]);
    tell_families();
    assert_true(tried >= CASES_MIN);
    assert_int_equal(silent, 0);
    assert_int_equal(left_out_by_hand, 0);
    assert_true(count[PROVEN] * 100 >= tried * PERCENT);
}

static void no_script_promises_more_than_can_be(void **state)
{
    (void)state;
    size_t too_good = 0;
    for (size_t i = 0; i < by_hand; i++) {
        const struct corpus_case *k = &corpus.cases.v[i];
        const struct outcome *o = &outcomes[i];
        if ((o->answer == PROVEN && !o->was_kept && o->loss < k->loss) ||
            (k->must_refuse && o->answer != REFUSED && o->answer != LEFT_OUT)) {
            print_message("# %s: promises %c, where %c is the best there can be\n", k->kind,
                          o->loss, k->loss);
            too_good++;
        }
    }
    assert_int_equal(too_good, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wrong_script_is_accepted),
        cmocka_unit_test(
            nearly_everything_is_generated_and_proved_and_the_rest_refused_with_a_reason),
        cmocka_unit_test(no_script_promises_more_than_can_be),
    };
    return cmocka_run_group_tests_name("corpus/generated", tests, setup, teardown);
}
