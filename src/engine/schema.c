/*
 * Schema lockflight: see schema.h. The scripts are files in engine/schema/, embedded at build time
 * in the order of their numbers; the table's index + 1 is the number.
 */
#include "engine/schema.h"

#include "base/cleanup.h"
#include "base/hash.h"

/* Serialises upgrades; any fixed number that nothing else uses. */
#define SCHEMA_LOCK_KEY "7305813346150402"

extern const char schema_001_journal[], schema_002_migrations[], schema_003_secrets[],
    schema_004_flags[];

/* In the order of their numbers; row i is script i + 1. */
static const struct {
    const char *name;
    const char *sql;
} schema_scripts[] = {
    { "001_journal.sql", schema_001_journal },
    { "002_migrations.sql", schema_002_migrations },
    { "003_secrets.sql", schema_003_secrets },
    { "004_flags.sql", schema_004_flags },
    { 0 },
};

static int64_t newest_number(void)
{
    int64_t n = 0;
    while (schema_scripts[n].name)
        n++;
    return n;
}

static int64_t last_number(enum schema_part part)
{
    return part == SCHEMA_WHOLE ? newest_number() : (int64_t)part;
}

bool schema_number_later(struct pg *db, struct arena *a, struct schema_number *ret, struct err *e)
{
    pg_queue_part(db, &ret->absent);
    return pg_query_later(db, a, "SELECT coalesce(max(number), 0) FROM lockflight.schema_scripts",
                          PG_NONE, &ret->rows, e);
}

bool schema_number_read(struct pg *db, struct schema_number *n, struct err *e)
{
    n->number = 0;
    if (n->absent.code != ERR_NONE) {
        if (streq(n->absent.sqlstate, "42P01") || streq(n->absent.sqlstate, "3F000"))
            return true;
        *e = n->absent;
        return err_wrap(e, "look at schema lockflight");
    }
    n->number = pg_int(&n->rows, 0, 0);
    if (n->number <= newest_number())
        return true;
    err_set(e, ERR_CONFIG,
            "schema lockflight in %s is at version %lld; this program knows up to %lld",
            pg_where(db), (long long)n->number, (long long)newest_number());
    err_hint(e, "install a newer lockflight");
    return err_wrap(e, "look at schema lockflight");
}

static bool read_number(struct pg *db, struct schema_number *ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    pg_queue_begin(db);
    bool ok = schema_number_later(db, a, ret, e) && pg_queue_end(db, NULL, NULL, NULL, e) &&
              schema_number_read(db, ret, e);
    pg_queue_drop(db);
    return ok;
}

/* Does another tool's history say that migrations were applied here? */
static bool has_history(struct pg *db, bool *ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows rows;
    if (!pg_query(db, a, "SELECT to_regclass('supabase_migrations.schema_migrations') IS NOT NULL",
                  PG_NONE, &rows, e))
        return false;
    *ret = false;
    if (!pg_bool(&rows, 0, 0))
        return true;
    if (!pg_query(db, a, "SELECT EXISTS (SELECT FROM supabase_migrations.schema_migrations)",
                  PG_NONE, &rows, e))
        return false;
    *ret = pg_bool(&rows, 0, 0);
    return true;
}

bool schema_look(struct pg *db, enum schema_presence *ret, struct err *e)
{
    struct schema_number n;
    bool history = false;
    if (!read_number(db, &n, e))
        return false;
    if (n.number > 0) {
        *ret = n.number < newest_number() ? SCHEMA_OLDER : SCHEMA_PRESENT;
        return true;
    }
    if (!has_history(db, &history, e))
        return err_wrap(e, "look at the migration history");
    *ret = history ? SCHEMA_ABSENT_BESIDE_HISTORY : SCHEMA_ABSENT;
    return true;
}

/* One statement for a whole script, so that it can stand among others. */
static const char *script_text(struct arena *a, const char *sql)
{
    return arena_printf(a,
                        "DO LANGUAGE plpgsql $lockflight_do$ BEGIN EXECUTE $lockflight_script$ %s"
                        " $lockflight_script$; END $lockflight_do$",
                        sql);
}

/* A part is a transaction: all scripts, or none. */
bool schema_upgrade_later(struct pg *db, const struct schema_number *n, enum schema_part part,
                          struct err *own, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    int64_t last = last_number(part);
    if (n->number >= last)
        return true;
    pg_queue_part(db, own);
    if (!pg_exec(db, "SELECT pg_advisory_xact_lock(" SCHEMA_LOCK_KEY ")", PG_NONE, NULL, e))
        return false;
    for (int64_t i = n->number; i < last; i++) {
        char sha256[SHA256_HEX_BYTES];
        hash_hex(HASH_SHA256, str_of(schema_scripts[i].sql), sha256);
        if (!pg_exec(db, script_text(a, schema_scripts[i].sql), PG_NONE, NULL, e) ||
            !pg_exec(db,
                     "INSERT INTO lockflight.schema_scripts (number, name, sha256)"
                     " VALUES ($1, $2, $3)",
                     PG_PARAMS(arena_printf(a, "%lld", (long long)i + 1), schema_scripts[i].name,
                               sha256),
                     NULL, e))
            return false;
    }
    return true;
}

static bool upgrade(struct pg *db, struct schema_number *n, enum schema_part part, struct err *e)
{
    struct err refused = { 0 };
    pg_queue_begin(db);
    bool ok =
        schema_upgrade_later(db, n, part, &refused, e) && pg_queue_end(db, NULL, NULL, NULL, e);
    pg_queue_drop(db);
    if (!ok)
        return err_wrap(e, "set up schema lockflight");
    if (refused.code == ERR_NONE)
        return true;
    if (!read_number(db, n, e))
        return false;
    if (n->number >= last_number(part))
        return true; /* somebody else has done it */
    *e = refused;
    return err_wrap(e, "set up schema lockflight");
}

bool schema_ensure_part(struct pg *db, enum schema_part part, struct err *e)
{
    struct schema_number n;
    return read_number(db, &n, e) && (n.number >= last_number(part) || upgrade(db, &n, part, e));
}

bool schema_ensure(struct pg *db, struct err *e)
{
    return schema_ensure_part(db, SCHEMA_WHOLE, e);
}
