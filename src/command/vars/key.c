/*
 * `lockflight vars key`: makes the key that secrets are sealed for, or shows its public half.
 */
#include "base/fs.h"
#include "base/limits.h"
#include "cli/output.h"
#include "command/vars/vars.h"
#include "command/vars/vars_file.h"

struct key_args {
    const char *name;
    bool passphrase;
    bool job;
};

static bool chosen_name(struct command_context *c, const struct key_args *args, const char **ret,
                        struct err *e)
{
    const char *name = args->name ? args->name : vars_own_name(c);
    if (!secrets_recipient_is_good(str_of(name))) {
        err_set(e, ERR_USAGE, "\"%s\" is no name: letters, digits and @ . - _ +", name);
        return err_hint(e, "lockflight vars key --name ana@acme");
    }
    *ret = name;
    return true;
}

static void answer(struct command_context *c, const char *name, const struct public_key *public,
                   const char *path, bool is_new)
{
    const char *text = key_public_text(c->arena, public);
    if (c->wants_json) {
        print_json(c, json_pack("{s:s, s:s, s:s?, s:b}", "name", name, "public", text, "file", path,
                                "created", (int)is_new));
        return;
    }
    print(&c->out, "%s %s\n", name, text);
    if (is_new && path)
        print(&c->err,
              "The key is in %s; keep a copy where only you can read it.\n"
              "To let you read an environment, somebody who does runs:\n"
              "  lockflight vars grant <environment> %s %s\n",
              path, name, text);
}

/* For a job there is no file: the secret half is shown this once. */
static bool key_for_job(struct command_context *c, const struct key_args *args, struct err *e)
{
    CLEANUP(key_pair) struct key_pair pair = { 0 };
    if (!args->name)
        return err_set(e, ERR_USAGE, "a key for a job needs a name: --name ci-production");
    if (c->wants_json)
        return err_set(e, ERR_USAGE, "--job prints the secret key alone, to be stored at once");
    key_pair_new(&pair);
    CLEANUP(secret) struct secret *text = key_secret_text(&pair);
    print(&c->err,
          "%s %s\nThe line on standard output is the secret key: store it as LOCKFLIGHT_KEY.\n",
          args->name, key_public_text(c->arena, &pair.public));
    print(&c->out, "%s\n", secret_reveal(text).p);
    return true;
}

static bool new_passphrase(struct command_context *c, const char *path, struct secret **ret,
                           struct err *e)
{
    CLEANUP(secret) struct secret *again = NULL;
    if (!vars_passphrase(c, path, ret, e) ||
        !vars_passphrase(c, arena_printf(c->arena, "%s, once more", path), &again, e))
        return false;
    if (secret_bytes(*ret) < 8)
        return err_set(e, ERR_USAGE, "a passphrase has at least 8 characters");
    return str_eq_secret(secret_reveal(*ret), secret_reveal(again)) ||
           err_set(e, ERR_USAGE, "the two passphrases differ");
}

static bool key(struct command_context *c, void *args_, struct err *e)
{
    const struct key_args *args = args_;
    CLEANUP(key_pair) struct key_pair pair = { 0 };
    CLEANUP(secret) struct secret *passphrase = NULL;
    struct public_key public;
    const char *name = NULL, *path = keyring_path(c->arena);
    if (args->job)
        return key_for_job(c, args, e);
    if (!path)
        return err_set(e, ERR_USAGE, "there is no HOME to keep a key in; for a job: --job");
    if (fs_exists(path)) {
        if (!keyring_describe(c->arena, path, &name, &public, e))
            return false;
        answer(c, name, &public, path, false);
        return true;
    }
    if (!chosen_name(c, args, &name, e) ||
        (args->passphrase && !new_passphrase(c, path, &passphrase, e)) ||
        !keyring_create(c->arena, path, name, passphrase, &pair, e))
        return false;
    answer(c, name, &pair.public, path, true);
    return true;
}

// clang-format off
static const struct option key_options[] = {
    { "name",       0, OPT_TEXT, AT(key_args, name),       "<name>", "Who it is for (default: you, as git knows you)" },
    { "passphrase", 0, OPT_FLAG, AT(key_args, passphrase), NULL,     "Keep the key under a passphrase" },
    { "job",        0, OPT_FLAG, AT(key_args, job),        NULL,     "Make one for a job: printed once, kept nowhere" },
    { 0 },
};
// clang-format on

const struct command cmd_vars_key = {
    .name = "key",
    .synopsis = "vars key",
    .summary = "Make the key that values are encrypted for, or show its public half",
    .description =
        "Your key is kept in ~/.config/lockflight/key (LOCKFLIGHT_KEY_FILE names another file), "
        "readable by you alone. A job has its key in the variable LOCKFLIGHT_KEY, which is read "
        "once and wiped before anything else runs.",
    .examples = "lockflight vars key\nlockflight vars key --name ana@acme --passphrase\n"
                "lockflight vars key --job --name ci-production",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = key_options,
    .args_size = sizeof(struct key_args),
    .run = key,
};
