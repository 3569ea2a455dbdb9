#include "command/flags/session.h"

#include "base/clock.h"
#include "base/env.h"
#include "base/json.h"
#include "base/limits.h"
#include "engine/runner_identity.h"
#include "flag/definition.h"
#include "flag/state.h"

#define ACTOR_MAX  200 /* bytes: a name stands in tables */
#define REASON_MAX 2000
#define WAIT_MS    5000 /* for a change of somebody else that is not finished */

/* ---- words from the command line ---- */

/* They are stored, and shown on terminals later. */
static bool is_plain(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    return str_is_utf8(str_of(text));
}

static bool check_words(const char *flag, const char *text, size_t max_bytes, struct err *e)
{
    if (!text)
        return true;
    if (str_trim(str_of(text)).n == 0)
        return err_set(e, ERR_USAGE, "%s is empty", flag);
    if (strlen(text) > max_bytes)
        return err_set(e, ERR_LIMIT, "%s has %zu bytes; %zu are the most", flag, strlen(text),
                       max_bytes);
    if (!is_plain(text))
        return err_set(e, ERR_USAGE, "%s must be one line of UTF-8 without control characters",
                       flag);
    return true;
}

/* ---- who ---- */

static const char *actor(struct arena *a, const struct flags_args *args)
{
    static const char *const names[] = { "LOCKFLIGHT_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN" };
    if (args->actor)
        return args->actor;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (env_value(names[i]))
            return env_value(names[i]);
    struct runner_identity me;
    runner_identity_read(&me);
    return arena_printf(a, "%s@%s", env_value("USER") ? env_value("USER") : "somebody", me.host);
}

static bool check_author(struct flags *f, const struct flags_args *args, struct err *e)
{
    f->by = (struct flag_author){ actor(f->c->arena, args), "cli", args->reason };
    if (!check_words("--reason", args->reason, REASON_MAX, e) ||
        !check_words(args->actor ? "--actor" : "the actor's name", f->by.actor, ACTOR_MAX, e))
        return false;
    if (args->reason || !f->is_protected || args->is_dry)
        return true;
    err_set(e, ERR_USAGE, "a change in %s, which is protected, needs a reason", f->name);
    return err_hint(e, "add --reason <text>; it is kept in the history");
}

/* ---- where ---- */

static bool choose(const struct config *config, const char *named, const char **ret, struct err *e)
{
    if (named) {
        *ret = named;
        return true;
    }
    if (config->envs_n == 0) {
        err_set(e, ERR_CONFIG, "lockflight.toml declares no environment");
        return err_hint(e, "add [env.staging] to lockflight.toml");
    }
    if (config->envs_n == 1) {
        *ret = config->envs[0].name;
        return true;
    }
    const char *all = "";
    for (size_t i = 0; i < config->envs_n; i++)
        all = arena_printf(config->arena, "%s%s%s", all, i == 0 ? "" : ", ", config->envs[i].name);
    err_set(e, ERR_USAGE, "in which environment? There are %s", all);
    return err_hint(e, "add --env %s", config->envs[0].name);
}

bool flags_prepare(struct command_context *c, const struct flags_args *args, bool writes,
                   struct flags *ret, struct err *e)
{
    *ret = (struct flags){ .c = c };
    /* the brake must work while the project's files are being edited */
    if (!config_load_environments(c->arena, c->config_path, &ret->config, e) ||
        !choose(&ret->config, args->environment, &ret->name, e) ||
        !config_environment_database(&ret->config, ret->name, &ret->environment, e))
        return false;
    ret->wait_ms = args->wait_ms > 0 ? args->wait_ms : WAIT_MS;
    ret->is_protected =
        definition_place(&ret->config, ret->environment.declared) == FLAG_PLACE_PROTECTED;
    return !writes || check_author(ret, args, e);
}

/* ---- one flag ---- */

static bool check_key(const char *key, struct err *e)
{
    if (strlen(key) <= LIMIT_FLAG_KEY_BYTES && is_plain(key))
        return true;
    return err_set(e, ERR_USAGE, "\"%.40s\" is no key of a flag", is_plain(key) ? key : "…");
}

/* What came of asking for a flag, told for people. */
static bool found(struct flags *f, const char *key, bool is_read, const struct flag_row *row,
                  struct err *e)
{
    if (!is_read) {
        if (e->code == ERR_NOT_FOUND && !starts_with(e->hint, "did you"))
            err_hint(e, "lockflight flags list --env %s", f->name);
        return err_wrap(e, "flags of %s", f->name);
    }
    if (row->archived_unix_ms == 0)
        return true;
    err_set(e, ERR_NOT_FOUND, "%s is archived in %s since %s", key, f->name,
            clock_date(f->c->arena, row->archived_unix_ms));
    return err_hint(e, "it does not come back: define another key");
}

/* ---- connecting ---- */

static const char set_wait[] = "SELECT pg_catalog.set_config('lock_timeout', $1, false)";

bool flags_set_wait(struct flags *f, struct err *e)
{
    const char *ms = arena_printf(f->c->arena, "%lld", (long long)f->wait_ms);
    return pg_exec(f->db, set_wait, PG_PARAMS(ms), NULL, e);
}

/* In the exchange that sets the session up, so that they cost nothing: how long to wait for others,
 * and the flag. */
static bool ask(void *context, struct pg *db, struct err *e)
{
    struct flags *f = context;
    const char *ms = arena_printf(f->c->arena, "%lld", (long long)f->wait_ms);
    pg_queue_part(db, NULL);
    if (!pg_exec(db, set_wait, PG_PARAMS(ms), NULL, e))
        return false;
    return !f->question.key ||
           flag_store_get_later(db, f->c->arena, f->question.key, &f->question, e);
}

static bool connect(struct flags *f, const char *key, struct err *e)
{
    struct pg_spec spec = {
        .url = f->environment.database_url, .purpose = "flags", .ask = ask, .context = f
    };
    f->question = (struct flag_question){ .key = key };
    return pg_open(&spec, &f->db, e) || err_wrap(e, "flags of %s", f->name);
}

bool flags_open(struct command_context *c, const struct flags_args *args, struct flags *ret,
                struct err *e)
{
    return flags_prepare(c, args, false, ret, e) && connect(ret, NULL, e);
}

bool flags_open_to_write(struct command_context *c, const struct flags_args *args,
                         struct flags *ret, struct err *e)
{
    return flags_prepare(c, args, true, ret, e) && connect(ret, NULL, e);
}

static bool open_flag(struct flags *f, const char *key, struct flag_row *ret, struct err *e)
{
    if (!check_key(key, e) || !connect(f, key, e))
        return false;
    bool is_read = flag_store_get_answer(f->db, f->c->arena, &f->question, ret, e);
    return found(f, key, is_read, ret, e);
}

bool flags_open_flag(struct command_context *c, const struct flags_args *args, const char *key,
                     struct flags *ret, struct flag_row *ret_row, struct err *e)
{
    return flags_prepare(c, args, false, ret, e) && open_flag(ret, key, ret_row, e);
}

bool flags_open_flag_to_write(struct command_context *c, const struct flags_args *args,
                              const char *key, struct flags *ret, struct flag_row *ret_row,
                              struct err *e)
{
    return flags_prepare(c, args, true, ret, e) && open_flag(ret, key, ret_row, e);
}

void flags_close(struct flags *f)
{
    pg_close(f->db);
    f->db = NULL;
}

/* ---- rows ---- */

bool flags_get(struct flags *f, const char *key, struct flag_row *ret, struct err *e)
{
    return check_key(key, e) &&
           found(f, key, flag_store_get(f->db, f->c->arena, key, ret, e), ret, e);
}

json_t *flags_json(const char *text)
{
    /* a rule may be a bare text */
    json_t *v = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    return v ? v : json_null();
}

json_t *flags_state(const struct flag_row *row)
{
    json_auto_t *raw = json_pack(
        "{s:b, s:b, s:o, s:o, s:i}", "enabled", (int)row->is_enabled, "killed", (int)row->is_killed,
        "default_variant", row->default_variant ? json_string(row->default_variant) : json_null(),
        "targeting", flags_json(row->targeting), "bucketing", row->bucketing);
    return flag_state_of(raw);
}

const char *flags_plain(struct arena *a, const char *text)
{
    if (!text || is_plain(text))
        return text ? text : "";
    char *copy = arena_strdup(a, text);
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    return copy;
}

const char *flags_ago(struct arena *a, int64_t unix_ms)
{
    int64_t age_ms = clock_unix_ms() - unix_ms;
    return age_ms < 1000 ? "just now" : arena_printf(a, "%s ago", clock_duration(a, age_ms));
}
