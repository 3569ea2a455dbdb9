/*
 * `lockflight site <id>`: which environment a Netlify site belongs to. Several sites can build one
 * repository; the build plugin asks this before it releases anything.
 */
#include "base/cleanup.h"
#include "cli/output.h"
#include "command/commands.h"
#include "config/config.h"
#include "provider/netlify.h"

struct site_args {
    const char *id;
};

/* Whether the environment's site is `id`. An environment that may be called by a name is asked. */
static bool is_its_site(const struct config *config, const char *name, const char *id, bool *ret,
                        struct err *e)
{
    struct environment env;
    CLEANUP(netlify) struct netlify *n = NULL;
    const char *known;
    if (!config_environment_site(config, name, &env, e))
        return false;
    struct netlify_spec spec = { env.netlify.api, env.netlify.token, env.netlify.site };
    if (!netlify_open(&spec, &n, e) || !netlify_site_id(n, &known, e))
        return err_wrap(e, "look up the site of %s", name);
    *ret = streq(known, id);
    return true;
}

/* What cannot be asked cannot be excluded; a local platform that is not up has no site at all. */
static bool find(const struct config *config, const char *id, const char **ret, struct err *e)
{
    struct err unknown = { 0 };
    for (size_t i = 0; i < config->envs_n; i++) {
        const struct config_env *env = &config->envs[i];
        struct err why = { 0 };
        bool is_it = false;
        if (is_its_site(config, env->name, id, &is_it, &why) && is_it) {
            *ret = env->name;
            return true;
        }
        if (why.code != ERR_NONE && unknown.code == ERR_NONE &&
            !(why.code == ERR_BLOCKED && env->platform == PLATFORM_LOCAL))
            unknown = why;
    }
    if (unknown.code != ERR_NONE) {
        *e = unknown;
        return false;
    }
    err_set(e, ERR_NOT_FOUND, "site %s belongs to no environment of lockflight.toml", id);
    return err_hint(e,
                    "take netlify-plugin-lockflight out of that site's build, or add to its "
                    "environment: netlify = { site = \"%s\" }",
                    id);
}

static bool site(struct command_context *c, void *args_, struct err *e)
{
    const struct site_args *args = args_;
    struct config config;
    const char *environment = NULL;
    if (!config_load(c->arena, c->config_path, &config, e) ||
        !find(&config, args->id, &environment, e))
        return false;
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:s}", "site", args->id, "environment", environment));
    else
        print(&c->out, "%s\n", environment);
    return true;
}

static const struct argument site_arguments[] = {
    { "id", ARG_ONE, COMPLETE_NOTHING, AT(site_args, id), "The site's id, as in SITE_ID" },
    { 0 },
};

const struct command cmd_site = {
    .name = "site",
    .synopsis = "site <id>",
    .summary = "Say which environment a Netlify site belongs to",
    .description =
        "One repository can be built by several sites. netlify-plugin-lockflight asks "
        "this with the SITE_ID of its build and releases only the environment whose site "
        "it is. Ends with 1 if it is the site of none.",
    .examples = "lockflight site \"$SITE_ID\"",
    .group = GROUP_LOOK,
    .offers = COMMAND_JSON,
    .arguments = site_arguments,
    .args_size = sizeof(struct site_args),
    .run = site,
};
