/*
 * Names of things in SQL, and the words for the enums of script.h.
 */
#include "migrate/sql/script.h"

#include <ctype.h>
#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

bool sql_name_eq(struct sql_name a, struct sql_name b)
{
    return streq(a.name, b.name) &&
           streq(a.schema ? a.schema : "public", b.schema ? b.schema : "public");
}

/* A keyword that is not free for use as any name, by the library's own list and what came later. */
static bool is_keyword(const char *word)
{
    PgQueryScanResult r = pg_query_scan(word);
    PgQuery__ScanResult *scan =
        r.error ? NULL
                : pg_query__scan_result__unpack(NULL, r.pbuf.len, (const uint8_t *)r.pbuf.data);
    bool is_free = scan && scan->n_tokens == 1 &&
                   (scan->tokens[0]->keyword_kind == PG_QUERY__KEYWORD_KIND__NO_KEYWORD ||
                    scan->tokens[0]->keyword_kind == PG_QUERY__KEYWORD_KIND__UNRESERVED_KEYWORD);
    if (scan)
        pg_query__scan_result__free_unpacked(scan, NULL);
    pg_query_free_scan_result(r);
    return !is_free || streq(word, "system_user");
}

/* May it stand without quotes? Small letters, digits, underscores, and no keyword. */
static bool is_plain(const char *s)
{
    if (!islower((unsigned char)*s) && *s != '_')
        return false;
    for (const char *p = s; *p; p++)
        if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '_')
            return false;
    return !is_keyword(s);
}

const char *sql_quote(struct arena *a, const char *identifier)
{
    if (is_plain(identifier))
        return identifier;
    size_t n = strlen(identifier);
    char *quoted = arena_alloc(a, 2 * n + 3);
    char *to = quoted;
    *to++ = '"';
    for (const char *p = identifier; *p; p++) {
        if (*p == '"')
            *to++ = '"';
        *to++ = *p;
    }
    *to = '"';
    return quoted;
}

const char *sql_name_text(struct arena *a, struct sql_name n)
{
    const char *name = sql_quote(a, n.name ? n.name : "");
    return n.schema ? arena_printf(a, "%s.%s", sql_quote(a, n.schema), name) : name;
}

// clang-format off
static const char *const modes[] = {
    [SQL_IN_TRANSACTION] = "in a transaction", [SQL_ALONE] = "alone", [SQL_OWN_TRANSACTION] = "own transaction",
    [SQL_BACKFILL] = "backfill", [SQL_FORBIDDEN] = "forbidden",
};
static const char *const classes[] = {
    [SQL_NEUTRAL] = "neutral", [SQL_REPLACEABLE] = "replaceable", [SQL_ADDITIVE] = "additive",
    [SQL_NON_TRANSACTIONAL] = "non-transactional", [SQL_BACKFILLING] = "backfill",
    [SQL_REWRITING] = "rewriting", [SQL_DESTRUCTIVE] = "destructive",
};
static const char *const kinds[] = {
    [SQL_TABLE] = "table", [SQL_INDEX] = "index", [SQL_SEQUENCE] = "sequence", [SQL_VIEW] = "view",
    [SQL_MATVIEW] = "materialized view", [SQL_FOREIGN_TABLE] = "foreign table", [SQL_TYPE] = "type",
    [SQL_DOMAIN] = "domain", [SQL_FUNCTION] = "function", [SQL_SCHEMA] = "schema",
    [SQL_EXTENSION] = "extension", [SQL_ROLE] = "role", [SQL_DATABASE] = "database",
    [SQL_PUBLICATION] = "publication", [SQL_OTHER] = "object",
};
static const char *const reaches[] = {
    [SQL_ITSELF] = "itself", [SQL_ITS_INDEXES] = "indexes", [SQL_ITS_SEQUENCES] = "sequences",
    [SQL_ITS_REFERENCED] = "referenced", [SQL_ITS_REFERENCING] = "referencing",
    [SQL_ITS_DEPENDENTS] = "dependents", [SQL_ITS_SOURCES] = "sources", [SQL_ITS_TABLE] = "table",
    [SQL_ITS_PARTITIONS] = "partitions", [SQL_ITS_DEFAULT_PARTITION] = "default partition",
    [SQL_ITS_USERS] = "users", [SQL_ITS_MEMBERS] = "members", [SQL_EVERYTHING] = "everything",
};
static const struct { const char *sql, *pg; unsigned conflicts; } locks[] = {
    [SQL_NO_LOCK]                = { "no",                     "",                         0     },
    [SQL_ACCESS_SHARE]           = { "ACCESS SHARE",           "AccessShareLock",          0x100 },
    [SQL_ROW_SHARE]              = { "ROW SHARE",              "RowShareLock",             0x180 },
    [SQL_ROW_EXCLUSIVE]          = { "ROW EXCLUSIVE",          "RowExclusiveLock",         0x1e0 },
    [SQL_SHARE_UPDATE_EXCLUSIVE] = { "SHARE UPDATE EXCLUSIVE", "ShareUpdateExclusiveLock", 0x1f0 },
    [SQL_SHARE]                  = { "SHARE",                  "ShareLock",                0x1d8 },
    [SQL_SHARE_ROW_EXCLUSIVE]    = { "SHARE ROW EXCLUSIVE",    "ShareRowExclusiveLock",    0x1f8 },
    [SQL_EXCLUSIVE]              = { "EXCLUSIVE",              "ExclusiveLock",            0x1fc },
    [SQL_ACCESS_EXCLUSIVE]       = { "ACCESS EXCLUSIVE",       "AccessExclusiveLock",      0x1fe },
};
// clang-format on

const char *sql_mode_name(enum sql_mode m)
{
    return modes[m];
}

const char *sql_class_name(enum sql_class c)
{
    return classes[c];
}

const char *sql_kind_name(enum sql_kind k)
{
    return kinds[k];
}

const char *sql_reach_name(enum sql_reach r)
{
    return reaches[r];
}

const char *sql_lock_name(enum sql_lock_level l)
{
    return locks[l].sql;
}

const char *sql_lock_pg_name(enum sql_lock_level l)
{
    return locks[l].pg;
}

/* Bit n of `conflicts`: with level n. */
bool sql_lock_conflicts(enum sql_lock_level a, enum sql_lock_level b)
{
    return (locks[a].conflicts >> b) & 1;
}
