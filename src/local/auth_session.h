/*
 * Users, sessions and refresh tokens in schema auth. Plain SQL over a connection of role postgres;
 * values are always bound. A user is the JSON object that GoTrue would send.
 */
#ifndef LOCKFLIGHT_LOCAL_AUTH_SESSION_H
#define LOCKFLIGHT_LOCAL_AUTH_SESSION_H

#include "local/sql.h"

enum sign_in {
    SIGN_IN_OK,
    SIGN_IN_WRONG, /* no such user or a wrong password: nobody is told which */
    SIGN_IN_UNCONFIRMED,
    SIGN_IN_BANNED,
};

/* What a session tells its owner. Texts live in the arena, the user is the caller's. */
struct auth_session {
    const char *id;
    const char *refresh_token;
    json_t *user;
};

struct auth_credentials {
    const char *email;
    const char *password;
    const char *user_agent; /* may be NULL; remembered with the session, like the address */
    const char *address;
};

bool auth_sign_in(struct sql *db, struct arena *a, const struct auth_credentials *c,
                  enum sign_in *ret_verdict, struct auth_session *ret, struct err *e) MUST_USE;

enum refresh {
    REFRESH_OK,
    REFRESH_UNKNOWN,
    REFRESH_REUSED, /* it was used before: the whole session has been ended */
};

/* Gives a new refresh token for an old one. Within ten seconds the old one may come again (two
 * tabs, a lost answer) and yields the token that replaced it. */
bool auth_refresh(struct sql *db, struct arena *a, const char *token, enum refresh *ret_verdict,
                  struct auth_session *ret, struct err *e) MUST_USE;

/* The user of a session; *ret is NULL if the session has ended. The caller owns it. */
bool auth_user(struct sql *db, const char *user_id, const char *session_id, json_t **ret,
               struct err *e) MUST_USE;

/* Lays `data` over the user's metadata; a new password if it is not NULL. */
bool auth_update_user(struct sql *db, struct arena *a, const char *user_id, const json_t *data,
                      const char *password, struct err *e) MUST_USE;

/* scope: "local", "global" or "others". */
bool auth_sign_out(struct sql *db, const char *user_id, const char *session_id, const char *scope,
                   struct err *e) MUST_USE;

#endif
