#include "migrate/prove/drift.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/strbuf.h"

/* Schemas of the services. What is in them changes when the platform is upgraded. */
static const char *const service_schemas[] = {
    "auth",    "storage",        "realtime", "vault",    "extensions",         "cron",
    "graphql", "graphql_public", "net",      "pgsodium", "supabase_functions", "pgbouncer",
    NULL
};

static bool is_of_service(const struct catalogue_object *o)
{
    if (streq(o->kind, "extension") || streq(o->kind, "event trigger"))
        return true;
    if (streq(o->kind, "trigger") || streq(o->kind, "policy"))
        return false;
    for (const char *const *s = service_schemas; *s; s++) {
        size_t n = strlen(*s);
        if (strncmp(o->identity, *s, n) == 0 && (o->identity[n] == '.' || o->identity[n] == '\0'))
            return true;
    }
    return false;
}

/* The catalogue without the services' part, and the digest of that. */
static bool read_ours(struct pg *db, struct arena *a, struct catalogue *ret, struct err *e)
{
    struct catalogue all;
    if (!catalogue_read(db, a, &all, e))
        return false;
    struct hash *h = hash_new(HASH_SHA256);
    *ret = (struct catalogue){ .objects = ARENA_ARRAY(a, struct catalogue_object, all.n + 1) };
    for (size_t i = 0; i < all.n; i++) {
        if (is_of_service(&all.objects[i]))
            continue;
        ret->objects[ret->n++] = all.objects[i];
        hash_add(h, all.lines[i], strlen(all.lines[i]));
        hash_add(h, "\n", 1);
    }
    hash_finish(h, ret->digest);
    return true;
}

/* ---- the kept one ---- */

#define HISTORY_SQL                                                                                \
    "(SELECT count(*) || ' ' || coalesce(max(version COLLATE \"C\"), '')"                          \
    " FROM supabase_migrations.schema_migrations)"

static const char *pack(struct arena *a, const struct catalogue *c)
{
    json_auto_t *list = json_array();
    for (size_t i = 0; i < c->n; i++)
        (void)json_array_append_new(list, json_pack("[s, s, s]", c->objects[i].kind,
                                                    c->objects[i].identity, c->objects[i].what));
    return json_text_in_order(a, list);
}

static bool unpack(struct arena *a, const char *text, struct catalogue *ret, struct err *e)
{
    json_auto_t *list = json_parse(str_of(text), "the kept catalogue", e);
    size_t n = json_array_size(list);
    *ret = (struct catalogue){ .objects = ARENA_ARRAY(a, struct catalogue_object, n + 1), .n = n };
    for (size_t i = 0; i < n; i++) {
        const char *kind = NULL, *identity = NULL, *what = NULL;
        if (json_unpack(json_array_get(list, i), "[s, s, s]", &kind, &identity, &what) != 0)
            return err_set(e, ERR_DATA, "the kept catalogue is not one");
        ret->objects[i] = (struct catalogue_object){ .kind = arena_strdup(a, kind),
                                                     .identity = arena_strdup(a, identity),
                                                     .what = arena_strdup(a, what) };
    }
    return list != NULL;
}

/* *ret_n 0: nothing that can be compared. */
static bool read_kept(struct pg *db, struct arena *a, struct pg_rows *ret, struct err *e)
{
    struct pg_rows r;
    *ret = (struct pg_rows){ 0 };
    if (!pg_query(db, a,
                  "SELECT to_regclass('lockflight.catalogue') IS NOT NULL"
                  " AND to_regclass('supabase_migrations.schema_migrations') IS NOT NULL",
                  PG_NONE, &r, e))
        return false;
    return !pg_bool(&r, 0, 0) ||
           pg_query(db, a,
                    "SELECT digest, (extract(epoch FROM taken_at) * 1000)::bigint, objects"
                    " FROM lockflight.catalogue WHERE history = " HISTORY_SQL
                    " AND digest_algorithm = $1 AND server_major = $2",
                    PG_PARAMS(arena_printf(a, "%d", DIGEST_ALGORITHM),
                              arena_printf(a, "%d", pg_server_version(db) / 10000)),
                    ret, e);
}

bool drift_ask(struct pg *db, struct arena *a, struct drift_question *ret, struct err *e)
{
    pg_queue_part(db, &ret->absent);
    return pg_query_later(db, a, "SELECT EXISTS (SELECT FROM lockflight.catalogue)", PG_NONE,
                          &ret->rows, e);
}

bool drift_is_kept(const struct drift_question *q)
{
    return q->absent.code == ERR_NONE && q->rows.n > 0 && pg_bool(&q->rows, 0, 0);
}

bool drift_look(struct pg *db, struct arena *a, struct drift *ret, struct err *e)
{
    struct pg_rows kept;
    struct catalogue was, is;
    *ret = (struct drift){ .state = DRIFT_UNKNOWN };
    if (!read_kept(db, a, &kept, e))
        return err_wrap(e, "look for drift");
    if (kept.n == 0)
        return true;
    if (!read_ours(db, a, &is, e))
        return false;
    ret->taken_unix_ms = pg_int(&kept, 0, 1);
    ret->state = streq(pg_value(&kept, 0, 0), is.digest) ? DRIFT_NONE : DRIFT_FOUND;
    return ret->state == DRIFT_NONE || (unpack(a, pg_value(&kept, 0, 2), &was, e) &&
                                        catalogue_changes(a, &was, &is, &ret->changes, &ret->n, e));
}

bool drift_keep(struct pg *db, struct arena *a, struct err *e)
{
    struct catalogue c;
    if (!read_ours(db, a, &c, e))
        return false;
    return pg_exec(db,
                   "INSERT INTO lockflight.catalogue (digest, digest_algorithm, server_major,"
                   " history, objects) VALUES ($1, $2, $3, " HISTORY_SQL ", $4)"
                   " ON CONFLICT (is_newest) DO UPDATE SET digest = excluded.digest,"
                   " digest_algorithm = excluded.digest_algorithm,"
                   " server_major = excluded.server_major, history = excluded.history,"
                   " objects = excluded.objects, taken_at = clock_timestamp()",
                   PG_PARAMS(c.digest, arena_printf(a, "%d", DIGEST_ALGORITHM),
                             arena_printf(a, "%d", pg_server_version(db) / 10000), pack(a, &c)),
                   NULL, e) ||
           err_wrap(e, "keep the catalogue");
}

const char *drift_text(struct arena *a, const struct drift *d)
{
    if (d->n == 0)
        return "";
    const char *first = catalogue_change_text(a, &d->changes[0]);
    return d->n == 1 ? first : arena_printf(a, "%s, and %zu more", first, d->n - 1);
}
