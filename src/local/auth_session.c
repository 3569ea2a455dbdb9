#include "local/auth_session.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/json.h"

#define REFRESH_TOKEN_BYTES 16

/* bcrypt of nothing anybody knows, cost 10: an unknown name takes as long as a known one. */
#define NOBODY "$2a$10$7EqJtq98hPqEX7fNZaFWoOhi5B0xXBQ6uZ9ZyF3bqzQeJ8m5zO0iC"

#define USER_JSON                                                                                  \
    "jsonb_build_object('id', u.id, 'aud', coalesce(nullif(u.aud, ''), 'authenticated'),"          \
    " 'role', coalesce(nullif(u.role, ''), 'authenticated'), 'email', coalesce(u.email, ''),"      \
    " 'email_confirmed_at', u.email_confirmed_at, 'phone', coalesce(u.phone, ''),"                 \
    " 'confirmed_at', u.confirmed_at, 'last_sign_in_at', u.last_sign_in_at,"                       \
    " 'app_metadata', coalesce(u.raw_app_meta_data, "                                              \
    "'{\"provider\":\"email\",\"providers\":[\"email\"]}'),"                                       \
    " 'user_metadata', coalesce(u.raw_user_meta_data, '{}'), 'identities', '[]'::jsonb,"           \
    " 'created_at', u.created_at, 'updated_at', u.updated_at, 'is_anonymous', u.is_anonymous)"

static json_t *first_row(const json_t *rows)
{
    return json_array_get(rows, 0);
}

static bool in_transaction(struct sql *db, bool ok, struct err *e)
{
    struct err ignored;
    if (ok)
        return sql_run(db, "commit", e);
    (void)!sql_run(db, "rollback", &ignored);
    return false;
}

static bool add_refresh_token(struct sql *db, const char *user_id, const char *session_id,
                              const char *parent, const char *token, struct err *e)
{
    return sql_query(
        db,
        "insert into auth.refresh_tokens (instance_id, token, user_id, revoked, created_at,"
        " updated_at, parent, session_id) values ('00000000-0000-0000-0000-000000000000',"
        " $1, $2, false, now(), now(), $3, $4)",
        SQL_PARAMS(token, user_id, parent, session_id), NULL, e);
}

/* ---- Sign-in --------------------------------------------------------------------------------- */

static bool begin_session(struct sql *db, struct arena *a, const char *user_id,
                          const struct auth_credentials *c, struct auth_session *ret, struct err *e)
{
    const char *session_id = random_uuid(a);
    const char *token = random_hex(a, REFRESH_TOKEN_BYTES);
    json_auto_t *rows = NULL;
    bool ok =
        sql_run(db, "begin", e) &&
        sql_query(
            db,
            "insert into auth.sessions (id, user_id, created_at, updated_at, aal, user_agent, ip)"
            " values ($1, $2, now(), now(), 'aal1', $3, $4)",
            SQL_PARAMS(session_id, user_id, c->user_agent, c->address), NULL, e) &&
        add_refresh_token(db, user_id, session_id, NULL, token, e) &&
        sql_query(
            db,
            "update auth.users u set last_sign_in_at = now(), updated_at = now() where u.id = $1"
            " returning " USER_JSON " as user",
            SQL_PARAMS(user_id), &rows, e);
    if (!in_transaction(db, ok, e))
        return false;
    ret->id = session_id;
    ret->refresh_token = token;
    ret->user = json_incref(json_object_get(first_row(rows), "user"));
    return true;
}

bool auth_sign_in(struct sql *db, struct arena *a, const struct auth_credentials *c,
                  enum sign_in *ret_verdict, struct auth_session *ret, struct err *e)
{
    json_auto_t *rows = NULL;
    if (!sql_query(db,
                   "select u.id::text as id, u.email_confirmed_at is not null as confirmed,"
                   " coalesce(u.banned_until > now(), false) as banned,"
                   " extensions.crypt($2, coalesce(nullif(u.encrypted_password, ''), '" NOBODY "'))"
                   " = coalesce(u.encrypted_password, '') as matches"
                   " from (select 1) one left join auth.users u on lower(u.email) = lower($1)"
                   " and not u.is_sso_user and u.deleted_at is null limit 1",
                   SQL_PARAMS(c->email, c->password), &rows, e))
        return false;
    const json_t *row = first_row(rows);
    const char *user_id = json_text_or(row, "id", NULL);
    *ret_verdict = SIGN_IN_OK;
    if (!user_id || !json_bool_or(row, "matches", false))
        *ret_verdict = SIGN_IN_WRONG;
    else if (json_bool_or(row, "banned", false))
        *ret_verdict = SIGN_IN_BANNED;
    else if (!json_bool_or(row, "confirmed", false))
        *ret_verdict = SIGN_IN_UNCONFIRMED;
    return *ret_verdict != SIGN_IN_OK || begin_session(db, a, user_id, c, ret, e);
}

/* ---- Refresh --------------------------------------------------------------------------------- */

/* The token that took a revoked one's place, if that happened a moment ago; NULL otherwise. */
static bool successor(struct sql *db, struct arena *a, const char *token, const char **ret,
                      struct err *e)
{
    json_auto_t *rows = NULL;
    *ret = NULL;
    if (!sql_query(db,
                   "select child.token from auth.refresh_tokens t join auth.refresh_tokens child"
                   " on child.parent = t.token and not child.revoked"
                   " where t.token = $1 and t.updated_at > now() - interval '10 s'",
                   SQL_PARAMS(token), &rows, e))
        return false;
    const char *found = json_text_or(first_row(rows), "token", NULL);
    *ret = found ? arena_strdup(a, found) : NULL;
    return true;
}

static bool rotate(struct sql *db, struct arena *a, const char *token, const json_t *row,
                   struct auth_session *ret, struct err *e)
{
    const char *session_id = json_text_or(row, "session_id", "");
    ret->refresh_token = random_hex(a, REFRESH_TOKEN_BYTES);
    return sql_query(
               db,
               "update auth.refresh_tokens set revoked = true, updated_at = now() where token = $1",
               SQL_PARAMS(token), NULL, e) &&
           add_refresh_token(db, json_text_or(row, "user_id", ""), session_id, token,
                             ret->refresh_token, e) &&
           sql_query(
               db,
               "update auth.sessions set refreshed_at = now(), updated_at = now() where id = $1",
               SQL_PARAMS(session_id), NULL, e);
}

/* Inside a transaction, with the token's row locked. */
static bool refresh_locked(struct sql *db, struct arena *a, const char *token,
                           enum refresh *ret_verdict, struct auth_session *ret, struct err *e)
{
    json_auto_t *rows = NULL;
    if (!sql_query(
            db,
            "select t.revoked, t.session_id::text as session_id, t.user_id, " USER_JSON " as user"
            " from auth.refresh_tokens t join auth.sessions s on s.id = t.session_id"
            " join auth.users u on u.id = s.user_id and u.deleted_at is null"
            " and coalesce(u.banned_until <= now(), true) where t.token = $1 for update of t",
            SQL_PARAMS(token), &rows, e))
        return false;
    const json_t *row = first_row(rows);
    *ret_verdict = row ? REFRESH_OK : REFRESH_UNKNOWN;
    if (!row)
        return true;
    if (!json_bool_or(row, "revoked", false)) {
        if (!rotate(db, a, token, row, ret, e))
            return false;
    } else {
        if (!successor(db, a, token, &ret->refresh_token, e))
            return false;
        if (!ret->refresh_token) {
            *ret_verdict = REFRESH_REUSED;
            return sql_query(db, "delete from auth.sessions where id = $1",
                             SQL_PARAMS(json_text_or(row, "session_id", "")), NULL, e);
        }
    }
    ret->id = arena_strdup(a, json_text_or(row, "session_id", ""));
    ret->user = json_incref(json_object_get(row, "user"));
    return true;
}

bool auth_refresh(struct sql *db, struct arena *a, const char *token, enum refresh *ret_verdict,
                  struct auth_session *ret, struct err *e)
{
    bool ok = sql_run(db, "begin", e) && refresh_locked(db, a, token, ret_verdict, ret, e);
    return in_transaction(db, ok, e);
}

/* ---- The user -------------------------------------------------------------------------------- */

bool auth_user(struct sql *db, const char *user_id, const char *session_id, json_t **ret,
               struct err *e)
{
    json_auto_t *rows = NULL;
    if (!sql_query(db,
                   "select " USER_JSON
                   " as user from auth.users u join auth.sessions s on s.user_id = u.id"
                   " where u.id::text = $1 and s.id::text = $2 and u.deleted_at is null",
                   SQL_PARAMS(user_id, session_id), &rows, e))
        return false;
    *ret = json_incref(json_object_get(first_row(rows), "user"));
    return true;
}

bool auth_update_user(struct sql *db, struct arena *a, const char *user_id, const json_t *data,
                      const char *password, struct err *e)
{
    return (!data ||
            sql_query(db,
                      "update auth.users set raw_user_meta_data = jsonb_strip_nulls("
                      "coalesce(raw_user_meta_data, '{}') || $2::jsonb), updated_at = now()"
                      " where id::text = $1",
                      SQL_PARAMS(user_id, json_text(a, data)), NULL, e)) &&
           (!password ||
            sql_query(db,
                      "update auth.users set encrypted_password = extensions.crypt($2,"
                      " extensions.gen_salt('bf', 10)), updated_at = now() where id::text = $1",
                      SQL_PARAMS(user_id, password), NULL, e));
}

bool auth_sign_out(struct sql *db, const char *user_id, const char *session_id, const char *scope,
                   struct err *e)
{
    return sql_query(
        db,
        "delete from auth.sessions where user_id::text = $1 and case $3"
        " when 'local' then id::text = $2 when 'others' then id::text <> $2 else true end",
        SQL_PARAMS(user_id, session_id, scope), NULL, e);
}
