/*
 * Steps in memory and in the journal: see step.h.
 */
#include "engine/step.h"

#include "base/vec.h"
#include "engine/release.h"

/* A failed journal write ends all effects. */
static bool recorded(struct release *r, bool ok, const struct step *s, struct err *e)
{
    if (ok)
        return true;
    r->is_unrecorded = true;
    return err_wrap(e, "record %s %s", s->kind, s->key);
}

bool step_unrecorded(struct release *r, struct err *e)
{
    r->is_unrecorded = true;
    return err_wrap(e, "record intents");
}

static void put(json_t **slot, json_t *value)
{
    if (!value)
        return;
    json_decref(*slot);
    *slot = value;
}

struct step *step_find(struct release *r, const char *phase, const char *kind, const char *key)
{
    for (size_t i = 0; i < r->steps.n; i++) {
        struct step *s = &r->steps.v[i];
        if (streq(s->phase, phase) && streq(s->kind, kind) && (!key || streq(s->key, key)))
            return s;
    }
    return NULL;
}

bool step_stands(const struct step *s)
{
    return s && s->state != STEP_UNDONE;
}

/* NOLINTNEXTLINE(readability-function-size): the three words that name a step are its parameters */
bool step_intent(struct release *r, const char *phase, const char *kind, const char *key,
                 json_t *before, struct step **ret, struct err *e)
{
    struct step *s = step_find(r, phase, kind, key);
    if (s) {
        json_decref(before);
        *ret = s;
        s->state = STEP_INTENT;
        return recorded(r, journal_again(r->journal, s->seq, NULL, e), s, e);
    }
    s = vec_add(&r->steps, r->arena);
    *s = (struct step){
        .phase = phase, .kind = kind, .key = arena_strdup(r->arena, key), .before = before
    };
    struct step_spec spec = {
        .phase = phase, .kind = kind, .key = s->key, .title = s->key, .before = before
    };
    if (!journal_intent(r->journal, &spec, &s->seq, e)) {
        (void)recorded(r, false, s, e);
        json_decref(s->before);
        r->steps.n--;
        return false;
    }
    *ret = s;
    return true;
}

bool step_progress(struct release *r, struct step *s, json_t *after, struct err *e)
{
    put(&s->after, after);
    return recorded(r, journal_progress(r->journal, s->seq, s->after, e), s, e);
}

bool step_done(struct release *r, struct step *s, json_t *after, struct err *e)
{
    put(&s->after, after);
    if (!recorded(r, journal_done(r->journal, s->seq, s->after, e), s, e))
        return false;
    s->state = STEP_DONE;
    return true;
}

bool step_undo_intent(struct release *r, struct step *s, struct err *e)
{
    if (s->state == STEP_UNDO_INTENT)
        return true;
    if (!recorded(r, journal_undo_intent(r->journal, s->seq, e), s, e))
        return false;
    s->state = STEP_UNDO_INTENT;
    return true;
}

bool step_undone(struct release *r, struct step *s, json_t *after, struct err *e)
{
    bool ok = recorded(r, journal_undone(r->journal, s->seq, after, e), s, e);
    json_decref(after);
    if (ok)
        s->state = STEP_UNDONE;
    return ok;
}

/* Text of the journal as JSON; what cannot be read is a damaged journal, and said so. */
static bool parse(const char *text, const char *name, json_t **ret, struct err *e)
{
    *ret = NULL;
    if (!text)
        return true;
    *ret = json_parse(str_of(text), name, e);
    return *ret != NULL;
}

bool step_load(struct release *r, struct err *e)
{
    struct step_record *records;
    size_t count;
    if (!journal_steps(lease_db(r->lease), r->arena, r->id, &records, &count, e))
        return err_wrap(e, "read the journal of %s", r->name);
    for (size_t i = 0; i < count; i++) {
        const struct step_record *record = &records[i];
        struct step *s = vec_add(&r->steps, r->arena);
        *s = (struct step){ .seq = record->seq,
                            .phase = record->phase,
                            .kind = record->kind,
                            .key = record->key,
                            .state = record->state };
        if (!parse(record->before, "the journal's before-image", &s->before, e) ||
            !parse(record->after, "the journal's outcome", &s->after, e))
            return err_wrap(e, "read step %d of %s", record->seq, r->name);
    }
    return true;
}

void step_list_free(struct step_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        json_decref(list->v[i].before);
        json_decref(list->v[i].after);
    }
    *list = (struct step_list){ 0 };
}
