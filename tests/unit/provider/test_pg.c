/* provider/pg against a real server. */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/signals.h"
#include "provider/pg.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct arena *a;
    char *url;
    struct pg *db;
    struct err e;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(0);
    f->url = pg_fixture_database(f->a);
    assert_ok(pg_open(&(struct pg_spec){ .url = f->url, .purpose = "test" }, &f->db, &f->e), &f->e);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pg_close(f->db);
    arena_free(f->a);
    free(f);
    return 0;
}

static const char *ask(struct fixture *f, struct pg *db, const char *sql)
{
    struct pg_rows rows;
    assert_ok(pg_query(db, f->a, sql, PG_NONE, &rows, &f->e), &f->e);
    return rows.n ? pg_value(&rows, 0, 0) : NULL;
}

static void values_are_bound_and_nulls_come_back_as_null(void **state)
{
    struct fixture *f = *state;
    struct pg_rows rows;
    assert_ok(pg_query(f->db, f->a, "SELECT $1::text, $2::text, 42, true",
                       PG_PARAMS("'; DROP TABLE x; --", NULL), &rows, &f->e),
              &f->e);
    assert_string_equal(pg_value(&rows, 0, 0), "'; DROP TABLE x; --");
    assert_null(pg_value(&rows, 0, 1));
    assert_int_equal(pg_int(&rows, 0, 2), 42);
    assert_true(pg_bool(&rows, 0, 3));
}

static void the_session_is_set_up_as_our_sql_expects(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, f->db, "SHOW application_name"), "lockflight test");
    assert_string_equal(ask(f, f->db, "SHOW search_path"), "pg_catalog, pg_temp");
    assert_string_equal(ask(f, f->db, "SHOW client_connection_check_interval"), "500ms");
    assert_string_equal(ask(f, f->db, "SHOW synchronous_commit"), "on");
}

static void a_refusal_carries_its_sqlstate_and_leaves_the_connection_good(void **state)
{
    struct fixture *f = *state;
    int position = 0;
    assert_fails(pg_run(f->db, "SELECT * FROM nowhere", &position, &f->e), &f->e, ERR_DB);
    assert_string_equal(f->e.sqlstate, "42P01");
    assert_int_equal(position, 15);
    assert_true(pg_is_alive(f->db));
}

static void two_statements_in_one_text_are_refused(void **state)
{
    struct fixture *f = *state;
    assert_fails(pg_run(f->db, "SELECT 1; SELECT 2", NULL, &f->e), &f->e, ERR_DB);
}

static void copy_from_the_client_is_refused_and_the_connection_goes_on(void **state)
{
    struct fixture *f = *state;
    assert_ok(pg_run(f->db, "CREATE TABLE public.t (a int)", NULL, &f->e), &f->e);
    assert_fails(pg_run(f->db, "COPY public.t FROM STDIN", NULL, &f->e), &f->e, ERR_DB);
    assert_string_equal(ask(f, f->db, "SELECT count(*) FROM public.t"), "0");
}

static void a_malformed_url_is_refused_without_quoting_it(void **state)
{
    struct fixture *f = *state;
    struct pg *db = NULL;
    assert_fails(pg_open(&(struct pg_spec){ .url = "postgresql://u:sesame%@h/d" }, &db, &f->e),
                 &f->e, ERR_CONFIG);
    assert_null(strstr(f->e.why, "sesame"));
}

static void a_server_out_of_reach_is_a_network_error_that_names_it(void **state)
{
    struct fixture *f = *state;
    struct pg *db = NULL;
    assert_fails(
        pg_open(&(struct pg_spec){ .url = "host=/nonexistent dbname=x user=u" }, &db, &f->e), &f->e,
        ERR_NET);
    assert_non_null(strstr(f->e.what, "/nonexistent"));
}

/* Ends the backend of `victim` over another connection. */
static void cut(struct fixture *f, struct pg *victim)
{
    struct pg *other = NULL;
    assert_ok(pg_open(&(struct pg_spec){ .url = f->url }, &other, &f->e), &f->e);
    char pid[16];
    (void)snprintf(pid, sizeof pid, "%d", pg_backend_pid_of(victim));
    struct pg_rows rows;
    assert_ok(pg_query(other, f->a, "SELECT pg_terminate_backend($1::int, 5000)", PG_PARAMS(pid),
                       &rows, &f->e),
              &f->e);
    pg_close(other);
}

static void a_connection_lost_inside_a_transaction_means_nothing_took_effect(void **state)
{
    struct fixture *f = *state;
    assert_ok(pg_begin(f->db, &f->e), &f->e);
    assert_ok(pg_run(f->db, "CREATE TABLE public.t (a int)", NULL, &f->e), &f->e);
    cut(f, f->db);
    assert_fails(pg_run(f->db, "INSERT INTO public.t VALUES (1)", NULL, &f->e), &f->e, ERR_NET);
    assert_false(pg_is_alive(f->db));
    assert_ok(pg_reconnect(f->db, &f->e), &f->e);
    assert_null(ask(f, f->db, "SELECT to_regclass('public.t')"));
}

static void a_lost_statement_outside_a_transaction_is_an_unknown_outcome(void **state)
{
    struct fixture *f = *state;
    cut(f, f->db);
    assert_fails(pg_exec(f->db, "SELECT 1", PG_NONE, NULL, &f->e), &f->e, ERR_UNKNOWN_OUTCOME);
    assert_fails(pg_exec(f->db, "SELECT 1", PG_NONE, NULL, &f->e), &f->e, ERR_NET);
}

static void a_commit_on_a_cut_connection_is_settled_as_not_done(void **state)
{
    struct fixture *f = *state;
    assert_ok(pg_begin(f->db, &f->e), &f->e);
    assert_ok(pg_run(f->db, "CREATE TABLE public.t (a int)", NULL, &f->e), &f->e);
    cut(f, f->db);
    assert_fails(pg_commit(f->db, &f->e), &f->e, ERR_NET);
}

/* The server commits, then waits for a standby that does not exist before it answers: there it is
 * cut off. */
static void a_commit_whose_answer_is_lost_is_settled_as_done(void **state)
{
    struct fixture *f = *state;
    struct pg *other = NULL;
    assert_ok(pg_open(&(struct pg_spec){ .url = f->url }, &other, &f->e), &f->e);
    assert_ok(pg_run(other, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", NULL, &f->e),
              &f->e);
    (void)ask(f, other, "SELECT pg_reload_conf()");
    pid_t child = fork();
    if (child == 0) {
        struct err e;
        struct pg *db = NULL;
        bool ok = pg_open(&(struct pg_spec){ .url = f->url, .purpose = "committer" }, &db, &e) &&
                  pg_begin(db, &e) && pg_run(db, "CREATE TABLE public.kept (a int)", NULL, &e) &&
                  pg_commit(db, &e);
        _exit(ok && !pg_is_alive(db) ? 0 : 1);
    }
    static const char waiting[] = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
                                  " AND application_name = 'lockflight committer'";
    while (!ask(f, other, waiting))
        (void)usleep(20000);
    (void)ask(
        f, other,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_ok(pg_run(other, "ALTER SYSTEM RESET synchronous_standby_names", NULL, &f->e), &f->e);
    (void)ask(f, other, "SELECT pg_reload_conf()");
    assert_non_null(ask(f, other, "SELECT to_regclass('public.kept')"));
    pg_close(other);
    assert_int_equal(status, 0);
}

static void committing_a_failed_transaction_is_an_error(void **state)
{
    struct fixture *f = *state;
    assert_ok(pg_begin(f->db, &f->e), &f->e);
    assert_fails(pg_run(f->db, "SELECT 1/0", NULL, &f->e), &f->e, ERR_DB);
    assert_false(pg_commit(f->db, &f->e));
    pg_rollback(f->db);
    assert_false(pg_in_transaction(f->db));
}

static void a_statement_dies_within_a_second_of_its_client(void **state)
{
    struct fixture *f = *state;
    pid_t child = fork();
    if (child == 0) {
        struct err e;
        struct pg *db = NULL;
        if (pg_open(&(struct pg_spec){ .url = f->url, .purpose = "orphan" }, &db, &e))
            (void)!pg_run(db, "SELECT pg_sleep(60)", NULL, &e);
        _exit(0);
    }
    static const char count[] =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lockflight orphan'"
        " AND query LIKE '%pg_sleep%' AND state = 'active'";
    while (strcmp(ask(f, f->db, count), "1") != 0)
        (void)usleep(20000);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    int rounds = 0;
    while (strcmp(ask(f, f->db, count), "0") != 0 && rounds++ < 500)
        (void)usleep(20000);
    assert_string_equal(ask(f, f->db, count), "0");
}

/* A PgBouncer in front of the fixture's server, with both pool modes. 0 if the machine has none. */
static pid_t start_bouncer(struct fixture *f, const char *dir)
{
    char *ini =
        arena_printf(f->a,
                     "[databases]\ntx = %s pool_mode=transaction\nse = %s pool_mode=session\n"
                     "[pgbouncer]\nlisten_addr =\nunix_socket_dir = %s\nauth_type = any\n"
                     "logfile = %s/log\n",
                     f->url, f->url, dir, dir);
    char *path = arena_printf(f->a, "%s/bouncer.ini", dir);
    struct err e = { 0 };
    if (access("/usr/sbin/pgbouncer", X_OK) != 0 || !fs_replace(path, str_of(ini), 0644, &e) ||
        chmod(dir, 0777) != 0)
        return 0;
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (geteuid() == 0)
            (void)execl("/usr/sbin/pgbouncer", "pgbouncer", "-q", "-u", "nobody", path, NULL);
        (void)execl("/usr/sbin/pgbouncer", "pgbouncer", "-q", path, NULL);
        _exit(1);
    }
    return child;
}

static void a_transaction_pooler_is_refused_and_a_session_pooler_is_fine(void **state)
{
    struct fixture *f = *state;
    char dir[] = "/tmp/lockflight-bouncer-XXXXXX";
    assert_non_null(mkdtemp(dir));
    pid_t bouncer = start_bouncer(f, dir);
    struct pg *db = NULL;
    bool ok = false;
    char *tx = arena_printf(f->a, "host=%s port=6432 user=postgres dbname=tx", dir);
    char *se = arena_printf(f->a, "host=%s port=6432 user=postgres dbname=se", dir);
    for (int i = 0; bouncer && i < 200 && !ok; i++) {
        ok = pg_open(&(struct pg_spec){ .url = se }, &db, &f->e);
        (void)usleep(20000);
    }
    pg_close(db);
    if (bouncer) {
        assert_ok(ok, &f->e);
        assert_fails(pg_open(&(struct pg_spec){ .url = tx }, &db, &f->e), &f->e, ERR_CONFIG);
        (void)kill(bouncer, SIGKILL);
        (void)waitpid(bouncer, NULL, 0);
    }
    struct err e = { 0 };
    (void)!fs_remove_tree(dir, &e);
    if (!bouncer)
        print_message("# no pgbouncer on this machine: nothing tried\n");
}

static void bytes_and_arrays_survive_the_trip(void **state)
{
    struct fixture *f = *state;
    struct pg_rows rows;
    struct str bytes = STR("\0\x01\xff'\\x"), back;
    const char *const items[] = { "a\"b", "c\\d", "", "NULL", "é,{}" };
    assert_ok(pg_query(f->db, f->a, "SELECT $1::bytea, array_to_string($2::text[], '|')",
                       PG_PARAMS(pg_bytea(f->a, bytes), pg_text_array(f->a, items, 5)), &rows,
                       &f->e),
              &f->e);
    assert_true(pg_bytea_decode(f->a, pg_value(&rows, 0, 0), &back));
    assert_true(str_eq(bytes, back));
    assert_string_equal(pg_value(&rows, 0, 1), "a\"b|c\\d||NULL|é,{}");
}

/* A second connection that went to the URL's database would do to the real one what was meant for a
 * copy. */
static void every_connection_goes_to_the_database_that_was_asked_for(void **state)
{
    struct fixture *f = *state;
    CLEANUP(pg) struct pg *db = NULL;
    CLEANUP(pg) struct pg *beside = NULL;
    struct pg_spec spec = { .url = f->url, .database = "template1" };
    assert_ok(pg_open(&spec, &db, &f->e), &f->e);
    assert_string_equal(ask(f, db, "SELECT current_database()"), "template1");
    assert_ok(pg_open_beside(db, "beside", &beside, &f->e), &f->e);
    assert_string_equal(ask(f, beside, "SELECT current_database()"), "template1");
    assert_ok(pg_reconnect(db, &f->e), &f->e);
    assert_string_equal(ask(f, db, "SELECT current_database()"), "template1");
}

static void a_started_statement_is_watched_and_can_be_cancelled(void **state)
{
    struct fixture *f = *state;
    CLEANUP(pg) struct pg *beside = NULL;
    bool is_done = true;
    assert_ok(pg_open_beside(f->db, "beside", &beside, &f->e), &f->e);
    assert_string_equal(ask(f, beside, "SHOW application_name"), "lockflight beside");
    assert_ok(pg_start(beside, "VACUUM", &f->e), &f->e); /* not in a transaction, not extended */
    while (is_done = true, pg_wait(beside, 1000, &is_done, NULL, &f->e) && !is_done)
        continue;
    assert_ok(is_done, &f->e);
    assert_ok(pg_start(beside, "SELECT pg_sleep(60)", &f->e), &f->e);
    assert_ok(pg_wait(beside, 1, &is_done, NULL, &f->e), &f->e);
    assert_false(is_done);
    /* a request that comes before the server has begun is passed over */
    while (!streq(ask(f, f->db,
                      "SELECT count(*) FROM pg_stat_activity WHERE application_name ="
                      " 'lockflight beside' AND state = 'active' AND query LIKE '%pg_sleep%'"),
                  "1"))
        (void)usleep(10000);
    assert_ok(pg_cancel(beside, &f->e), &f->e);
    assert_fails(pg_wait(beside, 30000, &is_done, NULL, &f->e), &f->e, ERR_DB);
    assert_true(is_done);
    assert_string_equal(f->e.sqlstate, "57014");
    assert_ok(pg_run(beside, "SELECT 1", NULL, &f->e), &f->e);
}

static void a_signal_cancels_the_statement_that_is_running(void **state)
{
    struct fixture *f = *state;
    pid_t child = fork();
    if (child == 0) {
        struct pg *db = NULL;
        struct err e = { 0 };
        signals_install();
        bool ok = pg_open(&(struct pg_spec){ .url = f->url, .purpose = "stopped" }, &db, &e) &&
                  !pg_run(db, "SELECT pg_sleep(60)", NULL, &e) && pg_is_alive(db);
        _exit(ok && e.code == ERR_INTERRUPTED ? 0 : 1);
    }
    while (strcmp(ask(f, f->db,
                      "SELECT count(*) FROM pg_stat_activity WHERE application_name ="
                      " 'lockflight stopped' AND query LIKE '%pg_sleep%'"),
                  "1") != 0)
        (void)usleep(20000);
    (void)kill(child, SIGTERM);
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_are_bound_and_nulls_come_back_as_null),
        TEST(the_session_is_set_up_as_our_sql_expects),
        TEST(a_refusal_carries_its_sqlstate_and_leaves_the_connection_good),
        TEST(two_statements_in_one_text_are_refused),
        TEST(copy_from_the_client_is_refused_and_the_connection_goes_on),
        TEST(a_malformed_url_is_refused_without_quoting_it),
        TEST(a_server_out_of_reach_is_a_network_error_that_names_it),
        TEST(a_connection_lost_inside_a_transaction_means_nothing_took_effect),
        TEST(a_lost_statement_outside_a_transaction_is_an_unknown_outcome),
        TEST(a_commit_on_a_cut_connection_is_settled_as_not_done),
        TEST(a_commit_whose_answer_is_lost_is_settled_as_done),
        TEST(committing_a_failed_transaction_is_an_error),
        TEST(a_statement_dies_within_a_second_of_its_client),
        TEST(every_connection_goes_to_the_database_that_was_asked_for),
        TEST(a_started_statement_is_watched_and_can_be_cancelled),
        TEST(a_signal_cancels_the_statement_that_is_running),
        TEST(a_transaction_pooler_is_refused_and_a_session_pooler_is_fine),
        TEST(bytes_and_arrays_survive_the_trip),
    };
    return cmocka_run_group_tests_name("provider/pg", tests, NULL, NULL);
}
