/*
 * What every verb of `lockflight flags` begins with: the environment, one connection to its
 * database, and who is asking.
 *
 * CALLS    A verb's args struct begins with a `struct flags_args`; FLAGS_LOOK_OPTIONS and
 *          FLAGS_WRITE_OPTIONS are its rows in the verb's table. flags_open → flag_store_… →
 *          flags_change (change.h) → flags_close.
 *
 * WHICH    --env, or the only environment that lockflight.toml declares. Only its database is
 *          needed: no token of a host.
 *
 * PROTECTED  An environment that requires another one: a change there needs a reason, and is asked
 *          for. Switching off is never asked for.
 */
#ifndef LOCKFLIGHT_COMMAND_FLAGS_SESSION_H
#define LOCKFLIGHT_COMMAND_FLAGS_SESSION_H

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/str.h"
#include "cli/command.h"
#include "config/config.h"
#include "flag/store.h"

struct flags_args {
    const char *environment;
    const char *reason;
    const char *actor;
    int64_t expect;
    int64_t wait_ms;
    bool is_dry;
};

/* NOLINTBEGIN(bugprone-macro-parentheses): they are names of types and members */
// clang-format off
#define FLAGS_LOOK_OPTIONS(type, field)                                                            \
    { "env", 'e', OPT_TEXT, AT(type, field.environment), "<environment>",                          \
      "Where (default: the only environment there is)" }

#define FLAGS_AUTHOR_OPTIONS(type, field)                                                          \
    { "reason", 'm', OPT_TEXT, AT(type, field.reason), "<text>",                                   \
      "Why; kept in the history, needed where the environment requires another one" },             \
    { "actor", 0, OPT_TEXT, AT(type, field.actor), "<name>",                                       \
      "Who (default: LOCKFLIGHT_ACTOR, the CI job's user, or user@machine)" },                     \
    { "wait", 0, OPT_MS, AT(type, field.wait_ms), "<time>",                                        \
      "Wait this long for somebody's change that is not finished (default: 5s)" }

#define FLAGS_WRITE_OPTIONS(type, field)                                                           \
    FLAGS_LOOK_OPTIONS(type, field),                                                               \
    FLAGS_AUTHOR_OPTIONS(type, field),                                                             \
    { "dry-run", 0, OPT_FLAG, AT(type, field.is_dry), NULL, "Show what would change, and stop" },  \
    { "expect", 0, OPT_INT, AT(type, field.expect), "<version>",                                   \
      "Only if the flag's state is still at this version" }
// clang-format on
/* NOLINTEND(bugprone-macro-parentheses) */

struct flags {
    struct command_context *c;
    struct config config; /* environments only */
    struct environment environment;
    const char *name; /* of the environment */
    bool is_protected;
    struct pg *db;
    struct flag_author by;
    int64_t wait_ms;
    struct flag_question question; /* what was asked while the session was set up */
};

/* To look. ERR_USAGE lists the environments if none was named and there are several. */
bool flags_open(struct command_context *c, const struct flags_args *args, struct flags *ret,
                struct err *e) MUST_USE;

/* To change: the reason and the actor are checked before anything is connected to. */
bool flags_open_to_write(struct command_context *c, const struct flags_args *args,
                         struct flags *ret, struct err *e) MUST_USE;

/* The same and the flag with it, in one exchange less: as flags_get. */
bool flags_open_flag(struct command_context *c, const struct flags_args *args, const char *key,
                     struct flags *ret, struct flag_row *ret_row, struct err *e) MUST_USE;
bool flags_open_flag_to_write(struct command_context *c, const struct flags_args *args,
                              const char *key, struct flags *ret, struct flag_row *ret_row,
                              struct err *e) MUST_USE;

/* Without a connection: environment, config and author. */
bool flags_prepare(struct command_context *c, const struct flags_args *args, bool writes,
                   struct flags *ret, struct err *e) MUST_USE;

/* After pg_reconnect: how long to wait for others. */
bool flags_set_wait(struct flags *f, struct err *e) MUST_USE;

void flags_close(struct flags *f); /* accepts one that was not opened */

static inline void flags_cleanup(struct flags *f)
{
    flags_close(f);
}

/* A flag by its key, archived ones refused; ERR_NOT_FOUND names the nearest key. */
bool flags_get(struct flags *f, const char *key, struct flag_row *ret, struct err *e) MUST_USE;

/* JSON that came from the database or a row; never NULL. The caller owns it. */
json_t *flags_json(const char *text);

/* The state of a row (flag/state.h). The caller owns it. */
json_t *flags_state(const struct flag_row *row);

/* Attributes and segments of the environment, added to two objects: as flag/profile.h wants them. */
bool flags_declared(struct flags *f, json_t *attributes, json_t *segments, struct err *e) MUST_USE;

/* An entry of the history in words: "set: off for everyone → on for 25 %". */
const char *flags_entry_words(struct command_context *c, const struct flag_audit *h);

/* What somebody else wrote (a name, a reason), fit for a terminal: control characters become "?".
 * NULL becomes "". */
const char *flags_plain(struct arena *a, const char *text);

/* "3 min ago" style: how long ago, for people. */
const char *flags_ago(struct arena *a, int64_t unix_ms);

#endif
