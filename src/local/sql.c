/*
 * libpq behind four calls. Errors carry the SQLSTATE; their text is Postgres' own primary message.
 */
#include "local/sql.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

struct sql {
    PGconn *conn;
};

static void result_cleanup(PGresult **r)
{
    PQclear(*r);
}

/* Notices ("relation exists, skipping") would go to stderr otherwise. */
static void ignore_notice(void *context, const char *text)
{
    (void)context;
    (void)text;
}

/* Takes the connection, good or bad. */
static bool adopt(PGconn *conn, const char *what, struct sql **ret, struct err *e)
{
    if (!conn)
        memory_exhausted(1024);
    if (PQstatus(conn) != CONNECTION_OK) {
        err_set(e, ERR_NET, "%s", PQerrorMessage(conn));
        PQfinish(conn);
        return err_wrap(e, "connect to database %s", what);
    }
    (void)PQsetErrorVerbosity(conn, PQERRORS_DEFAULT);
    (void)PQsetNoticeProcessor(conn, ignore_notice, NULL);
    struct sql *db = calloc(1, sizeof *db);
    if (!db)
        memory_exhausted(sizeof *db);
    db->conn = conn;
    *ret = db;
    return true;
}

bool sql_open(const struct sql_spec *spec, struct sql **ret, struct err *e)
{
    char port[16];
    char options[128] = "";
    (void)snprintf(port, sizeof port, "%d", spec->port);
    if (spec->act_as)
        (void)snprintf(options, sizeof options, "-c role=%s", spec->act_as);
    const char *keys[] = {
        "host", "port", "dbname", "user", "options", "application_name", "connect_timeout", NULL
    };
    const char *values[] = {
        spec->socket_dir, port, spec->database, spec->user, options, "lockflight local", "10", NULL
    };
    return adopt(PQconnectdbParams(keys, values, 0), spec->database, ret, e);
}

bool sql_open_url(const char *url, struct sql **ret, struct err *e)
{
    return adopt(PQconnectdb(url), "of the environment", ret, e);
}

void sql_close(struct sql *db)
{
    if (!db)
        return;
    PQfinish(db->conn);
    free(db);
}

bool sql_is_alive(const struct sql *db)
{
    return PQstatus(db->conn) == CONNECTION_OK;
}

static bool refused(const struct sql *db, const PGresult *r, struct err *e)
{
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    const char *text = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    err_set(e, state ? ERR_DB : ERR_NET, "%s", text ? text : PQerrorMessage(db->conn));
    (void)snprintf(e->sqlstate, sizeof e->sqlstate, "%s", state ? state : "");
    const char *position = r ? PQresultErrorField(r, PG_DIAG_STATEMENT_POSITION) : NULL;
    if (position)
        err_where(e, "character %s", position);
    return false;
}

/* Types whose text is JSON already, or nearly so. */
enum {
    OID_BOOL = 16,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_OID = 26,
    OID_JSON = 114,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_JSONB = 3802
};

static json_t *cell(const PGresult *r, int row, int column)
{
    if (PQgetisnull(r, row, column))
        return json_null();
    const char *text = PQgetvalue(r, row, column);
    switch ((int)PQftype(r, column)) {
    case OID_BOOL:
        return json_boolean(text[0] == 't');
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID:
        return json_integer(strtoll(text, NULL, 10));
    case OID_FLOAT4:
    case OID_FLOAT8: {
        json_t *number = json_real(strtod(text, NULL)); /* NULL for NaN and infinities */
        return number ? number : json_string(text);
    }
    case OID_JSON:
    case OID_JSONB: {
        json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
        return value ? value : json_string(text);
    }
    default:
        return json_string(text);
    }
}

static json_t *rows_of(const PGresult *r)
{
    json_t *rows = json_array();
    int columns = PQnfields(r);
    for (int i = 0; i < PQntuples(r); i++) {
        json_t *row = json_object();
        for (int k = 0; k < columns; k++) {
            json_t *value = cell(r, i, k);
            (void)json_object_set_new(row, PQfname(r, k), value ? value : json_null());
        }
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

static bool succeeded(const PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

bool sql_run(struct sql *db, const char *text, struct err *e)
{
    __attribute__((cleanup(result_cleanup))) PGresult *r = PQexec(db->conn, text);
    return succeeded(r) || refused(db, r, e);
}

bool sql_rows(struct sql *db, const char *text, json_t **ret, struct err *e)
{
    __attribute__((cleanup(result_cleanup))) PGresult *r = PQexec(db->conn, text);
    if (!succeeded(r))
        return refused(db, r, e);
    *ret = rows_of(r);
    return true;
}

bool sql_query(struct sql *db, const char *text, const char *const *params, int n, json_t **ret,
               struct err *e)
{
    __attribute__((cleanup(result_cleanup))) PGresult *r =
        PQexecParams(db->conn, text, n, NULL, params, NULL, NULL, 0);
    if (!succeeded(r))
        return refused(db, r, e);
    if (ret)
        *ret = rows_of(r);
    return true;
}

char *sql_identifier(struct sql *db, struct arena *a, const char *name)
{
    char *quoted = PQescapeIdentifier(db->conn, name, strlen(name));
    char *copy = arena_strdup(a, quoted ? quoted : "\"\"");
    PQfreemem(quoted);
    return copy;
}

char *sql_literal(struct sql *db, struct arena *a, const char *text)
{
    char *quoted = PQescapeLiteral(db->conn, text, strlen(text));
    char *copy = arena_strdup(a, quoted ? quoted : "''");
    PQfreemem(quoted);
    return copy;
}
