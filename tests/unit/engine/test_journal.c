/* The journal on a real server: what is written, in which order, and what a reader finds after a
 * crash. */
#include "assert_ok.h"
#include "pg_fixture.h"

#include "base/log.h"
#include "engine/artifact_store.h"
#include "engine/attestation.h"
#include "engine/journal.h"
#include "engine/schema.h"

#include <stdio.h>
#include <stdlib.h>

struct fixture {
    struct arena *a;
    char *url;
    struct pg *db;
    struct lease *lease;
    struct journal *j;
    struct err e;
};

static void take(struct fixture *f)
{
    struct lease_taken taken;
    struct lease_spec spec = {
        .url = f->url, .target = "staging", .holder = "ana", .purpose = "test"
    };
    assert_ok(lease_take(&spec, &f->lease, &taken, &f->e), &f->e);
}

static const struct release_record first = {
    .name = "2026-03-14.1a2b3c4d",
    .kind = "deploy",
    .actor = "ana",
    .source_digest = "aa11",
    .git_commit = "9f3c1ab",
    .manifest = "{\"deploy\":\"d1\"}",
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(0);
    f->url = pg_fixture_database(f->a);
    assert_ok(pg_open(&(struct pg_spec){ .url = f->url, .purpose = "test" }, &f->db, &f->e), &f->e);
    take(f);
    assert_ok(journal_begin(f->lease, f->a, &first, &f->j, &f->e), &f->e);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    lease_close(f->lease);
    pg_close(f->db);
    arena_free(f->a);
    free(f);
    return 0;
}

static int intent(struct fixture *f, const char *phase, const char *key, const json_t *before)
{
    int seq = 0;
    struct step_spec s = {
        .phase = phase, .kind = "thing", .key = key, .title = "Do it", .before = before
    };
    assert_ok(journal_intent(f->j, &s, &seq, &f->e), &f->e);
    return seq;
}

static struct step_record step(struct fixture *f, int seq)
{
    struct step_record *v = NULL;
    size_t n = 0;
    assert_ok(journal_steps(f->db, f->a, journal_release_id(f->j), &v, &n, &f->e), &f->e);
    assert_in_range(seq, 1, n);
    return v[seq - 1];
}

static struct release_record open_release(struct fixture *f)
{
    struct release_record r = { 0 };
    bool found = false;
    assert_ok(journal_find_open(f->db, f->a, "staging", &r, &found, &f->e), &f->e);
    assert_true(found);
    return r;
}

static void a_step_goes_from_intent_to_done_and_its_undo_to_undone(void **state)
{
    struct fixture *f = *state;
    json_auto_t *before = json_pack("{s:s}", "live", "d0"),
                *after = json_pack("{s:s}", "live", "d1");
    int seq = intent(f, "publish", "d1", before);
    assert_int_equal(step(f, seq).state, STEP_INTENT);
    assert_string_equal(step(f, seq).before, "{\"live\": \"d0\"}");
    assert_ok(journal_done(f->j, seq, after, &f->e), &f->e);
    assert_int_equal(step(f, seq).state, STEP_DONE);
    assert_string_equal(step(f, seq).after, "{\"live\": \"d1\"}");
    assert_ok(journal_undo_intent(f->j, seq, &f->e), &f->e);
    assert_int_equal(step(f, seq).state, STEP_UNDO_INTENT);
    assert_ok(journal_undone(f->j, seq, NULL, &f->e), &f->e);
    assert_int_equal(step(f, seq).state, STEP_UNDONE);
    assert_fails(journal_undo_intent(f->j, seq, &f->e), &f->e, ERR_CONFLICT);
}

static void an_undo_covers_a_step_that_has_only_an_intent(void **state)
{
    struct fixture *f = *state;
    int seq = intent(f, "functions", "health", NULL);
    assert_ok(journal_undo_intent(f->j, seq, &f->e), &f->e);
    assert_ok(journal_undo_intent(f->j, seq, &f->e), &f->e); /* again, after a crash in the undo */
    assert_ok(journal_undone(f->j, seq, NULL, &f->e), &f->e);
    assert_int_equal(step(f, seq).state, STEP_UNDONE);
}

static void what_a_call_returned_is_kept_while_the_step_is_in_doubt(void **state)
{
    struct fixture *f = *state;
    json_auto_t *id = json_pack("{s:s}", "id", "65f"), *ready = json_pack("{s:b}", "ready", 1);
    int seq = intent(f, "draft", "site", NULL);
    assert_ok(journal_progress(f->j, seq, id, &f->e), &f->e);
    assert_string_equal(step(f, seq).after, "{\"id\": \"65f\"}");
    assert_ok(journal_again(f->j, seq, NULL, &f->e), &f->e);
    assert_int_equal(step(f, seq).attempt, 2);
    assert_ok(journal_done(f->j, seq, ready, &f->e), &f->e);
    assert_string_equal(step(f, seq).after, "{\"id\": \"65f\", \"ready\": true}");
}

static void a_write_inside_a_transaction_stands_or_falls_with_it(void **state)
{
    struct fixture *f = *state;
    struct pg *db = lease_db(f->lease);
    int seq = intent(f, "database", "0042", NULL);
    assert_ok(pg_begin(db, &f->e), &f->e);
    assert_ok(pg_run(db, "CREATE TABLE public.t (a int)", NULL, &f->e), &f->e);
    assert_ok(journal_done(f->j, seq, NULL, &f->e), &f->e);
    pg_rollback(db);
    assert_int_equal(step(f, seq).state, STEP_INTENT);
    assert_ok(pg_begin(db, &f->e), &f->e);
    assert_ok(journal_done(f->j, seq, NULL, &f->e), &f->e);
    assert_ok(pg_commit(db, &f->e), &f->e);
    assert_int_equal(step(f, seq).state, STEP_DONE);
}

/* Three transactions in one exchange, of which the second has something to say. */
static void queue_three(struct fixture *f, int seq, int second, int third)
{
    const int order[] = { seq, second, third };
    pg_queue_begin(lease_db(f->lease));
    for (size_t i = 0; i < 3; i++)
        assert_ok(pg_begin(lease_db(f->lease), &f->e) &&
                      journal_done(f->j, order[i], NULL, &f->e) &&
                      pg_commit(lease_db(f->lease), &f->e),
                  &f->e);
}

static void in_one_exchange_a_write_that_finds_nothing_says_so_and_ends_the_rest(void **state)
{
    struct fixture *f = *state;
    struct pg_queue_outcome outcome;
    int first_step = intent(f, "build", "a", NULL), last_step = intent(f, "publish", "b", NULL);
    queue_three(f, first_step, 99, last_step);
    assert_fails(pg_queue_end(lease_db(f->lease), NULL, NULL, &outcome, &f->e), &f->e,
                 ERR_CONFLICT);
    assert_string_equal(f->e.why, "there is no such step");
    pg_rollback(lease_db(f->lease));
    assert_int_equal(outcome.commits, 1);
    assert_int_equal(step(f, first_step).state, STEP_DONE);
    assert_int_equal(step(f, last_step).state, STEP_INTENT);
}

static void in_one_exchange_a_runner_that_was_taken_over_is_stopped_by_the_fence(void **state)
{
    struct fixture *f = *state;
    struct pg_queue_outcome outcome;
    int first_step = intent(f, "build", "a", NULL), last_step = intent(f, "publish", "b", NULL);
    assert_ok(pg_exec(f->db, "UPDATE lockflight.fence SET epoch = epoch + 1", PG_NONE, NULL, &f->e),
              &f->e);
    queue_three(f, first_step, last_step, last_step);
    assert_fails(pg_queue_end(lease_db(f->lease), NULL, NULL, &outcome, &f->e), &f->e, ERR_FENCED);
    assert_non_null(strstr(f->e.why, "another runner has taken over staging"));
    pg_rollback(lease_db(f->lease));
    assert_int_equal(outcome.commits, 0);
    assert_int_equal(step(f, first_step).state, STEP_INTENT);
}

static void a_second_release_is_refused_while_one_is_open(void **state)
{
    struct fixture *f = *state;
    struct journal *second = NULL;
    struct release_record r = { .name = "other", .kind = "deploy", .actor = "rui" };
    assert_fails(journal_begin(f->lease, f->a, &r, &second, &f->e), &f->e, ERR_CONFLICT);
}

static void an_open_release_is_found_reopened_and_continued_by_another_runner(void **state)
{
    struct fixture *f = *state;
    (void)intent(f, "draft", "site", NULL);
    lease_close(f->lease);
    take(f);
    struct release_record r = open_release(f);
    assert_string_equal(r.name, first.name);
    assert_string_equal(r.source_digest, "aa11");
    assert_int_equal(r.state, RELEASE_FORWARD);
    assert_ok(journal_reopen(f->lease, f->a, r.id, &f->j, &f->e), &f->e);
    assert_int_equal(open_release(f).epoch, lease_epoch(f->lease));
    assert_int_equal(intent(f, "publish", "d1", NULL), 2);
}

static void a_final_state_is_written_once(void **state)
{
    struct fixture *f = *state;
    bool found = true;
    struct release_record r;
    assert_ok(journal_state(f->j, RELEASE_REVERSING, "check health is red", &f->e), &f->e);
    assert_int_equal(open_release(f).state, RELEASE_REVERSING);
    assert_ok(journal_state(f->j, RELEASE_ROLLED_BACK, NULL, &f->e), &f->e);
    assert_fails(journal_state(f->j, RELEASE_COMMITTED, NULL, &f->e), &f->e, ERR_CONFLICT);
    assert_ok(journal_find_open(f->db, f->a, "staging", &r, &found, &f->e), &f->e);
    assert_false(found);
    assert_ok(journal_find(f->db, f->a, "staging", first.name, &r, &found, &f->e), &f->e);
    assert_true(found);
    assert_string_equal(r.note, "check health is red");
    assert_true(r.finished_unix_ms > 0);
}

static void the_live_release_is_the_newest_committed_one(void **state)
{
    struct fixture *f = *state;
    struct release_record live;
    bool found = true;
    assert_ok(journal_find_live(f->db, f->a, "staging", &live, &found, &f->e), &f->e);
    assert_false(found);
    json_auto_t *patch = json_pack("{s:s}", "site", "s1");
    struct release_facts facts = { .artefact_digest = "bb22", .manifest_patch = patch };
    assert_ok(journal_facts(f->j, &facts, &f->e), &f->e);
    assert_ok(journal_state(f->j, RELEASE_COMMITTED, "live and proved", &f->e), &f->e);
    struct journal *next = NULL;
    struct release_record r = {
        .name = "next", .kind = "deploy", .actor = "ana", .previous = journal_release_id(f->j)
    };
    assert_ok(journal_begin(f->lease, f->a, &r, &next, &f->e), &f->e);
    assert_ok(journal_state(next, RELEASE_ROLLED_BACK, NULL, &f->e), &f->e);
    assert_ok(journal_find_live(f->db, f->a, "staging", &live, &found, &f->e), &f->e);
    assert_true(found);
    assert_string_equal(live.name, first.name);
    assert_string_equal(live.artefact_digest, "bb22");
    assert_string_equal(live.manifest, "{\"site\": \"s1\", \"deploy\": \"d1\"}");
    struct release_record *list = NULL;
    size_t n = 0;
    assert_ok(journal_list(f->db, f->a, "staging", 10, &list, &n, &f->e), &f->e);
    assert_int_equal(n, 2);
    assert_string_equal(list[0].name, "next");
    assert_string_equal(list[0].previous, live.id);
}

static void content_that_was_rolled_back_stays_in_quarantine_until_cleared(void **state)
{
    struct fixture *f = *state;
    struct release_record r;
    bool found = true;
    assert_ok(journal_find_quarantine(f->db, f->a, "staging", "aa11", &r, &found, &f->e), &f->e);
    assert_false(found);
    assert_ok(journal_quarantine(f->lease, journal_release_id(f->j), "ana", "sent_at null", &f->e),
              &f->e);
    assert_ok(journal_find_quarantine(f->db, f->a, "staging", "aa11", &r, &found, &f->e), &f->e);
    assert_true(found);
    assert_string_equal(r.quarantine_reason, "sent_at null");
    assert_ok(journal_clear_quarantine(f->lease, "aa11", "rui", "it was the vendor", &f->e), &f->e);
    assert_ok(journal_find_quarantine(f->db, f->a, "staging", "aa11", &r, &found, &f->e), &f->e);
    assert_false(found);
}

static void the_chain_of_events_proves_itself(void **state)
{
    struct fixture *f = *state;
    int64_t events = 0;
    json_auto_t *body = json_pack("{s:s, s:[i,i]}", "text", "é \"quoted\"\n", "list", 1, 2);
    assert_ok(journal_event(f->j, "phase.started", body, &f->e), &f->e);
    assert_ok(journal_verify(f->db, "staging", &events, &f->e), &f->e);
    assert_int_equal(events, 3); /* lease taken, release begun, this one */
    struct event_record *v = NULL;
    size_t n = 0;
    assert_ok(
        journal_events(f->db, f->a, "staging", journal_release_id(f->j), 0, 10, &v, &n, &f->e),
        &f->e);
    assert_int_equal(n, 2);
    assert_string_equal(v[1].type, "phase.started");
    assert_string_equal(v[1].release_name, first.name);
}

static void an_event_cannot_be_changed_and_a_forged_one_is_found(void **state)
{
    struct fixture *f = *state;
    int64_t events = 0;
    assert_fails(pg_exec(f->db, "DELETE FROM lockflight.events", PG_NONE, NULL, &f->e), &f->e,
                 ERR_DB);
    assert_ok(
        pg_exec(f->db, "ALTER TABLE lockflight.events DISABLE TRIGGER ALL", PG_NONE, NULL, &f->e),
        &f->e);
    assert_ok(pg_exec(f->db,
                      "UPDATE lockflight.events SET body = '{\"name\": \"x\"}' WHERE seq = 2",
                      PG_NONE, NULL, &f->e),
              &f->e);
    assert_fails(journal_verify(f->db, "staging", &events, &f->e), &f->e, ERR_DATA);
    assert_non_null(strstr(f->e.why, "event 2"));
    assert_ok(pg_exec(f->db, "DELETE FROM lockflight.events WHERE seq = 2", PG_NONE, NULL, &f->e),
              &f->e);
    assert_fails(journal_verify(f->db, "staging", &events, &f->e), &f->e, ERR_DATA);
}

static void a_registered_secret_does_not_reach_the_journal(void **state)
{
    struct fixture *f = *state;
    log_redact(STR("hunter2hunter2"));
    json_auto_t *before = json_pack("{s:s}", "value", "hunter2hunter2");
    log_redact(STR("staging")); /* a name stays a name, even if some variable has it as its value */
    int seq = intent(f, "variables", "TOKEN", before);
    assert_string_equal(open_release(f).target, "staging");
    assert_null(strstr(step(f, seq).before, "hunter2"));
    assert_ok(journal_event(f->j, "test", before, &f->e), &f->e);
    struct pg_rows rows;
    assert_ok(pg_query(f->db, f->a,
                       "SELECT count(*) FROM lockflight.events WHERE body::text LIKE '%hunter2%'",
                       PG_NONE, &rows, &f->e),
              &f->e);
    assert_int_equal(pg_int(&rows, 0, 0), 0);
}

static void artifacts_are_kept_by_content_and_checked_when_read(void **state)
{
    struct fixture *f = *state;
    char sha[SHA256_HEX_BYTES], again[SHA256_HEX_BYTES];
    struct str body = STR("eszip\0\xff body"), back;
    bool has = false;
    assert_ok(artifact_put(f->lease, "function.body", body, sha, &f->e), &f->e);
    assert_ok(artifact_put(f->lease, "function.body", body, again, &f->e), &f->e);
    assert_string_equal(sha, again);
    assert_ok(artifact_has(f->db, sha, &has, &f->e), &f->e);
    assert_true(has);
    assert_ok(artifact_get(f->db, f->a, sha, &back, &f->e), &f->e);
    assert_true(str_eq(body, back));
    assert_ok(pg_exec(f->db, "UPDATE lockflight.artifacts SET bytes = 'x'", PG_NONE, NULL, &f->e),
              &f->e);
    assert_fails(artifact_get(f->db, f->a, sha, &back, &f->e), &f->e, ERR_DATA);
    assert_fails(artifact_get(f->db, f->a, "00", &back, &f->e), &f->e, ERR_NOT_FOUND);
}

static void an_attestation_is_found_by_content_and_not_by_name(void **state)
{
    struct fixture *f = *state;
    struct attestation x = { .environment = "staging",
                             .release_id = journal_release_id(f->j),
                             .release_name = first.name,
                             .source_digest = "aa11",
                             .artefact_digest = "bb22",
                             .claims = "{\"tests\":12}",
                             .created_by = "ana" };
    struct attestation got;
    bool found = false;
    assert_ok(attestation_write(f->lease, &x, &f->e), &f->e);
    assert_ok(attestation_find(f->db, f->a, "staging", "aa11", &got, &found, &f->e), &f->e);
    assert_true(found);
    assert_string_equal(got.artefact_digest, "bb22");
    assert_string_equal(got.claims, "{\"tests\": 12}");
    assert_true(got.created_unix_ms > 0);
    assert_ok(attestation_find(f->db, f->a, "staging", "aa12", &got, &found, &f->e), &f->e);
    assert_false(found);
    assert_ok(attestation_newest(f->db, f->a, "staging", &got, &found, &f->e), &f->e);
    assert_true(found);
}

/* One line of the past, `hours` ago. */
static void happened(struct fixture *f, const char *what, const char *content, const char *hours)
{
    const char *sql =
        streq(what, "proved")
            ? "INSERT INTO lockflight.attestations (environment, release_name, source_digest, "
              "created_by, epoch, created_at) SELECT 'staging', 'r-' || $1, $1, 'ana', 1,"
              " clock_timestamp() - $2 * interval '1 hour'"
            : "INSERT INTO lockflight.releases (id, target, name, kind, source_digest, actor, "
              "state,"
              " epoch, finished_at) SELECT gen_random_uuid(), 'staging', 'r-' || $1, 'rollback', "
              "$1,"
              " 'ana', 'committed', 1, clock_timestamp() - $2 * interval '1 hour'";
    assert_ok(pg_exec(f->db, sql, PG_PARAMS(content, hours), NULL, &f->e), &f->e);
}

static void assert_stay(struct fixture *f, const char *content, int64_t hours, const char *next)
{
    struct attestation x;
    struct attestation_stay stay;
    bool found;
    assert_ok(attestation_find(f->db, f->a, "staging", content, &x, &found, &f->e), &f->e);
    assert_true(found);
    assert_ok(attestation_stay(f->db, f->a, &x, &stay, &f->e), &f->e);
    assert_int_equal(stay.for_ms / 600000, hours * 6);
    if (next)
        assert_string_equal(stay.followed_by, next);
    else
        assert_null(stay.followed_by);
}

static void content_has_rested_since_it_was_last_put_there_and_not_since_it_was_first_proved(
    void **state)
{
    struct fixture *f = *state;
    happened(f, "proved", "aa", "50");
    happened(f, "proved", "aa", "48"); /* once more: nothing came in between */
    assert_stay(f, "aa", 50, NULL);
    happened(f, "proved", "bb", "20");
    assert_stay(f, "aa", 30, "r-bb");
    assert_stay(f, "bb", 20, NULL);
    happened(f, "released", "aa", "3"); /* a rollback brings it back, and it rests from then on */
    assert_stay(f, "aa", 3, NULL);
    assert_stay(f, "bb", 17, "r-aa");
    happened(f, "proved", "bb", "1");
    assert_stay(f, "bb", 1, NULL);
}

static void a_history_without_a_journal_is_noticed(void **state)
{
    struct fixture *f = *state;
    enum schema_presence presence;
    char *url = pg_fixture_database(f->a);
    struct pg *db = NULL;
    assert_ok(pg_open(&(struct pg_spec){ .url = url }, &db, &f->e), &f->e);
    assert_ok(schema_look(db, &presence, &f->e), &f->e);
    assert_int_equal(presence, SCHEMA_ABSENT);
    assert_ok(pg_run(db, "CREATE SCHEMA supabase_migrations", NULL, &f->e), &f->e);
    assert_ok(pg_run(db,
                     "CREATE TABLE supabase_migrations.schema_migrations AS SELECT '1' AS version",
                     NULL, &f->e),
              &f->e);
    assert_ok(schema_look(db, &presence, &f->e), &f->e);
    assert_int_equal(presence, SCHEMA_ABSENT_BESIDE_HISTORY);
    assert_ok(schema_ensure(db, &f->e), &f->e);
    assert_ok(schema_ensure(db, &f->e), &f->e);
    assert_ok(schema_look(db, &presence, &f->e), &f->e);
    assert_int_equal(presence, SCHEMA_PRESENT);
    assert_ok(
        pg_run(db, "INSERT INTO lockflight.schema_scripts VALUES (999, 'future', '')", NULL, &f->e),
        &f->e);
    assert_fails(schema_look(db, &presence, &f->e), &f->e, ERR_CONFIG);
    pg_close(db);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_step_goes_from_intent_to_done_and_its_undo_to_undone),
        TEST(an_undo_covers_a_step_that_has_only_an_intent),
        TEST(what_a_call_returned_is_kept_while_the_step_is_in_doubt),
        TEST(a_write_inside_a_transaction_stands_or_falls_with_it),
        TEST(in_one_exchange_a_write_that_finds_nothing_says_so_and_ends_the_rest),
        TEST(in_one_exchange_a_runner_that_was_taken_over_is_stopped_by_the_fence),
        TEST(a_second_release_is_refused_while_one_is_open),
        TEST(an_open_release_is_found_reopened_and_continued_by_another_runner),
        TEST(a_final_state_is_written_once),
        TEST(the_live_release_is_the_newest_committed_one),
        TEST(content_that_was_rolled_back_stays_in_quarantine_until_cleared),
        TEST(the_chain_of_events_proves_itself),
        TEST(an_event_cannot_be_changed_and_a_forged_one_is_found),
        TEST(a_registered_secret_does_not_reach_the_journal),
        TEST(artifacts_are_kept_by_content_and_checked_when_read),
        TEST(an_attestation_is_found_by_content_and_not_by_name),
        TEST(content_has_rested_since_it_was_last_put_there_and_not_since_it_was_first_proved),
        TEST(a_history_without_a_journal_is_noticed),
    };
    return cmocka_run_group_tests_name("engine/journal", tests, NULL, NULL);
}
