#include "local/auth.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "local/auth_session.h"
#include "local/cors.h"
#include "local/guesses.h"
#include "net/jwt.h"
#include "net/server/route.h"

#include <pthread.h>

#define TOKEN_LIFE_S       3600
#define LOGIN_BODY_BYTES   (8 * KIB)
#define USER_BODY_BYTES    (64 * KIB)
#define PASSWORD_CHARS_MIN 6  /* GoTrue's default */
#define PASSWORD_BYTES_MAX 72 /* bcrypt ignores the rest */
#define IDLE_CONNECTIONS   4

struct auth {
    struct arena *arena;
    struct platform_environment *env;
    struct guesses *guesses;
    pthread_mutex_t mutex;
    struct sql *idle[IDLE_CONNECTIONS];
    size_t idle_n;
};

/* ---- Connections ----------------------------------------------------------------------------- */

struct auth *auth_new(struct platform_environment *env)
{
    struct arena *a = arena_new(4 * MIB);
    struct auth *auth = ARENA_NEW(a, struct auth);
    auth->arena = a;
    auth->env = env;
    auth->guesses = guesses_new(a);
    (void)pthread_mutex_init(&auth->mutex, NULL);
    return auth;
}

void auth_disconnect(struct auth *auth)
{
    (void)pthread_mutex_lock(&auth->mutex);
    while (auth->idle_n)
        sql_close(auth->idle[--auth->idle_n]);
    (void)pthread_mutex_unlock(&auth->mutex);
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    auth_disconnect(auth);
    arena_free(auth->arena);
}

/* An idle connection that still answers, or a new one. */
static bool borrow(struct auth *auth, struct sql **ret, struct err *e)
{
    struct sql *db = NULL;
    for (;;) {
        (void)pthread_mutex_lock(&auth->mutex);
        db = auth->idle_n ? auth->idle[--auth->idle_n] : NULL;
        (void)pthread_mutex_unlock(&auth->mutex);
        if (!db)
            return cluster_connect(auth->env->platform->cluster, auth->env->database, "postgres",
                                   NULL, ret, e);
        if (sql_run(db, "select 1", e)) {
            *ret = db;
            return true;
        }
        sql_close(db); /* Postgres was restarted, or the database replaced */
    }
}

static void give_back(struct auth *auth, struct sql *db)
{
    (void)pthread_mutex_lock(&auth->mutex);
    bool keep = db && sql_is_alive(db) && auth->idle_n < IDLE_CONNECTIONS;
    if (keep)
        auth->idle[auth->idle_n++] = db;
    (void)pthread_mutex_unlock(&auth->mutex);
    if (!keep)
        sql_close(db);
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void refuse(struct request *r, int status, const char *code, const char *message)
{
    respond_json(r, status,
                 json_pack("{s:i, s:s, s:s}", "code", status, "error_code", code, "msg", message));
}

static void fail(struct auth *auth, struct request *r, const struct err *e)
{
    log_event("auth", "%s: %s: %s", auth->env->id.name, e->what, e->why);
    refuse(r, 500, "unexpected_failure", "The sign-in service could not reach its database");
}

/* Takes the session's user. */
static void respond_session(struct auth *auth, struct request *r, struct auth_session *s)
{
    int64_t now_s = clock_unix_ms() / 1000;
    int64_t expires_s = now_s + TOKEN_LIFE_S;
    const json_t *user = s->user;
    json_auto_t *claims = json_pack(
        "{s:s, s:O, s:s, s:I, s:I, s:O, s:s, s:O, s:O, s:O, s:s, s:[{s:s, s:I}], s:s, s:b}", "iss",
        arena_printf(r->arena, "%s/auth/v1", auth->env->id.url), "sub", json_object_get(user, "id"),
        "aud", "authenticated", "exp", (json_int_t)expires_s, "iat", (json_int_t)now_s, "email",
        json_object_get(user, "email"), "phone", "", "app_metadata",
        json_object_get(user, "app_metadata"), "user_metadata",
        json_object_get(user, "user_metadata"), "role", json_object_get(user, "role"), "aal",
        "aal1", "amr", "method", "password", "timestamp", (json_int_t)now_s, "session_id", s->id,
        "is_anonymous", 0);
    const char *token = jwt_sign(r->arena, claims, auth->env->id.jwt_secret);
    response_header(r, "Cache-Control", "no-store");
    respond_json(r, 200,
                 json_pack("{s:s, s:s, s:i, s:I, s:s, s:o}", "access_token", token, "token_type",
                           "bearer", "expires_in", TOKEN_LIFE_S, "expires_at",
                           (json_int_t)expires_s, "refresh_token", s->refresh_token, "user",
                           s->user));
}

/* ---- POST /token ----------------------------------------------------------------------------- */

static void too_many(struct request *r, int wait_s)
{
    response_header(r, "Retry-After", arena_printf(r->arena, "%d", wait_s));
    refuse(r, 429, "over_request_rate_limit", "Request rate limit reached");
}

static void sign_in(struct auth *auth, struct request *r, const json_t *body)
{
    struct err e;
    const char *email = json_text_or(body, "email", "");
    const char *password = json_text_or(body, "password", "");
    const char *agent = request_header(r, "User-Agent");
    struct auth_credentials credentials = { email, password, agent, r->peer };
    struct auth_session session = { 0 };
    enum sign_in verdict = SIGN_IN_WRONG;
    struct sql *db = NULL;
    int wait_s = 0;
    if (!*email || !*password) {
        refuse(r, 400, "validation_failed", "missing email or password");
        return;
    }
    if (!guesses_may_try(auth->guesses, email, r->peer, clock_boot_ms(), &wait_s)) {
        too_many(r, wait_s);
        return;
    }
    bool ok =
        borrow(auth, &db, &e) && auth_sign_in(db, r->arena, &credentials, &verdict, &session, &e);
    give_back(auth, db);
    if (!ok) {
        fail(auth, r, &e);
        return;
    }
    switch (verdict) {
    case SIGN_IN_OK:
        guesses_right(auth->guesses, email);
        respond_session(auth, r, &session);
        break;
    case SIGN_IN_WRONG:
        guesses_wrong(auth->guesses, email, r->peer, clock_boot_ms());
        refuse(r, 400, "invalid_credentials", "Invalid login credentials");
        break;
    case SIGN_IN_UNCONFIRMED:
        refuse(r, 400, "email_not_confirmed", "Email not confirmed");
        break;
    case SIGN_IN_BANNED:
        refuse(r, 400, "user_banned", "User is banned");
        break;
    }
}

static void refresh(struct auth *auth, struct request *r, const json_t *body)
{
    struct err e;
    const char *token = json_text_or(body, "refresh_token", "");
    struct auth_session session = { 0 };
    enum refresh verdict = REFRESH_UNKNOWN;
    struct sql *db = NULL;
    bool ok = borrow(auth, &db, &e) && auth_refresh(db, r->arena, token, &verdict, &session, &e);
    give_back(auth, db);
    if (!ok)
        fail(auth, r, &e);
    else if (verdict == REFRESH_OK)
        respond_session(auth, r, &session);
    else if (verdict == REFRESH_UNKNOWN)
        refuse(r, 400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found");
    else
        refuse(r, 400, "refresh_token_already_used", "Invalid Refresh Token: Already Used");
}

static json_t *body_of(struct request *r)
{
    struct err e;
    json_t *body = json_parse(r->body, "request body", &e);
    if (json_is_object(body))
        return body;
    json_decref(body);
    refuse(r, 400, "bad_json", "Could not parse request body as JSON");
    return NULL;
}

static void token_post(struct request *r, void *context)
{
    const char *grant = request_query(r, "grant_type");
    json_auto_t *body = body_of(r);
    if (!body)
        return;
    if (grant && streq(grant, "password"))
        sign_in(context, r, body);
    else if (grant && streq(grant, "refresh_token"))
        refresh(context, r, body);
    else
        refuse(r, 400, "invalid_request",
               "The local platform knows grant_type password and refresh_token");
}

/* ---- The signed-in user ---------------------------------------------------------------------- */

/* Who asks: the claims of a good token with a session; NULL after having answered. */
static json_t *claims_of(struct auth *auth, struct request *r)
{
    const char *token = request_bearer(r);
    json_t *claims = NULL;
    if (!token) {
        refuse(r, 401, "no_authorization", "This endpoint requires a valid Bearer token");
        return NULL;
    }
    if (jwt_verify(str_of(token), auth->env->id.jwt_secret, clock_unix_ms(), &claims) != JWT_GOOD) {
        refuse(r, 403, "bad_jwt", "invalid JWT: unable to parse or verify signature");
        return NULL;
    }
    if (*json_text_or(claims, "sub", "") && *json_text_or(claims, "session_id", ""))
        return claims;
    refuse(r, 403, "bad_jwt", "invalid claim: missing sub claim");
    json_decref(claims);
    return NULL;
}

static void answer_user(struct auth *auth, struct request *r, const json_t *claims,
                        const json_t *data, const char *password)
{
    struct err e;
    struct sql *db = NULL;
    json_t *user = NULL;
    const char *id = json_text_or(claims, "sub", "");
    const char *session = json_text_or(claims, "session_id", "");
    bool ok = borrow(auth, &db, &e) && auth_user(db, id, session, &user, &e);
    if (ok && user && (data || password)) {
        json_decref(user);
        user = NULL;
        ok = auth_update_user(db, r->arena, id, data, password, &e) &&
             auth_user(db, id, session, &user, &e);
    }
    give_back(auth, db);
    if (!ok)
        fail(auth, r, &e);
    else if (user)
        respond_json(r, 200, user);
    else
        refuse(r, 403, "session_not_found", "Session from session_id claim in JWT does not exist");
}

static void user_get(struct request *r, void *context)
{
    json_auto_t *claims = claims_of(context, r);
    if (claims)
        answer_user(context, r, claims, NULL, NULL);
}

static void user_put(struct request *r, void *context)
{
    json_auto_t *claims = claims_of(context, r);
    json_auto_t *body = claims ? body_of(r) : NULL;
    if (!body)
        return;
    const json_t *data = json_object_get(body, "data");
    const char *password = json_text_or(body, "password", NULL);
    if (json_object_get(body, "email") || json_object_get(body, "phone"))
        refuse(r, 422, "validation_failed",
               "The local platform cannot change addresses: it sends no mail");
    else if (data && !json_is_object(data))
        refuse(r, 400, "validation_failed", "data must be an object");
    else if (password &&
             (strlen(password) < PASSWORD_CHARS_MIN || strlen(password) > PASSWORD_BYTES_MAX))
        refuse(r, 422, "weak_password", "Password should be 6 to 72 characters");
    else
        answer_user(context, r, claims, data, password);
}

static void logout_post(struct request *r, void *context)
{
    struct err e;
    struct auth *auth = context;
    json_auto_t *claims = claims_of(auth, r);
    const char *scope = request_query(r, "scope");
    struct sql *db = NULL;
    if (!claims)
        return;
    bool ok = borrow(auth, &db, &e) &&
              auth_sign_out(db, json_text_or(claims, "sub", ""),
                            json_text_or(claims, "session_id", ""), scope ? scope : "global", &e);
    give_back(auth, db);
    if (ok)
        respond_empty(r, 204);
    else
        fail(auth, r, &e);
}

/* ---- What it is ------------------------------------------------------------------------------ */

static void index_get(struct request *r, void *context)
{
    (void)context;
    respond_json(
        r, 200,
        json_pack("{s:s, s:s}", "name", "lockflight sign-in", "description",
                  "A minimal sign-in of the local platform: password, refresh, user, logout. It "
                  "is not GoTrue: no sign-up, mail, external providers or second factor."));
}

static void settings_get(struct request *r, void *context)
{
    (void)context;
    respond_json(r, 200,
                 json_pack("{s:{s:b, s:b}, s:b, s:b, s:b, s:b}", "external", "email", 1, "phone", 0,
                           "disable_signup", 1, "mailer_autoconfirm", 0, "phone_autoconfirm", 0,
                           "saml_enabled", 0));
}

static void health_get(struct request *r, void *context)
{
    (void)context;
    respond_json(r, 200,
                 json_pack("{s:s, s:s, s:s}", "version", "lockflight", "name", "lockflight sign-in",
                           "description", "not GoTrue"));
}

static void not_here(struct request *r, void *context)
{
    (void)context;
    refuse(r, 422, "signup_disabled",
           "The local platform has no sign-up; insert users with a seed "
           "(auth.users, crypt(…, gen_salt('bf')))");
}

/* clang-format off */
static const struct route routes[] = {
    { "GET",  "/",         index_get,    .on_loop = true },
    { "GET",  "/settings", settings_get, .on_loop = true },
    { "GET",  "/health",   health_get,   .on_loop = true },
    { "POST", "/token",    token_post,   .max_body_bytes = LOGIN_BODY_BYTES },
    { "GET",  "/user",     user_get },
    { "PUT",  "/user",     user_put,     .max_body_bytes = USER_BODY_BYTES },
    { "POST", "/logout",   logout_post },
    { "POST", "/signup",   not_here },
    { "POST", "/otp",      not_here },
    { "POST", "/recover",  not_here },
    { 0 },
};
/* clang-format on */

void auth_serve(struct auth *auth, struct request *r)
{
    const char *path = r->raw_path + strlen("/auth/v1");
    cors_allow(r);
    if (r->method == METHOD_OPTIONS)
        respond_empty(r, 204);
    else
        route_dispatch(routes, r, *path ? path : "/", auth);
}
