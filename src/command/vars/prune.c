/*
 * `lockflight vars prune <environment> [name…]`: ends values that nobody goes back to any more.
 */
#include "cli/output.h"
#include "command/vars/vars.h"
#include "command/vars/vars_file.h"

struct prune_args {
    const char *environment;
    struct text_list names;
    bool all;
};

static void prune_one(struct vars_file *f, const char *name, bool all, json_t *list,
                      size_t *ret_dropped)
{
    size_t dropped = vault_prune(&f->vault, name, all ? 0 : 1);
    *ret_dropped += dropped;
    if (dropped > 0)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:I}", "name", name, "dropped", (json_int_t)dropped));
    if (dropped > 0 && !f->c->wants_json)
        print(&f->c->out, "%-30s %s dropped\n", name,
              text_count(f->c->arena, (int64_t)dropped, "older value", "older values"));
}

static bool prune_named(struct vars_file *f, const struct prune_args *args, json_t *list,
                        size_t *ret_dropped, struct err *e)
{
    for (size_t i = 0; i < args->names.n; i++) {
        if (!secrets_file_find(&f->vault.file, args->names.v[i]))
            return err_set(e, ERR_NOT_FOUND, "%s has no line for %s", f->vault.place.name,
                           args->names.v[i]);
        prune_one(f, args->names.v[i], args->all, list, ret_dropped);
    }
    for (size_t i = 0; args->names.n == 0 && i < f->vault.file.lines.n; i++)
        prune_one(f, f->vault.file.lines.v[i].name, args->all, list, ret_dropped);
    return true;
}

static bool prune(struct command_context *c, void *args_, struct err *e)
{
    const struct prune_args *args = args_;
    CLEANUP(vars_file) struct vars_file f;
    json_auto_t *list = json_array();
    size_t dropped = 0;
    if (!vars_file_open(c, args->environment, VARS_CHANGE, &f, e) ||
        !prune_named(&f, args, list, &dropped, e) || !vars_file_save(&f, e))
        return false;
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:s, s:I, s:O}", "environment", f.env->name, "file",
                                f.vault.place.name, "dropped", (json_int_t)dropped, "variables",
                                list));
    else
        print(&c->out, "%s of %s dropped; git still has the lines that were committed.\n",
              text_count(c->arena, (int64_t)dropped, "older value", "older values"),
              f.vault.place.name);
    return true;
}

// clang-format off
static const struct option prune_options[] = {
    { "all", 0, OPT_FLAG, AT(prune_args, all), NULL, "Also the one before the value in force, which a release takes back to" },
    { 0 },
};
static const struct argument prune_arguments[] = {
    { "environment", ARG_ONE,  COMPLETE_ENVIRONMENT, AT(prune_args, environment), "Whose values" },
    { "name",        ARG_MANY, COMPLETE_NOTHING,     AT(prune_args, names),       "Only these variables (default: all)" },
    { 0 },
};
// clang-format on

const struct command cmd_vars_prune = {
    .name = "prune",
    .synopsis = "vars prune <environment> [name...]",
    .summary = "Drop older values from an environment's secrets file",
    .description =
        "A line keeps up to three values that were in force before, so that a release can take "
        "back "
        "to them. This drops them, but for the newest of each: with that one still there, what is "
        "live now can be put back. With --all that goes too: after a value that leaked, and once a "
        "release with the new one is live.",
    .examples =
        "lockflight vars prune production\nlockflight vars prune production WHATSAPP_TOKEN --all",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = prune_options,
    .arguments = prune_arguments,
    .args_size = sizeof(struct prune_args),
    .run = prune,
};
