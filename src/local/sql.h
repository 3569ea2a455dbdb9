/*
 * SQL against the platform's own cluster, over libpq and its unix socket: prelude scripts, the
 * tables of schema auth, and the management API's query endpoint. (The release engine speaks to
 * Postgres through provider/pg.h; this is the other side, which needs scripts and rows as JSON.)
 */
#ifndef LOCKFLIGHT_LOCAL_SQL_H
#define LOCKFLIGHT_LOCAL_SQL_H

#include "base/arena.h"
#include "base/cleanup.h"

#include <jansson.h>

struct sql;

struct sql_spec {
    const char *socket_dir;
    int port;
    const char *database;
    const char *user;
    const char *act_as; /* SET ROLE for the whole session; NULL: none */
};

bool sql_open(const struct sql_spec *spec, struct sql **ret, struct err *e) MUST_USE;
bool sql_open_url(const char *url, struct sql **ret, struct err *e) MUST_USE;
void sql_close(struct sql *db); /* accepts NULL */
bool sql_is_alive(const struct sql *db);

/* One or more statements without parameters, in one transaction unless they say otherwise. */
bool sql_run(struct sql *db, const char *text, struct err *e) MUST_USE;

/* As sql_run; the rows of the last statement as a JSON array of objects, never NULL on success. */
bool sql_rows(struct sql *db, const char *text, json_t **ret, struct err *e) MUST_USE;

/* One statement with bound values (NULL: SQL NULL); rows as above. */
#define SQL_PARAMS(...)                                                                            \
    (const char *const[]){ __VA_ARGS__ },                                                          \
        (int)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))
bool sql_query(struct sql *db, const char *text, const char *const *params, int n, json_t **ret,
               struct err *e) MUST_USE;

/* `name` as an identifier, quoted. */
char *sql_identifier(struct sql *db, struct arena *a, const char *name);
char *sql_literal(struct sql *db, struct arena *a, const char *text);

static inline void sql_cleanup(struct sql **db)
{
    sql_close(*db);
}

#endif
