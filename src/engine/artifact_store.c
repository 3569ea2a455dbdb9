#include "engine/artifact_store.h"

#include "base/cleanup.h"
#include "engine/journal_write.h"

#include <stdio.h>

bool artifact_put(struct lease *l, const char *kind, struct str bytes,
                  char ret_sha256[SHA256_HEX_BYTES], struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    char sha256[SHA256_HEX_BYTES], size[24];
    if (bytes.n > LIMIT_ARTIFACT_BYTES)
        return err_set(e, ERR_LIMIT, "%s of %zu bytes; at most %zu can be kept", kind, bytes.n,
                       LIMIT_ARTIFACT_BYTES);
    hash_hex(HASH_SHA256, bytes, sha256);
    (void)snprintf(size, sizeof size, "%zu", bytes.n);
    struct journal_write w = {
        .name = "artifact",
        .sql =
            "INSERT INTO lockflight.artifacts (sha256, kind, size, bytes) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (sha256) DO UPDATE SET kind = excluded.kind",
        .params = PG_PARAMS(sha256, kind, size, pg_bytea(a, bytes)),
    };
    if (!journal_write(l, &w, e))
        return err_wrap(e, "keep %s", kind);
    (void)snprintf(ret_sha256, SHA256_HEX_BYTES, "%s", sha256);
    return true;
}

bool artifact_get(struct pg *db, struct arena *a, const char *sha256, struct str *ret,
                  struct err *e)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    struct pg_rows rows;
    struct str bytes;
    char found[SHA256_HEX_BYTES];
    if (!pg_query(db, scratch, "SELECT bytes FROM lockflight.artifacts WHERE sha256 = $1",
                  PG_PARAMS(sha256), &rows, e))
        return err_wrap(e, "read artifact %s", sha256);
    if (rows.n == 0)
        return err_set(e, ERR_NOT_FOUND, "artifact %s is not in the journal", sha256);
    if (!pg_bytea_decode(a, pg_value(&rows, 0, 0), &bytes))
        return err_set(e, ERR_DATA, "artifact %s is not readable", sha256);
    hash_hex(HASH_SHA256, bytes, found);
    if (!streq(found, sha256))
        return err_set(e, ERR_DATA, "artifact %s holds other bytes (%s)", sha256, found);
    *ret = bytes;
    return true;
}

bool artifact_has(struct pg *db, const char *sha256, bool *ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows rows;
    if (!pg_query(db, a, "SELECT EXISTS (SELECT FROM lockflight.artifacts WHERE sha256 = $1)",
                  PG_PARAMS(sha256), &rows, e))
        return err_wrap(e, "look for artifact %s", sha256);
    *ret = pg_bool(&rows, 0, 0);
    return true;
}
