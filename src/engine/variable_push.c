#include "engine/variable_push.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "engine/journal_write.h"
#include "engine/secret_pins.h"
#include "engine/site_variables.h"
#include "engine/variable_mark.h"

/* ---- the host ---- */

bool variable_push_confirm(struct target *t, const struct variable_set *values, bool *ret_same,
                           struct err *e)
{
    struct live now = { 0 };
    if (!supabase_secrets(t->supabase, t->arena, &now.secrets, &now.secrets_n, e))
        return err_wrap(e, "read the variables back");
    *ret_same = true;
    for (size_t i = 0; i < values->n; i++) {
        char digest[SHA256_HEX_BYTES];
        secret_digest(values->v[i].value, digest);
        if (!streq(live_secret_digest(&now, values->v[i].spec->name), digest))
            *ret_same = false;
    }
    return true;
}

bool variable_push(struct target *t, const struct variable_set *values, struct err *e)
{
    VEC(struct supabase_secret_value) list = { 0 };
    bool same = false;
    for (size_t i = 0; i < values->n; i++) {
        const struct variable *v = &values->v[i];
        *vec_add(&list, t->arena) =
            (struct supabase_secret_value){ v->spec->name, secret_reveal(v->value) };
    }
    if (!supabase_secrets_set(t->supabase, t->arena, list.v, list.n, e))
        return err_wrap(e, "set %zu variables", values->n);
    if (!variable_push_confirm(t, values, &same, e))
        return false;
    return same || err_set(e, ERR_REMOTE, "the host took the variables, but lists other digests");
}

json_t *variable_push_before(const struct live *live, const struct variable_spec *spec,
                             const char *before_digest)
{
    if (!before_digest)
        return json_pack("{s:n}", "digest");
    json_t *one = variable_mark(spec, before_digest);
    const json_t *old = json_object_get(json_object_get(live->manifest, "variables"), spec->name);
    const char *value = json_text_or(old, "value", NULL);
    if (value && streq(json_text_or(old, "digest", NULL), before_digest))
        json_object_set_new(one, "value", json_string(value));
    return one;
}

/* ---- what was sent outside of releases ---- */

json_t *variable_push_sent(struct pg *db, const char *target, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows rows;
    if (!pg_query(db, a,
                  "SELECT coalesce(jsonb_object_agg(name, mark), '{}')::text"
                  " FROM lockflight.variables_sent WHERE target = $1",
                  PG_PARAMS(target), &rows, e)) {
        bool is_absent = streq(e->sqlstate, "42P01") || streq(e->sqlstate, "3F000");
        if (is_absent)
            err_clear(e);
        return is_absent ? json_object() : NULL;
    }
    return json_parse(str_of(pg_value(&rows, 0, 0)), "what was sent", e);
}

bool variable_push_forget(struct lease *l, struct err *e)
{
    return pg_exec(lease_db(l), "DELETE FROM lockflight.variables_sent WHERE target = $1",
                   PG_PARAMS(lease_target(l)), NULL, e) ||
           err_wrap(e, "forget what was sent before this release");
}

static bool note_sent(struct lease *l, const struct variable_set *values, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    json_auto_t *marks = json_object();
    for (size_t i = 0; i < values->n; i++) {
        char digest[SHA256_HEX_BYTES];
        secret_digest(values->v[i].value, digest);
        json_object_set_new(marks, values->v[i].spec->name,
                            variable_mark(values->v[i].spec, digest));
    }
    const char *const params[] = { lease_target(l), json_text(a, marks) };
    struct journal_write w = {
        .name = "sent",
        .sql = "INSERT INTO lockflight.variables_sent (target, name, mark)"
               " SELECT $1, key, value FROM jsonb_each($2::jsonb)"
               " ON CONFLICT (target, name) DO UPDATE SET mark = excluded.mark,"
               " sent_at = clock_timestamp()",
        .params = { params, sizeof params / sizeof *params },
        .event = "variables.sent",
        .body = params[1],
    };
    return values->n == 0 || journal_write(l, &w, e);
}

/* ---- the whole push ---- */

struct push {
    struct target *t;
    const struct push_options *options;
    struct live live;
    const struct vault *vault; /* NULL: no secrets file */
    struct variable_set values;
    struct lease *lease;
};

static void push_cleanup(struct push *p)
{
    target_guard(p->t, NULL);
    lease_close(p->lease);
    variables_free(&p->values);
    live_done(&p->live);
}

static bool take_lease(struct push *p, struct err *e)
{
    struct lease_taken taken;
    const char *name = p->t->name;
    struct lease_spec spec = {
        .url = p->t->environment.database_url,
        .target = name,
        .holder = p->options->actor,
        .purpose = "vars push",
    };
    if (!lease_take(&spec, &p->lease, &taken, e))
        return false;
    target_guard(p->t, p->lease);
    if (!taken.open[0])
        return lease_drain(p->lease, e);
    err_set(e, ERR_BLOCKED, "release %s of %s was interrupted and is open", taken.open, name);
    return err_hint(e, "lockflight resume %s, or lockflight rollback %s", name, name);
}

static bool check_file(struct push *p, struct err *e)
{
    struct secret_pins pins;
    return target_vault(p->t, &p->vault, e) &&
           (!p->vault || (secret_pins_read(p->t->db, p->t->arena, p->t->name, &pins, e) &&
                          secret_pins_check(&pins, p->vault, p->options->allow_older, e)));
}

/* What each one would do, and the image of what is there. */
static json_t *compare(struct push *p, struct push_result *ret)
{
    struct arena *a = p->t->arena;
    json_t *image = json_object();
    struct variable_digest *host = ARENA_ARRAY(a, struct variable_digest, p->live.secrets_n + 1);
    for (size_t i = 0; i < p->live.secrets_n; i++)
        host[i] = (struct variable_digest){ p->live.secrets[i].name, p->live.secrets[i].digest };
    *ret = (struct push_result){ .v = ARENA_ARRAY(a, struct push_change, p->values.n + 1),
                                 .n = p->values.n };
    for (size_t i = 0; i < p->values.n; i++) {
        const struct variable *v = &p->values.v[i];
        const char *before;
        enum variable_change change = variable_compare(v, host, p->live.secrets_n, &before);
        ret->v[i] = (struct push_change){ v->spec->name, change };
        if (change == VARIABLE_SAME)
            continue;
        ret->changed++;
        json_object_set_new(image, v->spec->name, variable_push_before(&p->live, v->spec, before));
    }
    return image;
}

static bool send(struct push *p, const json_t *image, struct push_result *ret, struct err *e)
{
    if (ret->changed > 0) {
        json_auto_t *body = json_pack("{s:O, s:s}", "before", image, "by", p->options->actor);
        if (!journal_note(p->lease, "variables.sending", body, e) ||
            !variable_push(p->t, &p->values, e) || !note_sent(p->lease, &p->values, e))
            return false;
    }
    return site_variables_level(p->t, p->lease, &ret->site, e) &&
           (!p->vault || secret_pins_write(p->lease, p->vault, NULL, p->options->actor, e));
}

bool variable_push_all(struct target *t, const struct push_options *options,
                       struct push_result *ret, struct err *e)
{
    CLEANUP(push) struct push p = { .t = t, .options = options };
    if (!options->is_dry && !take_lease(&p, e))
        return false;
    if (!live_read(t, &p.live, e) || !check_file(&p, e) ||
        !target_variables(t, VAR_TO_SUPABASE, &p.values, e))
        return false;
    json_auto_t *image = compare(&p, ret);
    if (options->is_dry)
        return true;
    if (!send(&p, image, ret, e))
        return false;
    return lease_give_back(p.lease, e);
}
