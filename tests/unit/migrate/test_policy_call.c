/* Where SQL asks for flags: once for a statement, or once for every row. */
#include "assert_ok.h"

#include "base/cleanup.h"
#include "migrate/sql/policy_call.h"

/* "p:crm! " for a bare call of policy p, "-" for a call outside of policies, "?" no literal. */
static const char *told(struct arena *a, const struct policy_calls *calls)
{
    const char *all = "";
    for (size_t i = 0; i < calls->n; i++) {
        const struct policy_call *c = &calls->v[i];
        if (!c->is_gone)
            all = arena_printf(a, "%s%s%s:%s%s", all, *all ? " " : "", c->policy ? c->policy : "-",
                               c->key ? c->key : "?", c->is_bare ? "!" : "");
    }
    return all;
}

static void expect(const char *text, const char *expected)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct policy_calls calls = { 0 };
    struct err e = { 0 };
    assert_ok(policy_calls_read(a, "x.sql", str_of(text), &calls, &e), &e);
    assert_string_equal(told(a, &calls), expected);
}

static void a_call_in_a_policy_is_bare_unless_a_subselect_is_around_it(void **state)
{
    (void)state;
    expect("create policy p on t using (lockflight.is_on('crm', auth.uid()::text))", "p:crm!");
    expect("create policy p on t using ((select lockflight.is_on('crm', 'u')))", "p:crm");
    expect("create policy p on t for insert with check (owner = 1 and module_enabled('crm'))",
           "p:crm!");
    expect("create policy p on t using (a or (select not public.module_enabled('crm'::text)))",
           "p:crm");
    expect("create policy p on t using (lockflight.is_on(k, 'u'))", "p:?!");
    expect("create policy p on t using (other.is_on('crm', 'u'))", "");
}

static void calls_elsewhere_are_questions_and_never_bare(void **state)
{
    (void)state;
    expect("create view v as select * from t where lockflight.is_on('crm', 'u')", "-:crm");
    expect("select 1", "");
    expect("comment on table t is 'is_on(''crm'')'", "");
}

static void a_policy_counts_as_it_is_last(void **state)
{
    (void)state;
    expect("create policy p on t using (is_on('crm', 'u'));\n"
           "alter policy p on public.t using ((select is_on('crm', 'u')));",
           "p:crm");
    expect("create policy p on t using (is_on('crm', 'u'));\ndrop policy p on t;", "");
    expect("create policy p on t using (is_on('crm', 'u'));\ndrop policy p on other;", "p:crm!");
    expect("create policy p on t using (is_on('crm', 'u'));\ndrop policy if exists p on public.t;\n"
           "create policy p on t using ((select is_on('crm', 'u')));",
           "p:crm");
}

static void what_a_catalogue_says_is_read_the_same(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct policy_calls calls = { 0 };
    struct err e = { 0 };
    assert_ok(policy_calls_of_expression(a, &(struct policy_place){ "public.t", "p", "staging" },
                                         "lockflight.is_on('crm'::text, (uid())::text)", &calls,
                                         &e),
              &e);
    assert_ok(policy_calls_of_expression(a, &(struct policy_place){ "public.t", "q", "staging" },
                                         "( SELECT lockflight.is_on('crm'::text, 'u'::text) AS x)",
                                         &calls, &e),
              &e);
    assert_string_equal(told(a, &calls), "p:crm! q:crm");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_in_a_policy_is_bare_unless_a_subselect_is_around_it),
        cmocka_unit_test(calls_elsewhere_are_questions_and_never_bare),
        cmocka_unit_test(a_policy_counts_as_it_is_last),
        cmocka_unit_test(what_a_catalogue_says_is_read_the_same),
    };
    return cmocka_run_group_tests_name("migrate/policy_call", tests, NULL, NULL);
}
