#include "local/launch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "local/account.h"
#include "local/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_TIMEOUT_MS    90000 /* initdb on a slow disk, then recovery */
#define UP_TIMEOUT_MS       120000
#define DOWN_TIMEOUT_MS     60000
#define STATUS_TIMEOUT_MS   10000
#define RESET_TIMEOUT_MS    120000
#define READY_MESSAGE_BYTES ((size_t)16 * 1024)

void launch_init(struct launch *l, struct arena *a, const struct config *c)
{
    const char *state_dir = local_state_dir(a, c->project, c->dir);
    *l = (struct launch){
        .arena = a, .config = c, .state_dir = state_dir, .run_dir = local_run_dir(a, state_dir)
    };
}

/* ---- The daemon's process -------------------------------------------------------------------- */

/* What the daemon inherits: where things are and how the network is reached, nothing else. */
static const char *const *daemon_environment(struct arena *a)
{
    static const char *const passed[] = {
        "PATH",
        "LANG",
        "TZ",
        "TMPDIR",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "DENO_CERT",
        "DENO_TLS_CA_STORE",
        "NPM_CONFIG_REGISTRY",
        "LOCKFLIGHT_DENO",
        "LOCKFLIGHT_POSTGREST",
        "LOCKFLIGHT_PG_BIN",
        "LOCKFLIGHT_RUNTIME_DIR",
        "LOCKFLIGHT_FUNCTION_IDLE_MS",
        "ASAN_OPTIONS",
        "UBSAN_OPTIONS",
        "HOME",
        "XDG_DATA_HOME",
        NULL,
    };
    size_t n = 0;
    const char **env = ARENA_ARRAY(a, const char *, sizeof passed / sizeof passed[0] + 1);
    for (const char *const *name = passed; *name; name++)
        if (env_value(*name))
            env[n++] = arena_printf(a, "%s=%s", *name, env_value(*name));
    if (geteuid() == 0) /* the daemon is somebody else by the time it looks */
        env[n++] = arena_printf(a, "LOCKFLIGHT_RUNTIME_DIR=%s", local_runtime_dir(a));
    return env;
}

static _Noreturn void become_daemon(const char *const *argv, const char *const *env, int log_fd,
                                    int ready_fd)
{
    int null_fd = open("/dev/null", O_RDONLY);
    if (setsid() < 0 || chdir("/") != 0 || null_fd < 0 || dup2(null_fd, 0) < 0 ||
        dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0 || dup2(ready_fd, 3) < 0)
        _exit(126);
    (void)close_range(4, ~0u, 0);
    pid_t grandchild =
        fork(); /* the first child ends at once, so nobody has to wait for the daemon */
    if (grandchild != 0)
        _exit(grandchild < 0 ? 126 : 0);
    /* execve does not write to its vectors */
    char *const *args = (char *const *)(uintptr_t)argv; /* NOLINT(performance-no-int-to-ptr) */
    char *const *vars = (char *const *)(uintptr_t)env;  /* NOLINT(performance-no-int-to-ptr) */
    execve("/proc/self/exe", args, vars);
    _exit(127);
}

static bool fork_daemon(struct launch *l, int ready_fd, struct err *e)
{
    struct arena *a = l->arena;
    const char *log = fs_join(a, l->state_dir, "log");
    const char *const *env = daemon_environment(a);
    const char *argv[] = { "lockflight",
                           "local",
                           "daemon",
                           "--project",
                           l->config->project,
                           "--state",
                           l->state_dir,
                           "--run",
                           l->run_dir,
                           "--port",
                           arena_printf(a, "%d", (int)l->config->local_port),
                           "--ready",
                           "3",
                           NULL };
    CLEANUP(fd)
    int log_fd = open(fs_join(a, l->state_dir, "daemon.log"),
                      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log_fd < 0)
        return err_system(e, "open the log below %s", log);
    pid_t pid = fork();
    if (pid < 0)
        return err_system(e, "start the platform");
    if (pid == 0)
        become_daemon(argv, env, log_fd, ready_fd);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status == 0 ||
           err_set(e, ERR_INTERNAL, "the platform did not start (status %d)", status);
}

/* Reads what the daemon says when it is ready, or why it is not. */
static bool hear_ready(int fd, struct err *e)
{
    CLEANUP(strbuf) struct strbuf said = strbuf_init(READY_MESSAGE_BYTES);
    int64_t deadline = clock_boot_ms() + START_TIMEOUT_MS;
    char buffer[1024];
    for (;;) {
        int64_t left = deadline - clock_boot_ms();
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return err_set(e, ERR_TIMEOUT, "the platform did not start in time");
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n <= 0)
            break;
        (void)strbuf_add(&said, buffer, (size_t)n);
    }
    if (!said.n)
        return err_set(e, ERR_INTERNAL, "the platform ended while it started");
    json_auto_t *answer = json_parse(strbuf_str(&said), "the platform's answer", e);
    return answer && control_check(answer, e);
}

static bool start_daemon(struct launch *l, struct err *e)
{
    int ends[2];
    if (!account_prepare(l->arena, l->state_dir, l->run_dir, e))
        return false;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_system(e, "pipe");
    CLEANUP(fd) int reader = ends[0];
    bool ok = fork_daemon(l, ends[1], e);
    (void)close(ends[1]);
    if (ok && hear_ready(reader, e))
        return true;
    return *e->hint || e->code == ERR_CONFLICT ? false : err_hint(e, "lockflight local logs");
}

/* ---- Orders ---------------------------------------------------------------------------------- */

static char *joined(struct arena *a, const struct text_array *list, const char *otherwise)
{
    char *all = NULL;
    for (size_t i = 0; i < list->n; i++)
        all = all ? arena_printf(a, "%s,%s", all, list->v[i]) : arena_strdup(a, list->v[i]);
    return all ? all : arena_strdup(a, otherwise);
}

static json_t *up_order(struct launch *l)
{
    const struct config *c = l->config;
    json_t *environments = json_array();
    for (size_t i = 0; i < c->envs_n; i++) {
        if (c->envs[i].platform != PLATFORM_LOCAL)
            continue;
        (void)json_array_append_new(
            environments,
            json_pack("{s:s, s:s, s:s, s:s, s:i}", "name", c->envs[i].name, "ref",
                      c->envs[i].supabase.ref ? c->envs[i].supabase.ref : "", "schemas",
                      joined(l->arena, &c->supabase.api_schemas, "public,graphql_public"),
                      "search_path",
                      joined(l->arena, &c->supabase.api_extra_search_path, "public,extensions"),
                      "max_rows", c->supabase.api_max_rows ? (int)c->supabase.api_max_rows : 1000));
    }
    return json_pack("{s:s, s:s, s:o}", "do", "up", "program", control_program(l->arena),
                     "environments", environments);
}

/* Starts a daemon and asks until it obeys. ERR_CONFLICT from it means that another one has the
 * lock: one that starts (it will do as well), or one that is about to end (then the next try starts
 * ours). */
static bool start_and_ask(struct launch *l, json_t *order, json_t **ret, struct err *e)
{
    int64_t deadline = clock_boot_ms() + START_TIMEOUT_MS;
    for (;;) {
        if (!start_daemon(l, e) && e->code != ERR_CONFLICT)
            return false;
        if (control_ask(l->run_dir, json_incref(order), UP_TIMEOUT_MS, ret, e))
            return true;
        if (e->code != ERR_NET || clock_boot_ms() > deadline)
            return false;
        if (!clock_sleep_ms(100))
            return err_set(e, ERR_INTERRUPTED, "interrupted");
    }
}

bool launch_up(struct launch *l, struct local_platform *ret, bool *ret_was_up, struct err *e)
{
    json_auto_t *answer = NULL;
    json_auto_t *order = up_order(l);
    /* without any environment it still is a place to make projects and sites */
    if (l->config->envs_n > 0 && json_array_size(json_object_get(order, "environments")) == 0) {
        err_set(e, ERR_CONFIG, "no environment has platform = \"local\"");
        return err_where(e, "%s", l->config->file);
    }
    *ret_was_up = control_ask(l->run_dir, json_incref(order), UP_TIMEOUT_MS, &answer, e);
    if (!*ret_was_up && e->code != ERR_NET)
        return false;
    if (*ret_was_up && json_bool_or(answer, "is_other_build", false)) {
        if (!launch_down(l, ret_was_up, e)) /* a newer program has been installed meanwhile */
            return false;
        *ret_was_up = false;
    }
    if (!*ret_was_up) {
        json_decref(answer);
        answer = NULL;
        if (!start_and_ask(l, order, &answer, e))
            return false;
    }
    return local_platform_read(l->arena, l->state_dir, ret, e);
}

/* The lock is free when the daemon's last act is done. */
static bool wait_until_gone(struct launch *l, struct err *e)
{
    int64_t deadline = clock_boot_ms() + DOWN_TIMEOUT_MS;
    CLEANUP(fd) int fd = open(fs_join(l->arena, l->state_dir, "lock"), O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || err_system(e, "open the platform's lock");
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (clock_boot_ms() > deadline)
            return err_set(e, ERR_TIMEOUT, "the platform does not stop");
        if (!clock_sleep_ms(20))
            return err_set(e, ERR_INTERRUPTED, "interrupted while the platform stops");
    }
    return true;
}

bool launch_down(struct launch *l, bool *ret_was_up, struct err *e)
{
    json_auto_t *answer = NULL;
    *ret_was_up =
        control_ask(l->run_dir, json_pack("{s:s}", "do", "down"), DOWN_TIMEOUT_MS, &answer, e);
    if (!*ret_was_up && e->code != ERR_NET)
        return false;
    return wait_until_gone(l, e);
}

static bool not_up(struct err *e)
{
    if (e->code != ERR_NET)
        return false;
    err_set(e, ERR_BLOCKED, "the local platform is not up");
    return err_hint(e, "lockflight local up");
}

bool launch_status(struct launch *l, json_t **ret, struct err *e)
{
    return control_ask(l->run_dir, json_pack("{s:s}", "do", "status"), STATUS_TIMEOUT_MS, ret, e) ||
           not_up(e);
}

bool launch_reset(struct launch *l, const char *environment, struct err *e)
{
    json_auto_t *answer = NULL;
    return control_ask(l->run_dir,
                       json_pack("{s:s, s:s}", "do", "reset", "environment", environment),
                       RESET_TIMEOUT_MS, &answer, e) ||
           not_up(e);
}
