/*
 * Schema lockflight: see schema.h. The scripts are files in engine/schema/, embedded at build time
 * in the order of their numbers; the table's index + 1 is the number.
 */
#include "engine/schema.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <stdio.h>

/* Serialises upgrades; any fixed number that nothing else uses. */
#define SCHEMA_LOCK_KEY "7305813346150402"

extern const char schema_001_journal[], schema_002_migrations[], schema_003_secrets[];

/* In the order of their numbers; row i is script i + 1. */
static const struct {
    const char *name;
    const char *sql;
} schema_scripts[] = {
    { "001_journal.sql", schema_001_journal },
    { "002_migrations.sql", schema_002_migrations },
    { "003_secrets.sql", schema_003_secrets },
    { 0 },
};

static int64_t newest_number(void)
{
    int64_t n = 0;
    while (schema_scripts[n].name)
        n++;
    return n;
}

/* *ret_number is 0 without the schema. */
static bool read_number(struct pg *db, int64_t *ret_number, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows rows;
    *ret_number = 0;
    if (!pg_query(db, a, "SELECT coalesce(max(number), 0) FROM lockflight.schema_scripts", PG_NONE,
                  &rows, e)) {
        bool is_absent = streq(e->sqlstate, "42P01") || streq(e->sqlstate, "3F000");
        if (is_absent)
            err_clear(e);
        return is_absent;
    }
    *ret_number = pg_int(&rows, 0, 0);
    if (*ret_number <= newest_number())
        return true;
    err_set(e, ERR_CONFIG,
            "schema lockflight in %s is at version %lld; this program knows up to %lld",
            pg_where(db), (long long)*ret_number, (long long)newest_number());
    return err_hint(e, "install a newer lockflight");
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
    int64_t number = 0;
    bool history = false;
    if (!read_number(db, &number, e))
        return err_wrap(e, "look at schema lockflight");
    if (number > 0) {
        *ret = number < newest_number() ? SCHEMA_OLDER : SCHEMA_PRESENT;
        return true;
    }
    if (!has_history(db, &history, e))
        return err_wrap(e, "look at the migration history");
    *ret = history ? SCHEMA_ABSENT_BESIDE_HISTORY : SCHEMA_ABSENT;
    return true;
}

/* All scripts from `number` + 1 on, as one text with its own transaction: one exchange. Another runner
 * that was faster makes it fail, with nothing done. */
static const char *upgrade_text(struct arena *a, int64_t number)
{
    const char *text = "BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(" SCHEMA_LOCK_KEY ");";
    for (; number < newest_number(); number++) {
        char sha256[SHA256_HEX_BYTES];
        hash_hex(HASH_SHA256, str_of(schema_scripts[number].sql), sha256);
        text = arena_printf(a,
                            "%s\n%s\n;INSERT INTO lockflight.schema_scripts (number, name, sha256)"
                            " VALUES (%lld, '%s', '%s');",
                            text, schema_scripts[number].sql, (long long)number + 1,
                            schema_scripts[number].name, sha256);
    }
    return arena_printf(a, "%s COMMIT", text);
}

static bool upgrade(struct pg *db, int64_t number, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err refused = { 0 };
    bool is_done = false, ok = pg_start(db, upgrade_text(a, number), &refused);
    while (ok && !is_done)
        ok = pg_wait(db, 1000, &is_done, NULL, &refused);
    if (ok)
        return true;
    pg_rollback(db);
    if (pg_is_alive(db) && read_number(db, &number, e) && number == newest_number())
        return true; /* somebody else has done it */
    *e = refused;
    return err_wrap(e, "set up schema lockflight");
}

bool schema_make(struct pg *db, struct err *e)
{
    return upgrade(db, 0, e);
}

bool schema_ensure(struct pg *db, struct err *e)
{
    int64_t number = 0;
    if (!read_number(db, &number, e))
        return err_wrap(e, "look at schema lockflight");
    return number == newest_number() || upgrade(db, number, e);
}
