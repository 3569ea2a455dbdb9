/* The lease on a real server: two runners, a dead one, a sleeping one, a late one. */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "engine/journal.h"
#include "engine/lease.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct arena *a;
    char *url;
    struct pg *db; /* a bystander */
    struct pg_rows answer;
    struct err e;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(0);
    f->url = pg_fixture_database(f->a);
    (void)setenv("LOCKFLIGHT_LEASE_MS", "3000", 1);
    (void)setenv("LOCKFLIGHT_RENEW_MS", "200", 1);
    (void)setenv("LOCKFLIGHT_REQUEST_MS", "300", 1);
    (void)setenv("LOCKFLIGHT_DRAIN_MS", "600", 1);
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

static bool take(struct fixture *f, const char *holder, int64_t wait_ms, struct lease **ret,
                 struct lease_taken *taken)
{
    struct lease_spec spec = { .url = f->url,
                               .target = "staging",
                               .holder = holder,
                               .purpose = "deploy test",
                               .wait_ms = wait_ms };
    return lease_take(&spec, ret, taken, &f->e);
}

static int64_t ask_int(struct fixture *f, const char *sql)
{
    struct pg_rows rows;
    assert_ok(pg_query(f->db, f->a, sql, PG_NONE, &rows, &f->e), &f->e);
    return pg_int(&rows, 0, 0);
}

enum {
    FENCED_EXIT = 42
};

/* A child that takes the lease, optionally leaves an intent open, says so through a pipe and then
 * waits. */
static pid_t holder_in_child(struct fixture *f, bool with_intent)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct lease *l = NULL;
        struct lease_taken taken;
        struct journal *j = NULL;
        int seq = 0;
        bool ok = take(f, "child", 0, &l, &taken);
        if (ok && with_intent)
            ok = journal_begin(
                     l, f->a,
                     &(struct release_record){ .name = "r1", .kind = "deploy", .actor = "child" },
                     &j, &f->e) &&
                 journal_intent(
                     j, &(struct step_spec){ "publish", "deploy", "d1", "Publish", NULL, NULL },
                     &seq, &f->e);
        char answer = ok ? 'y' : 'n';
        if (write(ready[1], &answer, 1) != 1)
            _exit(1);
        /* whenever it is awake, it tries to go on */
        while (ok && lease_check(l, &f->e))
            (void)usleep(50000);
        _exit(f->e.code == ERR_FENCED ? FENCED_EXIT : 1);
    }
    char answer = 'n';
    assert_int_equal(read(ready[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    (void)close(ready[0]);
    (void)close(ready[1]);
    return child;
}

static void reap(pid_t child)
{
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}

static void a_free_lease_is_taken_and_given_back(void **state)
{
    struct fixture *f = *state;
    struct lease *l = NULL;
    struct lease_taken taken;
    struct lease_info info;
    assert_ok(take(f, "ana", 0, &l, &taken), &f->e);
    assert_false(taken.took_over);
    assert_false(taken.intent_open);
    assert_int_equal(lease_epoch(l), 1);
    assert_ok(lease_read(f->db, f->a, "staging", &info, &f->e), &f->e);
    assert_true(info.is_held);
    assert_string_equal(info.holder, "ana");
    assert_ok(lease_give_back(l, &f->e), &f->e);
    lease_close(l);
    assert_ok(lease_read(f->db, f->a, "staging", &info, &f->e), &f->e);
    assert_false(info.is_held);
    assert_int_equal(ask_int(f, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0);
}

static void of_two_runners_the_second_is_told_who_the_first_is(void **state)
{
    struct fixture *f = *state;
    CLEANUP(lease) struct lease *first = NULL;
    struct lease *second = NULL;
    struct lease_taken taken;
    assert_ok(take(f, "ana", 0, &first, &taken), &f->e);
    assert_fails(take(f, "rui", 0, &second, &taken), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "ana"));
    assert_null(second);
    assert_ok(lease_check(first, &f->e), &f->e);
}

/* They make schema lockflight at the same time, too. */
static void of_many_first_runners_at_once_each_has_it_in_its_turn(void **state)
{
    struct fixture *f = *state;
    enum {
        RUNNERS = 6
    };
    pid_t children[RUNNERS];
    for (int i = 0; i < RUNNERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct lease *l = NULL;
            struct lease_taken taken;
            bool ok = take(f, "one of many", 60000, &l, &taken) && lease_check(l, &f->e) &&
                      lease_give_back(l, &f->e);
            _exit(ok && !taken.took_over ? 0 : 1);
        }
    }
    for (int i = 0; i < RUNNERS; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(ask_int(f, "SELECT epoch FROM lockflight.lease"), RUNNERS);
    assert_int_equal(ask_int(f, "SELECT epoch FROM lockflight.fence"), RUNNERS);
    assert_int_equal(ask_int(f, "SELECT count(*) - max(number) FROM lockflight.schema_scripts"), 0);
    assert_int_equal(
        ask_int(f, "SELECT count(*) FROM lockflight.events WHERE type = 'lease.taken'"), RUNNERS);
    assert_int_equal(ask_int(f, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0);
}

static void a_lock_that_another_session_holds_is_not_passed_over(void **state)
{
    struct fixture *f = *state;
    struct lease *l = NULL;
    struct lease_taken taken;
    assert_int_equal(ask_int(f, "SELECT pg_try_advisory_lock(7305813346150401)::int"), 1);
    assert_fails(take(f, "ana", 0, &l, &taken), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "another session holds"));
    assert_int_equal(ask_int(f, "SELECT count(*) FROM lockflight.lease WHERE holder IS NOT NULL"),
                     0);
    assert_int_equal(ask_int(f, "SELECT pg_advisory_unlock(7305813346150401)::int"), 1);
    assert_ok(take(f, "ana", 0, &l, &taken), &f->e);
    lease_close(l);
}

/* What was given back with an intent open may still land. */
static void a_lease_given_back_in_doubt_is_drained_like_one_taken_over(void **state)
{
    struct fixture *f = *state;
    struct lease *l = NULL;
    struct lease_taken taken;
    struct journal *j = NULL;
    int seq = 0;
    assert_ok(take(f, "ana", 0, &l, &taken), &f->e);
    assert_ok(
        journal_begin(l, f->a,
                      &(struct release_record){ .name = "r1", .kind = "deploy", .actor = "ana" },
                      &j, &f->e),
        &f->e);
    assert_ok(
        journal_intent(j, &(struct step_spec){ "publish", "deploy", "d1", "Publish", NULL, NULL },
                       &seq, &f->e),
        &f->e);
    lease_close(l);
    assert_ok(take(f, "rui", 0, &l, &taken), &f->e);
    assert_false(taken.took_over);
    assert_true(taken.intent_open);
    assert_string_equal(taken.open, "r1");
    assert_true(lease_drain_left_ms(l) > 0);
    lease_close(l);
}

static bool ask_epoch(void *context, struct pg *db, struct err *e)
{
    struct fixture *f = context;
    pg_queue_part(db, NULL);
    return pg_query_later(db, f->a, "SELECT epoch, target FROM lockflight.lease", PG_NONE,
                          &f->answer, e);
}

static void the_callers_questions_are_answered_behind_the_taking(void **state)
{
    struct fixture *f = *state;
    struct lease *l = NULL;
    struct lease_taken taken;
    struct lease_spec spec = { .url = f->url,
                               .target = "standalone",
                               .target_is_guess = true,
                               .holder = "ana",
                               .purpose = "test",
                               .ask = ask_epoch,
                               .context = f };
    assert_ok(lease_take(&spec, &l, &taken, &f->e), &f->e);
    assert_int_equal(pg_int(&f->answer, 0, 0), 1);
    assert_string_equal(lease_target(l), "standalone");
    lease_close(l);
    assert_int_equal(ask_int(f, "UPDATE lockflight.lease SET target = 'staging' RETURNING 1"), 1);
    assert_int_equal(ask_int(f, "UPDATE lockflight.fence SET target = 'staging' RETURNING 1"), 1);
    assert_ok(lease_take(&spec, &l, &taken, &f->e), &f->e);
    assert_string_equal(lease_target(l), "staging");
    assert_int_equal(pg_int(&f->answer, 0, 0), 2);
    lease_close(l);
}

static void the_heartbeat_keeps_a_lease_past_its_first_term(void **state)
{
    struct fixture *f = *state;
    CLEANUP(lease) struct lease *l = NULL;
    struct lease *other = NULL;
    struct lease_taken taken;
    assert_ok(take(f, "ana", 0, &l, &taken), &f->e);
    assert_fails(take(f, "rui", 4500, &other, &taken), &f->e, ERR_BLOCKED);
}

static void a_heartbeat_is_not_held_up_by_a_long_transaction_of_the_runner(void **state)
{
    struct fixture *f = *state;
    CLEANUP(lease) struct lease *l = NULL;
    struct lease *other = NULL;
    struct lease_taken taken;
    assert_ok(take(f, "ana", 0, &l, &taken), &f->e);
    assert_ok(pg_begin(lease_db(l), &f->e), &f->e);
    assert_ok(lease_fence(l, lease_db(l), &f->e), &f->e);
    assert_fails(take(f, "rui", 4500, &other, &taken), &f->e, ERR_BLOCKED);
    assert_ok(pg_commit(lease_db(l), &f->e), &f->e);
}

static void waiting_gets_the_lease_when_the_holder_gives_it_back(void **state)
{
    struct fixture *f = *state;
    pid_t child = holder_in_child(f, false);
    struct lease *l = NULL;
    struct lease_taken taken;
    assert_fails(take(f, "rui", 0, &l, &taken), &f->e, ERR_BLOCKED);
    reap(child);
    assert_ok(take(f, "rui", 10000, &l, &taken), &f->e);
    lease_close(l);
}

static void a_runner_killed_on_this_machine_is_followed_at_once(void **state)
{
    struct fixture *f = *state;
    (void)setenv("LOCKFLIGHT_LEASE_MS", "600000", 1);
    pid_t child = holder_in_child(f, true);
    reap(child);
    struct lease *l = NULL;
    struct lease_taken taken;
    assert_ok(take(f, "rui", 0, &l, &taken), &f->e);
    assert_true(taken.took_over);
    assert_true(taken.intent_open);
    assert_non_null(strstr(taken.previous, "child"));
    assert_int_equal(lease_epoch(l), 2);
    assert_true(lease_drain_left_ms(l) > 0);
    assert_ok(lease_drain(l, &f->e), &f->e);
    assert_int_equal(lease_drain_left_ms(l), 0);
    lease_close(l);
}

static void a_stopped_runner_is_taken_over_when_its_lease_ran_out_and_stops_when_it_wakes_up(
    void **state)
{
    struct fixture *f = *state;
    pid_t child = holder_in_child(f, true);
    int64_t backend = ask_int(f, "SELECT backend_pid FROM lockflight.lease");
    (void)kill(child, SIGSTOP);
    struct lease *l = NULL;
    struct lease_taken taken;
    assert_fails(take(f, "rui", 0, &l, &taken), &f->e, ERR_BLOCKED);
    assert_ok(take(f, "rui", 10000, &l, &taken), &f->e);
    assert_true(taken.took_over && taken.intent_open);
    char sql[128];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM pg_stat_activity WHERE pid = %d",
                   (int)backend);
    assert_int_equal(ask_int(f, sql), 0);

    int status = 0; /* it wakes up late, and finds out */
    (void)kill(child, SIGCONT);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), FENCED_EXIT);
    assert_int_equal(ask_int(f, "SELECT epoch FROM lockflight.lease WHERE holder = 'rui'"), 2);
    assert_ok(lease_check(l, &f->e), &f->e);
    lease_close(l);
}

/* As after a suspension: the answer to the renewal lies there, and is older than the lease is long. */
static void an_answer_that_came_too_late_is_asked_for_again(void **state)
{
    struct fixture *f = *state;
    CLEANUP(lease) struct lease *l = NULL;
    struct lease_taken taken;
    int ready[2];
    char answer = 'n';
    assert_ok(take(f, "ana", 0, &l, &taken), &f->e);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) { /* holds the row for all of the lease but 50 ms */
        CLEANUP(pg) struct pg *db = NULL;
        if (pg_open(&(struct pg_spec){ .url = f->url, .purpose = "test" }, &db, &f->e) &&
            pg_begin(db, &f->e) &&
            pg_exec(db, "SELECT FROM lockflight.lease FOR UPDATE", PG_NONE, NULL, &f->e))
            answer = 'y';
        (void)!write(ready[1], &answer, 1);
        (void)usleep(2950000);
        _exit(pg_commit(db, &f->e) ? 0 : 1);
    }
    assert_int_equal(read(ready[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    assert_ok(lease_check(l, &f->e), &f->e);
    (void)waitpid(child, NULL, 0);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

/* The late runner: its lease was taken by another while it slept. */
static void a_runner_that_was_taken_over_can_write_nothing(void **state)
{
    struct fixture *f = *state;
    CLEANUP(lease) struct lease *late = NULL;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct lease_taken taken;
    struct journal *j = NULL;
    int seq = 0;
    assert_ok(take(f, "late", 0, &late, &taken), &f->e);
    assert_ok(journal_begin(late, a,
                            &(struct release_record){ .name = "r", .kind = "deploy", .actor = "x" },
                            &j, &f->e),
              &f->e);
    assert_ok(pg_exec(f->db, "UPDATE lockflight.lease SET epoch = epoch + 1", PG_NONE, NULL, &f->e),
              &f->e);
    assert_ok(pg_exec(f->db, "UPDATE lockflight.fence SET epoch = epoch + 1", PG_NONE, NULL, &f->e),
              &f->e);
    int64_t events = ask_int(f, "SELECT count(*) FROM lockflight.events");
    assert_fails(
        journal_intent(j, &(struct step_spec){ "publish", "deploy", "d", "Publish", NULL, NULL },
                       &seq, &f->e),
        &f->e, ERR_FENCED);
    assert_fails(lease_check(late, &f->e), &f->e, ERR_FENCED);
    assert_int_equal(ask_int(f, "SELECT count(*) FROM lockflight.steps"), 0);
    assert_int_equal(ask_int(f, "SELECT count(*) FROM lockflight.events"), events);
}

static void a_lost_connection_is_mended_and_the_write_is_made(void **state)
{
    struct fixture *f = *state;
    CLEANUP(lease) struct lease *l = NULL;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct lease_taken taken;
    struct journal *j = NULL;
    assert_ok(take(f, "ana", 0, &l, &taken), &f->e);
    assert_ok(pg_exec(f->db,
                      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                      " WHERE application_name = 'lockflight runner'",
                      PG_NONE, NULL, &f->e),
              &f->e);
    assert_ok(journal_begin(l, a,
                            &(struct release_record){ .name = "r", .kind = "deploy", .actor = "x" },
                            &j, &f->e),
              &f->e);
    assert_ok(lease_check(l, &f->e), &f->e);
    assert_int_equal(ask_int(f, "SELECT count(*) FROM lockflight.releases"), 1);
    assert_int_equal(
        ask_int(f, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"), 1);
}

static void a_restarted_server_does_not_end_the_lease(void **state)
{
    struct fixture *f = *state;
    CLEANUP(lease) struct lease *l = NULL;
    struct lease_taken taken;
    assert_ok(take(f, "ana", 0, &l, &taken), &f->e);
    pg_fixture_crash();
    assert_ok(lease_check(l, &f->e), &f->e);
    assert_ok(journal_note(l, "test.event", NULL, &f->e), &f->e);
}

static void a_manual_lock_blocks_without_waiting_until_it_is_cleared(void **state)
{
    struct fixture *f = *state;
    struct lease *l = NULL;
    struct lease_taken taken;
    assert_ok(lease_lock(f->db, "staging", "ana", "looking at the invoices", &f->e), &f->e);
    assert_fails(lease_lock(f->db, "staging", "rui", "me too", &f->e), &f->e, ERR_CONFLICT);
    assert_non_null(strstr(f->e.why, "ana"));
    assert_fails(take(f, "rui", 60000, &l, &taken), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "looking at the invoices"));
    struct lease_spec spec = { .url = f->url,
                               .target = "staging",
                               .holder = "rui",
                               .purpose = "rollback",
                               .past_manual_lock = true };
    assert_ok(lease_take(&spec, &l, &taken, &f->e), &f->e);
    lease_close(l);
    assert_ok(lease_unlock(f->db, "staging", "ana", "done", &f->e), &f->e);
    assert_fails(lease_unlock(f->db, "staging", "ana", NULL, &f->e), &f->e, ERR_NOT_FOUND);
    assert_ok(take(f, "rui", 0, &l, &taken), &f->e);
    lease_close(l);
}

static void a_database_of_another_environment_is_refused(void **state)
{
    struct fixture *f = *state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct lease *l = NULL;
    struct lease_taken taken;
    struct journal *j = NULL;
    assert_ok(take(f, "ana", 0, &l, &taken), &f->e);
    assert_ok(journal_begin(l, a,
                            &(struct release_record){ .name = "r", .kind = "deploy", .actor = "x" },
                            &j, &f->e),
              &f->e);
    lease_close(l);
    struct lease_spec spec = {
        .url = f->url, .target = "production", .holder = "ana", .purpose = "x"
    };
    assert_fails(lease_take(&spec, &l, &taken, &f->e), &f->e, ERR_CONFIG);
}

static void times_that_do_not_fit_together_are_refused(void **state)
{
    struct fixture *f = *state;
    struct lease_times t;
    (void)setenv("LOCKFLIGHT_DRAIN_MS", "100", 1);
    assert_fails(lease_times_read(&t, &f->e), &f->e, ERR_CONFIG);
    (void)setenv("LOCKFLIGHT_DRAIN_MS", "soon", 1);
    assert_fails(lease_times_read(&t, &f->e), &f->e, ERR_CONFIG);
}

static void a_database_never_seen_has_no_lease_and_no_journal(void **state)
{
    struct fixture *f = *state;
    struct lease_info info;
    struct release_record r;
    bool found = true;
    assert_ok(lease_read(f->db, f->a, "staging", &info, &f->e), &f->e);
    assert_false(info.is_held || info.is_locked);
    assert_ok(journal_find_open(f->db, f->a, "staging", &r, &found, &f->e), &f->e);
    assert_false(found);
}

static void what_only_migrates_makes_its_part_of_the_schema_and_a_release_the_rest(void **state)
{
    struct fixture *f = *state;
    struct lease *l = NULL;
    struct lease_taken taken;
    struct lease_spec spec = { .url = f->url,
                               .target = "staging",
                               .holder = "ana",
                               .purpose = "migration up",
                               .part = SCHEMA_FOR_MIGRATIONS };
    static const char count[] = "SELECT count(*) FROM lockflight.schema_scripts";
    assert_ok(lease_take(&spec, &l, &taken, &f->e), &f->e);
    lease_close(l);
    assert_int_equal(ask_int(f, count), SCHEMA_FOR_MIGRATIONS);
    assert_ok(take(f, "ana", 0, &l, &taken), &f->e);
    int64_t whole = ask_int(f, count);
    assert_true(whole > SCHEMA_FOR_MIGRATIONS);
    lease_close(l);
    assert_ok(lease_take(&spec, &l, &taken, &f->e), &f->e);
    lease_close(l);
    assert_int_equal(ask_int(f, count), whole);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_free_lease_is_taken_and_given_back),
        TEST(of_two_runners_the_second_is_told_who_the_first_is),
        TEST(of_many_first_runners_at_once_each_has_it_in_its_turn),
        TEST(a_lock_that_another_session_holds_is_not_passed_over),
        TEST(a_lease_given_back_in_doubt_is_drained_like_one_taken_over),
        TEST(the_callers_questions_are_answered_behind_the_taking),
        TEST(the_heartbeat_keeps_a_lease_past_its_first_term),
        TEST(a_heartbeat_is_not_held_up_by_a_long_transaction_of_the_runner),
        TEST(an_answer_that_came_too_late_is_asked_for_again),
        TEST(waiting_gets_the_lease_when_the_holder_gives_it_back),
        TEST(a_runner_killed_on_this_machine_is_followed_at_once),
        TEST(a_stopped_runner_is_taken_over_when_its_lease_ran_out_and_stops_when_it_wakes_up),
        TEST(a_runner_that_was_taken_over_can_write_nothing),
        TEST(a_lost_connection_is_mended_and_the_write_is_made),
        TEST(a_restarted_server_does_not_end_the_lease),
        TEST(a_manual_lock_blocks_without_waiting_until_it_is_cleared),
        TEST(a_database_of_another_environment_is_refused),
        TEST(times_that_do_not_fit_together_are_refused),
        TEST(what_only_migrates_makes_its_part_of_the_schema_and_a_release_the_rest),
        TEST(a_database_never_seen_has_no_lease_and_no_journal),
    };
    return cmocka_run_group_tests_name("engine/lease", tests, NULL, NULL);
}
