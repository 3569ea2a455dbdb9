/*
 * lockflight.is_on and the evaluator in C say the same: on the known hashes, on units by chance (any
 * letters of the world), for each form of rule that is_on knows; and a policy asks once, not per row.
 */
#include "flag/evaluate.h"
#include "flag/murmur3.h"
#include "flag/store_fixture.h"

#include <stdio.h>
#include <string.h>

enum {
    UNITS = 10000,
    SEED = 20261125,
};

static uint64_t seed = SEED;

static uint32_t chance(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static size_t utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)((0xf00 >> n) | c);
    return n;
}

/* Letters of one to four bytes; every fifth unit looks like an identifier of a user. */
static const char *some_unit(struct arena *a)
{
    if (chance(5) == 0)
        return arena_printf(a, "%08x-%04x-4%03x-%04x-%08x%04x", chance(1u << 31), chance(1 << 16),
                            chance(1 << 12), chance(1 << 16), chance(1u << 31), chance(1 << 16));
    static const uint32_t from[] = { 0x21, 0xa1, 0x4e00, 0x1f300 };
    static const uint32_t many[] = { 0x5e, 0x700, 0x5000, 0x300 };
    char text[160];
    size_t n = 0;
    for (uint32_t i = chance(24) + 1; i > 0; i--) {
        uint32_t plane = chance(4);
        n += utf8(text + n, from[plane] + chance(many[plane]));
    }
    return arena_strndup(a, text, n);
}

/* Each hash with the share of 100 that it falls into, from the description of the algorithm. */
static const struct {
    const char *unit;
    const char *hash;
    int share;
} vectors[] = {
    { "", "0", 0 },
    { "hello", "613153351", 14 },
    { "ejOoVL", "0", 0 },
    { "bY9fO-", "1", 0 },
    { "SI7p-", "2147483647", 49 },
    { "6LvT0", "2147483648", 50 },
    { "ceQdGm", "4294967295", 99 },
    { "jon@company.com", "1557731397", 36 },
    { "é", "269551495", 6 },
    { "日本", "3302619458", 76 },
    { "😀", "3199479546", 74 },
};

static void hashes_are_the_known_ones_and_those_of_the_evaluator(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct pg_rows r;
        assert_ok(pg_query(f->db, f->a, "SELECT lockflight.flag_murmur3($1)",
                           PG_PARAMS(vectors[i].unit), &r, &f->e),
                  &f->e);
        assert_string_equal(pg_value(&r, 0, 0), vectors[i].hash);
        assert_int_equal(murmur3(str_of(vectors[i].unit)), pg_int(&r, 0, 0));
        assert_int_equal((uint64_t)pg_int(&r, 0, 0) * 100 >> 32, vectors[i].share);
    }
}

/* ---- flags ---- */

#define KEY_ITSELF "{'var':'targetingKey'}"

static const char *const rules[] = {
    "{'fractional':[['on',25],['off',75]]}",
    "{'fractional':[" KEY_ITSELF ",['on',50],['off',50]]}",
    "{'fractional':[{'cat':['salt-',{'var':'$flagd.flagKey'},{'var':['targetingKey','']}]},"
    "['on',1],['off',99999]]}",
    "{'fractional':['everyone alike',['on',50],['off',50]]}",
    "{'fractional':[['off'],['on'],['off',2],['on',-3],['third',1]]}",
    "{'fractional':[['on',0],['off',0]]}",
    "{'fractional':[['on',2147483647],['off',1]]}",
    "{'fractional':[['on',1.5],['off',1]]}",
    "{'fractional':[['on',1],[null,1]]}",
    "{'if':[{'in':[" KEY_ITSELF ",['hello','é','']]},'on','off']}",
    "{'if':[{'in':[{'var':['targetingKey','']},['','日本']]},'on','off']}",
    "{'if':[{'$ref':'pilot'},'on',{'fractional':[['on',10],['off',90]]}]}",
    "{'if':[{'in':[" KEY_ITSELF ",['hello']]},'off',{'in':[" KEY_ITSELF
    ",['hello','😀']]},'on','off']}",
    "{'if':[{'in':[" KEY_ITSELF ",['hello']]},'nowhere','off']}",
};

enum {
    RULES = sizeof rules / sizeof *rules
};

static void make_flags(struct fixture *f)
{
    json_auto_t *pilot = json_of(f, "{'in':[{'var':'targetingKey'},['hello','ceQdGm','日本']]}");
    int64_t version;
    assert_ok(flag_store_segment_set(f->db, "pilot", pilot, 0, &ana, &version, &f->e), &f->e);
    for (int i = 0; i < RULES; i++) {
        assert_ok(define(f,
                         arena_printf(f->a,
                                      "{'key':'r%d','exposure':'%s','variants':{'on':true,"
                                      "'off':false,'third':true}}",
                                      i, i % 2 ? "db" : "client"),
                         NULL),
                  &f->e);
        char key[8];
        (void)snprintf(key, sizeof key, "r%d", i);
        assert_ok(set(f, key, 1, arena_printf(f->a, "{'targeting':%s}", rules[i])), &f->e);
    }
    assert_ok(define(f,
                     "[{'key':'child','exposure':'db','initial':'on',"
                     "'requires':[{'flag':'r0','variant':'on'}]},"
                     "{'key':'grandchild','exposure':'db','initial':'on',"
                     "'requires':[{'flag':'child','variant':'on'},{'flag':'r1','variant':'off'}]},"
                     "{'key':'colour','exposure':'db','variants':{'red':'r','blue':'b'},"
                     "'off':'red'}]",
                     NULL),
              &f->e);
    assert_ok(set(f, "colour", 1, "{'targeting':{'fractional':[['blue',1],['red',1]]}}"), &f->e);
}

static struct flag_document *document_of(struct fixture *f)
{
    struct flag_stored s;
    assert_ok(flag_store_snapshot(f->db, f->a, 0, &s, &f->e), &f->e);
    json_auto_t *x = json_parse(str_of(s.text), "the snapshot", &f->e);
    struct flag_document *d = NULL;
    assert_ok(flag_document_compile(json_object_get(x, "document"), "the document", &d, &f->e),
              &f->e);
    return d;
}

/* What is_on promises, said with the evaluator. */
static bool on_in_c(const struct flag_document *d, const char *key, const char *unit)
{
    json_auto_t *context = json_pack("{s:s*}", "targetingKey", unit);
    struct flag_context c = flag_context(context, 0);
    struct flag_answer answer;
    const struct flag *flag = flag_document_find(d, str_of(key));
    flag_evaluate(d, flag, &c, &answer);
    if (answer.error != FLAG_OK || !answer.variant)
        return false;
    return flag_type_of(flag) == FLAG_BOOLEAN ? json_is_true(answer.value)
                                              : !streq(answer.variant, "red");
}

/* How many of the units differ. */
static size_t differences(struct fixture *f, const struct flag_document *d, const char *key,
                          const char *const *units, size_t n)
{
    struct pg_rows r;
    assert_ok(pg_query(f->db, f->a,
                       "SELECT lockflight.is_on($1, u) FROM unnest($2::text[])"
                       " WITH ORDINALITY AS x (u, i) ORDER BY i",
                       PG_PARAMS(key, pg_text_array(f->a, units, n)), &r, &f->e),
              &f->e);
    assert_int_equal(r.n, n);
    size_t differ = 0;
    for (size_t i = 0; i < n; i++) {
        bool in_c = on_in_c(d, key, units[i]);
        if (pg_bool(&r, i, 0) != in_c && differ++ < 5)
            print_error("%s for %s: C says %d\n", key, units[i], in_c);
    }
    return differ;
}

static void is_on_says_what_the_evaluator_says(void **state)
{
    struct fixture *f = *state;
    make_flags(f);
    struct flag_document *d = document_of(f);
    size_t known = sizeof vectors / sizeof *vectors, n = known + UNITS;
    const char **units = ARENA_ARRAY(f->a, const char *, n);
    for (size_t i = 0; i < n; i++)
        units[i] = i < known ? vectors[i].unit : some_unit(f->a);
    static const char *const others[] = { "child", "grandchild", "colour" };
    size_t differ = 0;
    for (int i = 0; i < RULES + 3; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "r%d", i);
        /* all units for the percentages, fewer where there is less to get wrong */
        size_t some = i < 3 || i >= RULES ? n : n / 10;
        differ += differences(f, d, i < RULES ? key : others[i - RULES], units, some);
    }
    flag_document_free(d);
    assert_int_equal(differ, 0);
}

static void without_a_unit_nobody_is_in_a_percentage(void **state)
{
    struct fixture *f = *state;
    make_flags(f);
    struct flag_document *d = document_of(f);
    for (int i = 0; i < RULES; i++) {
        char key[8];
        (void)snprintf(key, sizeof key, "r%d", i);
        struct pg_rows r;
        assert_ok(
            pg_query(f->db, f->a, "SELECT lockflight.is_on($1, NULL)", PG_PARAMS(key), &r, &f->e),
            &f->e);
        assert_non_null(pg_value(&r, 0, 0));
        assert_int_equal(pg_bool(&r, 0, 0), on_in_c(d, key, NULL));
    }
    flag_document_free(d);
}

static void what_is_not_for_policies_is_off(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(ask(f, "SELECT lockflight.is_on('nope', 'u')"), "f");
    assert_string_equal(ask(f, "SELECT lockflight.is_on(NULL, 'u')"), "f");
    assert_ok(define(f, "{'key':'inside','exposure':'server','initial':'on'}", NULL), &f->e);
    assert_string_equal(ask(f, "SELECT lockflight.is_on('inside', 'u')"), "f");
    assert_string_equal(ask(f, "SELECT lockflight.is_on('crm', 'u')"), "t");
    assert_ok(set(f, "crm", 1, "{'enabled':false}"), &f->e);
    assert_string_equal(ask(f, "SELECT lockflight.is_on('crm', 'u')"), "f");
    assert_ok(set(f, "crm", 2,
                  "{'enabled':true,'targeting':{'if':[{'==':[{'var':'plan'},'pro']},"
                  "'on','on']}}"),
              &f->e);
    assert_string_equal(ask(f, "SELECT lockflight.is_on('crm', 'u')"), "f");
    assert_ok(set(f, "crm", 3, "{'targeting':null}"), &f->e);
    assert_ok(set(f, "crm", 4, "{'killed':true}"), &f->e);
    assert_string_equal(ask(f, "SELECT lockflight.is_on('crm', 'u')"), "f");
    /* a flag whose off variant says true is on when it is killed: the variant decides */
    assert_ok(define(f, "{'key':'odd','exposure':'db','off':'on'}", NULL), &f->e);
    assert_string_equal(ask(f, "SELECT lockflight.is_on('odd', 'u')"), "t");
}

/* ---- policies ---- */

static int64_t calls_of_is_on(struct fixture *f, const char *policy)
{
    run(f, "DROP POLICY IF EXISTS p ON public.orders");
    run(f, arena_printf(f->a, "CREATE POLICY p ON public.orders FOR SELECT USING (%s)", policy));
    const char *count =
        "SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions WHERE funcname = 'is_on'";
    run(f, "SELECT pg_stat_force_next_flush()");
    int64_t before = atoll(ask(f, count));
    run(f, "SET ROLE authenticated");
    assert_string_equal(ask(f, "SELECT count(*) FROM public.orders"), "500");
    run(f, "RESET ROLE");
    run(f, "SELECT pg_stat_force_next_flush()");
    return atoll(ask(f, count)) - before;
}

static void a_policy_with_an_inner_select_asks_once(void **state)
{
    struct fixture *f = *state;
    run(f, "CREATE ROLE authenticated");
    run(f, "CREATE TABLE public.orders AS SELECT generate_series(1, 500) AS id");
    run(f, "ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY");
    run(f, "GRANT SELECT ON public.orders TO authenticated");
    run(f, "SET track_functions = 'pl'");
    assert_ok(define(f, "{'key':'later'}", NULL), &f->e); /* roles came after the schema */
    assert_int_equal(calls_of_is_on(f, "(SELECT lockflight.is_on('crm', 'u'))"), 1);
    assert_int_equal(calls_of_is_on(f, "lockflight.is_on('crm', 'u')"), 500);

    run(f, "SET ROLE authenticated");
    static const char *const forbidden[] = {
        "SELECT FROM lockflight.flag",
        "SELECT FROM lockflight.flag_audit",
        "SELECT FROM lockflight.releases",
        "SELECT lockflight.flag_snapshot()",
        "SELECT lockflight.flag_set_state('crm', '{\"killed\":true}', NULL, 'me', 'cli', NULL)",
        "SELECT lockflight.event_append('prod', NULL, 1, 'x', '{}', gen_random_uuid())",
        "CREATE TABLE lockflight.mine ()",
    };
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        assert_fails(pg_run(f->db, forbidden[i], NULL, &f->e), &f->e, ERR_DB);
        assert_string_equal(f->e.sqlstate, "42501");
    }
    run(f, "RESET ROLE");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(hashes_are_the_known_ones_and_those_of_the_evaluator),
        T(is_on_says_what_the_evaluator_says),
        T(without_a_unit_nobody_is_in_a_percentage),
        T(what_is_not_for_policies_is_off),
        T(a_policy_with_an_inner_select_asks_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
