/* Which rules are portable, where the others are not, and what to write instead: tables of rule and
 * finding. */
#include "assert_ok.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "flag/profile.h"

static const char *const attributes_text =
    "{\"plan\":{\"type\":\"string\",\"trusted\":true},\"email\":{\"type\":\"string\"},"
    "\"seats\":{\"type\":\"number\"},\"beta\":{\"type\":\"boolean\"},"
    "\"groups\":{\"type\":\"list\"},\"app\":{\"type\":\"version\"}}";
static const char *const segments_text = "{\"staff\":{\"ends_with\":[{\"var\":\"email\"},\"@x\"]}}";

struct fixture {
    struct arena *a;
    json_t *variants;
    json_t *attributes;
    json_t *segments;
    struct flag_profile p;
};

static json_t *parsed(const char *text)
{
    struct err e = { 0 };
    json_t *value = json_parse(str_of(text), text, &e);
    if (!value)
        fail_msg("%s: %s", text, e.why);
    return value;
}

static struct fixture fixture(const char *variants)
{
    struct fixture f = { .a = arena_new(0),
                         .variants = parsed(variants),
                         .attributes = parsed(attributes_text),
                         .segments = parsed(segments_text) };
    f.p = (struct flag_profile){ f.variants, f.attributes, f.segments, false };
    return f;
}

static void fixture_cleanup(struct fixture *f)
{
    arena_free(f->a);
    json_decref(f->variants);
    json_decref(f->attributes);
    json_decref(f->segments);
}

#define ON_OFF "{\"on\":true,\"off\":false}"

/* All findings, one a line; notes begin with "note ". */
static const char *found(struct fixture *f, const char *text, bool is_segment)
{
    struct flag_findings all = { 0 };
    json_auto_t *rule = parsed(text);
    if (is_segment)
        flag_profile_segment(&f->p, f->a, rule, &all);
    else
        flag_profile_rule(&f->p, f->a, rule, &all);
    const char *lines = "";
    for (size_t i = 0; i < all.n; i++)
        lines = arena_printf(f->a, "%s%s%s%s", lines, i ? "\n" : "",
                             all.v[i].is_note ? "note " : "", flag_finding_text(f->a, &all.v[i]));
    return lines;
}

struct row {
    const char *rule;
    const char *expected;
};

static void expect(struct fixture *f, const struct row *rows, size_t n, bool is_segment)
{
    for (size_t i = 0; i < n; i++) {
        const char *lines = found(f, rows[i].rule, is_segment);
        if (!streq(lines, rows[i].expected))
            fail_msg("%s\n    gives    %s\n    expected %s", rows[i].rule, lines, rows[i].expected);
    }
}
#define ROWS(rows) (rows), sizeof(rows) / sizeof(rows)[0]

/* A condition in the place where most stand. */
#define WHEN(condition) "{\"if\":[" condition ",\"on\",\"off\"]}"

static void every_form_of_the_grammar_is_portable(void **state)
{
    (void)state;
    CLEANUP(fixture) struct fixture f = fixture(ON_OFF);
    static const char *const rules[] = {
        "null",
        "{}",
        WHEN("{\"==\":[{\"var\":\"plan\"},\"pro\"]}"),
        WHEN("{\"!=\":[\"pro\",{\"var\":[\"plan\",\"\"]}]}"),
        WHEN("{\"===\":[{\"var\":[\"seats\"]},3]}"),
        WHEN("{\"!==\":[false,{\"var\":\"beta\"}]}"),
        WHEN("{\"!==\":[{\"var\":\"groups\"},null]}"),
        WHEN("{\"===\":[null,{\"var\":\"app\"}]}"),
        WHEN("{\"<\":[{\"var\":[\"seats\",0]},10]}"),
        WHEN("{\"<=\":[1,{\"var\":[\"seats\",0]},10.5]}"),
        WHEN("{\">\":[{\"var\":[\"seats\",0]},{\"var\":[\"seats\",1]}]}"),
        WHEN("{\">=\":[10,{\"var\":[\"seats\",0]}]}"),
        WHEN("{\"in\":[{\"var\":\"plan\"},[\"a\",\"b\"]]}"),
        WHEN("{\"in\":[\"x\",{\"var\":\"email\"}]}"),
        WHEN("{\"in\":[\"x\",{\"var\":\"groups\"}]}"),
        WHEN("{\"in\":[{\"var\":\"targetingKey\"},[\"u1\"]]}"),
        WHEN("{\"starts_with\":[{\"var\":\"email\"},\"a\"]}"),
        WHEN("{\"ends_with\":[{\"var\":[\"email\",\"\"]},\"@x\"]}"),
        WHEN("{\"sem_ver\":[{\"var\":\"app\"},\">=\",\"1.2.3-rc.1+b.007\"]}"),
        WHEN("{\"sem_ver\":[{\"var\":\"app\"},\"~\",\"v2\"]}"),
        WHEN("{\"some\":[{\"var\":\"groups\"},{\"in\":[{\"var\":\"\"},[\"a\"]]}]}"),
        WHEN("{\"none\":[{\"var\":[\"groups\",[]]},{\"in\":[{\"var\":\"\"},[\"a\"]]}]}"),
        WHEN("{\"all\":[{\"var\":[\"groups\",[]]},{\"in\":[{\"var\":\"\"},[\"a\"]]}]}"),
        WHEN("{\"$ref\":\"staff\"}"),
        WHEN("{\"and\":[{\"$ref\":\"staff\"},{\"!\":[{\"or\":[{\"$ref\":\"staff\"},"
             "{\"===\":[{\"var\":\"beta\"},true]}]}]}]}"),
        "{\"if\":[{\"$ref\":\"staff\"},null,{\"$ref\":\"staff\"},{\"fractional\":[[\"on\"],[null]]}"
        ","
        "{\"if\":[{\"$ref\":\"staff\"},\"on\",\"off\"]}]}",
        "{\"fractional\":[[\"on\",25],[\"off\",75]]}",
        "{\"fractional\":[{\"var\":\"targetingKey\"},[\"on\",0],[\"off\",100]]}",
        "{\"fractional\":[{\"cat\":[\"salt-\",{\"var\":\"$flagd.flagKey\"},"
        "{\"var\":[\"email\",\"\"]}]},[\"on\",100000]]}",
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const char *lines = found(&f, rules[i], false);
        /* a share of "1 of 2" is worth a note, and is portable */
        if (*lines && !starts_with(lines, "note "))
            fail_msg("%s\n    gives    %s", rules[i], lines);
    }
}

static void true_and_false_answer_only_where_such_variants_are(void **state)
{
    (void)state;
    CLEANUP(fixture) struct fixture f = fixture(ON_OFF);
    CLEANUP(fixture) struct fixture g = fixture("{\"true\":1,\"false\":0}");
    static const char *const bare[] = {
        "{\"$ref\":\"staff\"}",
        "{\"==\":[{\"var\":\"plan\"},\"pro\"]}",
    };
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(found(&g, bare[i], false), "");
        assert_string_equal(found(&f, bare[i], false),
                            "a condition answers true or false, and the flag has no such variants; "
                            "write {\"if\":[condition, \"on\", \"off\"]}");
    }
    assert_string_equal(found(&g, "{\"if\":[{\"$ref\":\"staff\"},true,false]}", false), "");
    assert_true(starts_with(found(&f, "{\"if\":[{\"$ref\":\"staff\"},true,\"off\"]}", false),
                            "if[1]: a condition answers"));
}

static void a_refusal_names_the_place_and_the_portable_way(void **state)
{
    (void)state;
    CLEANUP(fixture) struct fixture f = fixture(ON_OFF);
    static const struct row rows[] = {
        { "\"on\"", "a rule is an object; write the default variant for \"always this one\"" },
        { "{\"if\":[{\"$ref\":\"staff\"},\"on\"]}", "if: \"if\" takes at least 3 operands, not 2; "
                                                    "write {\"if\":[condition, \"on\", \"off\"]}" },
        { "{\"if\":[{\"$ref\":\"staff\"},\"on\",{\"$ref\":\"staff\"},\"off\"]}",
          "if: \"if\" ends without an else, which not every engine allows; write "
          "{\"if\":[condition, \"on\", \"off\"]}" },
        { "{\"if\":[{\"$ref\":\"staff\"},\"onn\",\"off\"]}",
          "if[1]: there is no variant \"onn\"; write \"on\", \"off\"" },
        { WHEN("{\"$ref\":\"stuff\"}"), "if[0].$ref: there is no segment \"stuff\"" },
        { WHEN("true"), "if[0]: a condition that is always true; write the rule without it" },
        { WHEN("{\"var\":\"beta\"}"),
          "if[0].var: an attribute alone is true or false by rules that differ between engines; "
          "write {\"===\":[{\"var\":\"name\"}, true]}, or {\"!==\":[{\"var\":\"name\"}, null]} for "
          "\"is there\"" },
        { WHEN("{\"and\":[{\"$ref\":\"staff\"}]}"),
          "if[0].and: \"and\" takes at least 2 operands, not 1" },
        { WHEN("{\"!\":{\"$ref\":\"staff\"}}"),
          "if[0].!: \"!\" takes its operands in an array; write {\"!\":[condition]}" },
        { WHEN("{\"or\":[{\"$ref\":\"staff\"},{\"%\":[5,2]}]}"),
          "if[0].or[1].%: arithmetic fails or gives null by rules that differ between engines; "
          "write "
          "a share of users: {\"fractional\":[[\"on\",25],[\"off\",75]]}" },
        { WHEN("{\"soem\":[1]}"), "if[0].soem: there is no operator \"soem\"" },
        { WHEN("{}"), "if[0]: an object without exactly one operator is no condition; write "
                      "{\"===\":[{\"var\":\"name\"}, \"text\"]} or the like" },
        { "{\"fractional\":[{\"var\":\"email\"},[\"on\",100]]}",
          "fractional[0]: a key that may be null or no text differs between engines; write "
          "{\"var\":\"targetingKey\"} or {\"cat\":[\"salt\", {\"var\":[\"targetingKey\", "
          "\"\"]}]}" },
    };
    expect(&f, ROWS(rows), false);
}

static void attributes_are_held_against_their_declaration(void **state)
{
    (void)state;
    CLEANUP(fixture) struct fixture f = fixture(ON_OFF);
    static const struct row rows[] = {
        { WHEN("{\"==\":[{\"var\":\"city\"},\"x\"]}"),
          "if[0].==[0].var: the attribute \"city\" is not declared, so no context has it; declare "
          "it "
          "under [attributes]" },
        { WHEN("{\"==\":[{\"var\":\"plan.name\"},\"x\"]}"),
          "if[0].==[0].var: \"plan.name\" reaches into an attribute; write {\"var\":\"name\"}, "
          "with "
          "the value sent under that name" },
        { WHEN("{\"==\":[{\"var\":\"\"},\"x\"]}"),
          "if[0].==[0].var: the whole context is no attribute; write {\"var\":\"name\"}" },
        { WHEN("{\"==\":[{\"var\":{\"cat\":[\"a\"]}},\"x\"]}"),
          "if[0].==[0].var: the name of an attribute is written out; write {\"var\":\"name\"} or "
          "{\"var\":[\"name\", default]}" },
        { WHEN("{\"==\":[{\"var\":\"seats\"},0]}"),
          "if[0].==[1]: what loosely equals a number differs between engines; write \"===\" or "
          "\"!==\"" },
        { WHEN("{\"!=\":[{\"var\":\"seats\"},null]}"),
          "if[0].!=: what loosely equals null differs between engines; write \"===\" or \"!==\"" },
        { WHEN("{\"===\":[{\"var\":\"seats\"},\"3\"]}"),
          "if[0].===[1]: \"seats\" is a number, so it never equals a text" },
        { WHEN("{\"===\":[{\"var\":[\"seats\",0]},null]}"),
          "if[0].===[1]: \"seats\" has a default, so it is never null" },
        { WHEN("{\"===\":[{\"var\":\"groups\"},[\"a\"]]}"),
          "if[0].===[1]: a list equals nothing but itself; write {\"in\":[{\"var\":\"name\"}, "
          "[\"a\",\"b\"]]}" },
        { WHEN("{\"===\":[{\"var\":\"plan\"},{\"var\":\"email\"}]}"),
          "if[0].===: two attributes are compared; write a comparison with a literal" },
        { WHEN("{\"<\":[{\"var\":\"seats\"},10]}"),
          "if[0].<[0]: a number that is not there compares differently between engines; write "
          "{\"var\":[\"seats\", 0]}" },
        { WHEN("{\">\":[{\"var\":[\"seats\",0]},1,2]}"), "if[0].>: \">\" takes 2 operands, not 3" },
        { WHEN("{\"<\":[{\"var\":[\"plan\",\"\"]},10]}"),
          "if[0].<[0].var: \"plan\" is a string; this compares a number" },
        { WHEN("{\"<\":[{\"var\":[\"seats\",null]},10]}"),
          "if[0].<[0].var: the default of \"seats\" is null, not a number" },
        { WHEN("{\"<\":[\"3\",10]}"), "if[0].<[0]: order is defined for numbers, not for a text" },
        { WHEN("{\"in\":[{\"var\":\"plan\"},[\"a\",1]]}"),
          "if[0].in[1][1]: a text belongs here, not a number; write \"text\"" },
        { WHEN("{\"in\":[{\"var\":\"plan\"},[]]}"),
          "if[0].in[1]: a list of texts belongs here, not an empty one; write [\"a\",\"b\"]" },
        { WHEN("{\"in\":[{\"var\":\"seats\"},[\"a\"]]}"),
          "if[0].in[0].var: \"seats\" is a number; this compares a string or version" },
        { WHEN("{\"in\":[\"a\",{\"var\":\"seats\"}]}"),
          "if[0].in[1].var: \"seats\" is a number; this compares a string or list or version" },
        { WHEN("{\"in\":[\"a\",[\"a\"]]}"),
          "if[0].in[1]: an attribute belongs here, not a list; write {\"var\":\"name\"}" },
        { WHEN("{\"starts_with\":[{\"var\":\"email\"},{\"var\":\"plan\"}]}"),
          "if[0].starts_with[1]: a text belongs here, not an object; write \"text\"" },
        { WHEN("{\"sem_ver\":[{\"var\":\"plan\"},\"=\",\"1\"]}"),
          "if[0].sem_ver[0].var: \"plan\" is a string; this compares a version" },
        { WHEN("{\"sem_ver\":[{\"var\":\"app\"},\"==\",\"1\"]}"),
          "if[0].sem_ver[1]: versions are not compared so; write one of = != < <= > >= ^ ~" },
        { WHEN("{\"sem_ver\":[{\"var\":\"app\"},\"=\",\"1.02.3\"]}"),
          "if[0].sem_ver[2]: \"1.02.3\" is no version that every engine reads; write \"1.2.3\"" },
        { WHEN("{\"all\":[{\"var\":\"groups\"},{\"in\":[{\"var\":\"\"},[\"a\"]]}]}"),
          "if[0].all[0]: \"all\" of a list that is not there differs between engines; write "
          "{\"var\":[\"groups\", []]}" },
        { WHEN("{\"some\":[{\"var\":\"groups\"},{\"==\":[{\"var\":\"\"},\"a\"]}]}"),
          "if[0].some[1]: an item is asked only whether it is in a list of texts; write "
          "{\"in\":[{\"var\":\"\"}, [\"a\",\"b\"]]}" },
    };
    expect(&f, ROWS(rows), false);
}

static void texts_that_are_no_versions_are_told_apart(void **state)
{
    (void)state;
    CLEANUP(fixture) struct fixture f = fixture(ON_OFF);
    static const char *const good[] = { "0",      "1.2",         "1.2.3",        "v1.2.3",
                                        "V0.0.0", "1.2.3-a.b.0", "1.2.3+01.x-y", "1.2.3--" };
    static const char *const bad[] = { "",       "v",       "vv1",        "1.",
                                       "1.2.",   "1.2.3.4", " 1.2.3",     "1.2.3 ",
                                       "01.2.3", "1.2-a",   "1.2.3-",     "1.2.3-01",
                                       "1.2.3+", "a",       "1.2.3-a..b", "9999999999999999.0.0" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_string_equal(
            found(
                &f,
                arena_printf(f.a, WHEN("{\"sem_ver\":[{\"var\":\"app\"},\"=\",\"%s\"]}"), good[i]),
                false),
            "");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!*found(
                &f,
                arena_printf(f.a, WHEN("{\"sem_ver\":[{\"var\":\"app\"},\"=\",\"%s\"]}"), bad[i]),
                false))
            fail_msg("\"%s\" was taken for a version", bad[i]);
}

static void shares_are_whole_written_out_and_come_to_something(void **state)
{
    (void)state;
    CLEANUP(fixture) struct fixture f = fixture(ON_OFF);
    static const struct row rows[] = {
        { "{\"fractional\":[]}",
          "fractional: \"fractional\" takes at least 1 operands, not 0; write "
          "{\"fractional\":[[\"on\",25],[\"off\",75]]}" },
        { "{\"fractional\":[[\"on\",null]]}",
          "fractional[0][1]: a weight is a whole number, written out; this is null; write 25" },
        { "{\"fractional\":[[\"on\",0.5]]}", "fractional[0][1]: a weight is a whole number, "
                                             "written out; this is a fraction; write 25" },
        { "{\"fractional\":[[\"on\",{\"var\":\"seats\"}]]}",
          "fractional[0][1]: a weight is a whole number, written out; this is an object; write "
          "25" },
        { "{\"fractional\":[[\"on\",-1]]}", "fractional[0][1]: a weight is not negative; write 0" },
        { "{\"fractional\":[[\"on\",1,2]]}",
          "fractional[0]: a share has a variant and a weight, not 3 members; write [\"on\", 25]" },
        { "{\"fractional\":[[]]}",
          "fractional[0]: a share has a variant and a weight, not 0 members; write [\"on\", 25]" },
        { "{\"fractional\":[[\"on\",100],\"off\"]}", "fractional[1]: a share is a list of variant "
                                                     "and weight, not a text; write [\"on\", 25]" },
        { "{\"fractional\":[[\"onn\",100]]}",
          "fractional[0][0]: there is no variant \"onn\"; write \"on\", \"off\"" },
        { "{\"fractional\":[[true,100]]}", "fractional[0][0]: a share's variant is its name, not "
                                           "true or false; write [\"on\", 25]" },
        { "{\"fractional\":[[\"on\",0],[\"off\",0]]}",
          "fractional: the weights come to 0, so nobody gets anything; write "
          "{\"fractional\":[[\"on\",25],[\"off\",75]]}" },
        { "{\"fractional\":[[\"on\",2147483647],[\"off\",1]]}",
          "fractional: weights come to at most 2147483647; write 100 in all" },
        { "{\"fractional\":[[\"on\",2147483648]]}",
          "fractional[0][1]: weights come to at most 2147483647; write 100 in all" },
        { "{\"fractional\":[[\"on\",1],[\"off\",2]]}",
          "note fractional: the weights come to 3; with another total a later change moves more "
          "users than it must; write weights of 100 in all" },
        { "{\"fractional\":[\"u1\",[\"on\",100]]}",
          "fractional[0]: everybody has the key \"u1\", so everybody gets the same; write "
          "{\"var\":\"targetingKey\"} or {\"cat\":[\"salt\", {\"var\":[\"targetingKey\", "
          "\"\"]}]}" },
        { "{\"fractional\":[{\"cat\":[{\"var\":\"email\"}]},[\"on\",100]]}",
          "fractional[0].cat[0]: a text that is not there joins differently between engines; write "
          "{\"var\":[\"email\", \"\"]}" },
        { WHEN("{\"fractional\":[[\"on\"]]}"),
          "if[0].fractional: a share of users inside a condition; write it as a rule of its own: "
          "{\"if\":[condition, {\"fractional\":[…]}, \"off\"]}" },
    };
    expect(&f, ROWS(rows), false);
}

static void a_permission_hangs_on_trusted_attributes_only(void **state)
{
    (void)state;
    CLEANUP(fixture) struct fixture f = fixture(ON_OFF);
    f.p.is_permission = true;
    static const struct row rows[] = {
        { WHEN("{\"==\":[{\"var\":\"plan\"},\"pro\"]}"), "" },
        { WHEN("{\"==\":[{\"var\":\"email\"},\"a\"]}"),
          "if[0].==[0].var: a permission must not hang on \"email\", which the caller may set; "
          "declare it with trusted = true" },
        { WHEN("{\"$ref\":\"staff\"}"),
          "if[0].$ref.ends_with[0].var: a permission must not hang on \"email\", which the caller "
          "may set; declare it with trusted = true" },
        { WHEN("{\"in\":[{\"var\":\"targetingKey\"},[\"u1\"]]}"),
          "note if[0].in[0].var: who is not signed in chooses this key, so ask again where it "
          "counts" },
    };
    expect(&f, ROWS(rows), false);
}

static void the_clock_in_a_rule_is_noted(void **state)
{
    (void)state;
    CLEANUP(fixture) struct fixture f = fixture(ON_OFF);
    static const struct row rows[] = {
        { WHEN("{\">\":[{\"var\":\"$flagd.timestamp\"},1764070000]}"),
          "note if[0].>[0].var: the answer changes with the clock, and nothing tells the clients "
          "that it did; write `lockflight flags schedule`" },
    };
    expect(&f, ROWS(rows), false);
}

static void a_segment_is_a_condition_without_segments(void **state)
{
    (void)state;
    CLEANUP(fixture) struct fixture f = fixture(ON_OFF);
    static const struct row rows[] = {
        { "{\"ends_with\":[{\"var\":\"email\"},\"@x\"]}", "" },
        { "{\"or\":[{\"$ref\":\"staff\"},{\"===\":[{\"var\":\"beta\"},true]}]}",
          "or[0].$ref: a segment may not refer to a segment; write its condition here" },
        { "\"on\"", "a text is no condition; write {\"===\":[{\"var\":\"name\"}, \"text\"]} or the "
                    "like" },
        { "{\"if\":[1]}", "if: a choice inside a condition; write \"and\" and \"or\"" },
    };
    expect(&f, ROWS(rows), true);
}

static void without_declarations_any_name_and_type_will_do(void **state)
{
    (void)state;
    CLEANUP(fixture) struct fixture f = fixture(ON_OFF);
    f.p.attributes = NULL;
    static const struct row rows[] = {
        { WHEN("{\"===\":[{\"var\":\"x\"},3]}"), "" },
        { WHEN("{\"in\":[\"a\",{\"var\":\"y\"}]}"), "" },
        { WHEN("{\"<\":[{\"var\":[\"z\",0]},1]}"), "" },
        { WHEN("{\"<\":[{\"var\":[\"z\",\"0\"]},1]}"),
          "if[0].<[0].var: the default of \"z\" is a text, not a number" },
    };
    expect(&f, ROWS(rows), false);
}

static void depth_and_size_have_their_limits(void **state)
{
    (void)state;
    CLEANUP(fixture) struct fixture f = fixture("{\"true\":1,\"false\":0}");
    struct flag_findings all = { 0 };
    json_auto_t *deep = json_pack("{s:s}", "$ref", "staff");
    for (int i = 1; i < LIMIT_FLAG_RULE_DEPTH; i++)
        deep = json_pack("{s:[o]}", "!", deep);
    flag_profile_rule(&f.p, f.a, deep, &all);
    assert_int_equal(all.n, 0);
    deep = json_pack("{s:[o]}", "!", deep);
    flag_profile_rule(&f.p, f.a, deep, &all);
    assert_int_equal(all.n, 1);
    assert_string_equal(all.v[0].why, "the rule is nested deeper than 32 operators");

    json_auto_t *wide = json_pack("{s:[]}", "or");
    for (int i = 0; i < LIMIT_FLAG_STEPS; i++)
        json_array_append_new(json_object_get(wide, "or"), json_pack("{s:s}", "$ref", "staff"));
    all = (struct flag_findings){ 0 };
    flag_profile_rule(&f.p, f.a, wide, &all);
    assert_int_equal(all.n, 1);
    assert_string_equal(all.v[0].why, "the rule has more than 10000 operators");

    json_auto_t *wrong = json_pack("{s:[]}", "or");
    for (int i = 0; i < 80; i++)
        json_array_append_new(json_object_get(wrong, "or"), json_true());
    all = (struct flag_findings){ 0 };
    flag_profile_rule(&f.p, f.a, wrong, &all);
    assert_int_equal(all.n, FLAG_FINDINGS_MAX);
    assert_int_equal(all.refusals, 80);
}

static void an_unportable_rule_passes_only_when_asked_and_if_it_compiles(void **state)
{
    (void)state;
    CLEANUP(fixture) struct fixture f = fixture(ON_OFF);
    json_auto_t *loose = parsed(WHEN("{\"==\":[{\"var\":\"seats\"},3]}"));
    json_auto_t *unknown = parsed(WHEN("{\"soem\":[1]}"));
    json_auto_t *good = parsed(WHEN("{\"$ref\":\"staff\"}"));
    struct flag_findings all = { 0 };
    struct err e = { 0 };
    assert_ok(flag_check_rule(&f.p, f.a, "flag crm", good, &all, &e), &e);
    assert_fails(flag_check_rule(&f.p, f.a, "flag crm", loose, &all, &e), &e, ERR_DATA);
    assert_string_equal(e.what, "flag crm");
    assert_string_equal(e.why,
                        "at if[0].==[1]: what loosely equals a number differs between engines");
    assert_string_equal(e.hint, "write \"===\" or \"!==\"");
    json_auto_t *segment = parsed("{\"==\":[{\"var\":\"seats\"},3]}");
    assert_fails(flag_check_segment(&f.p, f.a, "segment x", segment, &all, &e), &e, ERR_DATA);
    f.p.takes_unportable = true;
    all = (struct flag_findings){ 0 };
    assert_ok(flag_check_rule(&f.p, f.a, "flag crm", loose, &all, &e), &e);
    assert_int_equal(all.refusals, 1);
    assert_fails(flag_check_rule(&f.p, f.a, "flag crm", unknown, &all, &e), &e, ERR_DATA);
    assert_non_null(strstr(e.why, "soem"));
    assert_ok(flag_check_segment(&f.p, f.a, "segment x", segment, &all, &e), &e);
}

static void a_refusal_is_told_however_many_notes_come_first(void **state)
{
    (void)state;
    CLEANUP(fixture) struct fixture f = fixture(ON_OFF);
    json_auto_t *rule = parsed(WHEN("{\"or\":[]}"));
    json_t *conditions = json_object_get(json_array_get(json_object_get(rule, "if"), 0), "or");
    for (int i = 0; i < FLAG_FINDINGS_MAX; i++)
        json_array_append_new(conditions,
                              parsed("{\">\":[{\"var\":\"$flagd.timestamp\"},1764070000]}"));
    json_array_append_new(conditions, parsed("{\"soem\":[1]}"));
    struct flag_findings all = { 0 };
    struct err e = { 0 };
    assert_fails(flag_check_rule(&f.p, f.a, "flag crm", rule, &all, &e), &e, ERR_DATA);
    assert_non_null(strstr(e.why, "soem"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_the_grammar_is_portable),
        cmocka_unit_test(true_and_false_answer_only_where_such_variants_are),
        cmocka_unit_test(a_refusal_names_the_place_and_the_portable_way),
        cmocka_unit_test(attributes_are_held_against_their_declaration),
        cmocka_unit_test(texts_that_are_no_versions_are_told_apart),
        cmocka_unit_test(shares_are_whole_written_out_and_come_to_something),
        cmocka_unit_test(a_permission_hangs_on_trusted_attributes_only),
        cmocka_unit_test(the_clock_in_a_rule_is_noted),
        cmocka_unit_test(a_segment_is_a_condition_without_segments),
        cmocka_unit_test(without_declarations_any_name_and_type_will_do),
        cmocka_unit_test(depth_and_size_have_their_limits),
        cmocka_unit_test(a_refusal_is_told_however_many_notes_come_first),
        cmocka_unit_test(an_unportable_rule_passes_only_when_asked_and_if_it_compiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
