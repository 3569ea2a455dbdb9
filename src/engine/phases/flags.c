/*
 * Phase 5: the definitions of feature flags, before any code that asks for them is live. A flag that
 * is new begins switched off, or as the file says for this environment; nothing else is switched,
 * and what operators set stays.
 *
 * One transaction holds the definitions and the journal's "done": after a crash both are there or
 * neither, and running it again is harmless. It is not taken back: the code that is live after an
 * unwinding must still find its flags, and a new flag that nobody asks for is off.
 */
#include "engine/flag_seal.h"
#include "engine/phase_table.h"
#include "engine/release.h"

#define PHASE FLAGS_PHASE

/* What will be done, and what is created as what: flag_seal.c comes back to it. */
static json_t *before_image(const struct release *r)
{
    const struct definition_plan *p = &r->plan->flags;
    json_t *created = json_object();
    json_t *updated = json_object();
    for (size_t i = 0; i < p->n; i++) {
        const struct definition_action *f = &p->v[i];
        if (f->move == DEFINE_CREATE)
            json_object_set_new(created, f->key, json_string(f->initial));
        if (f->move != DEFINE_UPDATE)
            continue;
        json_t *texts = json_array();
        for (size_t k = 0; k < f->n; k++)
            json_array_append_new(texts, json_string(f->v[k].text));
        json_object_set_new(updated, f->key, texts);
    }
    return json_pack("{s:o, s:o}", "created", created, "updated", updated);
}

static bool definitions(const struct release *r, json_t **ret, struct err *e)
{
    const struct definition_plan *p = &r->plan->flags;
    *ret = json_array();
    for (size_t i = 0; i < p->n; i++) {
        json_t *one;
        if (p->v[i].move != DEFINE_CREATE && p->v[i].move != DEFINE_UPDATE)
            continue;
        const char *commit = r->plan->source.commit;
        if (!definition_json(&p->v[i], commit[0] ? commit : NULL, &one, e))
            return false;
        json_array_append_new(*ret, one);
    }
    return true;
}

static bool write_extra(struct release *r, const struct definition_extra *x,
                        const struct flag_author *by, struct err *e)
{
    struct pg *db = lease_db(r->lease);
    if (x->segment) {
        json_auto_t *rule = json_parse(str_of(x->segment->rule), "a segment's rule", e);
        int64_t version;
        return rule && (flag_store_segment_set(db, x->segment->name, rule, 0, by, &version, e) ||
                        err_wrap(e, "segment %s", x->segment->name));
    }
    struct flag_attribute attribute = { .name = x->gone };
    if (x->attribute)
        attribute = (struct flag_attribute){ x->attribute->name, x->attribute->type,
                                             x->attribute->is_trusted };
    return flag_store_attribute_set(db, &attribute, by, e) ||
           err_wrap(e, "attribute %s", attribute.name);
}

/* Inside the transaction. */
static bool write_all(struct release *r, json_t *list, struct step *step, struct err *e)
{
    const struct definition_plan *p = &r->plan->flags;
    struct flag_author by = flag_seal_author(r);
    struct pg *db = lease_db(r->lease);
    const char *answers = "[]";
    if (!lease_fence(r->lease, db, e))
        return false;
    for (size_t i = 0; i < p->extras_n; i++) {
        if (!write_extra(r, &p->extras[i], &by, e))
            return false;
    }
    if (json_array_size(list) > 0 &&
        !flag_store_define(db, r->arena, list, r->id, &by, &answers, e))
        return false;
    json_t *answer = json_parse(str_of(answers), "what was defined", e);
    return answer && step_done(r, step, json_pack("{s:o}", "flags", answer), e);
}

static bool write_once(struct release *r, json_t *list, struct step *step, struct err *e)
{
    struct pg *db = lease_db(r->lease);
    if (!pg_begin(db, e))
        return false;
    if (write_all(r, list, step, e) && pg_commit(db, e))
        return true;
    pg_rollback(db);
    step->state = STEP_INTENT;
    return false;
}

/* Definitions are absolute: when the answer was lost, they are written again. */
static bool define(struct release *r, json_t *list, struct step *step, struct err *e)
{
    struct err lost = { 0 };
    if (write_once(r, list, step, e))
        return true;
    bool is_lost = e->code == ERR_NET || e->code == ERR_UNKNOWN_OUTCOME;
    if (!is_lost || r->is_unrecorded || !lease_reconnect(r->lease, &lost))
        return false;
    err_clear(e);
    return write_once(r, list, step, e);
}

bool flags_run(struct release *r, struct err *e)
{
    const struct definition_plan *p = &r->plan->flags;
    if (!definition_has_work(p)) {
        if (r->plan->flags_n == 0)
            release_summary(r, "none declared");
        else
            release_summary(r, "%zu unchanged", r->plan->flags_n);
        return true;
    }
    struct step *step;
    json_auto_t *list = NULL;
    if (!definitions(r, &list, e) ||
        !step_intent(r, PHASE, FLAGS_KIND, FLAGS_KEY, before_image(r), &step, e) ||
        !define(r, list, step, e))
        return false;
    release_summary(r, "%zu created, %zu changed, %zu unchanged", p->created, p->updated,
                    r->plan->flags_n - p->created - p->updated);
    return true;
}
