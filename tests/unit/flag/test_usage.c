/* A server counts what it serves, in the database's counters of the day, and puts what falls due into
 * rows. */
#include "base/clock.h"
#include "flag/live.h"
#include "flag/ofrep_answer.h"
#include "flag/store_fixture.h"

#include <poll.h>
#include <string.h>

static void ask_all(const struct flag_snapshot *s, const char *body, enum flag_caller_kind kind)
{
    struct ofrep_question q = {
        .snapshot = s, .caller = { .kind = kind }, .body = str_of(body), .now_s = 1
    };
    struct ofrep_answer answer;
    ofrep_answer_bulk(&q, &answer);
    assert_int_equal(answer.status, 200);
    strbuf_done(&answer.body);
}

static void ask_one(const struct flag_snapshot *s, const char *key)
{
    struct ofrep_question q = { .snapshot = s,
                                .caller = { .kind = FLAG_CALLER_SERVER },
                                .now_s = 1 };
    struct ofrep_answer answer;
    ofrep_answer_single(&q, key, &answer);
    strbuf_done(&answer.body);
}

/* "crm on 3, financial off 1" */
static const char *counted(struct fixture *f)
{
    return ask(f, "SELECT coalesce(string_agg(concat_ws(' ', flag_key, variant, n), ', ' ORDER BY"
                  " flag_key, variant), '') FROM lockflight.flag_usage");
}

static struct flag_snapshot *snapshot_of(struct fixture *f)
{
    struct flag_stored stored;
    struct flag_snapshot *s = NULL;
    assert_ok(flag_store_snapshot(f->db, f->a, 0, &stored, &f->e), &f->e);
    assert_ok(flag_snapshot_parse(str_of(stored.text), &s, &f->e), &f->e);
    return s;
}

static void what_was_served_is_added_to_the_day_and_counted_once(void **state)
{
    struct fixture *f = *state;
    assert_ok(set(f, "financial", 1, "{'enabled':false}"), &f->e);
    struct flag_snapshot *s = snapshot_of(f);
    ask_all(s, "", FLAG_CALLER_SERVER);
    ask_all(s, "{\"context\":{\"targetingKey\":\"u\"}}", FLAG_CALLER_ANONYMOUS);
    ask_one(s, "crm");
    ask_one(s, "financial");
    ask_one(s, "nope");
    ask_one(s, "zzz");
    assert_ok(flag_usage_save(s->usage, f->db, &f->e), &f->e);
    /* financial is for policies: the anonymous caller was not told of it */
    assert_string_equal(counted(f), "crm on 3, financial  2");
    assert_ok(flag_usage_save(s->usage, f->db, &f->e), &f->e);
    ask_one(s, "crm");
    assert_ok(flag_usage_save(s->usage, f->db, &f->e), &f->e);
    assert_string_equal(counted(f), "crm on 4, financial  2");
    flag_snapshot_unref(s);
}

static void counts_that_cannot_be_written_are_kept(void **state)
{
    struct fixture *f = *state;
    struct flag_snapshot *s = snapshot_of(f);
    ask_one(s, "crm");
    run(f, "ALTER TABLE lockflight.flag_usage RENAME TO hidden");
    assert_fails(flag_usage_save(s->usage, f->db, &f->e), &f->e, ERR_NOT_FOUND);
    run(f, "ALTER TABLE lockflight.hidden RENAME TO flag_usage");
    ask_one(s, "crm");
    assert_ok(flag_usage_save(s->usage, f->db, &f->e), &f->e);
    assert_string_equal(counted(f), "crm on 2");
    flag_snapshot_unref(s);
}

/* At most some seconds; ends as soon as it is so. */
static bool comes_to(struct flag_live *l, int64_t version)
{
    for (int i = 0; i < 500; i++) {
        if (flag_live_state(l).version >= version)
            return true;
        (void)poll(NULL, 0, 20);
    }
    return false;
}

static int64_t version_of(struct fixture *f)
{
    int64_t version = 0;
    assert_ok(flag_store_version(f->db, &version, &f->e), &f->e);
    return version;
}

static void a_server_saves_its_counts_when_flags_change_and_when_it_ends(void **state)
{
    struct fixture *f = *state;
    struct flag_live *l = NULL;
    assert_ok(flag_live_open(&(struct flag_live_spec){ .url = f->url, .name = "test" }, &l, &f->e),
              &f->e);
    assert_true(comes_to(l, version_of(f)));
    struct flag_snapshot *s = flag_live_take(l);
    ask_one(s, "crm");
    flag_snapshot_unref(s);
    assert_ok(set(f, "crm", 1, "{'killed':true}"), &f->e);
    assert_true(comes_to(l, version_of(f)));
    s = flag_live_take(l);
    ask_one(s, "crm");
    flag_snapshot_unref(s);
    flag_live_close(l);
    assert_string_equal(counted(f), "crm off 1, crm on 1");
}

static void a_server_makes_a_version_of_what_fell_due(void **state)
{
    struct fixture *f = *state;
    json_auto_t *patch = json_of(f, "{'default_variant':'on'}");
    int64_t id;
    assert_ok(flag_store_schedule_add(f->db, "financial", clock_unix_ms() + 1500, patch, &ana, &id,
                                      &f->e),
              &f->e);
    int64_t before = version_of(f);
    struct flag_live *l = NULL;
    assert_ok(flag_live_open(&(struct flag_live_spec){ .url = f->url, .name = "test" }, &l, &f->e),
              &f->e);
    assert_true(comes_to(l, before + 1));
    flag_live_close(l);
    assert_string_equal(ask(f, "SELECT actor || ' ' || (new->>'default_variant') FROM"
                               " lockflight.flag_audit ORDER BY seq DESC LIMIT 1"),
                        "schedule on");
}

static void a_server_that_begins_makes_a_version_of_what_fell_due_before(void **state)
{
    struct fixture *f = *state;
    json_auto_t *patch = json_of(f, "{'default_variant':'on'}");
    int64_t id;
    assert_ok(flag_store_schedule_add(f->db, "financial", clock_unix_ms() + 60000, patch, &ana, &id,
                                      &f->e),
              &f->e);
    run(f, "UPDATE lockflight.flag_schedule SET run_at = clock_timestamp() - interval '1 hour'");
    int64_t before = version_of(f);
    struct flag_live *l = NULL;
    assert_ok(flag_live_open(&(struct flag_live_spec){ .url = f->url, .name = "test" }, &l, &f->e),
              &f->e);
    assert_true(comes_to(l, before + 1));
    flag_live_close(l);
    assert_string_equal(ask(f, "SELECT count(*) FROM lockflight.flag_schedule WHERE applied_at IS"
                               " NOT NULL"),
                        "1");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_was_served_is_added_to_the_day_and_counted_once),
        T(counts_that_cannot_be_written_are_kept),
        T(a_server_saves_its_counts_when_flags_change_and_when_it_ends),
        T(a_server_makes_a_version_of_what_fell_due),
        T(a_server_that_begins_makes_a_version_of_what_fell_due_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
