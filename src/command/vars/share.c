/*
 * `lockflight vars who`, `grant`, `revoke` and `rotate`: who can read an environment's values.
 */
#include "cli/output.h"
#include "command/vars/vars.h"
#include "command/vars/vars_file.h"

struct share_args {
    const char *environment;
    const char *name;
    const char *key;
};

/* ---- who ---- */

static bool who(struct command_context *c, void *args_, struct err *e)
{
    const struct share_args *args = args_;
    CLEANUP(vars_file) struct vars_file f;
    if (!vars_file_open(c, args->environment, VARS_LOOK, &f, e))
        return false;
    json_t *list = json_array();
    struct table *t = table_new(c->arena, 2);
    table_head(t, "name", "key", NULL);
    for (size_t i = 0; i < f.vault.file.to.n; i++) {
        const struct secrets_recipient *to = &f.vault.file.to.v[i];
        const char *key = key_public_text(c->arena, &to->key);
        (void)json_array_append_new(list, json_pack("{s:s, s:s}", "name", to->name, "key", key));
        table_cell(t, STYLE_STRONG, "%s", to->name);
        table_cell(t, STYLE_FAINT, "%s", key);
    }
    if (c->wants_json) {
        print_json(c,
                   json_pack("{s:s, s:s, s:I, s:s, s:o}", "environment", f.env->name, "file",
                             f.vault.place.name, "generation", (json_int_t)f.vault.file.generation,
                             "key_id", vault_key_id(c->arena, &f.vault), "recipients", list));
        return true;
    }
    json_decref(list);
    table_print(t, &c->out);
    return true;
}

/* ---- grant ---- */

static bool grant(struct command_context *c, void *args_, struct err *e)
{
    const struct share_args *args = args_;
    CLEANUP(vars_file) struct vars_file f;
    struct public_key key;
    if (!key_public_parse(str_of(args->key), &key)) {
        err_set(e, ERR_USAGE, "\"%s\" is no public key \"lfpk1_…\"", args->key);
        return err_hint(e, "%s gets it from: lockflight vars key", args->name);
    }
    if (!vars_file_open(c, args->environment, VARS_CHANGE, &f, e) ||
        !vault_grant(&f.vault, args->name, &key, e) || !vars_file_save(&f, e))
        return false;
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:s, s:s}", "environment", f.env->name, "name", args->name,
                                "key", args->key));
    else
        print(&c->out, "%s can read %s once it is committed.\n", args->name, f.vault.place.name);
    return true;
}

/* ---- revoke and rotate ---- */

/* What whoever had the old key has seen, and keeps in every old clone. */
static json_t *names_in(const struct vars_file *f)
{
    json_t *list = json_array();
    for (size_t i = 0; i < f->vault.file.lines.n; i++) {
        const struct secrets_line *line = &f->vault.file.lines.v[i];
        if (line->kind == SECRETS_SEALED && !line->values[0].is_deleted)
            (void)json_array_append_new(list, json_string(line->name));
    }
    return list;
}

static void tell_new_key(const struct vars_file *f)
{
    struct command_context *c = f->c;
    print(&c->out, "%s has key %llu, %s.\n", f->vault.place.name,
          (unsigned long long)f->vault.file.generation, vault_key_id(c->arena, &f->vault));
    print(&c->err, "Commit it, then let %s take the new key:\n  lockflight vars trust %s %s\n",
          f->env->name, f->env->name, vault_key_id(c->arena, &f->vault));
}

static void tell_exposed(const struct vars_file *f, const char *who_left, const json_t *names)
{
    struct command_context *c = f->c;
    size_t i;
    json_t *name;
    print(&c->out, "%s can not read the new file. %s has read, and has in every old clone:\n",
          who_left, who_left);
    json_array_foreach (names, i, name)
        print(&c->out, "  %s\n", json_string_value(name));
    print(&c->out, "Only new values at their source end that: change them there, then `lockflight "
                   "vars set`.\n");
}

static bool answer(const struct vars_file *f, const char *who_left)
{
    struct command_context *c = f->c;
    json_t *names = names_in(f);
    if (c->wants_json) {
        json_t *document = json_pack("{s:s, s:I, s:s}", "environment", f->env->name, "generation",
                                     (json_int_t)f->vault.file.generation, "key_id",
                                     vault_key_id(c->arena, &f->vault));
        if (who_left) {
            json_object_set_new(document, "revoked", json_string(who_left));
            json_object_set(document, "exposed", names);
        }
        print_json(c, document);
    } else {
        if (who_left)
            tell_exposed(f, who_left, names);
        tell_new_key(f);
    }
    json_decref(names);
    return true;
}

static bool revoke_one(struct command_context *c, void *args_, struct err *e)
{
    const struct share_args *args = args_;
    CLEANUP(vars_file) struct vars_file f;
    return vars_file_open(c, args->environment, VARS_CHANGE, &f, e) &&
           vault_revoke(&f.vault, args->name, e) && vars_file_save(&f, e) && answer(&f, args->name);
}

static bool rotate(struct command_context *c, void *args_, struct err *e)
{
    const struct share_args *args = args_;
    CLEANUP(vars_file) struct vars_file f;
    return vars_file_open(c, args->environment, VARS_CHANGE, &f, e) && vault_rotate(&f.vault, e) &&
           vars_file_save(&f, e) && answer(&f, NULL);
}

/* ---- the verbs ---- */

#define ENVIRONMENT                                                                                \
    {                                                                                              \
        "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(share_args, environment), "Whose values"  \
    }
#define RECIPIENT                                                                                  \
    {                                                                                              \
        "name", ARG_ONE, COMPLETE_NOTHING, AT(share_args, name), "Who: ana@acme, ci-production"    \
    }

static const struct argument environment_arguments[] = { ENVIRONMENT, { 0 } };
static const struct argument revoke_arguments[] = { ENVIRONMENT, RECIPIENT, { 0 } };
static const struct argument grant_arguments[] = {
    ENVIRONMENT,
    RECIPIENT,
    { "key", ARG_ONE, COMPLETE_NOTHING, AT(share_args, key), "Their public key, lfpk1_…" },
    { 0 },
};

const struct command cmd_vars_who = {
    .name = "who",
    .synopsis = "vars who <environment>",
    .summary = "Show who can read an environment's values",
    .examples = "lockflight vars who production",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .arguments = environment_arguments,
    .args_size = sizeof(struct share_args),
    .run = who,
};

const struct command cmd_vars_grant = {
    .name = "grant",
    .synopsis = "vars grant <environment> <name> <key>",
    .summary = "Let somebody read an environment's values",
    .description = "Seals the file's key for one more. One line is added, no other changes.",
    .examples = "lockflight vars grant production ci-production lfpk1_…",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .arguments = grant_arguments,
    .args_size = sizeof(struct share_args),
    .run = grant,
};

const struct command cmd_vars_revoke = {
    .name = "revoke",
    .synopsis = "vars revoke <environment> <name>",
    .summary = "Stop somebody from reading, and list what they have read",
    .description =
        "Everything is encrypted again with a new key. What was read stays read, in old clones "
        "too: the names are listed, and only new values at their source are a cure.",
    .examples = "lockflight vars revoke production rui@acme",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .arguments = revoke_arguments,
    .args_size = sizeof(struct share_args),
    .run = revoke_one,
};

const struct command cmd_vars_rotate = {
    .name = "rotate",
    .synopsis = "vars rotate <environment>",
    .summary = "Encrypt an environment's values with a new key",
    .description = "Values and revisions stay what they are; the environment must be told to trust "
                   "the new key (`lockflight vars trust`).",
    .examples = "lockflight vars rotate production",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .arguments = environment_arguments,
    .args_size = sizeof(struct share_args),
    .run = rotate,
};
