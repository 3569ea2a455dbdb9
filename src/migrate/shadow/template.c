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

#define FORMAT         "1" /* raised when a template is built in another way */
#define TEMPLATES_KEPT 8
#define USED_STEP_S    600 /* the comment is renewed no more often */
#define TRIES          3   /* another run may throw a template away between finding and cloning */

/* names[i]: the template with the first i migrations in it. */
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
    *ret = (struct shadow_notes){ 0 };
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
    for (size_t i = TEMPLATES_KEPT; i < r.n; i++)
        if (!streq(pg_value(&r, i, 0), keep))
            shadow_drop(v, pg_value(&r, i, 0));
    return true;
}

/* ---- building ---- */

static bool replay(struct shadow_server *v, const char *name, const struct migration_set *set,
                   size_t from, size_t n, bool is_empty, struct shadow_notes *notes, struct err *e)
{
    CLEANUP(pg) struct pg *db = NULL;
    if (!shadow_connect(v, name, &db, e) || (is_empty && !shadow_fill(v, db, e)))
        return false;
    for (size_t i = from; i < n; i++) {
        if (!replay_script(db, v->a, set->v[i].file, set->v[i].sql, notes, e)) {
            if (v->lacks && e->code == ERR_DB && !e->hint[0])
                err_hint(e, "%s", v->lacks);
            return err_wrap(e, "replay %s on a scratch database", set->v[i].file);
        }
    }
    return true;
}

/* From the longest prefix that is kept, or from nothing. */
static bool build(struct shadow_server *v, const char *const *names,
                  const struct migration_set *set, size_t n, size_t from, bool from_kept,
                  struct shadow_notes *notes, struct err *e)
{
    const char *fresh = shadow_name(v->a);
    const char *begin = from_kept              ? names[from]
                        : v->platform_template ? PRELUDE_TEMPLATE
                                               : "template0";
    if (!shadow_create(v, fresh, begin, e))
        return false;
    struct err taken = { 0 };
    bool ok =
        replay(v, fresh, set, from, n, !from_kept, notes, e) &&
        shadow_admin(v, arena_printf(v->a, "ALTER DATABASE \"%s\" ALLOW_CONNECTIONS false", fresh),
                     e) &&
        comment_write(v, fresh, notes, e);
    if (ok && shadow_admin(
                  v, arena_printf(v->a, "ALTER DATABASE \"%s\" RENAME TO \"%s\"", fresh, names[n]),
                  &taken))
        return thin_out(v, names[n], e);
    shadow_drop(v, fresh);
    bool is_kept = streq(taken.sqlstate, "42P04") || streq(taken.sqlstate, "23505");
    if (ok && !is_kept) {
        *e = taken;
        return err_wrap(e, "keep a scratch database");
    }
    return ok; /* another run was faster */
}

/* ---- finding ---- */

/* The longest prefix that is kept; ret_n is SIZE_MAX if none is. */
static bool find(struct shadow_server *v, const char *const *names, size_t n, size_t *ret_n,
                 struct shadow_notes *ret_notes, int64_t *ret_used_s, struct err *e)
{
    struct pg_rows r;
    *ret_n = SIZE_MAX;
    *ret_notes = (struct shadow_notes){ 0 };
    if (!pg_query(v->admin, v->a,
                  "SELECT i - 1, shobj_description(d.oid, 'pg_database')"
                  " FROM unnest($1::text[]) WITH ORDINALITY AS t(name, i)"
                  " JOIN pg_database d ON d.datname = t.name ORDER BY i DESC LIMIT 1",
                  PG_PARAMS(pg_text_array(v->a, names, n + 1)), &r, e))
        return false;
    if (r.n == 0)
        return true;
    json_auto_t *comment = comment_read(pg_value(&r, 0, 1));
    notes_from(v->a, comment, ret_notes);
    *ret_used_s = json_int_or(comment, "used", 0);
    *ret_n = (size_t)pg_int(&r, 0, 0);
    return true;
}

static bool is_gone(const struct err *e)
{
    return e->code == ERR_DB && streq(e->sqlstate, "3D000");
}

bool template_clone(struct shadow_server *v, const struct migration_set *set, size_t n,
                    const char *name, struct shadow_notes *ret_notes, struct err *e)
{
    const char **names = names_of(v, set, n);
    for (int i = 0; i < TRIES; i++) {
        size_t found = SIZE_MAX;
        int64_t used_s = 0;
        if (!find(v, names, n, &found, ret_notes, &used_s, e))
            return false;
        bool is_kept = found != SIZE_MAX;
        if (found != n && !build(v, names, set, n, is_kept ? found : 0, is_kept, ret_notes, e)) {
            if (is_gone(e))
                continue;
            return false;
        }
        if (found == n && clock_unix_ms() / 1000 - used_s > USED_STEP_S &&
            !comment_write(v, names[n], ret_notes, e) && !is_gone(e))
            return false;
        if (shadow_create(v, name, names[n], e))
            return true;
        if (!is_gone(e))
            return false;
    }
    return err_wrap(e, "clone a scratch database");
}
