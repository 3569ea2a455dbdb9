/*
 * The catalogue digest on trial: reverse scripts that are wrong in one point must leave another
 * digest, right ones the same. The oracle says which are which.
 *
 * Each mutant gets a schema of its own in one database; up and the mutated way back run; one look of
 * either judge at the database before and after says who noticed what.
 */
#include "assert_ok.h"
#include "mutate.h"
#include "oracle.h"

#include "base/cleanup.h"
#include "migrate/catalogue/catalogue.h"
#include "migrate/prove/proof.h"

#define BATCH       150
#define MUTANTS_MIN 100 /* wrong ones among those derived */

struct count {
    size_t wrong, right, refused_by_server, missed, false_alarms;
};

/* What the digest is made of, as findings, so that both judges are asked the same way. */
static void digest_look(struct arena *a, struct pg *db, struct oracle *ret)
{
    struct err e = { 0 };
    struct catalogue c;
    if (!catalogue_read(db, a, &c, &e))
        fail_msg("%s: %s", e.what, e.why);
    oracle_of_lines(a, c.lines, c.n, ret);
}

/* Runs up and down; false if the server refused the way back, which needs no judge. */
static bool go_there_and_back(struct pg *db, struct arena *a, const struct mutant *m, size_t number)
{
    struct err e = { 0 };
    if (!corpus_run(db, corpus_sql(a, m->of->up, number), m->of->is_alone, &e))
        fail_msg("%s: up: %s: %s", m->of->kind, e.what, e.why);
    return corpus_run(db, corpus_sql(a, m->down, number), m->of->is_alone, &e);
}

static void judge(const struct mutant *m, size_t n, struct count *c)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    struct oracle oracle[2], digest[2];
    bool *ran = ARENA_ARRAY(a, bool, n);
    char *url = corpus_database(a, &db);
    for (size_t i = 0; i < n; i++)
        assert_ok(corpus_run(db, corpus_sql(a, m[i].of->base, i), false, &e), &e);
    oracle_look(a, db, url, &oracle[0]);
    digest_look(a, db, &digest[0]);
    for (size_t i = 0; i < n; i++)
        ran[i] = go_there_and_back(db, a, &m[i], i);
    oracle_look(a, db, url, &oracle[1]);
    digest_look(a, db, &digest[1]);
    for (size_t i = 0; i < n; i++) {
        char *truth = oracle_differ(a, &oracle[0], &oracle[1], (long)i, false);
        char *seen = oracle_differ(a, &digest[0], &digest[1], (long)i, false);
        if (!ran[i])
            c->refused_by_server++;
        else if (truth)
            c->wrong++;
        else
            c->right++;
        if (truth && !seen) {
            print_message("not noticed: %s, %s:\n%s", m[i].of->kind, m[i].how, truth);
            c->missed++;
        } else if (!truth && seen) {
            print_message("false alarm: %s, %s:\n%s", m[i].of->kind, m[i].how, seen);
            c->false_alarms++;
        }
        if (m[i].of->down == m[i].down && (truth != NULL) == m[i].of->is_right)
            fail_msg("%s: the oracle thinks otherwise:\n%s", m[i].of->kind, truth ? truth : "");
    }
}

static void judge_all(const struct mutants *m, struct count *c)
{
    for (size_t i = 0; i < m->list.n; i += BATCH)
        judge(m->list.v + i, i + BATCH < m->list.n ? BATCH : m->list.n - i, c);
}

static void the_digest_notices_each_of_the_known_mistakes(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct corpus c = { 0 };
    struct mutants m = { 0 };
    struct count count = { 0 };
    corpus_load(a, "tests/corpus/cases/bases.sql", &c);
    corpus_load(a, "tests/corpus/cases/mutants.sql", &c);
    for (size_t i = 0; i < c.cases.n; i++)
        *vec_add(&m.list, a) =
            (struct mutant){ &c.cases.v[i], c.cases.v[i].kind, c.cases.v[i].down };
    judge_all(&m, &count);
    print_message("# known mistakes: %zu wrong, %zu right; not noticed %zu, false alarms %zu\n",
                  count.wrong, count.right, count.missed, count.false_alarms);
    assert_int_equal(count.wrong, 35);
    assert_int_equal(count.right, 4);
    assert_int_equal(count.missed + count.false_alarms, 0);
}

static void the_digest_notices_every_mistake_made_out_of_a_right_script(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct corpus c = { 0 };
    struct mutants m = { 0 };
    struct count count = { 0 };
    corpus_load_all(a, &c);
    for (size_t i = 0; i < c.cases.n; i++)
        mutate(a, &c.cases.v[i], &m);
    judge_all(&m, &count);
    print_message("# derived mistakes: %zu wrong, %zu right, %zu refused by the server; not noticed"
                  " %zu, false alarms %zu\n",
                  count.wrong, count.right, count.refused_by_server, count.missed,
                  count.false_alarms);
    assert_true(count.wrong >= MUTANTS_MIN);
    assert_int_equal(count.missed + count.false_alarms, 0);
}

static void the_proof_accepts_the_right_ones_and_no_other(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    CLEANUP(pg) struct pg *door = NULL;
    CLEANUP(shadow) struct shadow *s = NULL;
    struct corpus c = { 0 };
    struct err e = { 0 };
    size_t accepted = 0;
    char *url = corpus_database(a, &door);
    corpus_load(a, "tests/corpus/cases/bases.sql", &c);
    corpus_load(a, "tests/corpus/cases/mutants.sql", &c);
    assert_ok(shadow_open(&(struct shadow_spec){ .server_url = url }, a, &s, &e), &e);
    for (size_t i = 0; i < c.cases.n; i++) {
        const struct corpus_case *k = &c.cases.v[i];
        struct proof p = { 0 };
        struct migration m = { .version = "1",
                               .name = "mutant",
                               .file = "mutant.sql",
                               .sql = str_of(corpus_sql(a, k->up, i)),
                               .sha256 = "-",
                               .reverse_file = "back.sql",
                               .has_reverse = true,
                               .reverse_sql = str_of(corpus_sql(a, k->down, i)),
                               .reverse_sha256 = "-" };
        assert_ok(corpus_run(shadow_db(s), corpus_sql(a, k->base, i), false, &e), &e);
        assert_ok(proof_run(s, a, &m, &p, &e), &e);
        if (p.is_proven != k->is_right)
            fail_msg("%s: %s", k->kind, p.is_proven ? "proven" : p.reason);
        accepted += p.is_proven;
        assert_ok(corpus_run(shadow_db(s),
                             corpus_sql(a,
                                        "drop publication if exists @_pub;"
                                        "drop schema @ cascade;",
                                        i),
                             false, &e),
                  &e);
    }
    assert_int_equal(accepted, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_notices_each_of_the_known_mistakes),
        cmocka_unit_test(the_digest_notices_every_mistake_made_out_of_a_right_script),
        cmocka_unit_test(the_proof_accepts_the_right_ones_and_no_other),
    };
    return cmocka_run_group_tests_name("corpus/mutants", tests, NULL, NULL);
}
