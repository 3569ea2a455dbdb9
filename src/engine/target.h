/*
 * One environment, opened: its database, its site and its project, with the addresses that visitors
 * and checks use. Local and hosted environments differ in what config_environment said, and in
 * nothing here.
 *
 * CALLS   target_open → use → target_close
 */
#ifndef LOCKFLIGHT_ENGINE_TARGET_H
#define LOCKFLIGHT_ENGINE_TARGET_H

#include "base/cleanup.h"
#include "config/config.h"
#include "engine/check.h"
#include "engine/lease.h"
#include "provider/netlify.h"
#include "provider/pg.h"
#include "provider/supabase.h"
#include "secret/variables.h"

struct target {
    struct arena *arena;
    const struct config *config;
    struct environment environment;
    const char *name;
    struct pg *db; /* for reading; a release writes through its lease */
    struct netlify *netlify;
    struct supabase *supabase;
    const char *site_url;      /* without trailing slash */
    const char *functions_url; /* same */
    const char *supabase_url;
    const char *flags_url; /* what OFREP clients take as their base address */
    const char *anon_key;  /* NULL if the project has none */
    struct vault vault;    /* its secrets file, open; see target_vault */
};

/* Opens all three. The errors say which of them, and which environment. The target is zeroed first,
 * so that target_close may always follow. */
bool target_open(struct arena *a, const struct config *config, const char *name, struct target *ret,
                 struct err *e) MUST_USE;
void target_close(struct target *t);

static inline void target_cleanup(struct target *t)
{
    target_close(t);
}

/* From now on every mutating request to the vendors asks first whether the lease is still ours; NULL: no
 * more. */
void target_guard(struct target *t, struct lease *l);

/* Only the database: for status of one layer, log, lock. */
bool target_open_database(struct arena *a, const struct config *config, const char *name,
                          struct target *ret, struct err *e) MUST_USE;

/* Opens nothing: an environment by its name alone, for what asks where values come from. Templates
 * in values stay as they are. */
bool target_declared(struct arena *a, const struct config *config, const char *name,
                     struct target *ret, struct err *e) MUST_USE;

/* What the templates of checks mean while `release` is the one whose functions answer. */
struct check_values target_check_values(const struct target *t, const char *release,
                                        const char *permalink);

/* Where the secrets file of an environment is, and what it must be for. */
struct vault_place target_vault_place(const struct config *config, const struct config_env *env);

/* The environment's secrets file, opened once; NULL if there is none. */
bool target_vault(struct target *t, const struct vault **ret, struct err *e) MUST_USE;

/* Declared variables of this environment with `wanted` (VAR_TO_…) among their destinations,
 * resolved. Values with templates are filled in. Free with variables_free. */
bool target_variables(struct target *t, unsigned wanted, struct variable_set *ret,
                      struct err *e) MUST_USE;

/* One declared variable, whatever its destinations. */
bool target_variable(struct target *t, const struct config_var *var, struct variable_set *ret,
                     struct err *e) MUST_USE;

/* The files of one declared function as the project has them, without asking anybody. */
bool target_function_files(struct arena *a, const struct config *config,
                           const struct config_function *declared, struct function_source *ret,
                           struct err *e) MUST_USE;

/* Reads one declared function of the project. `live` (NULL: none) gives verify_jwt where the
 * project says nothing. */
bool target_function_source(struct target *t, const struct config_function *declared,
                            const struct supabase_function *live, struct function_source *ret,
                            struct err *e) MUST_USE;

/* Names of all declared variables, NULL-terminated: part of the source digest. */
const char *const *target_variable_names(struct arena *a, const struct config *config);

#endif
