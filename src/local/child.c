/*
 * The supervisor: a thread with a list of running children and a queue of one-shot start requests.
 * It sleeps in poll() on an eventfd and one pidfd per child; a pidfd becomes readable when its
 * child ends.
 *
 * LOCK   `mutex` guards the list, the queue and every child's state. Callbacks run without it.
 */
#include "local/child.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN_MAX                                                                               \
    2048 /* 16 environments with 100 functions, twice while switching, and room   \
                           */

enum child_state {
    CHILD_ASKED,   /* in the queue, the caller waits */
    CHILD_REFUSED, /* could not be started; `error` says why */
    CHILD_RUNS,
    CHILD_ENDED,
};

struct child {
    struct supervisor *supervisor;
    struct child *next;            /* in the queue or in the list of running ones */
    const struct child_spec *spec; /* valid while CHILD_ASKED */
    char name[64];
    void (*on_exit)(void *context);
    void *context;
    enum child_state state;
    pid_t pid;
    int pidfd;
    int exit_status;
    struct err error;
};

struct supervisor {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* some child changed its state */
    int wake_fd;
    bool stop_asked;
    struct child *asked;
    struct child *running;
    size_t running_n;
};

/* Between fork and exec only calls that are safe after fork in a program with threads. */
static _Noreturn void become(const struct child_spec *spec, int log_fd, int null_fd, pid_t parent)
{
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, spec->death_signal) != 0 ||
        getppid() != parent)
        _exit(126);
    sigset_t none;
    sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    if (chdir(spec->cwd ? spec->cwd : "/") != 0 || dup2(null_fd, 0) < 0 || dup2(log_fd, 1) < 0 ||
        dup2(log_fd, 2) < 0)
        _exit(126);
    if (close_range(3, ~0u, 0) != 0)
        _exit(126);
    /* execve does not write to its vectors; POSIX kept the type for old programs */
    char *const *argv = (char *const *)(uintptr_t)spec->argv;
    char *const *env = (char *const *)(uintptr_t)spec->env;
    execve(spec->argv[0], argv, env);
    _exit(127);
}

static bool spawn(struct child *c, struct err *e)
{
    const struct child_spec *spec = c->spec;
    CLEANUP(fd) int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CLEANUP(fd)
    int log_fd = open(spec->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (null_fd < 0 || log_fd < 0)
        return err_system(e, "open %s", spec->log_path);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return err_system(e, "start %s", spec->argv[0]);
    if (pid == 0)
        become(spec, log_fd, null_fd, parent);
    c->pidfd = (int)syscall(SYS_pidfd_open, pid, 0u);
    if (c->pidfd < 0) {
        err_system(e, "watch %s", spec->argv[0]);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return false;
    }
    c->pid = pid;
    return true;
}

static void start_asked(struct supervisor *s)
{
    while (s->asked) {
        struct child *c = s->asked;
        s->asked = c->next;
        bool ok = s->running_n < CHILDREN_MAX
                      ? spawn(c, &c->error)
                      : err_set(&c->error, ERR_LIMIT, "more than %d processes", CHILDREN_MAX);
        c->spec = NULL;
        c->state = ok ? CHILD_RUNS : CHILD_REFUSED;
        if (ok) {
            c->next = s->running;
            s->running = c;
            s->running_n++;
        }
    }
    (void)pthread_cond_broadcast(&s->changed);
}

static int exit_status_of(int wait_status)
{
    if (WIFEXITED(wait_status))
        return WEXITSTATUS(wait_status);
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : 128;
}

/* Takes one ended child off the list. Unlocks around the callback, so the list may change: the
 * caller starts again from the head. */
static bool reap_one(struct supervisor *s)
{
    for (struct child **at = &s->running; *at; at = &(*at)->next) {
        struct child *c = *at;
        int wait_status = 0;
        if (waitpid(c->pid, &wait_status, WNOHANG) != c->pid)
            continue;
        *at = c->next;
        s->running_n--;
        (void)close(c->pidfd);
        c->pidfd = -1;
        c->exit_status = exit_status_of(wait_status);
        log_event("child.end", "%s pid %d status %d", c->name, (int)c->pid, c->exit_status);
        void (*on_exit)(void *) = c->on_exit;
        void *context = c->context;
        c->state = CHILD_ENDED;
        (void)pthread_cond_broadcast(&s->changed);
        /* from here on the owner may free the child */
        if (on_exit) {
            (void)pthread_mutex_unlock(&s->mutex);
            on_exit(context);
            (void)pthread_mutex_lock(&s->mutex);
        }
        return true;
    }
    return false;
}

static void *supervise(void *argument)
{
    struct supervisor *s = argument;
    static struct pollfd fds[CHILDREN_MAX + 1];
    (void)pthread_mutex_lock(&s->mutex);
    while (!s->stop_asked) {
        start_asked(s);
        while (reap_one(s)) {
        }
        nfds_t n = 0;
        fds[n++] = (struct pollfd){ .fd = s->wake_fd, .events = POLLIN };
        for (const struct child *c = s->running; c; c = c->next)
            fds[n++] = (struct pollfd){ .fd = c->pidfd, .events = POLLIN };
        bool idle = !s->asked;
        (void)pthread_mutex_unlock(&s->mutex);
        if (idle && poll(fds, n, -1) > 0 && fds[0].revents) {
            uint64_t count;
            (void)!read(s->wake_fd, &count, sizeof count);
        }
        (void)pthread_mutex_lock(&s->mutex);
    }
    for (struct child *c = s->running; c; c = c->next)
        (void)kill(c->pid, SIGKILL);
    while (s->running)
        if (!reap_one(s))
            (void)waitid(P_ALL, 0, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
    (void)pthread_mutex_unlock(&s->mutex);
    return NULL;
}

static void wake(struct supervisor *s)
{
    uint64_t one = 1;
    (void)!write(s->wake_fd, &one, sizeof one);
}

bool supervisor_start(struct supervisor **ret, struct err *e)
{
    struct supervisor *s = calloc(1, sizeof *s);
    if (!s)
        memory_exhausted(sizeof *s);
    (void)pthread_mutex_init(&s->mutex, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&s->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake_fd < 0) {
        err_system(e, "eventfd");
        free(s);
        return false;
    }
    errno = pthread_create(&s->thread, NULL, supervise, s);
    if (errno != 0) {
        err_system(e, "start the supervisor");
        (void)close(s->wake_fd);
        free(s);
        return false;
    }
    *ret = s;
    return true;
}

void supervisor_stop(struct supervisor *s)
{
    if (!s)
        return;
    (void)pthread_mutex_lock(&s->mutex);
    s->stop_asked = true;
    (void)pthread_mutex_unlock(&s->mutex);
    wake(s);
    (void)pthread_join(s->thread, NULL);
    (void)close(s->wake_fd);
    (void)pthread_cond_destroy(&s->changed);
    (void)pthread_mutex_destroy(&s->mutex);
    free(s);
}

bool child_start(struct supervisor *s, const struct child_spec *spec, struct child **ret,
                 struct err *e)
{
    struct child *c = calloc(1, sizeof *c);
    if (!c)
        memory_exhausted(sizeof *c);
    c->supervisor = s;
    c->spec = spec;
    c->on_exit = spec->on_exit;
    c->context = spec->context;
    c->exit_status = -1;
    c->pidfd = -1;
    (void)snprintf(c->name, sizeof c->name, "%s", spec->name);
    (void)pthread_mutex_lock(&s->mutex);
    c->next = s->asked;
    s->asked = c;
    wake(s);
    while (c->state == CHILD_ASKED && !s->stop_asked)
        (void)pthread_cond_wait(&s->changed, &s->mutex);
    bool refused = c->state == CHILD_REFUSED || c->state == CHILD_ASKED;
    if (c->state == CHILD_ASKED)
        err_set(&c->error, ERR_INTERRUPTED, "the platform is stopping");
    (void)pthread_mutex_unlock(&s->mutex);
    if (refused) {
        *e = c->error;
        free(c);
        return err_wrap(e, "start %s", spec->name);
    }
    *ret = c;
    return true;
}

pid_t child_pid(const struct child *c)
{
    return c->pid;
}

bool child_is_running(struct child *c)
{
    return child_exit_status(c) < 0;
}

int child_exit_status(struct child *c)
{
    (void)pthread_mutex_lock(&c->supervisor->mutex);
    int status = c->state == CHILD_ENDED ? c->exit_status : -1;
    (void)pthread_mutex_unlock(&c->supervisor->mutex);
    return status;
}

bool child_wait(struct child *c, int timeout_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    struct supervisor *s = c->supervisor;
    (void)pthread_mutex_lock(&s->mutex);
    int late = 0;
    while (c->state != CHILD_ENDED && late == 0)
        late = pthread_cond_timedwait(&s->changed, &s->mutex, &until);
    bool ended = c->state == CHILD_ENDED;
    (void)pthread_mutex_unlock(&s->mutex);
    return ended;
}

/* To the child itself: Postgres gives SIGINT another meaning when its whole group gets it. */
void child_signal(struct child *c, int signal)
{
    (void)pthread_mutex_lock(&c->supervisor->mutex);
    if (c->state == CHILD_RUNS)
        (void)kill(c->pid, signal);
    (void)pthread_mutex_unlock(&c->supervisor->mutex);
}

void child_stop(struct child *c, int signal, int timeout_ms)
{
    child_signal(c, signal);
    if (child_wait(c, timeout_ms))
        return;
    log_event("child.kill", "%s did not stop in %d ms", c->name, timeout_ms);
    child_signal(c, SIGKILL);
    (void)child_wait(c, 10000);
}

void child_free(struct child *c)
{
    free(c);
}
