/*
 * Taking variables back: see variable_restore.h.
 */
#include "engine/variable_restore.h"

#include "base/vec.h"
#include "engine/live.h"
#include "engine/variable_mark.h"

struct way_back {
    VEC(const char *) unset;
    VEC(struct supabase_secret_value) set;
    VEC(const char *) lost;     /* names whose old value cannot be had */
    VEC(struct secret *) owned; /* values from sources, freed at the end */
};

static void way_back_cleanup(struct way_back *w)
{
    for (size_t i = 0; i < w->owned.n; i++)
        secret_free(w->owned.v[i]);
}

static void set_back(struct target *t, const char *name, const struct secret *value,
                     struct way_back *w)
{
    struct secret *copy = secret_new_public(secret_reveal(value)); /* registered already */
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
    *vec_add(&w->owned, t->arena) = copy;
    *vec_add(&w->set, t->arena) = (struct supabase_secret_value){ name, secret_reveal(copy) };
}

static bool is_marked(struct target *t, const char *name, const json_t *before,
                      const struct secret *value)
{
    char have[SHA256_HEX_BYTES];
    secret_digest(value, have);
    return variable_mark_is(t, name, before, have) == MARK_SAME;
}

/* One of the values that the secrets file keeps. */
static bool value_from_file(struct target *t, const char *name, const json_t *before,
                            struct way_back *w)
{
    const struct vault *v = NULL;
    struct err no_key = { 0 };
    if (!target_vault(t, &v, &no_key) || !v)
        return false;
    for (size_t i = 0; i <= SECRETS_OLDER; i++) {
        CLEANUP(secret) struct secret *value = vault_value(v, name, i, false);
        if (!value || !is_marked(t, name, before, value))
            continue;
        set_back(t, name, value, w);
        return true;
    }
    return false;
}

/* The value from the variable's source, if it is the old one again. */
static bool value_from_source(struct target *t, const char *name, const json_t *before,
                              struct way_back *w)
{
    CLEANUP(variable_set) struct variable_set now = { 0 };
    struct err unresolved = { 0 };
    if (!target_variables(t, VAR_TO_SUPABASE, &now, &unresolved))
        return false;
    for (size_t i = 0; i < now.n; i++) {
        if (!streq(now.v[i].spec->name, name) || !is_marked(t, name, before, now.v[i].value))
            continue;
        set_back(t, name, now.v[i].value, w);
        return true;
    }
    return false;
}

/* Adds what takes one variable back. */
static void add_way_back(struct target *t, const char *name, const json_t *before,
                         const struct live *now, struct way_back *w)
{
    bool was_set =
        json_text_or(before, "digest", NULL) || json_text_or(before, "fingerprint", NULL);
    const char *value = json_text_or(before, "value", NULL);
    const char *present = live_secret_digest(now, name);
    if (!was_set && present)
        *vec_add(&w->unset, t->arena) = name;
    if (!was_set || (present && variable_mark_is(t, name, before, present) == MARK_SAME))
        return;
    if (value)
        *vec_add(&w->set, t->arena) = (struct supabase_secret_value){ name, str_of(value) };
    else if (!value_from_file(t, name, before, w) && !value_from_source(t, name, before, w))
        *vec_add(&w->lost, t->arena) = name;
}

static bool refuse_lost(const struct target *t, const char *name, struct err *e)
{
    err_set(e, ERR_BLOCKED, "the old value of %s is gone: its source no longer gives it", name);
    return err_hint(e,
                    "give %s its old value where lockflight.toml says it comes from, then: "
                    "lockflight resume %s --unwind",
                    name, t->name);
}

bool variable_restore(struct target *t, json_t *image, bool keep_lost, const char **ret_text,
                      struct err *e)
{
    struct live now = { 0 };
    if (!supabase_secrets(t->supabase, t->arena, &now.secrets, &now.secrets_n, e))
        return err_wrap(e, "read the variables");
    CLEANUP(way_back) struct way_back back = { 0 };
    const char *name;
    json_t *before;
    json_object_foreach (image, name, before)
        add_way_back(t, name, before, &now, &back);
    if (back.lost.n > 0 && !keep_lost)
        return refuse_lost(t, back.lost.v[0], e);
    if ((back.set.n > 0 &&
         !supabase_secrets_set(t->supabase, t->arena, back.set.v, back.set.n, e)) ||
        (back.unset.n > 0 &&
         !supabase_secrets_unset(t->supabase, t->arena, back.unset.v, back.unset.n, e)))
        return err_wrap(e, "take the variables back");
    *ret_text =
        arena_printf(t->arena, "%zu unset, %zu back to the old value%s%s", back.unset.n, back.set.n,
                     back.lost.n > 0 ? ", stays because its old value is gone: " : "",
                     back.lost.n > 0 ? back.lost.v[0] : "");
    return true;
}
