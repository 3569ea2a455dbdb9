/*
 * Where a rollback would lead, and what would be lost: see rollback.h. Reads only.
 */
#include "engine/rollback.h"
#include "migrate/reverse/risk.h"

#define CHAIN_MAX 100 /* releases that one rollback may pass over */

/* A rollback's record stands for the release it brought back. */
static bool as_deployed(struct target *t, struct release_record *record, struct err *e)
{
    bool found = true;
    for (int i = 0; i < CHAIN_MAX && found && record->restores; i++) {
        struct release_record restored;
        if (!journal_find(t->db, t->arena, t->name, record->restores, &restored, &found, e))
            return false;
        if (found)
            *record = restored;
    }
    return true;
}

/* The release before `record`, as deployed. */
static bool find_previous(struct target *t, const struct release_record *record,
                          struct release_record *ret, bool *ret_found, struct err *e)
{
    *ret_found = false;
    if (!record->previous)
        return true;
    return journal_find(t->db, t->arena, t->name, record->previous, ret, ret_found, e) &&
           (!*ret_found || as_deployed(t, ret, e));
}

/* Merges one step's before-image; older ones win, since they are nearer to the destination. */
static bool merge_image(const struct step_record *step, const char *phase, const char *key,
                        json_t *into, struct err *e)
{
    if (!streq(step->phase, phase) || !streq(step->key, key) || !step->before ||
        step->state == STEP_UNDONE)
        return true;
    json_auto_t *before = json_parse(str_of(step->before), "a before-image", e);
    if (before)
        json_object_update(into, before);
    return before != NULL;
}

/* Adds one passed release's before-images. */
static bool add_images(struct target *t, const struct release_record *passed,
                       struct rollback_plan *plan, struct err *e)
{
    struct step_record *steps;
    size_t n;
    if (!journal_steps(t->db, t->arena, passed->id, &steps, &n, e))
        return err_wrap(e, "read the journal of %s", passed->name);
    for (size_t i = 0; i < n; i++) {
        if (!merge_image(&steps[i], "functions", "switch", plan->images, e) ||
            !merge_image(&steps[i], "variables", "declared", plan->variables, e))
            return false;
    }
    return true;
}

/* Walks from the live release back to the destination, collecting what was done on the way. */
static bool walk_chain(struct target *t, const char *to, struct rollback_plan *plan, struct err *e)
{
    struct release_record at = plan->from;
    for (int i = 0; i < CHAIN_MAX; i++) {
        if (!add_images(t, &at, plan, e))
            return false;
        struct release_record before;
        bool found;
        if (!find_previous(t, &at, &before, &found, e))
            return false;
        if (!found)
            break;
        if (!to || streq(before.name, to) || streq(before.id, to)) {
            plan->to = before;
            return true;
        }
        at = before;
    }
    err_set(e, ERR_NOT_FOUND, to ? "%s was not live before %s" : "nothing was live before %s%s",
            to ? to : plan->from.name, to ? plan->from.name : "");
    return err_hint(e, "lockflight log %s", t->name);
}

/* Applied by a release of ours, and not among those the manifest knows. */
static bool is_ahead(const struct history_row *row, const json_t *manifest)
{
    const json_t *known = json_object_get(manifest, "migrations");
    for (size_t i = 0; i < json_array_size(known); i++) {
        if (streq(json_string_value(json_array_get(known, i)), row->version))
            return false;
    }
    return row->is_ours && row->release_id;
}

size_t rollback_ahead(const struct live *live)
{
    size_t n = 0;
    for (size_t i = 0; live->manifest && i < live->history.n; i++)
        n += is_ahead(&live->history.v[i], live->manifest);
    return n;
}

static bool add_migrations(struct target *t, const struct live *live, struct rollback_plan *plan,
                           struct err *e)
{
    plan->migrations = ARENA_ARRAY(t->arena, struct rollback_migration, live->history.n + 1);
    for (size_t i = live->history.n; i-- > 0;) {
        const struct history_row *row = &live->history.v[i];
        if (!is_ahead(row, plan->manifest))
            continue;
        struct rollback_migration *m = &plan->migrations[plan->migrations_n++];
        *m = (struct rollback_migration){ .row = row,
                                          .has_reverse = row->reverse_sql != NULL,
                                          .text = "no reverse script" };
        if (!m->has_reverse)
            continue;
        struct migration_state state = { .status = MIGRATION_APPLIED, .row = row };
        struct migration_risk risk;
        if (!migration_risk(t->db, t->arena, &state, &risk, e))
            return err_wrap(e, "count what reversing %s would lose", row->version);
        m->is_lossless = risk.is_lossless;
        m->rows = risk.rows;
        m->text = risk.text;
        plan->rows_at_risk += risk.rows;
    }
    return true;
}

/* What releases that failed since the live one have left standing, and, when that one is a
 * rollback, the variables of the releases it passed over. Newest first, so that older before-images
 * win. */
static bool find_leftovers(struct target *t, const struct live *live, struct rollback_plan *plan,
                           bool *ret_failed_left, struct err *e)
{
    struct release_record *list;
    size_t n;
    if (!journal_list(t->db, t->arena, t->name, CHAIN_MAX, &list, &n, e))
        return false;
    bool is_passed = false; /* beyond the live record, down to what it brought back */
    for (size_t i = 0; i < n && !streq(list[i].id, plan->from.id); i++) {
        is_passed |= streq(list[i].id, live->release.id);
        bool has_failed = list[i].state == RELEASE_ROLLED_BACK;
        if (!streq(list[i].kind, "deploy") ||
            (is_passed ? plan->through != LAYER_SCHEMA : !has_failed))
            continue;
        struct rollback_plan all = { .images =
                                         is_passed ? json_object() : json_incref(plan->images),
                                     .variables = plan->variables };
        bool ok = add_images(t, &list[i], &all, e);
        json_decref(all.images);
        if (!ok)
            return false;
        *ret_failed_left |=
            !is_passed &&
            (json_object_size(plan->images) > 0 ||
             (plan->through == LAYER_SCHEMA && json_object_size(plan->variables) > 0));
    }
    return true;
}

/* Without a name, a way back first takes back what stands beyond the live release, and stays on it.
 * */
static bool choose_destination(struct target *t, const struct live *live, const char *to,
                               struct rollback_plan *plan, struct err *e)
{
    bool stays = streq(to, plan->from.id);
    if (!to && plan->through >= LAYER_FUNCTIONS) {
        if (!find_leftovers(t, live, plan, &stays, e))
            return false;
        stays |= plan->through == LAYER_SCHEMA && rollback_ahead(live) > 0;
    }
    if (stays) {
        plan->to = plan->from;
        plan->manifest = json_incref(live->manifest);
        return true;
    }
    json_object_clear(plan->images);
    json_object_clear(plan->variables);
    if (!walk_chain(t, to, plan, e))
        return false;
    plan->manifest = json_parse(str_of(plan->to.manifest ? plan->to.manifest : "{}"),
                                "the old release's manifest", e);
    return plan->manifest != NULL;
}

bool rollback_plan_make(struct target *t, const struct live *live, const char *to,
                        enum layer through, struct rollback_plan *ret, struct err *e)
{
    *ret = (struct rollback_plan){ .through = through,
                                   .images = json_object(),
                                   .variables = json_object() };
    if (!live->has_release)
        return err_set(e, ERR_NOT_FOUND, "Lockflight has released nothing to %s yet", t->name);
    ret->from = live->release;
    if (!as_deployed(t, &ret->from, e))
        return false;
    if (!choose_destination(t, live, to, ret, e))
        return false;
    ret->deploy = json_text_or(ret->manifest, "deploy", "");
    return add_migrations(t, live, ret, e);
}

void rollback_plan_done(struct rollback_plan *plan)
{
    json_decref(plan->manifest);
    json_decref(plan->images);
    json_decref(plan->variables);
    plan->variables = NULL;
    plan->manifest = NULL;
    plan->images = NULL;
}
