/*
 * Kept databases: the state after the first n migrations, named by a digest of what made it.
 *
 * A template is built under a name of this run and renamed when it is whole, so nobody ever clones
 * half of one; of two runs that build the same the slower drops its own. The comment on it says when
 * it was used last and what had to be left out.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "migrate/shadow/inside.h"
#include "provider/prelude.h"

#include <stdio.h>

#define FORMAT         "2" /* raised when a template is built in another way */
#define TEMPLATES_KEPT 8   /* on the local platform */
#define TEMPLATES_LEFT 2   /* on somebody else's server */
#define USED_STEP_S    600 /* the comment is renewed no more often */
#define TRIES          3   /* another run may throw a template away between finding and cloning */

/* One template that is wanted: the first n migrations of the set. names[i] is the template with the
 * first i of them in it. */
struct wanted {
    struct shadow_server *v;
    const struct migration_set *set;
    size_t n;
    const char **names;
    size_t found; /* the longest prefix that is kept; SIZE_MAX: none */
    int64_t used_s;
    struct shadow_notes *notes;
};

static const char **names_of(struct shadow_server *v, const struct migration_set *set, size_t n)
{
    struct arena *a = v->a;
    const char **names = ARENA_ARRAY(a, const char *, n + 1);
    char hex[SHA256_HEX_BYTES], prelude[SHA256_HEX_BYTES];
    hash_hex(HASH_SHA256, str_of(prelude_database_sql), prelude);
    const char *begin = v->platform_template ? v->platform_template
                        : v->has_prelude     ? arena_printf(a, "%s%s", prelude, v->lacks ? "-" : "")
                                             : "plain";
    hash_hex(HASH_SHA256, str_of(arena_printf(a, FORMAT " %s %s", v->user, begin)), hex);
    for (size_t i = 0;; i++) {
        names[i] = arena_printf(a, TEMPLATE_PREFIX "%.32s", hex);
        if (i == n)
            return names;
        hash_hex(HASH_SHA256, str_of(arena_printf(a, "%s %s", hex, set->v[i].sha256)), hex);
    }
}

/* ---- the comment ---- */

static const char *comment_of(struct arena *a, const struct shadow_notes *notes)
{
    json_auto_t *list = json_array(), *extensions = json_array();
    for (size_t i = 0; i < notes->list.n; i++)
        (void)json_array_append_new(list, json_string(notes->list.v[i]));
    for (size_t i = 0; i < notes->extensions.n; i++)
        (void)json_array_append_new(extensions, json_string(notes->extensions.v[i]));
    json_auto_t *whole = json_pack("{s:I, s:O, s:O}", "used", (json_int_t)(clock_unix_ms() / 1000),
                                   "notes", list, "extensions", extensions);
    return json_text(a, whole);
}

static json_t *comment_read(const char *text)
{
    struct err ignored;
    return text ? json_parse(str_of(text), "comment of a template", &ignored) : NULL;
}

static bool comment_write(struct shadow_server *v, const char *name,
                          const struct shadow_notes *notes, struct err *e)
{
    struct pg_rows r;
    return pg_query(v->admin, v->a,
                    "SELECT format('COMMENT ON DATABASE %I IS %L', $1::text, $2::text)",
                    PG_PARAMS(name, comment_of(v->a, notes)), &r, e) &&
           shadow_admin(v, pg_value(&r, 0, 0), e);
}

static void notes_from(struct arena *a, const json_t *comment, struct shadow_notes *ret)
{
    size_t i;
    json_t *item;
    *ret = (struct shadow_notes){ .a = a };
    json_array_foreach (json_object_get(comment, "notes"), i, item)
        *vec_add(&ret->list, a) =
            arena_strdup(a, json_string_value(item) ? json_string_value(item) : "");
    json_array_foreach (json_object_get(comment, "extensions"), i, item)
        *vec_add(&ret->extensions, a) =
            arena_strdup(a, json_string_value(item) ? json_string_value(item) : "");
}

/* ---- throwing away ---- */

/* Keeps the ones used last; called after a new one was added. */
static bool thin_out(struct shadow_server *v, const char *keep, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(
            v->admin, v->a,
            "SELECT datname FROM pg_database d WHERE datname LIKE 'lockflight\\_shadow\\_t\\_%'"
            " AND pg_has_role(datdba, 'USAGE') ORDER BY"
            " substring(shobj_description(oid, 'pg_database') FROM '\"used\":(\\d+)')::bigint"
            " DESC NULLS LAST",
            PG_NONE, &r, e))
        return false;
    for (size_t i = v->platform_template ? TEMPLATES_KEPT : TEMPLATES_LEFT; i < r.n; i++)
        if (!streq(pg_value(&r, i, 0), keep))
            shadow_drop(v, pg_value(&r, i, 0));
    return true;
}

/* ---- building ---- */

static bool replay(const struct wanted *w, const char *name, struct err *e)
{
    struct shadow_server *v = w->v;
    CLEANUP(pg) struct pg *db = NULL;
    bool is_empty = w->found == SIZE_MAX;
    if (!shadow_connect(v, name, &db, e) || (is_empty && !shadow_fill(v, db, e)))
        return false;
    for (size_t i = is_empty ? 0 : w->found; i < w->n; i++) {
        const struct migration *m = &w->set->v[i];
        if (replay_script(db, m->file, m->sql, w->notes, e))
            continue;
        if (v->lacks && e->code == ERR_DB && !e->hint[0])
            err_hint(e, "%s", v->lacks);
        return err_wrap(e, "replay %s on a scratch database", m->file);
    }
    return true;
}

/* From the longest prefix that is kept, or from nothing. */
static bool build(const struct wanted *w, struct err *e)
{
    struct shadow_server *v = w->v;
    const char *fresh = shadow_name(v->a), *name = w->names[w->n];
    const char *begin = w->found != SIZE_MAX   ? w->names[w->found]
                        : v->platform_template ? PRELUDE_TEMPLATE
                                               : "template0";
    if (!shadow_create(v, fresh, begin, e))
        return false;
    struct err taken = { 0 };
    bool ok =
        replay(w, fresh, e) &&
        shadow_admin(v, arena_printf(v->a, "ALTER DATABASE \"%s\" ALLOW_CONNECTIONS false", fresh),
                     e) &&
        comment_write(v, fresh, w->notes, e);
    if (ok &&
        shadow_admin(v, arena_printf(v->a, "ALTER DATABASE \"%s\" RENAME TO \"%s\"", fresh, name),
                     &taken))
        return thin_out(v, name, e);
    shadow_drop(v, fresh);
    bool is_kept = streq(taken.sqlstate, "42P04") || streq(taken.sqlstate, "23505");
    if (ok && !is_kept) {
        *e = taken;
        return err_wrap(e, "keep a scratch database");
    }
    return ok; /* another run was faster */
}

/* ---- finding ---- */

static bool find(struct wanted *w, struct err *e)
{
    struct pg_rows r;
    struct arena *a = w->v->a;
    w->found = SIZE_MAX;
    *w->notes = (struct shadow_notes){ .a = a };
    if (!pg_query(w->v->admin, a,
                  "SELECT i - 1, shobj_description(d.oid, 'pg_database')"
                  " FROM unnest($1::text[]) WITH ORDINALITY AS t(name, i)"
                  " JOIN pg_database d ON d.datname = t.name ORDER BY i DESC LIMIT 1",
                  PG_PARAMS(pg_text_array(a, w->names, w->n + 1)), &r, e))
        return false;
    if (r.n == 0)
        return true;
    json_auto_t *comment = comment_read(pg_value(&r, 0, 1));
    notes_from(a, comment, w->notes);
    w->used_s = json_int_or(comment, "used", 0);
    w->found = (size_t)pg_int(&r, 0, 0);
    return true;
}

static bool is_gone(const struct err *e)
{
    return e->code == ERR_DB && streq(e->sqlstate, "3D000");
}

bool template_clone(struct shadow_server *v, const struct migration_set *set, size_t n,
                    const char *name, struct shadow_notes *ret_notes, struct err *e)
{
    struct wanted w = {
        .v = v, .set = set, .n = n, .names = names_of(v, set, n), .notes = ret_notes
    };
    for (int i = 0; i < TRIES; i++) {
        if (!find(&w, e))
            return false;
        if (w.found != n && !build(&w, e)) {
            if (is_gone(e))
                continue;
            return false;
        }
        if (w.found == n && clock_unix_ms() / 1000 - w.used_s > USED_STEP_S &&
            !comment_write(v, w.names[n], ret_notes, e) && !is_gone(e))
            return false;
        if (shadow_create(v, name, w.names[n], e))
            return true;
        if (!is_gone(e))
            return false;
    }
    return err_wrap(e, "clone a scratch database");
}
