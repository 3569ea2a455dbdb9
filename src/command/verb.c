/*
 * A verb inside a verb: see verb.h.
 */
#include "command/verb.h"

#include "base/cleanup.h"
#include "base/signals.h"
#include "cli/run.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WATCH_MS 20

/* The child's whole life. It is told once to stop, by us: a signal that the runner sends to our whole
 * group would be its second one, and end it in the middle of a step. If we are killed, it stops. */
static int live(const struct verb *v, pid_t parent)
{
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        return err_exit_status(&(struct err){ .code = ERR_INTERRUPTED });
    if (v->prepare)
        v->prepare(v->context);
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct command_context c;
    struct err e = { 0 };
    int n = 0;
    while (v->words[n])
        n++;
    char **argv = ARENA_ARRAY(a, char *, (size_t)n + 1);
    for (int i = 0; i < n; i++)
        argv[i] = arena_strdup(a, v->words[i]);
    command_context_init(&c, a, v->parent->commands);
    bool ok = command_main(&c, n, argv, &e);
    if (!ok)
        command_error(&c, &e);
    struct err unwritten = { 0 };
    if (!command_finish(&c, &unwritten) && ok)
        return err_exit_status(&unwritten);
    return ok ? c.exit_status : err_exit_status(&e);
}

/* Waits for the child; a signal that asks us to stop asks it. */
static int wait_for(pid_t child)
{
    int status = 0;
    bool is_asked = false;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (signals_stop_asked() && !is_asked)
            (void)kill(child, SIGTERM);
        is_asked = signals_stop_asked();
        (void)poll(NULL, 0, WATCH_MS);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool verb_run(const struct verb *v, int *ret_status, struct err *e)
{
    (void)fflush(NULL);
    pid_t self = getpid();
    pid_t child = fork();
    if (child < 0)
        return err_system(e, "start %s %s", v->words[0], v->words[1]);
    if (child == 0)
        _exit(live(v, self));
    *ret_status = wait_for(child);
    return true;
}
