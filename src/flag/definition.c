/*
 * Deciding what a release does to flags: see definition.h.
 */
#include "flag/definition.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/vec.h"

enum definition_move definition_decide(enum definition_difference d, enum flag_place place)
{
    // clang-format off
    static const enum definition_move moves[][3] = {
        /*                                dev                  staging              protected           */
        [DIFFERENCE_NEW]              = { DEFINE_CREATE,       DEFINE_CREATE,       DEFINE_CREATE       },
        [DIFFERENCE_WORDS]            = { DEFINE_UPDATE,       DEFINE_UPDATE,       DEFINE_UPDATE       },
        [DIFFERENCE_LINKS]            = { DEFINE_UPDATE,       DEFINE_UPDATE,       DEFINE_UPDATE       },
        [DIFFERENCE_BACK]             = { DEFINE_UPDATE,       DEFINE_UPDATE,       DEFINE_UPDATE       },
        [DIFFERENCE_ADRIFT]           = { DEFINE_UPDATE,       DEFINE_UPDATE,       DEFINE_UPDATE       },
        [DIFFERENCE_VARIANT_ADDED]    = { DEFINE_UPDATE,       DEFINE_UPDATE,       DEFINE_UPDATE       },
        [DIFFERENCE_VALUE_UNUSED]     = { DEFINE_UPDATE,       DEFINE_UPDATE,       DEFINE_UPDATE       },
        [DIFFERENCE_VALUE_USED]       = { DEFINE_WARN,         DEFINE_REFUSE,       DEFINE_REFUSE       },
        [DIFFERENCE_VARIANT_GONE]     = { DEFINE_UPDATE,       DEFINE_UPDATE,       DEFINE_UPDATE       },
        [DIFFERENCE_VARIANT_GONE_USED]= { DEFINE_KEEP,         DEFINE_REFUSE,       DEFINE_REFUSE       },
        [DIFFERENCE_TYPE]             = { DEFINE_REFUSE,       DEFINE_REFUSE,       DEFINE_REFUSE       },
        [DIFFERENCE_OFF]              = { DEFINE_UPDATE,       DEFINE_UPDATE,       DEFINE_CONFIRM      },
        [DIFFERENCE_PUBLIC]           = { DEFINE_UPDATE,       DEFINE_CONFIRM,      DEFINE_CONFIRM      },
        [DIFFERENCE_PRIVATE]          = { DEFINE_WARN,         DEFINE_WARN,         DEFINE_WARN         },
        [DIFFERENCE_ARCHIVED]         = { DEFINE_WARN,         DEFINE_WARN,         DEFINE_CONFIRM      },
        [DIFFERENCE_GONE]             = { DEFINE_MARK_REMOVED, DEFINE_MARK_REMOVED, DEFINE_MARK_REMOVED },
    };
    // clang-format on
    return moves[d][place];
}

enum flag_place definition_place(const struct config *c, const struct config_env *env)
{
    if (env->requires || streq(env->name, "production"))
        return FLAG_PLACE_PROTECTED;
    for (size_t i = 0; i < c->envs_n; i++) {
        if (streq(c->envs[i].requires, env->name))
            return FLAG_PLACE_STAGING;
    }
    return FLAG_PLACE_DEV;
}

/* ---- who uses a variant ---- */

/* Does the text stand anywhere in the value, as a whole text? Depth: LIMIT_JSON_DEPTH, by the
 * parser. NOLINTNEXTLINE(misc-no-recursion) */
static bool names(json_t *value, const char *text)
{
    if (json_is_string(value))
        return streq(json_string_value(value), text);
    size_t i;
    json_t *item;
    json_array_foreach (value, i, item) {
        if (names(item, text))
            return true;
    }
    const char *key;
    json_object_foreach (value, key, item) {
        if (names(item, text))
            return true;
    }
    return false;
}

/* What cannot be read is taken as using everything. */
static bool text_names(const char *json, const char *text)
{
    struct err unreadable = { 0 };
    if (!json)
        return false;
    json_auto_t *value = json_parse(str_of(json), "a rule", &unreadable);
    return !value || names(value, text);
}

static bool manifest_names(const struct flag_manifest *m, const char *key, const char *variant)
{
    struct err unreadable = { 0 };
    json_auto_t *flags = json_parse(str_of(m->flags), "a manifest", &unreadable);
    return !flags || names(json_object_get(flags, key), variant);
}

const char *definition_use(struct arena *a, const struct definition_database *db,
                           const struct flag_row *row, const char *variant)
{
    if (streq(row->default_variant, variant))
        return "its state serves it";
    if (row->is_killed && streq(row->off_variant, variant))
        return "it serves it while it is switched off";
    if (text_names(row->targeting, variant))
        return "its rule names it";
    for (size_t i = 0; i < db->schedules_n; i++) {
        const struct flag_schedule *s = &db->schedules[i];
        if (streq(s->key, row->key) && text_names(s->patch, variant))
            return arena_printf(a, "the schedule of %s names it", s->run_at);
    }
    for (size_t i = 0; i < db->manifests_n && i < FLAG_MANIFESTS_KEPT; i++) {
        if (manifest_names(&db->manifests[i], row->key, variant))
            return i == 0 ? "the code that is live knows it"
                          : arena_printf(a, "the code of deploy %s knows it, one of the last %d",
                                         db->manifests[i].deploy_id, FLAG_MANIFESTS_KEPT);
    }
    return NULL;
}

/* ---- one flag ---- */

struct differ {
    struct arena *arena;
    const struct definition_database *db;
    enum flag_place place;
    VEC(struct definition_change) changes;
    VEC(const char *) keeps;
};

static void differs(struct differ *d, enum definition_difference difference, const char *hint,
                    const char *text)
{
    *vec_add(&d->changes, d->arena) = (struct definition_change){
        .difference = difference,
        .move = definition_decide(difference, d->place),
        .text = text,
        .hint = hint,
    };
}

/* "description, owner" of what differs; NULL: none. */
static const char *join(struct arena *a, const char *list, const char *word, bool is_different)
{
    if (!is_different)
        return list;
    return list ? arena_printf(a, "%s, %s", list, word) : word;
}

static void compare_words(struct differ *d, const struct config_flag *f, const struct flag_row *row)
{
    const char *list = NULL;
    list = join(d->arena, list, "description", !streq(f->description, row->description));
    list = join(d->arena, list, "owner", !streq(f->owner, row->owner));
    list = join(d->arena, list, "kind", !streq(f->kind, row->kind));
    list = join(d->arena, list, "expires",
                (f->expires || row->expires_on) && !streq(f->expires, row->expires_on));
    if (list)
        differs(d, DIFFERENCE_WORDS, NULL, list);
}

static json_t *texts(const struct text_array *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(array, json_string(list->v[i]));
    return array;
}

static json_t *requires_json(const struct config_flag *f)
{
    json_t *array = json_array();
    for (size_t i = 0; i < f->requires.n; i++)
        json_array_append_new(array, json_pack("{s:s, s:s}", "flag", f->requires.v[i].flag,
                                               "variant", f->requires.v[i].variant));
    return array;
}

static bool same_list(const json_t *needs, const char *member, const struct text_array *list)
{
    json_t *have = json_object_get(needs, member);
    json_auto_t *want = texts(list);
    return json_equal(have, want) || (!have && list->n == 0);
}

static bool compare_links(struct differ *d, const struct config_flag *f, const struct flag_row *row,
                          struct err *e)
{
    json_auto_t *have = json_parse(str_of(row->requires), "requirements of a flag", e);
    json_auto_t *needs = have ? json_parse(str_of(row->needs), "needs of a flag", e) : NULL;
    if (!needs)
        return false;
    json_auto_t *want = requires_json(f);
    const char *list = join(d->arena, NULL, "requires", !json_equal(have, want));
    bool same_needs = same_list(needs, "migrations", &f->needs.migrations) &&
                      same_list(needs, "functions", &f->needs.functions);
    list = join(d->arena, list, "needs", !same_needs);
    if (list)
        differs(d, DIFFERENCE_LINKS, NULL, list);
    return true;
}

static void removed_variant(struct differ *d, const struct flag_row *row, const char *variant)
{
    const char *use = definition_use(d->arena, d->db, row, variant);
    if (!use) {
        differs(d, DIFFERENCE_VARIANT_GONE, NULL, arena_printf(d->arena, "- variant %s", variant));
        return;
    }
    differs(d, DIFFERENCE_VARIANT_GONE_USED,
            "keep it in lockflight.flags.toml until nothing uses it",
            arena_printf(d->arena, "variant %s is removed, and %s", variant, use));
    if (definition_decide(DIFFERENCE_VARIANT_GONE_USED, d->place) == DEFINE_KEEP)
        *vec_add(&d->keeps, d->arena) = variant;
}

static void changed_value(struct differ *d, const struct flag_row *row, const char *variant)
{
    const char *use = definition_use(d->arena, d->db, row, variant);
    if (use)
        differs(d, DIFFERENCE_VALUE_USED, "add a new variant and switch to it",
                arena_printf(d->arena, "variant %s has another value, and %s", variant, use));
    else
        differs(d, DIFFERENCE_VALUE_UNUSED, NULL,
                arena_printf(d->arena, "~ value of variant %s", variant));
}

static bool compare_variants(struct differ *d, const struct config_flag *f,
                             const struct flag_row *row, struct err *e)
{
    json_auto_t *have = json_parse(str_of(row->variants), "variants of a flag", e);
    if (!have)
        return false;
    for (size_t i = 0; i < f->variants.n; i++) {
        const struct text_pair *v = &f->variants.v[i];
        json_t *old = json_object_get(have, v->name);
        json_auto_t *fresh = json_loads(v->value, JSON_DECODE_ANY, NULL);
        bool same = json_equal(old, fresh) || (json_is_number(old) && json_is_number(fresh) &&
                                               json_number_value(old) == json_number_value(fresh));
        if (!old)
            differs(d, DIFFERENCE_VARIANT_ADDED, NULL,
                    arena_printf(d->arena, "+ variant %s", v->name));
        else if (!same)
            changed_value(d, row, v->name);
    }
    const char *name;
    json_t *value;
    json_object_foreach (have, name, value) {
        if (!config_flag_value(f, name))
            removed_variant(d, row, arena_strdup(d->arena, name));
    }
    return true;
}

static void compare_exposure(struct differ *d, const struct config_flag *f,
                             const struct flag_row *row)
{
    struct arena *a = d->arena;
    if (streq(f->exposure, row->exposure))
        return;
    if (streq(f->exposure, "client"))
        differs(d, DIFFERENCE_PUBLIC, NULL,
                arena_printf(a, "exposure %s becomes client: every visitor can read what it serves",
                             row->exposure));
    else if (streq(row->exposure, "client"))
        differs(d, DIFFERENCE_PRIVATE, NULL,
                arena_printf(a, "exposure client becomes %s: browsers do not find it any more",
                             f->exposure));
    else
        differs(d, DIFFERENCE_WORDS, NULL, "exposure");
}

static bool is_adrift(const struct definition_database *db, const char *key)
{
    for (size_t i = 0; i < db->adrift.n; i++) {
        if (streq(db->adrift.v[i], key))
            return true;
    }
    return false;
}

static bool compare(struct differ *d, const struct config_flag *f, const struct flag_row *row,
                    struct err *e)
{
    struct arena *a = d->arena;
    if (!streq(f->type, row->value_type)) {
        differs(d, DIFFERENCE_TYPE, "give the flag another key",
                arena_printf(a, "its values are %s, and %s in the file", row->value_type, f->type));
        return true;
    }
    if (row->archived_unix_ms != 0)
        differs(d, DIFFERENCE_ARCHIVED, NULL, "archived here, and comes back as it was then");
    else if (row->code_removed_unix_ms != 0)
        differs(d, DIFFERENCE_BACK, NULL, "in the file again");
    if (is_adrift(d->db, f->name))
        differs(d, DIFFERENCE_ADRIFT, NULL, "its content comes with this release");
    if (!compare_variants(d, f, row, e) || !compare_links(d, f, row, e))
        return false;
    compare_words(d, f, row);
    compare_exposure(d, f, row);
    if (!streq(f->off, row->off_variant))
        differs(
            d, DIFFERENCE_OFF, NULL,
            arena_printf(a, "off variant %s becomes %s: who has it switched off gets another value",
                         row->off_variant, f->off));
    return true;
}

/* ---- all of them ---- */

static const struct flag_row *find_row(const struct flag_rows *rows, const char *key)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (streq(rows->v[i].key, key))
            return &rows->v[i];
    }
    return NULL;
}

static void count(struct definition_plan *p, const struct definition_action *action)
{
    p->created += action->move == DEFINE_CREATE;
    p->updated += action->move == DEFINE_UPDATE;
    p->removed += action->move == DEFINE_MARK_REMOVED;
    for (size_t i = 0; i < action->n; i++) {
        p->refused += action->v[i].move == DEFINE_REFUSE;
        p->to_confirm += action->v[i].move == DEFINE_CONFIRM;
        p->kept += action->v[i].move == DEFINE_KEEP;
        p->warned += action->v[i].move == DEFINE_WARN;
    }
}

/* A variant that is kept, and nothing else, is no work. */
static bool only_keeps(const struct differ *d)
{
    for (size_t i = 0; i < d->changes.n; i++) {
        if (d->changes.v[i].move != DEFINE_KEEP)
            return false;
    }
    return true;
}

static bool plan_flag(struct differ *d, const struct config_flag *f, const char *environment,
                      struct definition_action *ret, bool *ret_differs, struct err *e)
{
    const struct flag_row *row = find_row(&d->db->rows, f->name);
    *ret = (struct definition_action){ .key = f->name, .flag = f, .row = row };
    if (!row) {
        ret->move = DEFINE_CREATE;
        ret->initial = config_flag_initial(f, environment);
        differs(d, DIFFERENCE_NEW, NULL, ret->initial);
    } else {
        if (!compare(d, f, row, e))
            return err_wrap(e, "flag %s", f->name);
        ret->move = only_keeps(d) ? DEFINE_KEEP : DEFINE_UPDATE;
    }
    ret->v = d->changes.v;
    ret->n = d->changes.n;
    ret->keeps = (struct text_array){ d->keeps.v, d->keeps.n };
    *ret_differs = ret->n > 0;
    return true;
}

/* What people made by hand was never in the file. */
static bool is_from_code(const struct flag_row *row)
{
    return row->created_by_release || row->code_rev;
}

static bool is_in_file(const struct config_flags *file, const char *key)
{
    for (size_t i = 0; i < file->n; i++) {
        if (streq(file->v[i].name, key))
            return true;
    }
    return false;
}

static void plan_gone(struct arena *a, const struct config_flags *file,
                      const struct definition_database *db, enum flag_place place,
                      struct definition_plan *p)
{
    for (size_t i = 0; i < db->rows.n; i++) {
        const struct flag_row *row = &db->rows.v[i];
        if (row->archived_unix_ms != 0 || row->code_removed_unix_ms != 0 || !is_from_code(row) ||
            is_in_file(file, row->key))
            continue;
        struct differ d = { .arena = a, .db = db, .place = place };
        differs(&d, DIFFERENCE_GONE, NULL, "gone from the file");
        struct definition_action *action = &p->v[p->n++];
        *action = (struct definition_action){
            .move = DEFINE_MARK_REMOVED, .key = row->key, .row = row, .v = d.changes.v, .n = 1
        };
        count(p, action);
    }
}

static const struct flag_attribute *find_attribute(const struct definition_database *db,
                                                   const char *name)
{
    for (size_t i = 0; i < db->attributes_n; i++) {
        if (streq(db->attributes[i].name, name))
            return &db->attributes[i];
    }
    return NULL;
}

static bool has_segment(const struct definition_database *db, const char *name)
{
    for (size_t i = 0; i < db->segments_n; i++) {
        if (streq(db->segments[i].name, name))
            return true;
    }
    return false;
}

static bool declares(const struct config_flags *file, const char *attribute)
{
    for (size_t i = 0; i < file->attributes_n; i++) {
        if (streq(file->attributes[i].name, attribute))
            return true;
    }
    return false;
}

static void plan_extras(struct arena *a, const struct config_flags *file,
                        const struct definition_database *db, struct definition_plan *p)
{
    p->extras = ARENA_ARRAY(a, struct definition_extra,
                            file->attributes_n + file->segments_n + db->attributes_n + 1);
    for (size_t i = 0; i < file->attributes_n; i++) {
        const struct config_attribute *want = &file->attributes[i];
        const struct flag_attribute *have = find_attribute(db, want->name);
        if (!have || !streq(have->type, want->type) || have->is_trusted != want->is_trusted)
            p->extras[p->extras_n++] = (struct definition_extra){ .attribute = want };
    }
    for (size_t i = 0; i < db->attributes_n; i++) {
        if (!declares(file, db->attributes[i].name))
            p->extras[p->extras_n++] = (struct definition_extra){ .gone = db->attributes[i].name };
    }
    for (size_t i = 0; i < file->segments_n; i++) {
        if (!has_segment(db, file->segments[i].name))
            p->extras[p->extras_n++] = (struct definition_extra){ .segment = &file->segments[i] };
    }
}

bool definition_plan(struct arena *a, const struct config_flags *file,
                     const struct definition_database *db, enum flag_place place,
                     const char *environment, struct definition_plan *ret, struct err *e)
{
    struct definition_plan p = { 0 };
    p.v = ARENA_ARRAY(a, struct definition_action, file->n + db->rows.n + 1);
    for (size_t i = 0; i < file->n; i++) {
        struct differ d = { .arena = a, .db = db, .place = place };
        bool is_different = false;
        if (!plan_flag(&d, &file->v[i], environment, &p.v[p.n], &is_different, e))
            return false;
        if (is_different)
            count(&p, &p.v[p.n++]);
    }
    plan_gone(a, file, db, place, &p);
    if (file->file)
        plan_extras(a, file, db, &p);
    *ret = p;
    return true;
}

bool definition_has_work(const struct definition_plan *p)
{
    return p->created + p->updated + p->extras_n > 0;
}

/* ---- for the store ---- */

static bool variants_json(const struct definition_action *action, json_t **ret, struct err *e)
{
    const struct config_flag *f = action->flag;
    json_t *variants = json_object();
    for (size_t i = 0; i < f->variants.n; i++)
        json_object_set_new(variants, f->variants.v[i].name,
                            json_loads(f->variants.v[i].value, JSON_DECODE_ANY, NULL));
    *ret = variants;
    if (action->keeps.n == 0)
        return true;
    json_auto_t *have = json_parse(str_of(action->row->variants), "variants of a flag", e);
    for (size_t i = 0; have && i < action->keeps.n; i++)
        json_object_set(variants, action->keeps.v[i], json_object_get(have, action->keeps.v[i]));
    return have != NULL;
}

bool definition_json(const struct definition_action *action, const char *code_rev, json_t **ret,
                     struct err *e)
{
    const struct config_flag *f = action->flag;
    json_t *variants = NULL;
    if (!variants_json(action, &variants, e)) {
        json_decref(variants);
        return err_wrap(e, "flag %s", action->key);
    }
    *ret = json_pack(
        "{s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s*, s:o, s:{s:o, s:o, s:b}, s:s*, s:s*}", "key",
        f->name, "variants", variants, "off", f->off, "exposure", f->exposure, "kind", f->kind,
        "owner", f->owner, "description", f->description, "expires", f->expires, "requires",
        requires_json(f), "needs", "migrations", texts(&f->needs.migrations), "functions",
        texts(&f->needs.functions), "release", 1, "initial", action->initial, "code_rev", code_rev);
    return *ret != NULL ||
           err_set(e, ERR_INTERNAL, "flag %s cannot be written as JSON", action->key);
}
