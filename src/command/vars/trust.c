/*
 * `lockflight vars trust`: an environment takes the file's new key.
 */
#include "cli/output.h"
#include "command/flight.h"
#include "command/vars/vars.h"
#include "engine/secret_pins.h"

struct trust_args {
    const char *environment;
    const char *key_id;
};

static bool check_key(const struct vault *v, const char *id, struct err *e)
{
    const char *real = vault_key_id(v->arena, v);
    if (streq(real, id))
        return true;
    err_set(e, ERR_BLOCKED, "%s has the key %s, not %s", v->place.name, real, id);
    return err_hint(e, "compare it with what whoever rotated it was told, then give that one");
}

static bool write_trust(struct flight *f, const struct vault *v, struct err *e)
{
    struct lease_taken taken;
    CLEANUP(lease) struct lease *lease = NULL;
    struct lease_spec spec = { .url = f->target.environment.database_url,
                               .target = f->target.name,
                               .holder = f->actor,
                               .purpose = "vars trust" };
    return lease_take(&spec, &lease, &taken, e) && secret_pins_trust(lease, v, f->actor, e) &&
           lease_give_back(lease, e);
}

static bool trust(struct command_context *c, void *args_, struct err *e)
{
    const struct trust_args *args = args_;
    CLEANUP(flight) struct flight f = { 0 };
    const struct vault *v;
    if (!flight_open_database(c, args->environment, &f, e) || !target_vault(&f.target, &v, e))
        return false;
    if (!v)
        return err_set(e, ERR_NOT_FOUND, "%s has no secrets file", args->environment);
    if (!check_key(v, args->key_id, e) || !write_trust(&f, v, e))
        return err_wrap(e, "trust the key of %s", args->environment);
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:s, s:I}", "environment", f.target.name, "key_id",
                                args->key_id, "generation", (json_int_t)v->file.generation));
    else
        print(&c->out, "%s trusts key %llu of %s.\n", f.target.name,
              (unsigned long long)v->file.generation, v->place.name);
    return true;
}

static const struct argument trust_arguments[] = {
    { "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(trust_args, environment), "Which" },
    { "key-id", ARG_ONE, COMPLETE_NOTHING, AT(trust_args, key_id), "As `vars rotate` printed it" },
    { 0 },
};

const struct command cmd_vars_trust = {
    .name = "trust",
    .synopsis = "vars trust <environment> <key-id>",
    .summary = "Let an environment take a secrets file with a new key",
    .description =
        "An environment remembers the key of the file it was sent first, and refuses another one: "
        "whoever can write to the repository could have made it. Who runs this can open the file "
        "and may write to the environment's database.",
    .examples = "lockflight vars trust production 2rsvM7…=",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .arguments = trust_arguments,
    .args_size = sizeof(struct trust_args),
    .run = trust,
};
