#include "command/vars/vars_file.h"

#include "base/fs.h"
#include "base/limits.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/flight.h"
#include "engine/target.h"

#include <errno.h>
#include <sodium.h>

#define PASSPHRASE_BYTES 1024

/* ---- the file ---- */

static bool which_environment(const struct vars_file *f, const char *name, struct err *e)
{
    const char *all = "";
    if (f->env)
        return true;
    for (size_t i = 0; i < f->config.envs_n; i++)
        all = arena_printf(f->c->arena, "%s%s%s", all, i ? ", " : "", f->config.envs[i].name);
    if (name)
        return err_set(e, ERR_USAGE, "there is no environment \"%s\"; lockflight.toml has: %s",
                       name, all);
    err_set(e, ERR_USAGE, "of which environment? lockflight.toml has: %s", all);
    return err_hint(e, "lockflight %s … --env <environment>", f->c->path);
}

static bool none_yet(const struct vault_place *place, struct err *e)
{
    err_set(e, ERR_NOT_FOUND, "there is no %s yet", place->name);
    return err_hint(e, "lockflight vars set <name> --env %s", place->environment);
}

const char *vars_own_name(struct command_context *c)
{
    char *name = arena_strdup(c->arena, flight_actor(c));
    if (strlen(name) > LIMIT_RECIPIENT_BYTES)
        name[LIMIT_RECIPIENT_BYTES] = '\0';
    for (char *p = name; *p; p++)
        if (!secrets_recipient_is_good((struct str){ p, 1 }))
            *p = '-';
    return name;
}

static bool create(struct vars_file *f, const struct vault_place *place, const struct keyring *keys,
                   struct err *e)
{
    const char *name = keys->name ? keys->name : vars_own_name(f->c);
    f->is_new = true;
    return vault_create(f->c->arena, place, name, &keys->v[0].public, &f->vault, e);
}

static bool open_for(struct vars_file *f, const struct vault_place *place, enum vars_use use,
                     struct err *e)
{
    const struct keyring *keys = NULL;
    bool is_there = fs_exists(place->path);
    if (!is_there && use != VARS_MAKE)
        return none_yet(place, e);
    if (use != VARS_LOOK && use != VARS_ADD && !keyring_get(&keys, e))
        return false;
    if (use != VARS_LOOK && use != VARS_READ && !vault_lock(place, &f->vault, e))
        return false;
    if (!is_there)
        return create(f, place, keys, e);
    return vault_read(f->c->arena, place, &f->vault, e) &&
           (!keys || vault_open(&f->vault, keys, e));
}

bool vars_file_open(struct command_context *c, const char *environment, enum vars_use use,
                    struct vars_file *ret, struct err *e)
{
    *ret = (struct vars_file){ .c = c };
    if (!config_load(c->arena, c->config_path, &ret->config, e))
        return false;
    if (!environment && ret->config.envs_n == 1)
        environment = ret->config.envs[0].name;
    ret->env = environment ? config_env_find(&ret->config, environment) : NULL;
    if (!which_environment(ret, environment, e))
        return false;
    struct vault_place place = target_vault_place(&ret->config, ret->env);
    return open_for(ret, &place, use, e);
}

bool vars_file_save(struct vars_file *f, struct err *e)
{
    return vault_save(&f->vault, e) || err_wrap(e, "%s", f->vault.place.name);
}

void vars_file_close(struct vars_file *f)
{
    vault_done(&f->vault);
}

/* ---- values ---- */

/* All of standard input, unbuffered, into guarded memory. */
static bool read_input(int fd, char *into, size_t room, size_t *ret_n, struct err *e)
{
    size_t n = 0;
    for (;;) {
        ssize_t got = read(fd, into + n, room - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_system(e, "read standard input");
        if (got == 0)
            break;
        n += (size_t)got;
        if (n == room)
            return err_set(e, ERR_LIMIT, "the value is longer than %d bytes",
                           LIMIT_SECRET_VALUE_BYTES);
    }
    n -= n > 0 && into[n - 1] == '\n';
    n -= n > 0 && into[n - 1] == '\r';
    *ret_n = n;
    return true;
}

static bool settle(char *text, size_t n, bool ok, struct secret **ret)
{
    if (ok)
        *ret = secret_new((struct str){ text, n });
    sodium_free(text); /* wipes */
    return ok;
}

static char *guarded(size_t room)
{
    char *text = sodium_init() < 0 ? NULL : sodium_malloc(room);
    if (!text)
        memory_exhausted(room);
    return text;
}

bool vars_value(struct command_context *c, const char *name, struct secret **ret, struct err *e)
{
    size_t n = 0, room = LIMIT_SECRET_VALUE_BYTES + 3;
    char *text = guarded(room);
    bool ok = isatty(fileno(c->in)) == 1
                  ? prompt_hidden(c, arena_printf(c->arena, "Value of %s", name),
                                  arena_printf(c->arena, "lockflight %s %s … <file", c->path, name),
                                  text, room, &n, e)
                  : read_input(fileno(c->in), text, room, &n, e);
    return settle(text, n, ok, ret);
}

bool vars_passphrase(void *context, const char *file, struct secret **ret, struct err *e)
{
    struct command_context *c = context;
    size_t n = 0;
    char *text = guarded(PASSPHRASE_BYTES);
    bool ok = prompt_hidden(c, arena_printf(c->arena, "Passphrase of %s", file),
                            "a job has its key in LOCKFLIGHT_KEY, without a passphrase", text,
                            PASSPHRASE_BYTES, &n, e);
    return settle(text, n, ok, ret);
}
