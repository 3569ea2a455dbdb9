/*
 * lockflight.flags.toml: what is read, what follows from it, and where each error points.
 */
#include "project.h"

static void write_flags(struct project *p, const char *text)
{
    write_project(p, "[env.staging]\nplatform = \"local\"\n"
                     "[env.production]\nplatform = \"local\"\nrequires = \"staging\"\n");
    write_file(p, "supabase/functions/whatsapp/index.ts", "");
    write_file(p, "lockflight.flags.toml", text);
}

static const struct config_flag *flag(struct project *p, const char *key)
{
    const struct config_flag *f = config_flag_find(&p->config, key);
    assert_non_null(f);
    return f;
}

static void a_project_without_the_file_has_no_flags(void **state)
{
    struct project *p = *state;
    write_project(p, "");
    assert_ok(load(p), &p->e);
    assert_null(p->config.flags.file);
    assert_int_equal(p->config.flags.n, 0);
}

static void a_flag_of_one_line_is_on_or_off_and_begins_off(void **state)
{
    struct project *p = *state;
    write_flags(p, "[flag.crm]\n");
    assert_ok(load(p), &p->e);
    const struct config_flag *f = flag(p, "crm");
    assert_string_equal(f->type, "boolean");
    assert_string_equal(f->kind, "release");
    assert_string_equal(f->exposure, "server");
    assert_string_equal(f->on, "on");
    assert_string_equal(f->off, "off");
    assert_string_equal(config_flag_value(f, "on"), "true");
    assert_null(config_flag_value(f, "maybe"));
    assert_string_equal(config_flag_initial(f, "production"), "off");
    assert_null(f->expires);
}

static void everything_that_can_be_said_is_read(void **state)
{
    struct project *p = *state;
    write_flags(p, "[attributes]\n"
                   "plan = { type = \"string\", trusted = true }\n"
                   "app = \"version\"\n"
                   "[flag.crm]\n"
                   "[flag.financial]\n"
                   "description = \"Invoices\"\n"
                   "owner = \"billing\"\n"
                   "kind = \"ops\"\n"
                   "exposure = \"client\"\n"
                   "variants = { full = { pdf = true }, some = { pdf = false }, off = {} }\n"
                   "expires = 2027-06-01\n"
                   "requires = [{ flag = \"crm\" }]\n"
                   "needs = { migrations = [\"20260126090000\"], functions = [\"whatsapp\"] }\n"
                   "initial = { staging = \"some\" }\n"
                   "[segment.staff]\n"
                   "rule = '{\"ends_with\":[{\"var\":\"email\"},\"@studio.example\"]}'\n");
    assert_ok(load(p), &p->e);
    const struct config_flag *f = flag(p, "financial");
    assert_string_equal(f->type, "object");
    assert_string_equal(config_flag_value(f, "full"), "{\"pdf\":true}");
    assert_null(f->on); /* two are not off */
    assert_string_equal(f->expires, "2027-06-01");
    assert_string_equal(f->requires.v[0].flag, "crm");
    assert_string_equal(f->requires.v[0].variant, "on");
    assert_string_equal(f->needs.migrations.v[0], "20260126090000");
    assert_string_equal(f->needs.functions.v[0], "whatsapp");
    assert_string_equal(config_flag_initial(f, "staging"), "some");
    assert_string_equal(config_flag_initial(f, "production"), "off");
    assert_int_equal(p->config.flags.attributes_n, 2);
    assert_string_equal(p->config.flags.attributes[0].type, "string");
    assert_true(p->config.flags.attributes[0].is_trusted);
    assert_string_equal(p->config.flags.attributes[1].type, "version");
    assert_false(p->config.flags.attributes[1].is_trusted);
    assert_string_equal(p->config.flags.segments[0].name, "staff");
}

static void every_field_knows_its_line(void **state)
{
    struct project *p = *state;
    write_flags(p, "[flag.crm]\nowner = \"sales\"\nvariants = { on = 1, off = 0 }\n"
                   "initial = { staging = \"on\" }\n");
    assert_ok(load(p), &p->e);
    const struct config_flag *f = flag(p, "crm");
    assert_string_equal(config_where(&p->config, &f->name), "lockflight.flags.toml:1:7");
    assert_string_equal(config_where(&p->config, &f->owner), "lockflight.flags.toml:2:9");
    assert_string_equal(config_where(&p->config, &f->variants.v[1].value),
                        "lockflight.flags.toml:3:28");
    assert_string_equal(config_where(&p->config, &f->initial.v[0].value),
                        "lockflight.flags.toml:4:23");
    assert_string_equal(config_where(&p->config, &f->kind), "default");
}

struct refusal {
    const char *text;
    const char *where;
    const char *why;
};

#define FILE_AT(place) "lockflight.flags.toml:" place

// clang-format off
static const struct refusal refusals[] = {
    { "[flags.crm]\n", FILE_AT("1:2"), "unknown key \"flags\"; did you mean \"flag\"" },
    { "[flag.crm]\nownr = \"x\"\n", FILE_AT("2:1"), "unknown key \"ownr\" in [flag.crm]; did you mean \"owner\"" },
    { "[flag.crm]\nkind = \"module\"\n", FILE_AT("2:8"), "must be \"release\", \"ops\", \"experiment\" or \"permission\", not \"module\"" },
    { "[flag.crm]\nexposure = \"browser\"\n", FILE_AT("2:12"), "must be \"server\", \"client\" or \"db\"" },
    { "[flag.crm]\nexpires = 2027-02-30\n", FILE_AT("2:21"), "" },
    { "[flag.crm]\nexpires = \"2027-02-30\"\n", FILE_AT("2:11"), "must be a date" },
    { "[flag.crm]\nexpires = \"soon\"\n", FILE_AT("2:11"), "must be a date" },
    { "[flag.\"9crm\"]\n", FILE_AT("1:7"), "flag \"9crm\" must be up to 127" },
    { "[flag.crm]\nvariants = {}\n", FILE_AT("2:12"), "has no variants" },
    { "[flag.crm]\nvariants = { on = true, off = 0 }\n", FILE_AT("2:31"), "variant off is no boolean, as on is" },
    { "[flag.crm]\nvariants = { on = [1], off = 0 }\n", FILE_AT("2:19"), "is a list" },
    { "[flag.crm]\nvariants = { on = nan, off = 0 }\n", FILE_AT("2:19"), "a value that JSON has" },
    { "[flag.crm]\nvariants = { on = 9007199254740992, off = 0 }\n", FILE_AT("2:19"), "beyond 2^53 - 1" },
    { "[flag.crm]\nvariants = { \" on\" = true, off = false }\n", FILE_AT("2:14"), "without quotes or outer spaces" },
    { "[flag.crm]\nvariants = { yes = true, no = false }\n", FILE_AT("1:7"), "no variant \"off\" to serve while it is off" },
    { "[flag.crm]\nvariants = { yes = true, no = false }\noff = \"on\"\n", FILE_AT("3:7"), "no variant \"on\"" },
    { "[flag.crm]\ninitial = { stagin = \"on\" }\n", FILE_AT("2:13"), "environment \"stagin\", which is not declared" },
    { "[flag.crm]\ninitial = { staging = \"onn\" }\n", FILE_AT("2:23"), "no variant \"onn\"" },
    { "[flag.crm]\nneeds = { functions = [\"whatsap\"] }\n", FILE_AT("2:24"), "which the project does not have" },
    { "[flag.crm]\nneeds = { migrations = [\"add_orders\"] }\n", FILE_AT("2:25"), "which is no version" },
    { "[flag.crm]\nrequires = [{ flag = \"crn\" }]\n", FILE_AT("2:22"), "requires \"crn\", which is not declared" },
    { "[flag.crm]\nrequires = [{ variant = \"on\" }]\n", FILE_AT("2:13"), "must name a flag" },
    { "[flag.crm]\nrequires = [{ flag = \"crm\" }]\n", FILE_AT("2:22"), "requires itself" },
    { "[flag.a]\nrequires = [{ flag = \"b\" }]\n[flag.b]\nrequires = [{ flag = \"a\" }]\n", FILE_AT("4:22"), "flag a requires itself, by way of \"b\"" },
    { "[flag.a]\nrequires = [{ flag = \"b\", variant = \"full\" }]\n[flag.b]\n", FILE_AT("2:37"), "flag b has no variant \"full\"" },
    { "[flag.crm]\n[flag.crm]\n", FILE_AT("2:1"), "" },
    { "[attributes]\nplan = \"text\"\n", FILE_AT("2:8"), "must be \"string\", \"number\"" },
    { "[attributes]\nplan = { trusted = true }\n", FILE_AT("2:1"), "does not say its type" },
    { "[attributes]\ntargetingKey = \"string\"\n", FILE_AT("2:1"), "needs no declaration" },
    { "[segment.staff]\n", FILE_AT("1:10"), "has no rule" },
    { "[segment.staff]\nrule = '{\"==\":'\n", FILE_AT("2:8"), "" },
    { "[segment.staff]\nrule = '[]'\n", FILE_AT("2:8"), "must be a JSON object" },
};
// clang-format on

static void each_mistake_is_refused_at_its_place(void **state)
{
    struct project *p = *state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        write_flags(p, refusals[i].text);
        assert_refused(p, refusals[i].where, refusals[i].why);
    }
}

static void a_check_that_names_no_flag_is_refused_where_there_are_flags(void **state)
{
    struct project *p = *state;
    write_project(p, "[check.h]\nrun = \"true\"\nmodule = \"financal\"\n");
    assert_ok(load(p), &p->e);
    write_file(p, "lockflight.flags.toml", "[flag.financial]\n");
    assert_refused(p, "lockflight.toml:5:10", "names \"financal\", and there is no such flag");
    assert_string_equal(p->e.hint, "did you mean \"financial\"?");
}

static void another_place_must_exist_inside_the_project(void **state)
{
    struct project *p = *state;
    write_project(p, "[paths]\nflags = \"app/flags.toml\"\n");
    assert_refused(p, "lockflight.toml:4:9", "there is no file app/flags.toml");
    write_file(p, "app/flags.toml", "[flag.crm]\n");
    assert_ok(load(p), &p->e);
    assert_string_equal(config_where(&p->config, &p->config.flags.v[0].name), "app/flags.toml:1:7");
    write_project(p, "[paths]\nflags = \"/etc/hostname\"\n");
    assert_refused(p, "lockflight.toml:4:9", "must be inside the project");
}

static void too_much_of_anything_is_refused(void **state)
{
    struct project *p = *state;
    char *text = arena_printf(p->arena, "[flag.crm]\nvariants = { off = 0");
    for (int i = 0; i < 64; i++)
        text = arena_printf(p->arena, "%s, v%d = %d", text, i, i);
    write_flags(p, arena_printf(p->arena, "%s }\n", text));
    assert_fails(load(p), &p->e, ERR_LIMIT);
    assert_non_null(strstr(p->e.why, "65 variants are more than 64"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, project_setup, project_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_project_without_the_file_has_no_flags),
        TEST(a_flag_of_one_line_is_on_or_off_and_begins_off),
        TEST(everything_that_can_be_said_is_read),
        TEST(every_field_knows_its_line),
        TEST(each_mistake_is_refused_at_its_place),
        TEST(a_check_that_names_no_flag_is_refused_where_there_are_flags),
        TEST(another_place_must_exist_inside_the_project),
        TEST(too_much_of_anything_is_refused),
    };
    return cmocka_run_group_tests_name("lockflight.flags.toml", tests, NULL, NULL);
}
