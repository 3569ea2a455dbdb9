/*
 * Child processes: see proc.h. One poll loop feeds stdin, reads both outputs and watches the
 * child's pidfd, so that a child which closes its outputs early, or leaves a grandchild holding
 * them, cannot hang us.
 */
#include "base/proc.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/limits.h"
#include "base/signals.h"
#include "base/strbuf.h"
#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
    KILL_AFTER_MS = 5000,
    AFTERMATH_MS = 200,
    READ_BYTES = 65536
};

struct stream {
    int fd;
    struct strbuf bytes;
    size_t line_start; /* where the first line not yet reported begins */
};

struct child {
    const struct proc_spec *spec;
    const char *const *env;
    pid_t pid;
    int pidfd;
    int in;
    struct str input;
    struct stream out;
    struct stream err;
    bool exited;
    int64_t exited_at_ms;
    bool timed_out;
    bool too_much;
    int64_t term_at_ms; /* when to send the next signal, 0: never */
    int next_signal;
};

static void child_cleanup(struct child *c)
{
    fd_cleanup(&c->pidfd);
    fd_cleanup(&c->in);
    fd_cleanup(&c->out.fd);
    fd_cleanup(&c->err.fd);
    strbuf_done(&c->out.bytes);
    strbuf_done(&c->err.bytes);
}

struct pipes {
    int in[2], out[2], err[2];
};

static void pipes_cleanup(struct pipes *p)
{
    for (int i = 0; i < 2; i++) {
        fd_cleanup(&p->in[i]);
        fd_cleanup(&p->out[i]);
        fd_cleanup(&p->err[i]);
    }
}

static void add_redirections(posix_spawn_file_actions_t *actions, const struct proc_spec *spec,
                             const struct pipes *p)
{
    if (p->in[0] >= 0)
        (void)posix_spawn_file_actions_adddup2(actions, p->in[0], STDIN_FILENO);
    else
        (void)posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!spec->inherit_output) {
        (void)posix_spawn_file_actions_adddup2(actions, p->out[1], STDOUT_FILENO);
        (void)posix_spawn_file_actions_adddup2(actions, spec->merge_stderr ? p->out[1] : p->err[1],
                                               STDERR_FILENO);
    }
    if (spec->cwd)
        (void)posix_spawn_file_actions_addchdir_np(actions, spec->cwd);
}

static void add_attributes(posix_spawnattr_t *attr)
{
    sigset_t defaults, none;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGTERM);
    (void)posix_spawnattr_setsigdefault(attr, &defaults);
    (void)posix_spawnattr_setsigmask(attr, &none);
    (void)posix_spawnattr_setpgroup(attr, 0);
    (void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                             POSIX_SPAWN_SETSIGMASK);
}

/* posix_spawn's vectors are not const for reasons of history; they are not changed. */
static char *const *vector(const char *const *v)
{
    return (char *const *)(uintptr_t)v;
}

static bool spawn(struct child *c, const struct pipes *p, struct err *e)
{
    const struct proc_spec *spec = c->spec;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    if (posix_spawn_file_actions_init(&actions) != 0 || posix_spawnattr_init(&attr) != 0)
        memory_exhausted(0);
    add_redirections(&actions, spec, p);
    add_attributes(&attr);
    errno =
        posix_spawnp(&c->pid, spec->argv[0], &actions, &attr, vector(spec->argv), vector(c->env));
    int failed = errno;
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attr);
    errno = failed;
    if (failed != 0) {
        err_system(e, "start %s", spec->argv[0]);
        return failed == ENOENT ? err_recode(e, ERR_NOT_FOUND) : false;
    }
    c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
    if (c->pidfd < 0) {
        err_system(e, "watch %s", spec->argv[0]);
        (void)kill(-c->pid, SIGKILL);
        (void)waitpid(c->pid, NULL, 0);
        return false;
    }
    return true;
}

static bool start(struct child *c, struct err *e)
{
    CLEANUP(pipes) struct pipes p = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
    bool wants_input = c->spec->input.n > 0;
    if (wants_input && pipe2(p.in, O_CLOEXEC) != 0)
        return err_system(e, "pipe");
    if (!c->spec->inherit_output && pipe2(p.out, O_CLOEXEC) != 0)
        return err_system(e, "pipe");
    if (!c->spec->inherit_output && !c->spec->merge_stderr && pipe2(p.err, O_CLOEXEC) != 0)
        return err_system(e, "pipe");
    if (!spawn(c, &p, e))
        return false;
    c->in = fd_take(&p.in[1]);
    c->out.fd = fd_take(&p.out[0]);
    c->err.fd = fd_take(&p.err[0]);
    for (int i = 0; i < 3; i++) {
        int fd = i == 0 ? c->in : i == 1 ? c->out.fd : c->err.fd;
        if (fd >= 0)
            (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return true;
}

static void report_lines(struct child *c, struct stream *s, bool at_end)
{
    if (!c->spec->on_line)
        return;
    struct str all = strbuf_str(&s->bytes);
    while (s->line_start < all.n) {
        const char *from = all.p + s->line_start;
        size_t left = all.n - s->line_start;
        const char *nl = memchr(from, '\n', left);
        if (!nl && !at_end && left < LIMIT_PROC_LINE_BYTES)
            return;
        size_t n = nl ? (size_t)(nl - from) : left;
        s->line_start += n + (nl ? 1 : 0);
        if (n > 0 && from[n - 1] == '\r')
            n--;
        c->spec->on_line(c->spec->context, (struct str){ from, n });
    }
}

static void stream_read(struct child *c, struct stream *s)
{
    char buffer[READ_BYTES];
    ssize_t n = read(s->fd, buffer, sizeof buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        fd_cleanup(&s->fd);
        s->fd = -1;
        return;
    }
    if (!strbuf_add(&s->bytes, buffer, (size_t)n) && !c->too_much) {
        c->too_much = true;
        c->term_at_ms = clock_boot_ms();
    }
    report_lines(c, s, false);
}

static void input_write(struct child *c)
{
    ssize_t n = write(c->in, c->input.p, c->input.n);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0) {
        c->input.p += n;
        c->input.n -= (size_t)n;
    }
    if (n < 0 || c->input.n == 0) {
        fd_cleanup(&c->in);
        c->in = -1;
    }
}

/* SIGTERM to the group at the deadline, SIGKILL five seconds later. */
static void send_due_signal(struct child *c)
{
    if (c->term_at_ms == 0 || c->exited || clock_boot_ms() < c->term_at_ms)
        return;
    if (!c->too_much)
        c->timed_out = true;
    (void)kill(-c->pid, c->next_signal);
    c->term_at_ms = c->next_signal == SIGTERM ? clock_boot_ms() + KILL_AFTER_MS : 0;
    c->next_signal = SIGKILL;
}

static int poll_timeout_ms(const struct child *c)
{
    if (c->exited)
        return AFTERMATH_MS;
    if (c->term_at_ms == 0)
        return -1;
    int64_t left = c->term_at_ms - clock_boot_ms();
    return left < 0 ? 0 : (int)left;
}

static void poll_once(struct child *c)
{
    struct pollfd fds[] = {
        { .fd = c->exited ? -1 : c->pidfd, .events = POLLIN },
        { .fd = c->out.fd, .events = POLLIN },
        { .fd = c->err.fd, .events = POLLIN },
        { .fd = c->in, .events = POLLOUT },
    };
    if (poll(fds, 4, poll_timeout_ms(c)) < 0)
        return;
    if (fds[1].revents)
        stream_read(c, &c->out);
    if (fds[2].revents)
        stream_read(c, &c->err);
    if (fds[3].revents)
        input_write(c);
    if (fds[0].revents) {
        c->exited = true;
        c->exited_at_ms = clock_boot_ms();
    }
}

/* Ends when the child has exited and its outputs are at their end, or shortly after the exit if a
 * grandchild keeps them open. */
static bool is_over(const struct child *c)
{
    if (!c->exited)
        return false;
    bool drained = c->out.fd < 0 && c->err.fd < 0;
    return drained || clock_boot_ms() - c->exited_at_ms > AFTERMATH_MS;
}

static int wait_status(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool proc_run(struct arena *a, const struct proc_spec *spec, struct proc_result *ret, struct err *e)
{
    size_t max = spec->max_output_bytes ? spec->max_output_bytes : LIMIT_PROC_OUTPUT_BYTES;
    const char *const *all = (const char *const[]){ NULL };
    CLEANUP(child)
    struct child c = {
        .spec = spec,
        .env = spec->env ? spec->env : proc_env(a, all),
        .pidfd = -1,
        .in = -1,
        .input = spec->input,
        .out = { .fd = -1, .bytes = strbuf_init(max) },
        .err = { .fd = -1, .bytes = strbuf_init(max) },
        .term_at_ms = spec->timeout_ms ? clock_boot_ms() + spec->timeout_ms : 0,
        .next_signal = SIGTERM,
    };
    if (!start(&c, e))
        return false;
    while (!is_over(&c)) {
        poll_once(&c);
        send_due_signal(&c);
    }
    int status = wait_status(c.pid);
    report_lines(&c, &c.out, true);
    report_lines(&c, &c.err, true);
    *ret = (struct proc_result){
        .exit_status = status,
        .timed_out = c.timed_out,
        .out = { arena_strndup(a, strbuf_text(&c.out.bytes), c.out.bytes.n), c.out.bytes.n },
        .err = { arena_strndup(a, strbuf_text(&c.err.bytes), c.err.bytes.n), c.err.bytes.n },
    };
    if (c.too_much)
        return err_set(e, ERR_LIMIT, "%s printed more than %zu bytes", spec->argv[0], max);
    if (c.timed_out)
        return err_set(e, ERR_TIMEOUT, "%s did not finish in %d ms", spec->argv[0],
                       spec->timeout_ms);
    return true;
}

static bool names_same(const char *change, const char *entry)
{
    size_t n = strcspn(change, "=");
    return strcspn(entry, "=") == n && strncmp(change, entry, n) == 0;
}

static bool is_changed(const char *entry, const char *const *changes)
{
    for (; *changes; changes++)
        if (names_same(*changes, entry))
            return true;
    return false;
}

const char *const *proc_env(struct arena *a, const char *const *changes)
{
    VEC(const char *) env = { 0 };
    for (char **entry = environ; *entry; entry++)
        if (!env_is_hidden(*entry) && !is_changed(*entry, changes))
            *vec_add(&env, a) = *entry;
    for (; *changes; changes++)
        if (strchr(*changes, '='))
            *vec_add(&env, a) = *changes;
    *vec_add(&env, a) = NULL;
    return env.v;
}

char *proc_find(struct arena *a, const char *name)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here sets variables
    const char *path = getenv("PATH");
    struct str rest = str_of(path ? path : "/usr/local/bin:/usr/bin:/bin");
    while (rest.p) {
        struct str dir = str_cut(&rest, ':');
        if (dir.n == 0)
            continue;
        char *candidate = arena_printf(a, "%.*s/%s", STR_FMT(dir), name);
        if (access(candidate, X_OK) == 0)
            return candidate;
    }
    return NULL;
}
