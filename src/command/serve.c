/*
 * `lockflight serve`: answers flag evaluations over OFREP from an environment's database, for as long
 * as it runs. Tokens travel in clear over plain HTTP, so it listens on this machine only, behind
 * whatever speaks TLS to the world, unless it is told otherwise.
 *
 *     /ofrep/…   flag/ofrep.h
 *     /healthz   200 while the process works
 *     /readyz    200 with flags that were compared with the database within a minute, else 503
 */
#include "base/env.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/output.h"
#include "command/commands.h"
#include "config/config.h"
#include "config/local_state.h"
#include "flag/ofrep.h"

#include <arpa/inet.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#define DRAIN_MS      10000
#define FRESH_MS      60000 /* older than this the flags are not what readiness means */
#define FIRST_LOOK_MS 2
#define LISTEN        "127.0.0.1:8080"

struct serve_args {
    const char *environment;
    const char *listen;
    const char *token_file;
    const char *jwt_secret_env;
    int64_t per_minute;
    bool is_unlimited;
    bool allows_plain_http;
};

// clang-format off
static const struct option serve_options[] = {
    { "env",            'e', OPT_TEXT, AT(serve_args, environment),       "<environment>",    "Whose flags; may be left out if there is one environment only" },
    { "listen",         'l', OPT_TEXT, AT(serve_args, listen),            "<address:port>",   "Where (default: " LISTEN "; port 0 picks one)" },
    { "token-file",      0,  OPT_TEXT, AT(serve_args, token_file),        "<file>",           "Tokens of servers, which see every flag: one lf… or sha256:<hex> a line" },
    { "jwt-secret-env",  0,  OPT_TEXT, AT(serve_args, jwt_secret_env),    "<NAME>",           "The variable with the project's JWT secret, for tokens of users" },
    { "rate-limit",      0,  OPT_INT,  AT(serve_args, per_minute),        "<requests>",       "A minute, of one address or one token (default: 20000)" },
    { "no-rate-limit",   0,  OPT_FLAG, AT(serve_args, is_unlimited),      NULL,               "Let everybody ask as often as they like" },
    { "plain-http",      0,  OPT_FLAG, AT(serve_args, allows_plain_http), NULL,               "Listen beyond this machine although tokens travel in clear" },
    { 0 },
};
// clang-format on

struct serving {
    struct ofrep *ofrep;
    struct server *server;
    const char *name; /* of the environment */
    int port;
};

static void serving_cleanup(struct serving *s)
{
    if (s->ofrep)
        ofrep_stop(s->ofrep);
    if (s->server)
        (void)server_drain(s->server, DRAIN_MS);
    server_free(s->server);
    ofrep_free(s->ofrep);
}

/* ---- Requests -------------------------------------------------------------------------------- */

static void answer_ready(struct request *r, struct flag_live *live)
{
    struct flag_live_state state = flag_live_state(live);
    bool is_ready = state.has_loaded && state.stale_ms <= FRESH_MS;
    respond_json(r, is_ready ? 200 : 503,
                 json_pack("{s:b, s:I, s:b, s:I}", "ready", (int)is_ready, "version",
                           (json_int_t)state.version, "stale", (int)state.is_stale, "stale_ms",
                           (json_int_t)state.stale_ms));
}

static void handle(struct request *r, void *context)
{
    struct serving *s = context;
    if (streq(r->raw_path, "/healthz"))
        respond_text(r, 200, "ok\n");
    else if (streq(r->raw_path, "/readyz"))
        answer_ready(r, ofrep_live(s->ofrep));
    else
        ofrep_serve(s->ofrep, r);
}

/* ---- What to serve, and to whom -------------------------------------------------------------- */

static bool choose_environment(const struct config *config, const char **name, struct err *e)
{
    if (*name)
        return true;
    if (config->envs_n != 1)
        return err_set(e, ERR_USAGE, "which environment? say --env <environment>");
    *name = config->envs[0].name;
    return true;
}

/* The local platform's project is ours: its keys are in platform.json. */
static bool local_keys(const struct config *config, const struct environment *env,
                       struct caller_rules *ret, struct err *e)
{
    struct local_platform platform;
    char *dir = local_state_dir(config->arena, config->project, config->dir);
    if (!local_platform_read(config->arena, dir, &platform, e))
        return false;
    const struct local_environment *local =
        local_environment_of(&platform, env->name, env->declared->supabase.ref);
    if (local)
        *ret =
            (struct caller_rules){ .jwt_secret = local->jwt_secret, .anon_key = local->anon_key };
    return true;
}

static bool find_callers(struct command_context *c, const struct config *config,
                         const struct environment *env, const struct serve_args *args,
                         struct caller_rules *ret, struct err *e)
{
    *ret = (struct caller_rules){ 0 };
    if (env->platform == PLATFORM_LOCAL && !local_keys(config, env, ret, e))
        return false;
    if (args->jwt_secret_env) {
        ret->jwt_secret = env_value(args->jwt_secret_env);
        if (!ret->jwt_secret)
            return err_set(e, ERR_CONFIG, "%s is not set; it would hold the project's JWT secret",
                           args->jwt_secret_env);
        log_redact(str_of(ret->jwt_secret));
    }
    return !args->token_file || caller_tokens_read(c->arena, args->token_file, ret, e);
}

/* ---- Where ----------------------------------------------------------------------------------- */

static bool parse_listen(struct command_context *c, const struct serve_args *args,
                         const char **ret_host, int *ret_port, struct err *e)
{
    const char *text = args->listen ? args->listen : LISTEN;
    struct in_addr address;
    uint64_t port = 0;
    const char *colon = strrchr(text, ':');
    const char *host = colon ? arena_strndup(c->arena, text, (size_t)(colon - text)) : "";
    if (!colon || inet_pton(AF_INET, host, &address) != 1 ||
        !str_to_u64(str_of(colon + 1), &port) || port > 65535)
        return err_set(e, ERR_USAGE, "--listen wants an address and a port, such as %s: %s", LISTEN,
                       text);
    if (ntohl(address.s_addr) >> 24 != 127 && !args->allows_plain_http) {
        err_set(e, ERR_USAGE,
                "%s is reachable from elsewhere, and this is plain HTTP: tokens would "
                "travel in clear",
                host);
        return err_hint(e,
                        "lockflight serve --listen 127.0.0.1:%d behind a proxy that speaks TLS, or "
                        "with --plain-http",
                        (int)port);
    }
    *ret_host = host;
    *ret_port = (int)port;
    return true;
}

/* ---- Running --------------------------------------------------------------------------------- */

/* Waits for the first flags. A database that is away may come; one that refuses us will not change
 * its mind. */
static bool first_look(struct serving *s, struct err *e)
{
    struct err why;
    for (;;) {
        if (flag_live_state(ofrep_live(s->ofrep)).has_loaded)
            return true;
        if (flag_live_trouble(ofrep_live(s->ofrep), &why)) {
            bool is_final = why.code == ERR_AUTH || why.code == ERR_CONFIG;
            if (is_final)
                *e = why;
            return !is_final;
        }
        (void)poll(NULL, 0, FIRST_LOOK_MS);
    }
}

/* Libraries touch megabytes of their files when they are loaded, which a server that runs for months
 * never reads again. What is not writable is as on disk: it comes back when it is needed. */
static int give_pages_back(struct dl_phdr_info *info, size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W)
            continue;
        uintptr_t from = (info->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t to = info->dlpi_addr + segment->p_vaddr + segment->p_memsz;
        (void)madvise((void *)from, to - from, MADV_DONTNEED); /* refused for what is not a file */
    }
    return 0;
}

static void say(struct command_context *c, const struct serving *s, const char *host)
{
    struct flag_live_state state = flag_live_state(ofrep_live(s->ofrep));
    if (c->wants_json) {
        print_json(c, json_pack("{s:s, s:s, s:i, s:I}", "environment", s->name, "address", host,
                                "port", s->port, "version", (json_int_t)state.version));
    } else {
        print(&c->out, "Serving the flags of %s at http://%s:%d/ofrep/v1, version %lld\n", s->name,
              host, s->port, (long long)state.version);
        if (!state.has_loaded)
            print_styled(&c->err, STYLE_WARN,
                         "Its database does not answer yet; I go on trying.\n");
    }
    (void)fflush(c->out.file);
}

static bool serve(struct command_context *c, void *args_, struct err *e)
{
    const struct serve_args *args = args_;
    CLEANUP(serving) struct serving s = { .name = args->environment };
    struct config config;
    struct environment env;
    struct ofrep_spec spec = { .per_minute = OFREP_PER_MINUTE };
    const char *host = NULL;
    sigset_t stop;
    int caught = 0;
    if (args->per_minute > 0 && args->per_minute < 60000000)
        spec.per_minute = (unsigned)args->per_minute;
    if (args->is_unlimited)
        spec.per_minute = 0;
    if (!parse_listen(c, args, &host, &s.port, e) ||
        !config_load(c->arena, c->config_path, &config, e) ||
        !choose_environment(&config, &s.name, e) ||
        !config_environment_database(&config, s.name, &env, e) ||
        !find_callers(c, &config, &env, args, &spec.callers, e))
        return false;
    spec.name = s.name;
    spec.url = env.database_url;
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGINT);
    (void)sigaddset(&stop, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &stop, NULL); /* in all threads: this one waits for them */
    s.server = server_new(&(struct server_spec){ .workers = 1 });
    if (!ofrep_open(&spec, &s.ofrep, e) ||
        !server_listen(s.server, host, s.port, handle, &s, &s.port, e) ||
        !server_start(s.server, e) || !first_look(&s, e))
        return err_wrap(e, "serve the flags of %s", s.name);
    (void)dl_iterate_phdr(give_pages_back, NULL);
    say(c, &s, host);
    (void)sigwait(&stop, &caught);
    return true;
}

const struct command cmd_serve = {
    .name = "serve",
    .synopsis = "serve",
    .summary = "Answer flag evaluations over OFREP from an environment's database",
    .description =
        "Listens for OFREP requests (POST /ofrep/v1/evaluate/flags) and answers them from memory; "
        "a "
        "change in the database is served some milliseconds later, and browsers that hold an event "
        "stream are told. With the database away the last flags are served on, marked as stale. "
        "/healthz and /readyz tell a supervisor how it is. SIGTERM lets running requests finish.",
    .examples =
        "lockflight serve --env production --token-file /etc/lockflight/tokens\n"
        "lockflight serve --env staging --listen 127.0.0.1:8081 --jwt-secret-env JWT_SECRET",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON,
    .options = serve_options,
    .args_size = sizeof(struct serve_args),
    .run = serve,
};
