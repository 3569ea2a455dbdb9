/*
 * Switching a module off instead of rolling back: see mitigate.h.
 */
#include "engine/mitigate.h"

#include "base/clock.h"
#include "base/fault.h"
#include "engine/flag_seal.h"

#define KIND "flag_off"

/* Functions of a hosted project ask for the newest version every 2 s. */
#define SPREAD_MS 2500

bool mitigate_note(struct release *r, const struct verify_result *red, struct err *e)
{
    r->red = *red;
    return verify_error(red, e);
}

static const char *reason_of(struct release *r, const struct step *s)
{
    return arena_printf(r->arena, "check %s was red: %s", json_text_or(s->before, "check", "?"),
                        json_text_or(s->before, "why", "?"));
}

static struct flag_author author(struct release *r, const char *reason)
{
    return (struct flag_author){ .actor = r->options.actor, .via = "check", .reason = reason };
}

/* Really switched off: an intent alone never took effect, as the write and "done" commit together. */
static bool is_off(const struct step *s)
{
    return step_stands(s) && s->state != STEP_INTENT;
}

/* ---- off ---- */

/* Is there a flag that is on for somebody, and that this release has not switched off before? */
static bool find_flag(struct release *r, const struct phase *p, struct flag_row *ret)
{
    struct err missing = { 0 };
    const char *module = r->red.module;
    if (!streq(p->name, "backend") && !streq(p->name, "live"))
        return false;
    if (!module || is_off(step_find(r, "backend", KIND, module)) ||
        is_off(step_find(r, "live", KIND, module)))
        return false;
    return flag_store_get(lease_db(r->lease), r->arena, module, ret, &missing) &&
           ret->archived_unix_ms == 0 && !ret->is_killed && !ret->serves_off_to_all;
}

static bool is_allowed(struct release *r, const struct flag_row *row)
{
    const struct config_env *env = r->target->environment.declared;
    const char *question = arena_printf(
        r->arena,
        "Check %s is red (%s). Switch flag %s off and ask again, instead of rolling back?",
        r->red.failed, r->red.result.why, row->key);
    switch (env->flag_off) {
    case FLAG_OFF_NEVER:
        return false;
    case FLAG_OFF_DO:
        return true;
    case FLAG_OFF_OFFER:
        if (r->options.offer && r->options.offer(r->options.context, row->key, question))
            return true;
        report_say(r->sink,
                   "Check %s points at flag %s, which stays on. By hand: lockflight flags off %s "
                   "--env %s --reason \"check %s is red\"",
                   r->red.failed, row->key, row->key, r->target->name, r->red.failed);
        return false;
    }
    return false;
}

/* Begins the transaction in which the write and its record are together. `version` is the flag's,
 * before and after. */
static bool write_state(struct release *r, const char *key, bool is_killed, const char *reason,
                        int64_t *version, struct err *e)
{
    json_auto_t *patch = json_pack("{s:b}", "killed", (int)is_killed);
    struct flag_author by = author(r, reason);
    struct pg *db = lease_db(r->lease);
    return pg_begin(db, e) && lease_fence(r->lease, db, e) &&
           flag_store_set(db, key, patch, *version, &by, version, e);
}

static bool switch_off(struct release *r, const struct phase *p, const struct flag_row *row,
                       struct err *e)
{
    struct step *s;
    int64_t version = row->version;
    struct pg *db = lease_db(r->lease);
    json_t *before = json_pack("{s:I, s:s, s:s}", "version", (json_int_t)row->version, "check",
                               r->red.failed, "why", r->red.result.why);
    if (!step_intent(r, p->name, KIND, row->key, before, &s, e))
        return false;
    bool ok = FAULT_POINT("mitigate.off.before", e) &&
              write_state(r, row->key, true, reason_of(r, s), &version, e) &&
              step_done(r, s, json_pack("{s:I}", "version", (json_int_t)version), e) &&
              pg_commit(db, e) && FAULT_POINT("mitigate.off.after", e);
    if (ok)
        return true;
    pg_rollback(db);
    return false;
}

/* What was intended and did not happen; a journal that cannot be written ends everything, as ever. */
static void forget(struct release *r, const struct phase *p, const char *key)
{
    struct err unwritten = { 0 };
    struct step *s = step_find(r, p->name, KIND, key);
    if (!s || r->is_unrecorded)
        return;
    s->state = STEP_INTENT;
    if (!step_undo_intent(r, s, &unwritten) || !step_undone(r, s, NULL, &unwritten))
        report_warn(r->sink, "that could not be recorded: %s", unwritten.why);
}

bool mitigate(struct release *r, const struct phase *p, const struct err *cause)
{
    struct flag_row row;
    struct err why = { 0 };
    if (cause->code != ERR_CHECK || !find_flag(r, p, &row) || !is_allowed(r, &row))
        return false;
    report_begin(r->sink, p->name, "Switch flag %s off", row.key);
    if (!switch_off(r, p, &row, &why)) {
        report_done(r->sink, REPORT_FAIL, p->name, "flag %s stays on: %s", row.key, why.why);
        forget(r, p, row.key);
        return false;
    }
    report_done(r->sink, REPORT_OK, p->name, "flag %s is off, because check %s is red", row.key,
                r->red.failed);
    (void)clock_sleep_ms(SPREAD_MS); /* a signal ends it, and then the checks too */
    return true;
}

/* ---- and on again ---- */

static bool put_back(struct release *r, struct step *s, const char **ret_text, struct err *e)
{
    struct flag_row row;
    struct pg *db = lease_db(r->lease);
    int64_t ours = json_int_or(s->after, "version", -1);
    int64_t version = ours;
    const char *reason =
        arena_printf(r->arena, "switching it off did not help (%s)", reason_of(r, s));
    bool was_done = s->state != STEP_INTENT && ours >= 0;
    if (!step_undo_intent(r, s, e))
        return false;
    if (!was_done) { /* its transaction never committed */
        *ret_text = "was not switched off";
        return step_undone(r, s, NULL, e);
    }
    if (!flag_store_get(db, r->arena, s->key, &row, e))
        return false;
    if (row.version != ours || !row.is_killed) {
        *ret_text =
            arena_printf(r->arena, "was changed by %s meanwhile and is left alone", row.updated_by);
        return step_undone(r, s, json_pack("{s:s}", "left_to", row.updated_by), e);
    }
    *ret_text = "is as it was: switching it off did not help";
    return write_state(r, s->key, false, reason, &version, e) &&
           step_undone(r, s, json_pack("{s:I}", "version", (json_int_t)version), e) &&
           pg_commit(db, e);
}

void mitigate_undo(struct release *r)
{
    for (size_t i = r->steps.n; i-- > 0;) {
        struct step *s = &r->steps.v[i];
        struct err why = { 0 };
        const char *text = "";
        if (!streq(s->kind, KIND) || !step_stands(s) || r->is_unrecorded)
            continue;
        report_begin(r->sink, s->phase, "Put flag %s back", s->key);
        if (put_back(r, s, &text, &why)) {
            report_done(r->sink, REPORT_UNDO, s->phase, "flag %s %s", s->key, text);
            continue;
        }
        pg_rollback(lease_db(r->lease));
        report_done(r->sink, REPORT_FAIL, s->phase, "flag %s is still off: %s", s->key, why.why);
    }
}

/* ---- what is said about it ---- */

const char *mitigate_text(struct release *r)
{
    const char *text = NULL;
    for (size_t i = 0; i < r->steps.n; i++) {
        const struct step *s = &r->steps.v[i];
        if (!streq(s->kind, KIND) || !is_off(s))
            continue;
        const char *one = arena_printf(r->arena, "%s, because %s", s->key, reason_of(r, s));
        text = text ? arena_printf(r->arena, "%s; %s", text, one) : one;
    }
    return text;
}

bool mitigate_end(struct release *r, struct err *e)
{
    const char *text = mitigate_text(r);
    if (!text)
        return true;
    err_set(e, ERR_MITIGATED, "%s is on %s with a flag switched off: %s", r->target->name, r->name,
            text);
    err_state(e, "the release is live and proved without it");
    return err_hint(e, "when it is mended: lockflight flags on %.*s --env %s",
                    (int)strcspn(text, ","), text, r->target->name);
}
