/*
 * `lockflight local`: the platform on this machine that speaks Netlify's and Supabase's protocols.
 * The verbs here decide what to say; local/launch.h speaks to the daemon, which does the work.
 */

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/commands.h"
#include "config/config.h"
#include "local/daemon.h"
#include "local/launch.h"
#include "local/seed.h"
#include "local/tail.h"

static bool open_project(struct command_context *c, struct config *config, struct launch *l,
                         struct err *e)
{
    if (!config_load(c->arena, c->config_path, config, e))
        return false;
    launch_init(l, c->arena, config);
    return true;
}

/* ---- up -------------------------------------------------------------------------------------- */

static json_t *up_document(const struct local_platform *p, bool was_up)
{
    json_t *environments = json_object();
    for (size_t i = 0; i < p->environments_n; i++) {
        const struct local_environment *env = &p->environments[i];
        (void)json_object_set_new(environments, env->name,
                                  json_pack("{s:s, s:s, s:s, s:s}", "url", env->url, "project_ref",
                                            env->project_ref, "site_id", env->site_id, "site_name",
                                            env->site_name));
    }
    return json_pack("{s:b, s:s, s:s, s:i, s:o}", "was_up", was_up, "netlify_api", p->netlify_api,
                     "supabase_api", p->supabase_api, "postgres_port", p->pg_port, "environments",
                     environments);
}

static bool up(struct command_context *c, void *args, struct err *e)
{
    struct config config;
    struct launch l;
    struct local_platform p;
    bool was_up = false;
    (void)args;
    int64_t started_ms = clock_boot_ms();
    if (!open_project(c, &config, &l, e) || !launch_up(&l, &p, &was_up, e))
        return false;
    if (c->wants_json) {
        print_json(c, up_document(&p, was_up));
        return true;
    }
    if (was_up)
        print(&c->out, "The platform of %s is up.\n", p.project);
    else
        print(&c->out, "The platform of %s is up, after %s.\n", p.project,
              clock_duration(c->arena, clock_boot_ms() - started_ms));
    struct table *t = table_new(c->arena, 2);
    table_indent(t, 2);
    for (size_t i = 0; i < p.environments_n; i++) {
        table_cell(t, STYLE_STRONG, "%s", p.environments[i].name);
        table_cell(t, STYLE_PLAIN, "%s", p.environments[i].url);
    }
    table_cell(t, STYLE_PLAIN, "APIs");
    table_cell(t, STYLE_PLAIN, "%s", p.api);
    table_print(t, &c->out);
    return true;
}

static const struct command cmd_local_up = {
    .name = "up",
    .synopsis = "local up",
    .summary = "Start the platform, or bring up environments that are new in lockflight.toml",
    .examples = "lockflight local up\nlockflight local up --json",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .run = up,
};

/* ---- down ------------------------------------------------------------------------------------ */

static bool down(struct command_context *c, void *args, struct err *e)
{
    struct config config;
    struct launch l;
    bool was_up = false;
    (void)args;
    if (!open_project(c, &config, &l, e) || !launch_down(&l, &was_up, e))
        return false;
    if (c->wants_json)
        print_json(c, json_pack("{s:b}", "was_up", was_up));
    else
        print(&c->out,
              was_up ? "The platform of %s is down.\n" : "The platform of %s was not up.\n",
              config.project);
    return true;
}

static const struct command cmd_local_down = {
    .name = "down",
    .synopsis = "local down",
    .summary = "Stop everything the platform runs; data stays",
    .examples = "lockflight local down",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .run = down,
};

/* ---- status ---------------------------------------------------------------------------------- */

static bool status(struct command_context *c, void *args, struct err *e)
{
    struct config config;
    struct launch l;
    json_auto_t *answer = NULL;
    size_t i;
    json_t *part;
    (void)args;
    if (!open_project(c, &config, &l, e) || !launch_status(&l, &answer, e))
        return false;
    if (c->wants_json) {
        (void)json_object_del(answer, "ok");
        print_json(c, json_incref(answer));
        return true;
    }
    struct table *t = table_new(c->arena, 4);
    table_head(t, "part", "environment", "state", "process", NULL);
    json_array_foreach (json_object_get(answer, "parts"), i, part) {
        bool runs = json_bool_or(part, "running", false);
        table_cell(t, STYLE_STRONG, "%s", json_text_or(part, "part", ""));
        table_cell(t, STYLE_PLAIN, "%s", json_text_or(part, "environment", ""));
        table_cell(t, runs ? STYLE_GOOD : STYLE_WARN, "%s",
                   json_text_or(part, "state", runs ? "runs" : "stopped"));
        table_cell(t, STYLE_FAINT, "%d", (int)json_int_or(part, "pid", 0));
    }
    table_print(t, &c->out);
    return true;
}

static const struct command cmd_local_status = {
    .name = "status",
    .synopsis = "local status",
    .summary = "Show what runs",
    .examples = "lockflight local status",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .run = status,
};

/* ---- logs ------------------------------------------------------------------------------------ */

struct logs_args {
    const char *part;
    bool follow;
    int64_t lines;
};

static const struct option logs_options[] = {
    { "follow", 'f', OPT_FLAG, AT(logs_args, follow), NULL,
      "Go on as lines are written, until Ctrl-C" },
    { "lines", 'n', OPT_INT, AT(logs_args, lines), "<n>",
      "Show the last n lines of each (default: 50)" },
    { 0 },
};

static const struct argument logs_arguments[] = {
    { "part", ARG_OPTIONAL, COMPLETE_NOTHING, AT(logs_args, part),
      "postgres, rest-<environment>, function-<environment>-<slug>, or the start of a name" },
    { 0 },
};

static bool logs(struct command_context *c, void *args, struct err *e)
{
    const struct logs_args *a = args;
    struct config config;
    struct launch l;
    if (!open_project(c, &config, &l, e))
        return false;
    struct tail_spec spec = {
        .dir = fs_join(c->arena, l.state_dir, "log"),
        .prefix = a->part ? a->part : "",
        .lines = a->lines ? (int)a->lines : 50,
        .follow = a->follow,
        .out = c->out.file,
    };
    return tail(c->arena, &spec, e);
}

static const struct command cmd_local_logs = {
    .name = "logs",
    .synopsis = "local logs [part]",
    .summary = "Print what Postgres, PostgREST and the functions wrote",
    .examples = "lockflight local logs\nlockflight local logs function-staging-whatsapp -f",
    .group = GROUP_PREPARE,
    .options = logs_options,
    .arguments = logs_arguments,
    .args_size = sizeof(struct logs_args),
    .run = logs,
};

/* ---- reset ----------------------------------------------------------------------------------- */

struct environment_args {
    const char *environment;
};

static const struct argument environment_arguments[] = {
    { "environment", ARG_OPTIONAL, COMPLETE_ENVIRONMENT, AT(environment_args, environment),
      "Which one; without it every local environment" },
    { 0 },
};

static bool is_wanted(const struct config_env *env, const char *name)
{
    return env->platform == PLATFORM_LOCAL && (!name || streq(env->name, name));
}

static bool need_local(const struct config *config, const char *name, struct err *e)
{
    const struct config_env *env = name ? config_env_find(config, name) : NULL;
    if (!name || (env && env->platform == PLATFORM_LOCAL))
        return true;
    err_set(e, ERR_USAGE, env ? "%s is not on the local platform" : "no environment %s", name);
    return err_where(e, "%s", config->file);
}

static bool reset(struct command_context *c, void *args, struct err *e)
{
    const struct environment_args *a = args;
    struct config config;
    struct launch l;
    if (!open_project(c, &config, &l, e) || !need_local(&config, a->environment, e))
        return false;
    const char *word = a->environment ? a->environment : config.project;
    if (!prompt_continue(
            c, word,
            arena_printf(c->arena,
                         "This erases the database, functions, secrets and deploys of %s.",
                         a->environment ? word : "every local environment"),
            e))
        return false;
    for (size_t i = 0; i < config.envs_n; i++) {
        if (!is_wanted(&config.envs[i], a->environment))
            continue;
        if (!launch_reset(&l, config.envs[i].name, e))
            return false;
        if (!c->wants_json)
            print(&c->out, "%s is as new.\n", config.envs[i].name);
    }
    if (c->wants_json)
        print_json(c, json_pack("{s:b}", "ok", 1));
    return true;
}

static const struct command cmd_local_reset = {
    .name = "reset",
    .synopsis = "local reset [environment]",
    .summary = "Erase what an environment holds; addresses and keys stay",
    .examples = "lockflight local reset staging --yes",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .arguments = environment_arguments,
    .args_size = sizeof(struct environment_args),
    .run = reset,
};

/* ---- seed ------------------------------------------------------------------------------------ */

static bool seed(struct command_context *c, void *args, struct err *e)
{
    const struct environment_args *a = args;
    struct config config;
    struct launch l;
    struct local_platform p;
    json_auto_t *done = json_object();
    json_auto_t *running = NULL;
    if (!open_project(c, &config, &l, e) || !need_local(&config, a->environment, e) ||
        !launch_status(&l, &running, e) || !local_platform_read(c->arena, l.state_dir, &p, e))
        return false;
    for (size_t i = 0; i < config.envs_n; i++) {
        const char *name = config.envs[i].name;
        const struct local_environment *env =
            local_environment_of(&p, name, config.envs[i].supabase.ref);
        size_t files = 0;
        if (!is_wanted(&config.envs[i], a->environment) || !env)
            continue;
        if (!seed_run(c->arena, env->database, &config.supabase, &files, e))
            return err_wrap(e, "seed %s", name);
        (void)json_object_set_new(done, name, json_integer((json_int_t)files));
        if (!c->wants_json)
            print(&c->out, "%s: %s\n", name,
                  text_count(c->arena, (int64_t)files, "seed file", "seed files"));
    }
    if (c->wants_json)
        print_json(c, json_pack("{s:O}", "files", done));
    return true;
}

static const struct command cmd_local_seed = {
    .name = "seed",
    .synopsis = "local seed [environment]",
    .summary = "Run the seed files of supabase/config.toml ([db.seed] sql_paths)",
    .examples = "lockflight local seed staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .arguments = environment_arguments,
    .args_size = sizeof(struct environment_args),
    .run = seed,
};

/* ---- daemon (hidden) ------------------------------------------------------------------------- */

struct daemon_args {
    const char *project;
    const char *state;
    const char *run;
    int64_t port;
    int64_t ready;
};

static const struct option daemon_options[] = {
    { "project", 0, OPT_TEXT, AT(daemon_args, project), "<name>", NULL },
    { "state", 0, OPT_TEXT, AT(daemon_args, state), "<dir>", NULL },
    { "run", 0, OPT_TEXT, AT(daemon_args, run), "<dir>", NULL },
    { "port", 0, OPT_INT, AT(daemon_args, port), "<port>", NULL },
    { "ready", 0, OPT_INT, AT(daemon_args, ready), "<fd>", NULL },
    { 0 },
};

static bool run_daemon(struct command_context *c, void *args, struct err *e)
{
    const struct daemon_args *a = args;
    (void)c;
    if (!a->project || !a->state || !a->run)
        return err_set(e, ERR_USAGE, "started by `lockflight local up`, not by hand");
    return daemon_run(&(struct daemon_spec){ .state_dir = a->state,
                                             .run_dir = a->run,
                                             .project = a->project,
                                             .base_port = (int)a->port,
                                             .ready_fd = a->ready ? (int)a->ready : -1 },
                      e);
}

static const struct command cmd_local_daemon = {
    .name = "daemon",
    .synopsis = "local daemon",
    .summary = "The platform's own process",
    .group = GROUP_PREPARE,
    .offers = COMMAND_HIDDEN,
    .options = daemon_options,
    .args_size = sizeof(struct daemon_args),
    .run = run_daemon,
};

static const struct command *const local_commands[] = {
    &cmd_local_up,    &cmd_local_down, &cmd_local_status, &cmd_local_logs,
    &cmd_local_reset, &cmd_local_seed, &cmd_local_daemon, NULL,
};

const struct command cmd_local = {
    .name = "local",
    .synopsis = "local <command>",
    .summary = "Run both vendors' services on this machine",
    .description = "Starts a platform that speaks the HTTP interfaces of Netlify and Supabase for "
                   "the environments with "
                   "platform = \"local\": real PostgreSQL, PostgREST and Deno, a site host, and a "
                   "minimal sign-in. Auth, "
                   "Storage and Realtime servers are not part of it. It listens on 127.0.0.1 only.",
    .group = GROUP_PREPARE,
    .commands = local_commands,
};
