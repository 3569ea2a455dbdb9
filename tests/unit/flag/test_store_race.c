/* Two operators at once, and what those who listen are told. */
#include "flag/store_fixture.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <string.h>

enum {
    ROUNDS = 100,    /* both read, then both write: one of them must be refused */
    FREE_RUNS = 100, /* as fast as they can */
};

struct operator_ {
    const char *name;
    const char *url;
    pthread_barrier_t *together;
    int written;
    int refused;
    struct err e;
};

/* What is written is made from what was read, so that a lost update leaves a smaller number. */
static bool add_one(struct pg *db, struct operator_ *o, pthread_barrier_t *between, bool *ret_done)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct flag_row row;
    if (!flag_store_get(db, a, "crm", &row, &o->e))
        return false;
    int n = row.targeting ? atoi(strstr(row.targeting, "\"on\", ") + strlen("\"on\", ")) : 0;
    if (between)
        (void)pthread_barrier_wait(between);
    json_auto_t *patch =
        json_pack("{s:{s:[[s,i],[s,i]]}}", "targeting", "fractional", "on", n + 1, "off", 1000 - n);
    const struct flag_author by = { o->name, "cli", NULL };
    int64_t version;
    *ret_done = flag_store_set(db, "crm", patch, row.version, &by, &version, &o->e);
    if (*ret_done) {
        o->written++;
        return true;
    }
    o->refused++;
    return o->e.code == ERR_CONFLICT;
}

static void *operate(void *context)
{
    struct operator_ *o = context;
    CLEANUP(pg) struct pg *db = NULL;
    bool ok = pg_open(&(struct pg_spec){ .url = o->url, .purpose = "operator" }, &db, &o->e);
    bool done = false;
    for (int i = 0; ok && i < ROUNDS; i++) {
        (void)pthread_barrier_wait(o->together);
        ok = add_one(db, o, o->together, &done);
    }
    for (int i = 0; ok && i < FREE_RUNS; i += done)
        ok = add_one(db, o, NULL, &done);
    if (ok)
        err_clear(&o->e);
    return NULL;
}

static void two_operators_lose_no_update_and_leave_a_whole_audit(void **state)
{
    struct fixture *f = *state;
    pthread_barrier_t together;
    assert_int_equal(pthread_barrier_init(&together, NULL, 2), 0);
    struct operator_ o[2] = { { "ana@laptop", f->url, &together, 0, 0, { 0 } },
                              { "ben@desk", f->url, &together, 0, 0, { 0 } } };
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, operate, &o[i]), 0);
    for (int i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
    (void)pthread_barrier_destroy(&together);
    for (int i = 0; i < 2; i++)
        assert_string_equal(o[i].e.why, "");
    int written = o[0].written + o[1].written;
    assert_int_equal(written, ROUNDS + 2 * FREE_RUNS);
    assert_true(o[0].refused + o[1].refused >= ROUNDS);

    struct flag_row row = get(f, "crm");
    assert_non_null(strstr(row.targeting, arena_printf(f->a, "[\"on\", %d]", written)));
    assert_int_equal(row.version, 1 + written);
    assert_string_equal(ask(f, "SELECT count(*) FROM lockflight.flag_audit WHERE action = 'set'"),
                        arena_printf(f->a, "%d", written));
    /* each entry begins where the one before ended, and each change is a config version */
    assert_string_equal(ask(f, "SELECT count(*) FROM (SELECT old, lag(new) OVER (ORDER BY seq) AS l"
                               " FROM lockflight.flag_audit WHERE action = 'set') x"
                               " WHERE l IS DISTINCT FROM old AND l IS NOT NULL"),
                        "0");
    assert_string_equal(ask(f, "SELECT count(DISTINCT config_version) = count(*) AND"
                               " max(config_version) = lockflight.flag_version()"
                               " FROM lockflight.flag_audit WHERE action = 'set'"),
                        "t");
    assert_string_equal(ask(f, "SELECT string_agg(DISTINCT actor, ' ' ORDER BY actor)"
                               " FROM lockflight.flag_audit WHERE action = 'set'"),
                        "ana@laptop ben@desk");
}

/* ---- notifications ---- */

/* All that have come, one per line. */
static const char *heard(struct fixture *f, PGconn *ear)
{
    char *text = arena_strdup(f->a, "");
    PQclear(PQexec(ear, "SELECT 1"));
    (void)PQconsumeInput(ear);
    for (PGnotify *n = PQnotifies(ear); n; n = PQnotifies(ear)) {
        text = arena_printf(f->a, "%s%s %s\n", text, n->relname, n->extra);
        PQfreemem(n);
    }
    return text;
}

static PGconn *listen_to(struct fixture *f)
{
    PGconn *ear = PQconnectdb(f->url);
    assert_int_equal(PQstatus(ear), CONNECTION_OK);
    PQclear(PQexec(ear, "LISTEN " FLAG_CHANNEL));
    return ear;
}

static void a_transaction_is_one_version_and_one_notification(void **state)
{
    struct fixture *f = *state;
    PGconn *ear = listen_to(f);
    int64_t before, after;
    assert_ok(flag_store_version(f->db, &before, &f->e), &f->e);

    assert_ok(pg_begin(f->db, &f->e), &f->e);
    assert_ok(set(f, "crm", 1, "{'enabled':false}"), &f->e);
    assert_ok(set(f, "financial", 1, "{'default_variant':'on'}"), &f->e);
    assert_ok(set(f, "crm", 2, "{'killed':true}"), &f->e);
    assert_string_equal(heard(f, ear), "");
    assert_ok(pg_commit(f->db, &f->e), &f->e);
    assert_string_equal(heard(f, ear), arena_printf(f->a,
                                                    FLAG_CHANNEL " {\"v\":%d,\"keys\":[\"crm\","
                                                                 "\"financial\"]}\n",
                                                    (int)before + 1));
    assert_ok(flag_store_version(f->db, &after, &f->e), &f->e);
    assert_int_equal(after, before + 1);

    assert_ok(pg_begin(f->db, &f->e), &f->e);
    assert_ok(set(f, "financial", 2, "{'killed':true}"), &f->e);
    pg_rollback(f->db);
    assert_ok(set(f, "financial", 2, "{'enabled':true}"), &f->e); /* so it is */
    assert_string_equal(heard(f, ear), "");
    assert_ok(flag_store_version(f->db, &after, &f->e), &f->e);
    assert_int_equal(after, before + 1);
    PQfinish(ear);
}

static void many_keys_and_segments_are_told_as_everything(void **state)
{
    struct fixture *f = *state;
    PGconn *ear = listen_to(f);
    json_auto_t *many = json_array();
    for (int i = 0; i < 50; i++)
        json_array_append_new(many, json_pack("{s:o}", "key", json_sprintf("f%d", i)));
    const char *answer;
    assert_ok(flag_store_define(f->db, f->a, many, NULL, &ana, &answer, &f->e), &f->e);
    const char *fifty = heard(f, ear);
    assert_non_null(strstr(fifty, "\"keys\":[\"f0\",\"f1\","));
    assert_non_null(strstr(fifty, ",\"f49\"]}\n"));
    json_array_append_new(many, json_pack("{s:s}", "key", "more"));
    for (size_t i = 0; i < json_array_size(many); i++)
        json_object_set_new(json_array_get(many, i), "owner", json_string("x"));
    assert_ok(flag_store_define(f->db, f->a, many, NULL, &ana, &answer, &f->e), &f->e);
    assert_non_null(strstr(heard(f, ear), "\"keys\":[\"*\"]}\n"));
    json_auto_t *rule = json_of(f, "{'in':[{'var':'targetingKey'},['a']]}");
    int64_t version;
    assert_ok(flag_store_segment_set(f->db, "pilot", rule, 0, &ana, &version, &f->e), &f->e);
    assert_non_null(strstr(heard(f, ear), "\"keys\":[\"*\"]}\n"));
    PQfinish(ear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_operators_lose_no_update_and_leave_a_whole_audit, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_transaction_is_one_version_and_one_notification, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(many_keys_and_segments_are_told_as_everything, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
