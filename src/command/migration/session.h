/*
 * What every verb of `lockflight migration` begins with: the files, and the database they are for.
 *
 * CALLS    A verb's args struct begins with a `struct session_args`; SESSION_ARGUMENT and
 *          SESSION_OPTIONS are its rows in the verb's tables. session_open → session_connect (to
 *          look) or change_open (to change, command/migration/change.h) → session_compare.
 */
#ifndef LOCKFLIGHT_COMMAND_MIGRATION_SESSION_H
#define LOCKFLIGHT_COMMAND_MIGRATION_SESSION_H

#include "cli/command.h"
#include "config/config.h"
#include "migrate/history.h"

struct session_args {
    const char *environment;
};

#define SESSION_ARGUMENT(type, field)                                                              \
    {                                                                                              \
        "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(type, field.environment),                 \
            "Environment of lockflight.toml"                                                       \
    }

struct session {
    struct command_context *c;
    struct config config;
    struct environment environment; /* name and database_url are always set */
    struct migration_set set;
    struct history history; /* after session_compare */
    struct migration_plan plan;
};

/* Reads the settings and the files; files that are skipped are said. No connection yet. */
bool session_open(struct command_context *c, const struct session_args *args, struct session *ret,
                  struct err *e) MUST_USE;

/* A connection that only looks. */
bool session_connect(const struct session *s, const char *purpose, struct pg **ret,
                     struct err *e) MUST_USE;

/* Reads the history and sets s->plan. */
bool session_compare(struct session *s, struct pg *db, struct err *e) MUST_USE;

#endif
