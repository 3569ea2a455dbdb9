/*
 * The crash matrix of the remembering half: a small release runs in a child that is killed at the
 * n-th durable write, for every n. After each death another runner takes over, must find the
 * database and the journal agreeing about every step, and must be able to finish. Needs the test
 * build, which has fault points.
 */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "engine/artifact_store.h"
#include "engine/attestation.h"
#include "engine/journal.h"
#include "migrate/apply/apply.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct migration files[] = {
    { .version = "1",
      .name = "a",
      .file = "1_a.sql",
      .sha256 = "00",
      .sql = { "create table a (x int); create "
               "table a2 (x int)",
               47 } },
    { .version = "2",
      .name = "b",
      .file = "2_b.sql",
      .sha256 = "00",
      .sql = { "create table b (x int)", 22 } },
};
enum {
    FILES = 2
};

struct runner {
    struct arena *a;
    struct lease *lease;
    struct journal *j;
    int seq;
};

static bool fence(void *context, struct pg *db, struct err *e)
{
    const struct runner *r = context;
    return lease_fence(r->lease, db, e);
}

static bool record(void *context, struct pg *db, const char *version, struct err *e)
{
    const struct runner *r = context;
    (void)db;
    (void)version;
    return journal_done(r->j, r->seq, NULL, e);
}

static bool take(const char *url, struct runner *r, struct lease_taken *taken, struct err *e)
{
    struct lease_spec spec = {
        .url = url, .target = "staging", .holder = "test", .purpose = "crash"
    };
    return lease_take(&spec, &r->lease, taken, e);
}

static bool apply(struct runner *r, int i, struct err *e)
{
    struct migrate_options o = {
        .applied_by = "test", .fence = fence, .record = record, .context = r
    };
    return migration_apply(lease_db(r->lease), r->a, &files[i], &o, e);
}

/* From the first step that is not done: what a deploy does, and what resume does after it. */
static bool finish(struct runner *r, size_t steps_known, struct err *e)
{
    char sha[SHA256_HEX_BYTES];
    struct attestation proof = { .environment = "staging",
                                 .source_digest = "aa",
                                 .created_by = "test",
                                 .release_id = journal_release_id(r->j) };
    for (size_t i = steps_known; i < FILES; i++) {
        struct step_spec s = {
            .phase = "database", .kind = "migration", .key = files[i].version, .title = "Apply"
        };
        if (!journal_intent(r->j, &s, &r->seq, e) || !apply(r, (int)i, e))
            return false;
    }
    return artifact_put(r->lease, "function.body", STR("old body"), sha, e) &&
           attestation_write(r->lease, &proof, e) && journal_event(r->j, "checks.green", NULL, e) &&
           journal_state(r->j, RELEASE_COMMITTED, "live", e);
}

static bool whole_release(const char *url, struct err *e)
{
    struct runner r = { .a = arena_new(0) };
    struct lease_taken taken;
    struct release_record record_of = { .name = "r1", .kind = "deploy", .actor = "test" };
    bool ok = take(url, &r, &taken, e) && journal_begin(r.lease, r.a, &record_of, &r.j, e) &&
              finish(&r, 0, e);
    if (r.lease)
        ok = lease_give_back(r.lease, e) && ok;
    lease_close(r.lease);
    arena_free(r.a);
    return ok;
}

static bool exists(struct arena *a, struct pg *db, const char *sql)
{
    struct pg_rows rows;
    struct err e = { 0 };
    assert_ok(pg_query(db, a, sql, PG_NONE, &rows, &e), &e);
    return rows.n == 1 && pg_bool(&rows, 0, 0);
}

/* Table, history row and step say the same about each file, and a file is there whole or not at
 * all. */
static void database_and_journal_agree(struct arena *a, struct pg *db, const char *release_id)
{
    struct step_record *steps = NULL;
    size_t n = 0;
    struct err e = { 0 };
    assert_ok(journal_steps(db, a, release_id, &steps, &n, &e), &e);
    for (size_t i = 0; i < FILES; i++) {
        bool applied = false;
        assert_ok(migration_is_applied(db, files[i].version, &applied, &e), &e);
        const char *sql =
            arena_printf(a, "SELECT to_regclass('public.%s') IS NOT NULL", files[i].name);
        assert_int_equal(exists(a, db, sql), applied);
        assert_int_equal(i < n && steps[i].state == STEP_DONE, applied);
    }
    assert_int_equal(exists(a, db, "SELECT to_regclass('public.a2') IS NOT NULL"),
                     exists(a, db, "SELECT to_regclass('public.a') IS NOT NULL"));
    int64_t events = 0;
    assert_ok(journal_verify(db, "staging", &events, &e), &e);
}

/* What `resume` will do: take over, look, run what is in doubt again, go on. */
static void another_runner_finishes(const char *url)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct runner r = { .a = a };
    struct lease_taken taken;
    struct release_record open;
    bool is_open = false;
    struct err e = { 0 };
    assert_ok(take(url, &r, &taken, &e), &e);
    struct pg *db = lease_db(r.lease);
    assert_ok(journal_find_open(db, a, "staging", &open, &is_open, &e), &e);
    if (is_open) {
        struct step_record *steps = NULL;
        size_t n = 0;
        database_and_journal_agree(a, db, open.id);
        assert_ok(journal_steps(db, a, open.id, &steps, &n, &e), &e);
        bool in_doubt = n > 0 && steps[n - 1].state == STEP_INTENT;
        assert_int_equal(taken.intent_open, in_doubt);
        assert_ok(journal_reopen(r.lease, a, open.id, &r.j, &e), &e);
        r.seq = (int)n;
        if (in_doubt)
            assert_ok(apply(&r, (int)n - 1, &e), &e);
        assert_ok(finish(&r, n, &e), &e);
        database_and_journal_agree(a, db, open.id);
        assert_true(
            exists(a, db, "SELECT count(*) = 2 FROM supabase_migrations.schema_migrations"));
    }
    lease_close(r.lease);
}

/* Runs the release in a child under a fault; true if the child survived it. */
static bool survives(const char *url, const char *fault, const char *list)
{
    pid_t child = fork();
    if (child == 0) {
        struct err e = { 0 };
        if (fault)
            (void)setenv("LOCKFLIGHT_FAULT", fault, 1);
        if (list)
            (void)setenv("LOCKFLIGHT_FAULT_LIST", list, 1);
        _exit(whole_release(url, &e) ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL);
    return WIFEXITED(status);
}

static void killed_at_any_durable_write_another_runner_finishes(void **state)
{
    (void)state;
#ifndef LOCKFLIGHT_FAULTS
    print_message("# a build without fault points: nothing tried\n");
    return;
#endif
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e = { 0 };
    struct str points;
    char list[] = "/tmp/lockflight-points-XXXXXX";
    CLEANUP(fd) int fd = mkstemp(list);
    assert_true(fd >= 0);
    assert_true(survives(pg_fixture_database(a), NULL, list));
    assert_ok(fs_read(a, list, 65536, &points, &e), &e);
    (void)unlink(list);

    int deaths = 0;
    struct str left = points, before = { points.p, 0 };
    while (left.n > 0) {
        struct str point = str_cut(&left, '\n');
        int nth = 1; /* how often this name was passed before */
        for (struct str r = before; r.n > 0;)
            nth += str_eq(str_cut(&r, '\n'), point);
        before.n = (size_t)(left.p ? left.p - points.p : (long)points.n);
        char *url = pg_fixture_database(a);
        char *fault = arena_printf(a, "%.*s:%d:kill", STR_FMT(point), nth);
        if (survives(url, fault, NULL))
            fail_msg("%s was not reached", fault);
        another_runner_finishes(url);
        deaths++;
    }
    print_message("# %d deaths, each one followed by a finished release\n", deaths);
    assert_true(deaths >= 20);
}

int main(void)
{
    (void)setenv("LOCKFLIGHT_LEASE_MS", "2000", 1);
    (void)setenv("LOCKFLIGHT_RENEW_MS", "300", 1);
    (void)setenv("LOCKFLIGHT_REQUEST_MS", "300", 1);
    (void)setenv("LOCKFLIGHT_DRAIN_MS", "300", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_durable_write_another_runner_finishes),
    };
    return cmocka_run_group_tests_name("engine/crash", tests, NULL, NULL);
}
