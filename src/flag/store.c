/*
 * The store: see store.h. Every rule of writing is in the functions of the schema, so that two
 * programs, or two versions of this one, cannot differ in it; here they are called, and what they
 * refuse is told.
 */
#include "flag/store.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "flag/document.h"
#include "flag/store_inside.h"

#include <stdlib.h>

/* ---- statements and refusals ---- */

const char *store_number(struct arena *a, int64_t n)
{
    return arena_printf(a, "%lld", (long long)n);
}

const char *store_json(struct arena *a, const json_t *value)
{
    return value ? json_text_in_order(a, value) : NULL;
}

/* No schema, no table, no function: a database that no release of this version has seen. */
static bool is_without_flags(const struct err *e)
{
    return streq(e->sqlstate, "3F000") || streq(e->sqlstate, "42P01") ||
           streq(e->sqlstate, "42883");
}

bool store_read(struct pg *db, struct arena *a, const char *sql, struct pg_params params,
                struct pg_rows *ret, struct err *e)
{
    if (pg_query(db, a, sql, params, ret, e))
        return true;
    if (!is_without_flags(e) || pg_in_transaction(db))
        return err_wrap(e, "read the flags");
    err_clear(e);
    *ret = (struct pg_rows){ 0 };
    return true;
}

/* What the functions of the schema raise, and what it is for a caller. */
static const struct {
    const char *sqlstate;
    enum err_code code;
} refusals[] = {
    { "40001", ERR_CONFLICT },  /* another version than expected */
    { "P0002", ERR_NOT_FOUND }, /* no such flag, segment, schedule */
    { "55000", ERR_BLOCKED },   /* content that is not live; archived; has run already */
    { "55006", ERR_BLOCKED },   /* somebody still uses it */
    { "54000", ERR_LIMIT },     /* too many, too long, too large together */
    { "22023", ERR_DATA },      /* a field or a form that does not exist */
    { "23514", ERR_DATA },      /* a variant that does not exist; a CHECK of a table */
    { "23503", ERR_DATA },      /* a segment or flag that does not exist */
    { "22007", ERR_DATA },      /* not a date */
    { "22008", ERR_DATA },      /* not a date that exists */
    { "22P05", ERR_DATA },      /* a character that Postgres cannot keep */
    { 0 },
};

static bool refused(struct pg *db, const char *key, struct err *e)
{
    if (is_without_flags(e)) {
        err_set(e, ERR_NOT_FOUND, "%s has no flags yet", pg_where(db));
        return err_hint(e, "lockflight deploy <environment>");
    }
    for (size_t i = 0; refusals[i].sqlstate; i++)
        if (streq(e->sqlstate, refusals[i].sqlstate))
            err_recode(e, refusals[i].code);
    if (e->code == ERR_CONFLICT && key)
        err_hint(e, "lockflight flags show %s", key);
    return false;
}

bool store_write(struct pg *db, struct arena *a, const char *key, const char *sql,
                 struct pg_params params, struct pg_rows *ret, struct err *e)
{
    struct pg_rows unwanted;
    return pg_query(db, a, sql, params, ret ? ret : &unwanted, e) || refused(db, key, e);
}

/* ---- what servers read ---- */

#define NO_FLAGS                                                                                   \
    "{\"v\":0,\"next\":null,\"flags\":{},\"document\":{\"flags\":{},\"metadata\":{\"version\":"    \
    "\"0\"}},\"attributes\":{}}"

bool flag_store_snapshot(struct pg *db, struct arena *a, int64_t at_unix_ms,
                         struct flag_stored *ret, struct err *e)
{
    struct pg_rows r;
    const char *at = at_unix_ms ? store_number(a, at_unix_ms) : NULL;
    if (!store_read(db, a,
                    "SELECT x::text, x->>'v', coalesce(x->>'next', '0') FROM"
                    " lockflight.flag_snapshot(coalesce(timestamptz 'epoch' + $1::bigint"
                    " * interval '1 millisecond', clock_timestamp())) x",
                    PG_PARAMS(at), &r, e))
        return false;
    *ret = (struct flag_stored){ .text = NO_FLAGS };
    if (r.n > 0)
        *ret = (struct flag_stored){ pg_value(&r, 0, 0), pg_int(&r, 0, 1), pg_int(&r, 0, 2) };
    return true;
}

bool flag_store_version(struct pg *db, int64_t *ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows r;
    if (!store_read(db, a, "SELECT lockflight.flag_version()", PG_NONE, &r, e))
        return false;
    *ret = r.n > 0 ? pg_int(&r, 0, 0) : 0;
    return true;
}

bool flag_store_materialise(struct pg *db, int64_t *ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows r;
    if (!store_read(db, a, "SELECT lockflight.flag_materialise()", PG_NONE, &r, e))
        return false;
    if (ret)
        *ret = r.n > 0 ? pg_int(&r, 0, 0) : 0;
    return true;
}

/* ---- states ---- */

/* NOLINTNEXTLINE(readability-function-size): which, what, seen when, by whom, and the answer */
bool flag_store_set(struct pg *db, const char *key, const json_t *patch, int64_t expected_version,
                    const struct flag_author *by, int64_t *ret_version, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *expected =
        expected_version == FLAG_ANY_VERSION ? NULL : store_number(a, expected_version);
    struct pg_rows r;
    if (!store_write(
            db, a, key, "SELECT lockflight.flag_set_state($1, $2::jsonb, $3::bigint, $4, $5, $6)",
            PG_PARAMS(key, store_json(a, patch), expected, by->actor, by->via, by->reason), &r, e))
        return false;
    *ret_version = pg_int(&r, 0, 0);
    return true;
}

/* The members of `image`, a state, that are not so in `now`. */
static json_t *difference(const json_t *image, const json_t *now)
{
    static const char *const fields[] = { "enabled", "killed", "default_variant", "targeting",
                                          "bucketing" };
    json_t *patch = json_object();
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        json_t *was = json_object_get(image, fields[i]);
        if (was && !json_equal(was, json_object_get(now, fields[i])))
            json_object_set(patch, fields[i], was);
    }
    return patch;
}

static bool state_now(struct pg *db, struct arena *a, const char *key, json_t **ret, struct err *e)
{
    struct pg_rows r;
    if (!store_read(db, a,
                    "SELECT lockflight.flag_image(s)::text"
                    " FROM lockflight.flag_states(clock_timestamp()) s WHERE s.flag_key = $1",
                    PG_PARAMS(key), &r, e))
        return false;
    if (r.n == 0)
        return err_set(e, ERR_NOT_FOUND, "there is no flag \"%s\"", key);
    return (*ret = flag_json_parse(str_of(pg_value(&r, 0, 0)), "the state of a flag", e)) != NULL;
}

/* NOLINTNEXTLINE(readability-function-size): from where, which, and the two answers */
bool flag_store_revert(struct pg *db, struct arena *a, int64_t audit_seq,
                       struct flag_audit *ret_entry, json_t **ret_patch, struct err *e)
{
    if (!flag_store_audit(db, a, audit_seq, ret_entry, e))
        return false;
    json_auto_t *old = NULL;
    if (ret_entry->old_image) {
        old = flag_json_parse(str_of(ret_entry->old_image), "the state before", e);
        if (!old)
            return false;
    }
    if (!ret_entry->key || !json_object_get(old, "version"))
        return err_set(e, ERR_DATA,
                       "entry %lld (%s, %s) did not change a state, so there is none to go back to",
                       (long long)audit_seq, ret_entry->action, ret_entry->object);
    json_auto_t *now = NULL;
    if (!state_now(db, a, ret_entry->key, &now, e))
        return false;
    *ret_patch = difference(old, now);
    return true;
}
