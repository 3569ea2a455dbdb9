/*
 * The oracle on trial: reverse scripts that people wrote for every case of the corpus must please
 * it, and migrations that were not taken back must not.
 */
#include "assert_ok.h"
#include "oracle.h"

#include "base/cleanup.h"

#define BATCH 130

static void judge_batch(const struct corpus *c, size_t from, size_t to, size_t *wrong)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    char *url = corpus_database(a, &db);
    for (size_t i = from; i < to; i++)
        if (c->cases.v[i].down && !corpus_run(db, corpus_sql(a, c->cases.v[i].base, i), false, &e))
            fail_msg("%s: base: %s: %s", c->cases.v[i].kind, e.what, e.why);
    struct oracle before, after;
    oracle_look(a, db, url, &before);
    for (size_t i = from; i < to; i++) {
        const struct corpus_case *k = &c->cases.v[i];
        if (k->down && (!corpus_run(db, corpus_sql(a, k->up, i), k->is_alone, &e) ||
                        !corpus_run(db, corpus_sql(a, k->down, i), k->is_alone, &e))) {
            print_message("%s: %s: %s\n", k->kind, e.what, e.why);
            ++*wrong;
        }
    }
    oracle_look(a, db, url, &after);
    for (size_t i = from; i < to; i++) {
        const struct corpus_case *k = &c->cases.v[i];
        char *difference = oracle_differ(a, &before, &after, (long)i, k->loss < 'C');
        if (k->down && difference) {
            print_message("%s:\n%s", k->kind, difference);
            ++*wrong;
        }
    }
    char *elsewhere = oracle_differ(a, &before, &after, -1, true);
    if (elsewhere)
        fail_msg("belongs to no case:\n%s", elsewhere);
}

static void every_reverse_script_written_by_hand_pleases_the_oracle(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct corpus c = { 0 };
    size_t wrong = 0;
    corpus_load_all(a, &c);
    for (size_t i = 0; i < c.cases.n; i += BATCH)
        judge_batch(&c, i, i + BATCH < c.cases.n ? i + BATCH : c.cases.n, &wrong);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reverse_script_written_by_hand_pleases_the_oracle),
    };
    return cmocka_run_group_tests_name("corpus/pairs", tests, NULL, NULL);
}
