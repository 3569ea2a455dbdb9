/* What of a context reaches a rule, for each kind of caller; tables of context, caller, result. */
#include "assert_ok.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "flag/normalise.h"

#define DECLARED                                                                                   \
    "{\"plan\":{\"type\":\"string\",\"trusted\":true},\"seats\":{\"type\":\"number\"},"            \
    "\"beta\":{\"type\":\"boolean\"},\"groups\":{\"type\":\"list\"},"                              \
    "\"teams\":{\"type\":\"list\",\"trusted\":true},\"app\":{\"type\":\"version\"}}"

struct row {
    const char *given;
    const char *expected; /* NULL: refused */
    unsigned dropped;
};

static json_t *parsed(const char *text)
{
    struct err e = { 0 };
    json_t *value = json_parse(str_of(text), "the test", &e);
    assert_non_null(value);
    return value;
}

static void expect_rows(const char *declared, const struct flag_caller *caller,
                        const struct row *rows, size_t n)
{
    json_auto_t *attributes = declared ? parsed(declared) : NULL;
    for (size_t i = 0; i < n; i++) {
        CLEANUP(arena) struct arena *a = arena_new(0);
        json_auto_t *given = rows[i].given ? parsed(rows[i].given) : NULL;
        json_auto_t *context = NULL;
        unsigned dropped = 0;
        struct err e = { 0 };
        bool ok = flag_normalise(attributes, caller, given, &context, &dropped, &e);
        if (ok != (rows[i].expected != NULL))
            fail_msg("%s: %s", rows[i].given, ok ? "was taken" : e.why);
        if (!ok)
            continue;
        if (!streq(json_text(a, context), rows[i].expected) || dropped != rows[i].dropped)
            fail_msg("%s\n  gives %s, %u dropped\n  not   %s, %u", rows[i].given,
                     json_text(a, context), dropped, rows[i].expected, rows[i].dropped);
    }
}
#define EXPECT(declared, caller, rows)                                                             \
    expect_rows(declared, caller, rows, sizeof(rows) / sizeof(rows)[0])

static const struct flag_caller server = { .kind = FLAG_CALLER_SERVER };
static const struct flag_caller anonymous = { .kind = FLAG_CALLER_ANONYMOUS };

static void a_server_says_everything_that_is_declared_in_its_type(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { NULL, "{}", 0 },
        { "null", "{}", 0 },
        { "{}", "{}", 0 },
        { "{\"targetingKey\":\"u1\",\"plan\":\"pro\",\"seats\":3,\"beta\":false,\"app\":\"1.2\","
          "\"groups\":[\"a\",\"b\"],\"teams\":[]}",
          "{\"app\":\"1.2\",\"beta\":false,\"groups\":[\"a\",\"b\"],\"plan\":\"pro\",\"seats\":3,"
          "\"targetingKey\":\"u1\",\"teams\":[]}",
          0 },
        { "{\"seats\":0.5}", "{\"seats\":0.5}", 0 },
        { "{\"plan\":null,\"groups\":null,\"targetingKey\":null}", "{}", 0 },
        { "{\"plan\":1,\"seats\":\"3\",\"beta\":0,\"groups\":\"a\",\"app\":2}", "{}", 5 },
        { "{\"plan\":{},\"seats\":true,\"beta\":\"true\",\"groups\":[\"a\",1]}", "{}", 4 },
        { "{\"groups\":[null]}", "{}", 1 },
        { "{\"app\":\"v1.2.3-rc.1+b7\"}", "{\"app\":\"v1.2.3-rc.1+b7\"}", 0 },
        { "{\"app\":\"vv1.2.3\"}", "{}", 1 },
        { "{\"app\":\" 1.2.3\"}", "{}", 1 },
        { "{\"app\":\"1.2.3 \"}", "{}", 1 },
        { "{\"app\":\"\"}", "{}", 1 },
        { "{\"app\":\"1.2.\u00e9\"}", "{}", 1 },
        { "{\"city\":\"Porto\",\"$flagd\":{\"flagKey\":\"x\"},\"\":1}", "{}", 3 },
        { "{\"targetingKey\":\"\"}", "{\"targetingKey\":\"\"}", 0 },
    };
    EXPECT(DECLARED, &server, rows);
}

static void what_is_trusted_comes_from_nobody_without_a_token(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"targetingKey\":\"u1\",\"plan\":\"pro\",\"teams\":[\"a\"],\"seats\":3}",
          "{\"seats\":3,\"targetingKey\":\"u1\"}", 2 },
        { "{\"plan\":null}", "{}", 0 },
    };
    EXPECT(DECLARED, &anonymous, rows);
}

static void a_user_is_who_the_token_says_and_has_what_it_says(void **state)
{
    (void)state;
    json_auto_t *claims =
        parsed("{\"plan\":\"pro\",\"teams\":[\"a\",2],\"seats\":9,\"role\":\"admin\"}");
    struct flag_caller user = { FLAG_CALLER_USER, "user-1", claims };
    struct flag_caller bare = { FLAG_CALLER_USER, "user-2", NULL };
    static const struct row rows[] = {
        { "{}", "{\"plan\":\"pro\",\"targetingKey\":\"user-1\"}",
          1 }, /* teams is no list of texts */
        { "{\"targetingKey\":\"other\",\"plan\":\"free\",\"seats\":3,\"role\":\"x\"}",
          "{\"plan\":\"pro\",\"seats\":3,\"targetingKey\":\"user-1\"}", 3 },
    };
    static const struct row bare_rows[] = {
        { "{\"plan\":\"pro\"}", "{\"targetingKey\":\"user-2\"}", 1 },
        { NULL, "{\"targetingKey\":\"user-2\"}", 0 },
    };
    EXPECT(DECLARED, &user, rows);
    EXPECT(DECLARED, &bare, bare_rows);
}

static void a_context_that_cannot_be_exact_is_refused_whole(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "[]", NULL, 0 },
        { "\"u1\"", NULL, 0 },
        { "7", NULL, 0 },
        { "{\"targetingKey\":7}", NULL, 0 },
        { "{\"targetingKey\":[\"u1\"]}", NULL, 0 },
        { "{\"seats\":9007199254740992}", NULL, 0 },
        { "{\"unknown\":{\"deep\":[-9007199254740992]}}", NULL, 0 },
        { "{\"seats\":1e300}", NULL, 0 },
        { "{\"seats\":9007199254740991}", "{\"seats\":9007199254740991}", 0 },
        { "{\"seats\":-9007199254740991.0}", "{\"seats\":-9007199254740991.0}", 0 },
    };
    EXPECT(DECLARED, &server, rows);
    EXPECT(DECLARED, &anonymous, rows);
}

static void a_text_that_is_not_exact_json_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"plan\":\"\\ud800\"}",
        "{\"plan\":\"\\udc00\\ud800\"}",
        "{\"\\udfff\":1}",
        "{\"plan\":\"a\\u0000b\"}",
        "{\"plan\":\"\xff\"}",
        "{\"plan\":\"\xed\xa0\x80\"}",
        "{\"plan\":1,\"plan\":2}",
        "{\"seats\":1e400}",
        "{\"seats\":NaN}",
        "{\"a\\u0000\":1}",
        "{",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err e = { 0 };
        assert_fails(flag_context_parse(str_of(bad[i]), "the request", &e), &e, ERR_DATA);
    }
    char deep[200];
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    struct err e = { 0 };
    assert_fails(flag_context_parse((struct str){ deep, 130 }, "the request", &e), &e, ERR_LIMIT);
    json_auto_t *good = flag_context_parse(STR("{\"plan\":\"\\ud83d\\ude00\"}"), "it", &e);
    assert_string_equal(json_string_value(json_object_get(good, "plan")), "\xf0\x9f\x98\x80");
}

static void without_declarations_only_nulls_and_our_own_member_go(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{\"a\":null,\"b\":{\"c\":null},\"$flagd\":1,\"targetingKey\":\"u\"}",
          "{\"b\":{\"c\":null},\"targetingKey\":\"u\"}", 1 },
    };
    EXPECT(NULL, &server, rows);
    EXPECT(NULL, &anonymous, rows);
}

static void a_declaration_of_an_unknown_type_declares_nothing(void **state)
{
    (void)state;
    static const struct row rows[] = { { "{\"plan\":\"pro\",\"x\":1}", "{}", 2 } };
    EXPECT("{\"plan\":{\"type\":\"text\"},\"x\":true}", &server, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_says_everything_that_is_declared_in_its_type),
        cmocka_unit_test(what_is_trusted_comes_from_nobody_without_a_token),
        cmocka_unit_test(a_user_is_who_the_token_says_and_has_what_it_says),
        cmocka_unit_test(a_context_that_cannot_be_exact_is_refused_whole),
        cmocka_unit_test(a_text_that_is_not_exact_json_is_refused),
        cmocka_unit_test(without_declarations_only_nulls_and_our_own_member_go),
        cmocka_unit_test(a_declaration_of_an_unknown_type_declares_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
