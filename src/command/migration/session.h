/*
 * What every verb of `lockflight migration` begins with: the files, and the database they are for.
 *
 * WHICH      In a project, an environment's name. Anywhere, --migrations and --rollbacks for the
 *            files and --database-url for the database. Neither: the project's local platform, if
 *            it runs. Without lockflight.toml the files are in supabase/migrations and
 *            supabase/rollbacks.
 *
 * CALLS      A verb's args struct begins with a `struct session_args`; SESSION_ARGUMENT and
 *            SESSION_OPTIONS are its rows in the verb's tables. session_open → session_connect (to
 *            look) or change_open (to change, command/migration/change.h) → session_compare. A verb
 *            that needs only the files stops after session_open; one that needs a server for
 *            scratch databases asks session_server.
 */
#ifndef LOCKFLIGHT_COMMAND_MIGRATION_SESSION_H
#define LOCKFLIGHT_COMMAND_MIGRATION_SESSION_H

#include "cli/command.h"
#include "config/config.h"
#include "migrate/history.h"

struct session_args {
    const char *environment;
    const char *migrations;
    const char *rollbacks;
    const char *database_url; /* or "env:NAME" */
    bool makes_folders;       /* set by the verb: they need not be there yet */
};

// clang-format off
#define SESSION_AT(type, field, member) (AT(type, field) + AT(session_args, member))

#define SESSION_ARGUMENT(type, field)                                                              \
    { "environment", ARG_OPTIONAL, COMPLETE_ENVIRONMENT, SESSION_AT(type, field, environment),     \
      "Environment of lockflight.toml (default: the local one, if it runs)" }

#define SESSION_FILE_OPTIONS(type, field)                                                          \
    { "migrations", 0, OPT_TEXT, SESSION_AT(type, field, migrations), "<dir>",                     \
      "Migrations (default: the project's, or supabase/migrations)" },                             \
    { "rollbacks", 0, OPT_TEXT, SESSION_AT(type, field, rollbacks), "<dir>",                       \
      "Reverse scripts (default: rollbacks, beside the migrations)" }

#define SESSION_OPTIONS(type, field)                                                               \
    SESSION_FILE_OPTIONS(type, field),                                                             \
    { "database-url", 0, OPT_TEXT, SESSION_AT(type, field, database_url), "<url>",                 \
      "This database instead of an environment's; env:NAME reads a variable" }
// clang-format on

struct session {
    struct command_context *c;
    bool has_project;               /* there is a lockflight.toml; else config has paths only */
    struct config config;           /* paths.migrations and paths.reverse are always set */
    bool has_environment;           /* a declared one; else the database was named by its URL */
    struct environment environment; /* name is always set; database_url NULL: no database */
    const char *where;     /* for people: "staging", or "localhost:5432/app" once connected */
    const char *local_url; /* a database of the project's local platform; NULL: it does not run */
    struct session_reading *reading; /* NULL: the files were not begun to be read */
    struct migration_set set;
    const char *actor;      /* NULL: not asked for */
    struct history history; /* after session_compare */
    struct migration_plan plan;
};

/* Only where the files are: s->config. */
bool session_paths(struct command_context *c, const struct session_args *args, struct session *ret,
                   struct err *e) MUST_USE;

/* Finds out which database, and reads the files; files that are skipped are said. No connection. */
bool session_open(struct command_context *c, const struct session_args *args, struct session *ret,
                  struct err *e) MUST_USE;

/* The same, but the files are still being read, and with wants_actor it is found out who acts:
 * session_connect or change_open, which must follow at once, wait for that. */
bool session_begin(struct command_context *c, const struct session_args *args, bool wants_actor,
                   struct session *ret, struct err *e) MUST_USE;

/* Reads the files meanwhile; and waits for that: s->set and s->actor, or the error, as often as it is
 * asked for. */
void session_files_start(struct session *s, bool wants_actor);
bool session_files_finish(struct session *s, struct err *e) MUST_USE;

/* A connection to the database; ERR_USAGE if none was named. */
bool session_connect(struct session *s, const char *purpose, struct pg **ret,
                     struct err *e) MUST_USE;

/* ERR_USAGE: none was named. Returns false. */
bool session_which_database(const struct session *s, struct err *e);

/* A connection that was made elsewhere, and the environment that it belongs to. */
void session_found(struct session *s, const struct pg *db, const char *name);

/* Of a database named by its URL, environment.name becomes what it belongs to: one that a project
 * has used keeps its environment's name, and with it one lease. */
bool session_name(struct session *s, struct pg *db, struct err *e) MUST_USE;

/* A server that scratch databases may be made on: --database-url, else the local platform, else the
 * environment's own. */
bool session_server(const struct session *s, const char **ret_url, struct err *e) MUST_USE;

/* Reads the history and sets s->plan. */
bool session_compare(struct session *s, struct pg *db, struct err *e) MUST_USE;

/* `verb <environment> <version>…` without an environment: a first word of digits is a version, and
 * goes to the front of `versions`. Before session_open. */
void session_shift_version(struct arena *a, struct session_args *args, struct text_list *versions);

#endif
