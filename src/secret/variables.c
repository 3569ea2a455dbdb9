#include "secret/variables.h"

#include "base/cleanup.h"
#include "base/env.h"
#include "base/limits.h"
#include "base/proc.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>

/* ---- names ---- */

static bool name_is_plain(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_')
            return false;
    return strlen(name) <= LIMIT_SECRET_NAME_BYTES;
}

static bool check_name(const struct variable_spec *spec, struct err *e)
{
    if (!spec->is_elsewhere && starts_with(spec->name, "SUPABASE_")) {
        err_set(e, ERR_CONFIG, "names that begin with SUPABASE_ are the platform's own");
        return err_hint(e, "rename it, for example APP_%s", spec->name + strlen("SUPABASE_"));
    }
    if (!name_is_plain(spec->name))
        return err_set(e, ERR_CONFIG,
                       "the name of a variable has letters, digits and _, at most %d",
                       LIMIT_SECRET_NAME_BYTES);
    return true;
}

/* ---- sources: each makes a secret, or an error that tells nothing of a value ---- */

static struct secret *keep(const struct variable_spec *spec, struct str value)
{
    return spec->is_secret ? secret_new(value) : secret_new_public(value);
}

static struct secret *from_environment(const struct variable_spec *spec, const char *name,
                                       struct err *e)
{
    const char *value = env_value(name);
    if (value)
        return keep(spec, str_of(value));
    err_set(e, ERR_BLOCKED, "%s is not set, or empty", name);
    err_hint(e, "export %s=…", name);
    return NULL;
}

static struct str without_last_line_end(struct str s)
{
    if (str_ends(s, "\n"))
        s.n--;
    if (str_ends(s, "\r"))
        s.n--;
    return s;
}

/* What the command prints may be a secret, on either stream: none of it goes into an error. */
static struct secret *from_command(const struct variable_spec *declared, const char *text,
                                   const char *cwd, struct err *e)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    struct proc_result result = { 0 };
    struct proc_spec spec = {
        .argv = (const char *const[]){ "/bin/sh", "-c", text, NULL },
        .cwd = cwd,
        .timeout_ms = VARIABLE_CMD_TIMEOUT_MS,
        .max_output_bytes = (size_t)2 * LIMIT_SECRET_VALUE_BYTES,
    };
    struct secret *secret = NULL;
    bool ran = proc_run(scratch, &spec, &result, e);
    if (ran && result.exit_status == 0)
        secret = keep(declared, without_last_line_end(result.out));
    else if (ran)
        err_set(e, ERR_BLOCKED, "the command ended with status %d", result.exit_status);
    if (result.out.n >
        0) /* ours, though the result is for reading. NOLINTNEXTLINE(performance-no-int-to-ptr) */
        sodium_memzero((char *)(uintptr_t)result.out.p, result.out.n);
    if (!secret)
        err_hint(e, "run it by hand: %s", text);
    return secret;
}

static struct secret *from_vault(const struct variable_spec *spec, struct err *e)
{
    const struct secrets_line *line = secrets_file_find(&spec->vault->file, spec->name);
    if (spec->is_secret && line && line->kind == SECRETS_PLAIN) {
        err_set(e, ERR_CONFIG, "it is declared a secret, and stands in the file for all to read");
        err_hint(e, "lockflight vars set %s --env %s    (and change it: it was committed)",
                 spec->name, spec->vault->place.environment);
        return NULL;
    }
    struct secret *value = vault_value(spec->vault, spec->name, 0, !spec->is_secret);
    if (!value)
        err_set(e, ERR_DATA, "its value can not be read from %s", spec->vault->place.name);
    return value;
}

static struct secret *from_source(const struct variable_spec *spec, const char *cwd, struct err *e)
{
    if (spec->vault)
        return from_vault(spec, e);
    if (!spec->source) {
        err_set(e, ERR_CONFIG, "it has no value for this environment");
        err_hint(e, "lockflight vars set %s --env <environment>", spec->name);
        return NULL;
    }
    if (starts_with(spec->source, "env:"))
        return from_environment(spec, spec->source + strlen("env:"), e);
    if (starts_with(spec->source, "cmd:"))
        return from_command(spec, spec->source + strlen("cmd:"), cwd, e);
    if (spec->is_secret) {
        err_set(e, ERR_CONFIG, "a secret must not stand in the file itself");
        err_hint(e, "from = { <environment> = \"env:NAME\" } or \"cmd:…\"");
        return NULL;
    }
    return keep(spec, str_of(spec->source));
}

/* ---- resolving ---- */

static bool check_value(const struct variable_spec *spec, const struct secret *value, struct err *e)
{
    size_t n = secret_bytes(value);
    if (n == 0)
        return err_set(e, ERR_BLOCKED, "its value is empty");
    if (n < spec->min_length)
        return err_set(e, ERR_BLOCKED, "its value is shorter than min_length = %zu",
                       spec->min_length);
    if (n > LIMIT_SECRET_VALUE_BYTES)
        return err_set(e, ERR_LIMIT, "its value is longer than %d bytes", LIMIT_SECRET_VALUE_BYTES);
    if (!str_is_utf8(secret_reveal(value)))
        return err_set(e, ERR_BLOCKED, "its value is not text (UTF-8)");
    return true;
}

static bool resolve(const struct variable_spec *spec, const char *cwd, struct variable *ret,
                    struct err *e)
{
    *ret = (struct variable){ .spec = spec };
    if (check_name(spec, e))
        ret->value = from_source(spec, cwd, e);
    if (ret->value && check_value(spec, ret->value, e))
        return true;
    if (spec->where)
        err_where(e, "%s", spec->where);
    return err_wrap(e, "variable %s", spec->name);
}

bool variables_resolve(struct arena *a, const struct variable_spec *specs, size_t n,
                       const char *cwd, struct variable_set *ret, struct err *e)
{
    struct variable_set set = { .v = ARENA_ARRAY(a, struct variable, n + 1), .n = n };
    if (n > LIMIT_VARIABLES)
        return err_set(e, ERR_LIMIT, "%zu variables; the platform takes %d", n, LIMIT_VARIABLES);
    for (size_t i = 0; i < n; i++)
        if (!resolve(&specs[i], cwd, &set.v[i], e)) {
            variables_free(&set);
            return false;
        }
    *ret = set;
    return true;
}

void variables_free(struct variable_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        secret_free(set->v[i].value);
        set->v[i].value = NULL;
    }
    set->n = 0;
}

/* ---- comparing ---- */

static const char *digest_of(const char *name, const struct variable_digest *host, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (streq(host[i].name, name))
            return host[i].sha256;
    return NULL;
}

bool variable_has_digest(const struct variable *v, const char *sha256)
{
    char mine[SHA256_HEX_BYTES];
    secret_digest(v->value, mine);
    return streq(mine, sha256);
}

enum variable_change variable_compare(const struct variable *v, const struct variable_digest *host,
                                      size_t n, const char **ret_before)
{
    const char *before = digest_of(v->spec->name, host, n);
    *ret_before = before;
    if (!before)
        return VARIABLE_ADD;
    return variable_has_digest(v, before) ? VARIABLE_SAME : VARIABLE_CHANGE;
}

bool variables_check_distinct(const struct variable_set *set, const struct variable_digest *other,
                              size_t n, const char *other_environment, struct err *e)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct variable *v = &set->v[i];
        const char *theirs = v->spec->is_distinct ? digest_of(v->spec->name, other, n) : NULL;
        if (!theirs || !variable_has_digest(v, theirs))
            continue;
        err_set(e, ERR_BLOCKED, "%s has the same value as in %s, and is declared distinct",
                v->spec->name, other_environment);
        if (v->spec->where)
            err_where(e, "%s", v->spec->where);
        return err_hint(e, "give this environment a value of its own");
    }
    return true;
}
