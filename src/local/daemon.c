/*
 * ORDER    lock, folders, lesser user, supervisor, Postgres, HTTP server, control socket, "ready".
 *          Environments are started when `up` names them. Stopping is the same backwards.
 *
 * CRASHES  What was acknowledged is on disk. After kill -9 the children get their death signals,
 *          and the next `up` starts a daemon that finds ports, tokens and keys in platform.json.
 *
 * MAIN     The main thread sits in poll(): control connections, one after the other; projects that
 *          are made or removed over the API; signals; and once a second a look at whether
 *          everything still runs.
 */
#include "local/daemon.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "local/account.h"
#include "local/bundle.h"
#include "local/control.h"
#include "local/environments.h"
#include "local/identity.h"
#include "local/platform.h"
#include "local/projects.h"
#include "local/rest.h"
#include "local/routes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define DRAIN_MS            3000
#define LOOK_EVERY_MS       1000
#define POSTGRES_AT         50000 /* the cluster's port is the API's plus this: 4600 → 54600 */
#define LOG_BYTES_MAX       ((off_t)64 * 1024 * 1024)
#define BOUND_LOGS_EVERY_MS 60000
#define CONTROL_WAIT_S      5 /* a commander that says nothing does not hold the others up */

/* ---- Starting -------------------------------------------------------------------------------- */

static bool lock(const char *state_dir, int *ret_fd, struct err *e)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/lock", state_dir);
    CLEANUP(fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_system(e, "open %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(e, ERR_CONFLICT, "another process has the lock of %s", state_dir);
    *ret_fd = fd_take(&fd);
    return true;
}

static void rotate(const char *path)
{
    struct stat st;
    char old[PATH_MAX];
    if (stat(path, &st) == 0 && st.st_size > (off_t)(8 * MIB) &&
        snprintf(old, sizeof old, "%s.1", path) < (int)sizeof old)
        (void)rename(path, old);
}

static bool folders(struct platform *p, struct err *e)
{
    static const char *const logs[] = { "platform.log", "trace.log", "postgres.log", NULL };
    if (!fs_mkdirs(p->log_dir, 0700, e))
        return false;
    for (const char *const *name = logs; *name; name++)
        rotate(fs_join(p->arena, p->log_dir, *name));
    return log_open(fs_join(p->arena, p->log_dir, "trace.log"), e);
}

static bool start(struct platform *p, const struct daemon_spec *spec, struct err *e)
{
    const char *password = NULL;
    if (!identity_load(p->arena, p->state_dir, spec->project, &p->id, e) ||
        !identity_password(p->arena, p->state_dir, &password, e) ||
        !supervisor_start(&p->supervisor, e))
        return false;
    p->database_password = password;
    struct cluster_spec cluster = {
        .supervisor = p->supervisor,
        .state_dir = p->state_dir,
        .run_dir = p->run_dir,
        .log_path = fs_join(p->arena, p->log_dir, "postgres.log"),
        .password = password,
        .port = p->id.pg_port ? p->id.pg_port : spec->base_port + POSTGRES_AT,
    };
    if (cluster.port > 65000)
        cluster.port = 54600;
    if (!cluster_start(&cluster, &p->cluster, e))
        return false;
    p->id.pg_port = cluster_port(p->cluster);
    p->id.pg_socket_dir = p->run_dir;
    p->id.pid = (int)getpid();
    p->server = server_new(&(struct server_spec){ .workers = 8 });
    struct bundle_tools *tools = ARENA_NEW(p->arena, struct bundle_tools);
    p->tools = tools;
    if (!projects_open(p, e))
        return false;
    int preferred = identity_api_port(&p->id);
    return bundle_tools_prepare(p->state_dir, p->arena, tools, e) &&
           sites_open(p->state_dir, p->id.netlify_token, p->server, &p->sites, e) &&
           routes_listen_api(p, preferred ? preferred : spec->base_port, e) &&
           server_start(p->server, e);
}

static void stop(struct platform *p)
{
    projects_close(p);
    environments_quiet(p);
    if (p->server)
        (void)server_drain(p->server, DRAIN_MS);
    environments_stop(p);
    server_free(p->server);
    environments_free(p);
    projects_free(p);
    sites_close(p->sites);
    cluster_stop(p->cluster);
    supervisor_stop(p->supervisor);
    log_close();
}

/* ---- Control --------------------------------------------------------------------------------- */

static json_t *status_of(struct platform *p)
{
    json_t *parts = json_array();
    (void)json_array_append_new(parts, json_pack("{s:s, s:b, s:i, s:i}", "part", "postgres",
                                                 "running", cluster_is_running(p->cluster), "pid",
                                                 (int)cluster_pid(p->cluster), "port",
                                                 cluster_port(p->cluster)));
    environments_status(p, parts);
    struct server_figures figures = server_figures(p->server);
    return json_pack("{s:b, s:i, s:o, s:{s:I, s:i}}", "ok", 1, "pid", (int)getpid(), "parts", parts,
                     "http", "requests", (json_int_t)figures.requests, "connections",
                     (int)figures.connections);
}

static json_t *obey(struct platform *p, const json_t *order, bool *ret_stop)
{
    struct err e;
    const char *what = json_text_or(order, "do", "");
    bool ok = true;
    if (streq(what, "status"))
        return status_of(p);
    if (streq(what, "up") && !streq(json_text_or(order, "program", ""), p->program))
        return json_pack("{s:b, s:b}", "ok", 1, "is_other_build", 1);
    if (streq(what, "up"))
        ok = environments_up(p, json_object_get(order, "environments"), &e);
    else if (streq(what, "reset"))
        ok = environments_reset(p, json_text_or(order, "environment", ""), &e);
    else if (streq(what, "down"))
        *ret_stop = true;
    else
        ok = err_set(&e, ERR_USAGE, "unknown order \"%s\"", what);
    return ok ? json_pack("{s:b}", "ok", 1) : control_refusal(&e);
}

/* One order, one answer. "down" is answered first; its end is the end of the connection. */
static void converse(struct platform *p, int listener, bool *ret_stop, int *ret_farewell)
{
    struct err e;
    json_auto_t *order = NULL;
    CLEANUP(fd) int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct timeval wait = { .tv_sec = CONTROL_WAIT_S };
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    if (!control_receive(fd, &order, &e))
        return;
    json_t *answer = obey(p, order, ret_stop);
    if (!control_send(fd, answer, &e))
        log_event("control", "%s", e.why);
    if (*ret_stop)
        *ret_farewell = fd_take(&fd);
}

/* A child writes to its log for as long as it lives; appending goes on at the start of an emptied
 * file. */
static void bound_logs(const struct platform *p)
{
    struct arena *scratch = arena_new(4 * MIB);
    struct err ignored;
    const char **names = NULL;
    size_t n = 0;
    if (fs_list(scratch, p->log_dir, &names, &n, &ignored))
        for (size_t i = 0; i < n; i++) {
            struct stat st;
            const char *path = fs_join(scratch, p->log_dir, names[i]);
            if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > LOG_BYTES_MAX)
                (void)!truncate(path, 0);
        }
    arena_free(scratch);
}

static void look_after(struct platform *p)
{
    if (clock_boot_ms() > p->bound_logs_boot_ms) {
        bound_logs(p);
        p->bound_logs_boot_ms = clock_boot_ms() + BOUND_LOGS_EVERY_MS;
    }
    struct err e;
    if (!cluster_revive(p->cluster, &e))
        log_event("cluster.revive", "%s", e.why);
    environments_look(p);
}

static void serve_until_told(struct platform *p, int listener, int signals, int *ret_farewell)
{
    bool told = false;
    while (!told) {
        struct pollfd fds[] = { { .fd = listener, .events = POLLIN },
                                { .fd = signals, .events = POLLIN },
                                { .fd = projects_fd(p), .events = POLLIN } };
        int n = poll(fds, 3, LOOK_EVERY_MS);
        if (n < 0 && errno != EINTR)
            break;
        if (fds[1].revents)
            break;
        if (fds[0].revents)
            converse(p, listener, &told, ret_farewell);
        if (fds[2].revents)
            projects_obey(p);
        look_after(p);
    }
}

static int block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static void say_ready(int fd, bool ok, const struct err *e)
{
    if (fd < 0)
        return;
    (void)signal(SIGPIPE, SIG_IGN);
    json_t *message = ok ? json_pack("{s:b}", "ok", 1) : control_refusal(e);
    char *text = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    if (text)
        (void)!write(fd, text, strlen(text));
    free(text);
    (void)close(fd);
}

bool daemon_run(const struct daemon_spec *spec, struct err *e)
{
    (void)umask(077);
    (void)prctl(PR_SET_NAME, "lockflight"); /* it was started as /proc/self/exe */
    struct arena *arena = arena_new(0);
    struct platform *p = ARENA_NEW(arena, struct platform);
    *p = (struct platform){ .arena = arena,
                            .state_dir = spec->state_dir,
                            .run_dir = spec->run_dir,
                            .log_dir = fs_join(arena, spec->state_dir, "log") };
    p->program = control_program(arena);
    CLEANUP(fd) int lock_fd = -1;
    CLEANUP(fd) int listener = -1;
    CLEANUP(fd) int farewell = -1;
    CLEANUP(fd) int signals = block_signals();
    bool ok = account_become(e) && lock(spec->state_dir, &lock_fd, e) && folders(p, e) &&
              start(p, spec, e) && control_listen(spec->run_dir, &listener, e);
    say_ready(spec->ready_fd, ok, e);
    if (ok)
        serve_until_told(p, listener, signals, &farewell);
    stop(p);
    if (listener >= 0)
        (void)unlink(fs_join(arena, spec->run_dir, "control.sock"));
    arena_free(arena);
    return ok;
}
