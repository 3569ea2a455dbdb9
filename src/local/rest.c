/*
 * PostgREST checks tokens itself, with the environment's JWT secret. It hears of schema changes by
 * the event trigger of provider/prelude/70_events.sql on channel `pgrst`.
 */
#include "local/rest.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/log.h"
#include "local/cors.h"
#include "net/server/upstream.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READY_TIMEOUT_MS 20000
#define REVIVE_PAUSE_MS  2000

struct rest {
    struct arena *arena;
    struct platform_environment *env;
    struct child *child;
    struct upstream_slot *slot;
    const char *program;
    const char *socket_path;
    int64_t started_boot_ms;
};

static bool launch(struct rest *r, struct err *e)
{
    struct arena *scratch = arena_new(1 * MIB);
    const struct platform_environment *env = r->env;
    const struct platform *p = env->platform;
    const char *environment[] = {
        "PATH=/usr/bin:/bin",
        "LANG=C.UTF-8",
        arena_printf(scratch, "PGRST_DB_URI=postgres://authenticator@/%s?host=%s&port=%d",
                     env->database, p->run_dir, cluster_port(p->cluster)),
        arena_printf(scratch, "PGRST_SERVER_UNIX_SOCKET=%s", r->socket_path),
        "PGRST_SERVER_UNIX_SOCKET_MODE=600",
        arena_printf(scratch, "PGRST_DB_SCHEMAS=%s", env->settings.api_schemas),
        arena_printf(scratch, "PGRST_DB_EXTRA_SEARCH_PATH=%s", env->settings.api_extra_search_path),
        arena_printf(scratch, "PGRST_DB_MAX_ROWS=%d", env->settings.api_max_rows),
        "PGRST_DB_ANON_ROLE=anon",
        arena_printf(scratch, "PGRST_JWT_SECRET=%s", env->id.jwt_secret),
        "PGRST_DB_POOL=4",
        "PGRST_DB_POOL_MAX_IDLETIME=30",
        "PGRST_LOG_LEVEL=error",
        NULL,
    };
    struct child_spec spec = {
        .name = arena_printf(scratch, "rest %s", env->id.name),
        .argv = (const char *[]){ r->program, "+RTS", "-N1", "-A1m", "-RTS", NULL },
        .env = environment,
        .log_path = arena_printf(scratch, "%s/rest-%s.log", p->log_dir, env->id.name),
        .death_signal = SIGKILL,
    };
    child_free(r->child);
    r->child = NULL;
    (void)unlink(r->socket_path);
    r->started_boot_ms = clock_boot_ms();
    bool ok = child_start(p->supervisor, &spec, &r->child, e);
    arena_free(scratch);
    return ok;
}

/* One GET /, by hand: the answer is 503 until the schema cache is loaded. */
static bool answers(const char *socket_path)
{
    static const char ask[] = "HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    char head[16] = "";
    CLEANUP(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", socket_path);
    return fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
           send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) == (ssize_t)sizeof ask - 1 &&
           recv(fd, head, 12, MSG_WAITALL) == 12 && strncmp(head + 9, "503", 3) != 0;
}

static bool wait_until_ready(struct rest *r, struct err *e)
{
    int64_t deadline = clock_boot_ms() + READY_TIMEOUT_MS;
    while (!answers(r->socket_path)) {
        if (!child_is_running(r->child)) {
            err_set(e, ERR_IO, "PostgREST ended with status %d", child_exit_status(r->child));
            return err_hint(e, "lockflight local logs rest-%s", r->env->id.name);
        }
        if (clock_boot_ms() > deadline)
            return err_set(e, ERR_TIMEOUT, "PostgREST does not answer");
        (void)clock_sleep_ms(20);
    }
    return true;
}

bool rest_start(struct platform_environment *env, struct rest **ret, struct err *e)
{
    struct arena *a = arena_new(1 * MIB);
    struct rest *r = ARENA_NEW(a, struct rest);
    char *program = NULL;
    *r = (struct rest){ .arena = a, .env = env };
    r->socket_path = arena_printf(a, "%s/rest-%s.sock", env->platform->run_dir, env->id.name);
    r->slot = upstream_slot_new();
    if (!local_postgrest(a, &program, e)) {
        rest_stop(r);
        return false;
    }
    r->program = program;
    struct upstream *u =
        upstream_new(&(struct upstream_spec){ .name = "PostgREST", .socket_path = r->socket_path });
    upstream_unref(upstream_slot_set(r->slot, u));
    if (!launch(r, e) || !wait_until_ready(r, e)) {
        rest_stop(r);
        return err_wrap(e, "data API of %s", env->id.name);
    }
    *ret = r;
    return true;
}

void rest_stop(struct rest *r)
{
    if (!r)
        return;
    if (r->child) {
        child_stop(r->child, SIGTERM, 3000);
        child_free(r->child);
    }
    (void)unlink(r->socket_path);
    upstream_unref(upstream_slot_set(r->slot, NULL));
    upstream_slot_free(r->slot);
    arena_free(r->arena);
}

bool rest_pause(struct rest *r, struct err *e)
{
    child_stop(r->child, SIGTERM, 3000);
    return child_is_running(r->child) ? err_set(e, ERR_TIMEOUT, "PostgREST does not stop") : true;
}

bool rest_resume(struct rest *r, struct err *e)
{
    return launch(r, e) && wait_until_ready(r, e);
}

pid_t rest_pid(const struct rest *r)
{
    return child_pid(r->child);
}

bool rest_is_running(struct rest *r)
{
    return child_is_running(r->child);
}

void rest_revive(struct rest *r)
{
    struct err e;
    if (child_is_running(r->child) || clock_boot_ms() - r->started_boot_ms < REVIVE_PAUSE_MS)
        return;
    log_event("rest.revive", "%s: status %d", r->env->id.name, child_exit_status(r->child));
    if (!launch(r, &e))
        log_event("rest.revive", "%s: %s", r->env->id.name, e.why);
}

static void failed(struct request *r, enum proxy_failure why, void *context)
{
    (void)context;
    respond_json(r, why == PROXY_LATE ? 504 : 503,
                 json_pack("{s:s, s:s, s:n, s:n}", "code", "PGRST000", "message",
                           "The data API does not answer", "details", "hint"));
}

/* The key alone is a token: supabase-js sends it in both headers, other clients in one. */
void rest_serve(struct platform_environment *env, struct request *r)
{
    const char *key = request_header(r, "apikey");
    cors_allow(r);
    if (r->method == METHOD_OPTIONS) {
        respond_empty(r, 204);
        return;
    }
    struct upstream *u = upstream_slot_enter(env->rest->slot);
    if (!u) {
        failed(r, PROXY_NO_CONNECTION, NULL);
        return;
    }
    /* what the proxy reads must live as long as the request */
    static const char *const dropped[] = { "Origin", NULL }; /* CORS is ours */
    const char *rest = r->target + strlen("/rest/v1");
    bool needs_key = key && !request_header(r, "Authorization");
    const char *bearer = arena_printf(r->arena, "Bearer %s", key ? key : "");
    struct header *set = ARENA_NEW(r->arena, struct header);
    *set = (struct header){ "Authorization", bearer, strlen(bearer) };
    struct proxy_spec *spec = ARENA_NEW(r->arena, struct proxy_spec);
    *spec = (struct proxy_spec){
        .target = *rest == '/' ? rest : arena_printf(r->arena, "/%s", rest),
        .set = set,
        .set_count = needs_key ? 1 : 0,
        .drop = dropped,
        .failed = failed,
    };
    request_proxy(r, u, spec);
}
