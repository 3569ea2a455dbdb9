/*
 * Signals that ask a command to stop: which count as one, and which as a second one.
 */
#include "assert_ok.h"

#include "base/signals.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_AT_ONCE 9
#define EXIT_ASKED   20

/* A command on a terminal of its own: says when it is ready, hears signals until it is told the end. */
struct command {
    pid_t pid;
    int terminal;
    int said; /* one byte when ready, one each time that it was asked to stop */
    int end;
};

static void live(int say, int end)
{
    signals_install();
    (void)!write(say, "r", 1);
    /* looks every 10 ms: a signal that arrives just before a wait does not end it */
    for (bool was_asked = false;;) {
        struct pollfd ended = { .fd = end };
        if (poll(&ended, 1, 10) > 0)
            _exit(signals_stop_asked() ? EXIT_ASKED : 0);
        if (signals_stop_asked() && !was_asked) {
            was_asked = true;
            (void)!write(say, "a", 1);
        }
    }
}

static int setup(void **state)
{
    struct command *c = calloc(1, sizeof *c);
    int said[2], end[2];
    assert_int_equal(pipe(said) | pipe(end), 0);
    c->pid = forkpty(&c->terminal, NULL, NULL, NULL);
    assert_true(c->pid >= 0);
    if (c->pid == 0) {
        close(end[1]);
        live(said[1], end[0]);
    }
    close(said[1]);
    close(end[0]);
    c->said = said[0];
    c->end = end[1];
    *state = c;
    return 0;
}

static int teardown(void **state)
{
    struct command *c = *state;
    close(c->terminal);
    close(c->said);
    free(c);
    return 0;
}

static void hear(struct command *c, char expected)
{
    char byte = 0;
    assert_int_equal(read(c->said, &byte, 1), 1);
    assert_int_equal(byte, expected);
}

static int end_of(struct command *c)
{
    int status = 0;
    close(c->end);
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_signal_that_is_passed_on_to_us_once_more_is_still_the_first_one(void **state)
{
    struct command *c = *state;
    hear(c, 'r');
    kill(c->pid, SIGTERM);
    hear(c, 'a');
    for (int i = 0; i < 3; i++)
        kill(c->pid, SIGTERM);
    assert_int_equal(end_of(c), EXIT_ASKED);
}

static void a_key_and_the_same_signal_from_a_launcher_are_one(void **state)
{
    struct command *c = *state;
    hear(c, 'r');
    assert_int_equal(write(c->terminal, "\003", 1), 1);
    hear(c, 'a');
    kill(c->pid, SIGINT);
    assert_int_equal(end_of(c), EXIT_ASKED);
}

static void a_key_that_is_pressed_twice_ends_the_program_at_once(void **state)
{
    struct command *c = *state;
    int status = 0;
    hear(c, 'r');
    assert_int_equal(write(c->terminal, "\003", 1), 1);
    hear(c, 'a');
    assert_int_equal(write(c->terminal, "\003", 1), 1);
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid); /* nobody told it the end */
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_AT_ONCE);
    close(c->end);
}

static void another_signal_than_the_first_ends_the_program_at_once(void **state)
{
    struct command *c = *state;
    int status = 0;
    hear(c, 'r');
    kill(c->pid, SIGINT);
    hear(c, 'a');
    kill(c->pid, SIGTERM);
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_AT_ONCE);
    close(c->end);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_signal_that_is_passed_on_to_us_once_more_is_still_the_first_one),
        TEST(a_key_and_the_same_signal_from_a_launcher_are_one),
        TEST(a_key_that_is_pressed_twice_ends_the_program_at_once),
        TEST(another_signal_than_the_first_ends_the_program_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
