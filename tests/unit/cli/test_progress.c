/*
 * Progress and questions, into memory instead of a terminal.
 */
#include "assert_ok.h"

#include "base/json.h"
#include "base/log.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct screen {
    struct command_context c;
    char *out;
    char *err;
    size_t out_n;
    size_t err_n;
    struct err e;
};

static int setup(void **state)
{
    struct screen *s = calloc(1, sizeof *s);
    (void)setenv("TERM", "xterm", 1);
    s->c.arena = arena_new(0);
    s->c.path = "deploy";
    s->c.in = stdin;
    s->c.out = (struct terminal){ .file = open_memstream(&s->out, &s->out_n), .width = 100 };
    s->c.err = (struct terminal){ .file = open_memstream(&s->err, &s->err_n), .width = 100 };
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct screen *s = *state;
    (void)fclose(s->c.out.file);
    (void)fclose(s->c.err.file);
    free(s->out);
    free(s->err);
    arena_free(s->c.arena);
    free(s);
    return 0;
}

static const char *shown(struct screen *s)
{
    (void)fflush(s->c.err.file);
    return s->err;
}

static const char *answered(struct screen *s)
{
    (void)fflush(s->c.out.file);
    return s->out;
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in: %s", part, text);
}

static void fly(struct screen *s, enum progress_result result)
{
    CLEANUP(progress) struct progress *p = progress_begin(&s->c);
    progress_step_begin(p, "draft", "build");
    progress_note(p, "120 of 212 files");
    progress_line(p, STR("npm says hello"));
    progress_step_done(p, result, "212 files");
    progress_say(p, "Unwinding");
}

static void without_a_terminal_lines_are_appended_with_the_time(void **state)
{
    struct screen *s = *state;
    fly(s, PROGRESS_OK);
    const char *text = shown(s);
    assert_true(text[2] == ':' && text[5] == ':' && text[8] == 'Z');
    assert_contains(text, "Z draft     ok    212 files\n");
    assert_contains(text, "Z Unwinding\n");
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\r'));
    assert_null(strstr(text, "npm says hello"));
    assert_int_equal(strlen(answered(s)), 0);
}

static void a_failed_step_shows_what_it_printed(void **state)
{
    struct screen *s = *state;
    fly(s, PROGRESS_FAIL);
    assert_contains(shown(s), "draft     FAIL  212 files\n        npm says hello\n");
}

static void only_the_last_twenty_lines_are_shown(void **state)
{
    struct screen *s = *state;
    struct progress *p = progress_begin(&s->c);
    progress_step_begin(p, "draft", NULL);
    for (int i = 1; i <= 25; i++) {
        char line[16];
        (void)snprintf(line, sizeof line, "line-%d.", i);
        progress_line(p, str_of(line));
    }
    progress_step_done(p, PROGRESS_FAIL, "exit 1");
    progress_end(p);
    assert_null(strstr(shown(s), "line-5."));
    assert_contains(s->err, "line-6.");
    assert_contains(s->err, "line-25.");
}

static void on_a_terminal_a_step_collapses_into_one_line(void **state)
{
    struct screen *s = *state;
    s->c.err.is_tty = true;
    fly(s, PROGRESS_OK);
    assert_contains(shown(s), "120 of 212 files\r\033[K  ok    draft      212 files\n");
}

static void a_question_is_not_drawn_over(void **state)
{
    struct screen *s = *state;
    s->c.err.is_tty = true;
    struct progress *p = progress_begin(&s->c);
    progress_step_begin(p, "gate", "looking");
    progress_pause(p);
    print(&s->c.err, "Go on? ");
    progress_resume(p);
    progress_end(p);
    assert_contains(shown(s), "looking\r\033[KGo on?         gate       looking\r\033[K");
}

static void a_live_line_never_wraps(void **state)
{
    struct screen *s = *state;
    s->c.err.is_tty = true;
    s->c.err.width = 30;
    struct progress *p = progress_begin(&s->c);
    progress_step_begin(p, "draft", "a very long text that would not fit into thirty columns");
    progress_end(p);
    assert_string_equal(shown(s), "        draft      a very lon\r\033[K");
}

static void with_json_every_line_is_an_event(void **state)
{
    struct screen *s = *state;
    s->c.wants_json = true;
    fly(s, PROGRESS_FAIL);
    static const char *const events[] = { "step_begin", "step_note", "step_line", "step_done" };
    struct str rest = str_of(answered(s));
    for (size_t i = 0; i < 4; i++) {
        json_auto_t *event = json_parse(str_cut(&rest, '\n'), "event", &s->e);
        assert_non_null(event);
        assert_string_equal(json_text_or(event, "event", ""), events[i]);
        assert_string_equal(json_text_or(event, "step", ""), "draft");
        assert_int_equal(json_int_or(event, "v", 0), 1);
        if (i == 3)
            assert_string_equal(json_text_or(event, "result", ""), "fail");
    }
    assert_int_equal(rest.n, 0);
    assert_int_equal(strlen(shown(s)), 0);
}

static void on_github_steps_are_groups_and_children_give_no_orders(void **state)
{
    struct screen *s = *state;
    s->c.is_github = true;
    struct progress *p = progress_begin(&s->c);
    progress_step_begin(p, "tests", "npm test");
    progress_line(p, STR("::set-env name=PATH::evil"));
    progress_step_done(p, PROGRESS_OK, "3 passed");
    progress_warn(p, "drift");
    progress_end(p);
    assert_contains(shown(s),
                    "::group::tests npm test\n| ::set-env name=PATH::evil\n::endgroup::\n");
    assert_contains(s->err, "::warning::drift\n");
}

static void on_github_the_steps_are_a_table_in_the_summary(void **state)
{
    struct screen *s = *state;
    char path[] = "/tmp/lf-summary.XXXXXX";
    CLEANUP(fd) int fd = mkstemp(path);
    s->c.is_github = true;
    (void)setenv("GITHUB_STEP_SUMMARY", path, 1);
    struct progress *p = progress_begin(&s->c);
    progress_step_begin(p, "tests", NULL);
    progress_step_done(p, PROGRESS_FAIL, "1 | 2 <script>");
    progress_end(p);
    char text[512] = { 0 };
    assert_true(read(fd, text, sizeof text - 1) > 0);
    assert_contains(text, "### lockflight deploy\n");
    assert_contains(text, "| tests | FAIL | 1 &#124; 2 &#60;script> | ");
    (void)unsetenv("GITHUB_STEP_SUMMARY");
    (void)unlink(path);
}

static void secrets_are_replaced_everywhere(void **state)
{
    struct screen *s = *state;
    log_redact(STR("hunter2-hunter2"));
    struct progress *p = progress_begin(&s->c);
    progress_step_begin(p, "vars", "set hunter2-hunter2");
    progress_line(p, STR("got hunter2-hunter2"));
    progress_step_done(p, PROGRESS_FAIL, "refused hunter2-hunter2");
    progress_say(p, "hunter2-hunter2");
    progress_end(p);
    assert_null(strstr(shown(s), "hunter2"));
    assert_contains(s->err, "[redacted]");
}

static void quiet_says_nothing(void **state)
{
    struct screen *s = *state;
    s->c.is_quiet = true;
    fly(s, PROGRESS_FAIL);
    assert_string_equal(shown(s), "");
}

/* A question with this typed at the terminal. */
static bool asked(struct screen *s, const char *typed)
{
    s->c.in = fmemopen(arena_strdup(s->c.arena, typed), strlen(typed) + 1, "r");
    bool yes = prompt_destructive(&s->c, "production", "41 rows would be lost.", &s->e);
    (void)fclose(s->c.in);
    return yes;
}

static void what_loses_data_must_be_typed_in_full(void **state)
{
    struct screen *s = *state;
    s->c.yes = true; /* answers ordinary questions only */
    assert_true(asked(s, "production\n"));
    assert_false(asked(s, "y\n"));
    assert_int_equal(s->e.code, ERR_BLOCKED);
    assert_false(asked(s, "productio\n"));
    assert_contains(shown(s), "41 rows would be lost.\nType production to continue: ");
}

static void confirm_answers_only_with_the_exact_word(void **state)
{
    struct screen *s = *state;
    s->c.no_input = true;
    s->c.confirm = "production";
    assert_ok(prompt_destructive(&s->c, "production", "?", &s->e), &s->e);
    s->c.confirm = "staging";
    assert_fails(prompt_destructive(&s->c, "production", "?", &s->e), &s->e, ERR_USAGE);
    s->c.confirm = NULL;
    assert_fails(prompt_destructive(&s->c, "production", "?", &s->e), &s->e, ERR_USAGE);
    assert_string_equal(s->e.hint, "add --confirm production to the command");
}

static void yes_answers_an_ordinary_question(void **state)
{
    struct screen *s = *state;
    s->c.no_input = true;
    assert_fails(prompt_continue(&s->c, "production", "Go on?", &s->e), &s->e, ERR_USAGE);
    assert_string_equal(s->e.hint, "add --yes to the command");
    s->c.yes = true;
    assert_ok(prompt_continue(&s->c, "production", "Go on?", &s->e), &s->e);
}

static void a_table_is_aligned_on_a_terminal_and_tabbed_in_a_pipe(void **state)
{
    struct screen *s = *state;
    struct table *t = table_new(s->c.arena, 2);
    table_head(t, "name", "state", NULL);
    table_cell(t, STYLE_PLAIN, "é");
    table_cell(t, STYLE_GOOD, "ok");
    table_print(t, &s->c.out);
    s->c.out.is_tty = true;
    table_print(t, &s->c.out);
    assert_string_equal(answered(s), "é\tok\nname  state\né     ok\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(without_a_terminal_lines_are_appended_with_the_time),
        TEST(a_failed_step_shows_what_it_printed),
        TEST(only_the_last_twenty_lines_are_shown),
        TEST(on_a_terminal_a_step_collapses_into_one_line),
        TEST(a_question_is_not_drawn_over),
        TEST(a_live_line_never_wraps),
        TEST(with_json_every_line_is_an_event),
        TEST(on_github_steps_are_groups_and_children_give_no_orders),
        TEST(on_github_the_steps_are_a_table_in_the_summary),
        TEST(secrets_are_replaced_everywhere),
        TEST(quiet_says_nothing),
        TEST(what_loses_data_must_be_typed_in_full),
        TEST(confirm_answers_only_with_the_exact_word),
        TEST(yes_answers_an_ordinary_question),
        TEST(a_table_is_aligned_on_a_terminal_and_tabbed_in_a_pipe),
    };
    return cmocka_run_group_tests_name("progress, questions, tables", tests, NULL, NULL);
}
