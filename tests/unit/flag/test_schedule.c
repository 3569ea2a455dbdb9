/* Planned changes: part of what is read from their second on, overtaken by hand, put into rows by the
 * next write. */
#include "flag/store_fixture.h"

#include <string.h>

#define AT ((int64_t)1900000000000) /* 2030: nothing here waits for it */

static int64_t plan(struct fixture *f, const char *key, int64_t run_unix_ms, const char *patch)
{
    json_auto_t *p = json_of(f, patch);
    int64_t id = 0;
    assert_ok(flag_store_schedule_add(f->db, key, run_unix_ms, p, &ana, &id, &f->e), &f->e);
    return id;
}

/* Moves a schedule into the past, as time does. */
static void pass(struct fixture *f, int64_t id, const char *ago)
{
    assert_ok(pg_exec(f->db,
                      "UPDATE lockflight.flag_schedule SET run_at = clock_timestamp() -"
                      " $2::interval WHERE id = $1::bigint",
                      PG_PARAMS(arena_printf(f->a, "%d", (int)id), ago), NULL, &f->e),
              &f->e);
}

/* The default variant and the second of the next change, at a moment. */
static const char *seen(struct fixture *f, const char *key, int64_t at_unix_ms)
{
    struct flag_stored s;
    assert_ok(flag_store_snapshot(f->db, f->a, at_unix_ms, &s, &f->e), &f->e);
    json_auto_t *x = json_parse(str_of(s.text), "the snapshot", &f->e);
    json_t *flag = json_object_get(json_object_get(json_object_get(x, "document"), "flags"), key);
    return arena_printf(f->a, "%s %s %lld", json_text_or(flag, "state", "?"),
                        json_text_or(flag, "defaultVariant", "-"), (long long)s.next_s);
}

static const char *state_of(struct fixture *f, int64_t id)
{
    struct flag_schedule *list;
    size_t n;
    assert_ok(flag_store_schedules(f->db, f->a, NULL, true, &list, &n, &f->e), &f->e);
    for (size_t i = 0; i < n; i++)
        if (list[i].id == id)
            return arena_printf(f->a, "%s%s%s", list[i].state, *list[i].detail ? ": " : "",
                                list[i].detail);
    return "gone";
}

static void a_schedule_is_there_from_its_second_on_and_not_a_millisecond_before(void **state)
{
    struct fixture *f = *state;
    plan(f, "financial", AT, "{'default_variant':'on'}");
    plan(f, "financial", AT + 60000, "{'enabled':false}");
    assert_string_equal(seen(f, "financial", AT - 1), "ENABLED off 1900000000");
    assert_string_equal(seen(f, "financial", AT), "ENABLED on 1900000060");
    assert_string_equal(seen(f, "financial", AT + 59999), "ENABLED on 1900000060");
    assert_string_equal(seen(f, "financial", AT + 60000), "DISABLED on 0");
}

static void within_a_second_the_next_change_is_told_as_the_second_after_it(void **state)
{
    struct fixture *f = *state;
    plan(f, "financial", AT + 1, "{'default_variant':'on'}");
    assert_string_equal(seen(f, "financial", AT), "ENABLED off 1900000001");
}

static void schedules_of_one_moment_run_in_the_order_in_which_they_were_made(void **state)
{
    struct fixture *f = *state;
    plan(f, "financial", AT, "{'default_variant':'on'}");
    plan(f, "financial", AT, "{'default_variant':null}");
    plan(f, "financial", AT - 1000, "{'default_variant':'on','enabled':false}");
    assert_string_equal(seen(f, "financial", AT), "DISABLED - 0");
}

static void the_next_write_of_anybody_puts_what_is_due_into_rows_as_schedule(void **state)
{
    struct fixture *f = *state;
    int64_t id = plan(f, "financial", AT, "{'default_variant':'on'}");
    pass(f, id, "1 minute");
    assert_string_equal(state_of(f, id), "due");
    struct flag_row row = get(f, "financial");
    assert_string_equal(row.default_variant, "on");
    assert_int_equal(row.version, 2);
    assert_string_equal(row.updated_by, "schedule");
    assert_string_equal(ask(f, "SELECT version FROM lockflight.flag_state WHERE flag_key ="
                               " 'financial'"),
                        "1");
    /* an operator who saw the flag before it was due is told who was faster */
    assert_fails(set(f, "financial", 1, "{'enabled':false}"), &f->e, ERR_CONFLICT);
    assert_non_null(strstr(f->e.why, "last changed by schedule"));

    assert_ok(set(f, "crm", 1, "{'killed':true}"), &f->e);
    assert_string_equal(state_of(f, id), "applied");
    row = get(f, "financial");
    assert_int_equal(row.version, 2);
    assert_string_equal(ask(f, "SELECT actor || ' ' || via || ' ' || reason || ' ' || action || ' '"
                               " || (new->>'default_variant') FROM lockflight.flag_audit"
                               " WHERE flag_key = 'financial' ORDER BY seq DESC LIMIT 1"),
                        "schedule schedule because schedule on");
    assert_ok(set(f, "financial", 2, "{'enabled':false}"), &f->e);
}

static void due_schedules_become_rows_without_a_write_when_asked(void **state)
{
    struct fixture *f = *state;
    int64_t first = plan(f, "financial", AT, "{'default_variant':'on'}");
    int64_t second = plan(f, "crm", AT, "{'default_variant':'off'}");
    pass(f, first, "1 minute");
    pass(f, second, "2 minutes");
    int64_t before, after, ran;
    assert_ok(flag_store_version(f->db, &before, &f->e), &f->e);
    assert_ok(flag_store_materialise(f->db, &ran, &f->e), &f->e);
    assert_int_equal(ran, 2);
    assert_ok(flag_store_version(f->db, &after, &f->e), &f->e);
    assert_int_equal(after, before + 1);
    assert_ok(flag_store_materialise(f->db, &ran, &f->e), &f->e);
    assert_int_equal(ran, 0);
    assert_string_equal(ask(f, "SELECT lockflight.flag_snapshot_newer(lockflight.flag_version())"),
                        "(null)");
    pass(f, plan(f, "crm", AT, "{'default_variant':'on'}"), "1 minute");
    assert_string_equal(ask(f, "SELECT lockflight.flag_snapshot_newer(lockflight.flag_version())"
                               "->'document'->'flags'->'crm'->>'defaultVariant'"),
                        "on");
}

static void a_change_by_hand_of_the_same_field_suspends_a_schedule_and_says_so(void **state)
{
    struct fixture *f = *state;
    int64_t same = plan(f, "financial", AT, "{'default_variant':'on'}");
    int64_t other = plan(f, "financial", AT, "{'enabled':false}");
    assert_ok(set_as(f, &ben, "financial", 1, "{'targeting':{'fractional':[['on',1],['off',1]]}}"),
              &f->e);
    assert_string_equal(state_of(f, same), "waiting");
    assert_ok(set_as(f, &ben, "financial", 2, "{'default_variant':null}"), &f->e);
    assert_memory_equal(state_of(f, same), "suspended: ben@desk changed the same by hand at 20",
                        50);
    assert_string_equal(state_of(f, other), "waiting");
    assert_string_equal(seen(f, "financial", AT), "DISABLED - 0");
    assert_string_equal(ask(f, "SELECT action || ' ' || object FROM lockflight.flag_audit"
                               " ORDER BY seq DESC LIMIT 1"),
                        arena_printf(f->a, "suspend schedule %d", (int)same));
    /* one that was made after the change is not overtaken by it */
    plan(f, "financial", AT, "{'default_variant':'on'}");
    assert_string_equal(seen(f, "financial", AT), "DISABLED on 0");
}

static void a_schedule_that_would_switch_on_missing_content_waits_for_it(void **state)
{
    struct fixture *f = *state;
    assert_ok(define(f, "{'key':'chat','needs':{'migrations':['20260126090000']}}", NULL), &f->e);
    int64_t id = plan(f, "chat", AT, "{'default_variant':'on'}");
    pass(f, id, "1 minute");
    assert_string_equal(state_of(f, id), "held: migration 20260126090000 is not applied");
    assert_string_equal(get(f, "chat").default_variant, "off");
    int64_t ran;
    assert_ok(flag_store_materialise(f->db, &ran, &f->e), &f->e);
    assert_int_equal(ran, 0);
    run(f, "CREATE SCHEMA supabase_migrations");
    run(f, "CREATE TABLE supabase_migrations.schema_migrations AS SELECT '20260126090000'::text AS"
           " version");
    assert_string_equal(get(f, "chat").default_variant, "on");
    assert_ok(flag_store_materialise(f->db, &ran, &f->e), &f->e);
    assert_int_equal(ran, 1);
}

static void a_cancelled_schedule_does_not_run_and_one_that_ran_cannot_be_cancelled(void **state)
{
    struct fixture *f = *state;
    int64_t id = plan(f, "financial", AT, "{'default_variant':'on'}");
    assert_ok(flag_store_schedule_cancel(f->db, id, &ben, &f->e), &f->e);
    assert_ok(flag_store_schedule_cancel(f->db, id, &ben, &f->e), &f->e);
    assert_string_equal(state_of(f, id), "cancelled: cancelled by ben@desk");
    assert_string_equal(seen(f, "financial", AT), "ENABLED off 0");
    assert_fails(flag_store_schedule_cancel(f->db, 999, &ben, &f->e), &f->e, ERR_NOT_FOUND);
    id = plan(f, "financial", AT, "{'default_variant':'on'}");
    pass(f, id, "1 minute");
    assert_fails(flag_store_schedule_cancel(f->db, id, &ben, &f->e), &f->e, ERR_BLOCKED);
}

static void a_schedule_for_the_past_or_for_nothing_is_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int64_t at;
        const char *patch;
    } cases[] = { { 1000, "{'enabled':false}" },
                  { AT, "{}" },
                  { AT, "{'default_variant':'maybe'}" },
                  { AT * 10, "{'enabled':false}" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_auto_t *p = json_of(f, cases[i].patch);
        int64_t id;
        assert_fails(flag_store_schedule_add(f->db, "crm", cases[i].at, p, &ana, &id, &f->e), &f->e,
                     ERR_DATA);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_schedule_is_there_from_its_second_on_and_not_a_millisecond_before),
        T(within_a_second_the_next_change_is_told_as_the_second_after_it),
        T(schedules_of_one_moment_run_in_the_order_in_which_they_were_made),
        T(the_next_write_of_anybody_puts_what_is_due_into_rows_as_schedule),
        T(due_schedules_become_rows_without_a_write_when_asked),
        T(a_change_by_hand_of_the_same_field_suspends_a_schedule_and_says_so),
        T(a_schedule_that_would_switch_on_missing_content_waits_for_it),
        T(a_cancelled_schedule_does_not_run_and_one_that_ran_cannot_be_cancelled),
        T(a_schedule_for_the_past_or_for_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
