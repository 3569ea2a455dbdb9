#include "local/worker.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ARGUMENTS_MAX      32
#define PLATFORM_VARIABLES 16

/* A socket name is used once: a killed Deno leaves its socket behind, and
 * another cannot bind it. */
static const char *new_socket(struct arena *a, const struct platform_environment *env)
{
    return arena_printf(a, "%s/f-%s.sock", env->platform->run_dir, random_hex(a, 6));
}

static const char *const *environment_of(struct arena *a, const struct worker_spec *spec,
                                         const char *socket_path)
{
    const struct local_environment *id = &spec->env->id;
    const char *name;
    json_t *value;
    size_t n = 0;
    const char **env =
        ARENA_ARRAY(a, const char *, json_object_size(spec->secrets) + PLATFORM_VARIABLES);
    /* secrets first: of two equal names getenv finds the first, and the platform's own are refused
     * as secrets, so that none can be shadowed */
    json_object_foreach (spec->secrets, name, value)
        env[n++] = arena_printf(a, "%s=%s", name, json_string_value(value));
    env[n++] = arena_printf(a, "SUPABASE_URL=%s", id->url);
    env[n++] = arena_printf(a, "SUPABASE_ANON_KEY=%s", id->anon_key);
    env[n++] = arena_printf(a, "SUPABASE_SERVICE_ROLE_KEY=%s", id->service_role_key);
    env[n++] = arena_printf(a, "SUPABASE_DB_URL=%s", id->database);
    env[n++] = "SB_REGION=local";
    env[n++] = arena_printf(a, "SB_EXECUTION_ID=%s", random_uuid(a));
    env[n++] = arena_printf(a, "DENO_DEPLOYMENT_ID=%s_%s_%lld", id->project_ref,
                            json_text_or(spec->function, "id", ""),
                            (long long)json_int_or(spec->function, "version", 0));
    env[n++] = arena_printf(a, "DENO_SERVE_ADDRESS=unix:%s", socket_path);
    env[n++] = arena_printf(a, "DENO_DIR=%s", spec->tools->deno_dir);
    env[n++] = "DENO_AUTO_SERVE=1";
    env[n++] = "DENO_NO_UPDATE_CHECK=1";
    env[n++] = "NO_COLOR=1";
    env[n] = NULL;
    return env;
}

static const char *const *arguments_of(struct arena *a, const struct worker_spec *spec,
                                       const char *dir, const json_t *manifest,
                                       const char *socket_path)
{
    const char **argv = ARENA_ARRAY(a, const char *, ARGUMENTS_MAX);
    size_t n = 0;
    argv[n++] = spec->tools->deno;
    argv[n++] = "run";
    argv[n++] = "--quiet";
    argv[n++] = "--no-prompt";
    argv[n++] = "--cached-only";
    argv[n++] = "--frozen";
    n = bundle_arguments(a, dir, manifest, argv, n);
    argv[n++] = arena_printf(a, "--preload=%s/preload.js", spec->tools->edge_dir);
    argv[n++] = arena_printf(a, "--v8-flags=--max-old-space-size=%d", WORKER_HEAP_MIB);
    argv[n++] = "--allow-env";
    argv[n++] = "--allow-net";
    argv[n++] = arena_printf(a, "--allow-read=%s,%s/src", socket_path, dir);
    argv[n++] = arena_printf(a, "--allow-write=%s", socket_path);
    argv[n++] = arena_printf(a, "%s/src/%s", dir, json_text_or(manifest, "entrypoint", ""));
    return argv;
}

bool worker_start(const struct worker_spec *spec, struct worker **ret, struct err *e)
{
    struct arena *a = arena_new(16 * MIB);
    const char *slug = json_text_or(spec->function, "slug", "");
    const char *digest = json_text_or(spec->function, "ezbr_sha256", "");
    const char *dir = bundle_dir(a, spec->project_dir, digest);
    json_auto_t *manifest = NULL;
    struct worker *w = ARENA_NEW(a, struct worker);
    *w = (struct worker){
        .arena = a,
        .socket_path = new_socket(a, spec->env),
        .version = json_int_or(spec->function, "version", 0),
        .generation = spec->generation,
        .started_boot_ms = clock_boot_ms(),
    };
    if (!bundle_manifest(a, spec->project_dir, digest, &manifest, e)) {
        arena_free(a);
        return false;
    }
    struct child_spec child = {
        .name = arena_printf(a, "function %s %s v%lld", spec->env->id.name, slug,
                             (long long)w->version),
        .argv = arguments_of(a, spec, dir, manifest, w->socket_path),
        .env = environment_of(a, spec, w->socket_path),
        .cwd = arena_printf(a, "%s/src", dir),
        .log_path = arena_printf(a, "%s/function-%s-%s.log", spec->env->platform->log_dir,
                                 spec->env->id.name, slug),
        .death_signal = SIGKILL,
        .on_exit = spec->on_exit,
        .context = spec->context,
    };
    if (!child_start(spec->env->platform->supervisor, &child, &w->child, e)) {
        arena_free(a);
        return false;
    }
    w->upstream =
        upstream_new(&(struct upstream_spec){ .name = child.name, .socket_path = w->socket_path });
    *ret = w;
    return true;
}

bool worker_accepts(const struct worker *w)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    CLEANUP(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", w->socket_path);
    return fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    upstream_unref(w->upstream);
    child_free(w->child);
    (void)unlink(w->socket_path);
    arena_free(w->arena);
}
