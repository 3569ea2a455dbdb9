/*
 * The command line, against a small table of commands.
 */
#include "assert_ok.h"
#include "cli/run.h"

#include "base/str.h"
#include "cli/help.h"
#include "cli/parse.h"

struct fly_args {
    const char *environment;
    const char *release;
    const char *ref;
    const char *color;
    bool is_dry;
    bool is_fast;
    int64_t timeout_ms;
    int64_t count;
    struct text_list only;
};

static bool run_nothing(struct command_context *c, void *args, struct err *e)
{
    (void)c;
    (void)args;
    (void)e;
    return true;
}

// clang-format off
static const struct option fly_options[] = {
    { "ref",     'r', OPT_TEXT, AT(fly_args, ref),        "<git-ref>", "Release this commit" },
    { "dry-run", 'd', OPT_FLAG, AT(fly_args, is_dry),     NULL,        "Change nothing" },
    { "fast",    'f', OPT_FLAG, AT(fly_args, is_fast),    NULL,        "Hurry" },
    { "timeout",  0,  OPT_MS,   AT(fly_args, timeout_ms), "<time>",    "Give up" },
    { "count",    0,  OPT_INT,  AT(fly_args, count),      "<n>",       "How many" },
    { "only",     0,  OPT_LIST, AT(fly_args, only),       "<name>",    "Only these" },
    { "paint",    0,  OPT_TEXT, AT(fly_args, color),      "red|green", "Colour" },
    { 0 },
};
static const struct argument fly_arguments[] = {
    { "environment", ARG_ONE,      COMPLETE_ENVIRONMENT, AT(fly_args, environment), "Where to", NULL },
    { "release",     ARG_OPTIONAL, COMPLETE_NOTHING,     AT(fly_args, release),     "Which",    NULL },
    { 0 },
};
// clang-format on

static const struct command fly = { .name = "fly",
                                    .synopsis = "fly <environment> [release]",
                                    .summary = "Fly",
                                    .offers = COMMAND_JSON,
                                    .options = fly_options,
                                    .arguments = fly_arguments,
                                    .args_size = sizeof(struct fly_args),
                                    .run = run_nothing };
static const struct command up = { .name = "up", .summary = "Up", .run = run_nothing };
static const struct command *const base_commands[] = { &up, NULL };
static const struct command base = { .name = "base", .summary = "Base", .commands = base_commands };
static const struct command *const table[] = { &fly, &base, NULL };

struct line {
    struct arena *arena;
    struct command_context c;
    struct fly_args *args;
    struct err e;
};

static int setup(void **state)
{
    struct arena *a = arena_new(0);
    struct line *l = ARENA_NEW(a, struct line);
    l->arena = a;
    *state = l;
    return 0;
}

static int teardown(void **state)
{
    arena_free(((struct line *)*state)->arena);
    return 0;
}

/* Words are separated by one blank. */
static bool parse(struct line *l, const char *words)
{
    char *argv[20] = { arena_strdup(l->arena, "lockflight") };
    int argc = 1;
    struct str rest = str_of(words);
    while (rest.n > 0)
        argv[argc++] = str_dup(l->arena, str_cut(&rest, ' '));
    void *args = NULL;
    command_context_init(&l->c, l->arena, table);
    bool ok = parse_command_line(&l->c, argc, argv, &args, &l->e) &&
              (!l->c.command || parse_is_complete(&l->c, args, &l->e));
    l->args = args;
    return ok;
}

static void an_option_before_the_command_must_be_a_global_one(void **state)
{
    struct line *l = *state;
    assert_ok(parse(l, "--json fly staging"), &l->e);
    assert_true(l->c.wants_json);
    assert_fails(parse(l, "--dry-run fly staging"), &l->e, ERR_USAGE);
}

static void every_kind_of_value_lands_in_its_field(void **state)
{
    struct line *l = *state;
    assert_ok(parse(l, "fly staging r7 -r main --timeout=1h30m --count 3 --only a --only b -df"),
              &l->e);
    assert_string_equal(l->args->environment, "staging");
    assert_string_equal(l->args->release, "r7");
    assert_string_equal(l->args->ref, "main");
    assert_int_equal(l->args->timeout_ms, 90 * 60 * 1000);
    assert_int_equal(l->args->count, 3);
    assert_int_equal(l->args->only.n, 2);
    assert_string_equal(l->args->only.v[1], "b");
    assert_true(l->args->is_dry && l->args->is_fast);
}

static void a_value_may_be_glued_to_its_letter(void **state)
{
    struct line *l = *state;
    assert_ok(parse(l, "fly staging -drmain"), &l->e);
    assert_true(l->args->is_dry);
    assert_string_equal(l->args->ref, "main");
}

static void two_dashes_end_the_options(void **state)
{
    struct line *l = *state;
    assert_ok(parse(l, "fly -- --odd-name"), &l->e);
    assert_string_equal(l->args->environment, "--odd-name");
}

struct refusal {
    const char *words;
    const char *why;
    const char *hint;
};

// clang-format off
static const struct refusal refusals[] = {
    { "flie staging",                "there is no command `lockflight flie`; did you mean fly?", "lockflight fly" },
    { "teleport",                    "there is no command `lockflight teleport`",                 "lockflight help" },
    { "base uq",                     "there is no command `lockflight base uq`; did you mean up?", "lockflight base up" },
    { "fly",                         "`lockflight fly` needs <environment>",                      "lockflight fly --help" },
    { "fly a b c",                   "`lockflight fly` does not take \"c\"",                      "lockflight fly --help" },
    { "fly a --dry-rum",             "`lockflight fly` has no option --dry-rum; did you mean --dry-run?", "lockflight fly --help" },
    { "fly a --dry",                 "`lockflight fly` has no option --dry",                      "lockflight fly --help" },
    { "fly a -x",                    "unknown option -x",                                         "lockflight fly --help" },
    { "fly a --ref",                 "--ref needs <git-ref>",                                     "lockflight fly --help" },
    { "fly a --dry-run=yes",         "--dry-run takes no value",                                  "lockflight fly --help" },
    { "fly a --timeout 5",           "--timeout takes a time such as 90s, 15m or 2h, not \"5\"",  "lockflight fly --help" },
    { "fly a --count -1",            "--count takes a whole number, not \"-1\"",                  "lockflight fly --help" },
    { "fly a --paint blue",          "--paint takes one of red|green, not \"blue\"",              "lockflight fly --help" },
    { "fly a --yes",                 "`lockflight fly` has no option --yes",                      "lockflight fly --help" },
};
// clang-format on

static void each_mistake_names_itself_and_what_to_type(void **state)
{
    struct line *l = *state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        assert_fails(parse(l, refusals[i].words), &l->e, ERR_USAGE);
        assert_string_equal(l->e.why, refusals[i].why);
        assert_string_equal(l->e.hint, refusals[i].hint);
    }
}

static void help_wins_over_a_missing_argument(void **state)
{
    struct line *l = *state;
    char *argv[] = { arena_strdup(l->arena, "lockflight"), arena_strdup(l->arena, "fly"),
                     arena_strdup(l->arena, "-h") };
    void *args = NULL;
    command_context_init(&l->c, l->arena, table);
    assert_ok(parse_command_line(&l->c, 3, argv, &args, &l->e), &l->e);
    assert_true(l->c.wants_help);
}

static void a_synopsis_is_made_from_the_path(void **state)
{
    struct line *l = *state;
    assert_string_equal(help_synopsis(l->arena, &fly, "fly"),
                        "lockflight fly <environment> [release] [options]");
    assert_string_equal(help_synopsis(l->arena, &base, "base"),
                        "lockflight base <command> [options]");
    assert_string_equal(help_synopsis(l->arena, &up, "base up"), "lockflight base up [options]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_option_before_the_command_must_be_a_global_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(every_kind_of_value_lands_in_its_field, setup, teardown),
        cmocka_unit_test_setup_teardown(a_value_may_be_glued_to_its_letter, setup, teardown),
        cmocka_unit_test_setup_teardown(two_dashes_end_the_options, setup, teardown),
        cmocka_unit_test_setup_teardown(each_mistake_names_itself_and_what_to_type, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(help_wins_over_a_missing_argument, setup, teardown),
        cmocka_unit_test_setup_teardown(a_synopsis_is_made_from_the_path, setup, teardown),
    };
    return cmocka_run_group_tests_name("the command line", tests, NULL, NULL);
}
