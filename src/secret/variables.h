/*
 * Declared variables: where each value comes from, whether it may be used, and whether a host
 * already has it.
 *
 * SOURCES  "env:NAME" from the environment of this process, "cmd:TEXT" the output of a shell
 *          command without its last line end, anything else is the value itself (refused for a
 *          secret); or the environment's secrets file, if the variable has a line there. A value
 *          lives in struct secret.
 *
 * UNDO     Hosts never give a value back, so an old value can be restored only if its source still
 *          gives it: the secrets file has the values before; any other source is asked again, and
 *          compared with the digest of the before-image (variable_has_digest).
 *
 * COMPARE  Hosts list SHA-256 digests of values, never values; equal digest, equal value.
 */
#ifndef LOCKFLIGHT_SECRET_VARIABLES_H
#define LOCKFLIGHT_SECRET_VARIABLES_H

#include "secret/vault.h"

#define VARIABLE_CMD_TIMEOUT_MS 30000

/* What lockflight.toml declares, for one environment. */
struct variable_spec {
    const char *name;
    const char *source; /* "env:…", "cmd:…" or a literal; NULL: not declared for this environment */
    const struct vault *vault; /* open, with a line for it, instead of a source; NULL: none */
    bool is_secret;
    size_t min_length; /* 0: none */
    bool is_distinct;  /* must differ from the other environment's */
    bool is_elsewhere; /* it never goes to Supabase, so SUPABASE_… is a name like any other */
    const char *where; /* "lockflight.toml:41", for errors */
};

struct variable {
    const struct variable_spec *spec;
    struct secret *value; /* NULL: not resolved */
};

struct variable_set {
    struct variable *v;
    size_t n;
};

/* Resolves all. The first that is missing, empty, too short, too long or reserved (SUPABASE_…) is
 * ERR_CONFIG or ERR_BLOCKED with where it is declared and what to set; nothing of a value is in the
 * error. Free with variables_free. `cwd`: where commands run. */
bool variables_resolve(struct arena *a, const struct variable_spec *specs, size_t n,
                       const char *cwd, struct variable_set *ret, struct err *e) MUST_USE;
void variables_free(struct variable_set *set);

static inline void variable_set_cleanup(struct variable_set *s)
{
    variables_free(s);
}

/* One name and digest as a host lists it. */
struct variable_digest {
    const char *name;
    const char *sha256;
};

enum variable_change {
    VARIABLE_SAME,
    VARIABLE_ADD,
    VARIABLE_CHANGE
};

/* What pushing this variable would do. *ret_before is the host's digest or NULL. */
enum variable_change variable_compare(const struct variable *v, const struct variable_digest *host,
                                      size_t n, const char **ret_before);

/* Is this the value that has that digest? */
bool variable_has_digest(const struct variable *v, const char *sha256);

/* distinct: ERR_BLOCKED names the first variable whose digest the other environment has as well. */
bool variables_check_distinct(const struct variable_set *set, const struct variable_digest *other,
                              size_t n, const char *other_environment, struct err *e) MUST_USE;

#endif
