/* What a statement would answer with, without running it. */
#include "base/cleanup.h"
#include "provider/pg_inside.h"

#include <assert.h>

static bool check(struct pg *db, const PGresult *r, struct err *e)
{
    pg_notice_loss(db, r);
    if (!pg_is_alive(db))
        return pg_lost(db, true, e);
    return pg_check_result(db, r, e);
}

bool pg_describe(struct pg *db, struct arena *a, const char *sql, struct pg_columns *ret,
                 struct err *e)
{
    assert(!db->queue);
    if (!pg_is_alive(db))
        return pg_lost(db, true, e);
    CLEANUP(result) PGresult *prepared = PQprepare(db->conn, "", sql, 0, NULL);
    if (!check(db, prepared, e))
        return false;
    CLEANUP(result) PGresult *described = PQdescribePrepared(db->conn, "");
    if (!check(db, described, e))
        return false;
    size_t n = (size_t)PQnfields(described);
    struct pg_column *v = ARENA_ARRAY(a, struct pg_column, n + 1);
    for (size_t i = 0; i < n; i++)
        v[i] = (struct pg_column){
            .name = arena_strdup(a, PQfname(described, (int)i)),
            .type = PQftype(described, (int)i),
            .modifier = PQfmod(described, (int)i),
        };
    *ret = (struct pg_columns){ v, n };
    return true;
}
