/*
 * Errors: one value that is set once, wrapped on the way up and printed once, by main().
 *
 * A function that can fail returns bool, is MUST_USE and takes `struct err *e` last. It fills *e
 * only when it returns false. All setters return false, so a failing path is one line:
 *
 *     if (!pg_run(db, sql, e))
 *         return err_wrap(e, "apply %s", file);
 *
 * A struct err owns nothing: it lives on the stack, may be copied, and works when memory does not.
 * Texts that do not fit are cut, never overrun.
 */
#ifndef LOCKFLIGHT_BASE_ERR_H
#define LOCKFLIGHT_BASE_ERR_H

#include <stdbool.h>

#define MUST_USE           __attribute__((warn_unused_result))
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* What kind of failure it is. One row of properties each in err.c. */
enum err_code {
    ERR_NONE = 0,
    ERR_INTERNAL,        /* a case that should not happen, but is not worth dying for */
    ERR_USAGE,           /* the command line is wrong */
    ERR_CONFIG,          /* a file of the project is wrong */
    ERR_AUTH,            /* credentials are missing or refused */
    ERR_BLOCKED,         /* a gate is closed: nothing was changed */
    ERR_FENCED,          /* another runner has taken over: stop, touch nothing */
    ERR_NOT_FOUND,       /* the thing asked for does not exist */
    ERR_CONFLICT,        /* the thing exists already, or changed meanwhile */
    ERR_LIMIT,           /* an input is larger than we accept */
    ERR_DATA,            /* bytes from outside are malformed */
    ERR_IO,              /* the operating system refused */
    ERR_TIMEOUT,         /* a deadline passed before anything was sent, or on a read */
    ERR_NET,             /* no connection: nothing was sent */
    ERR_UNKNOWN_OUTCOME, /* sent, but the answer was lost: probe, never guess */
    ERR_REMOTE,          /* the other side answered with a failure; see http_status */
    ERR_DB,              /* Postgres refused; see sqlstate */
    ERR_CHECK,           /* a verification is red */
    ERR_UNDONE,          /* failed, and the environment is as before (exit 6) */
    ERR_AHEAD,           /* failed; code as before, database ahead and verified (exit 7) */
    ERR_STUCK,           /* failed, and a person is needed (exit 8) */
    ERR_INTERRUPTED,     /* stopped half-way, resumable (exit 9) */
    ERR_MITIGATED,       /* released, with a flag switched off to be green (exit 10) */
};

struct err {
    enum err_code code;
    int sys_errno;    /* when the kernel said no, else 0 */
    int http_status;  /* when a server answered, else 0 */
    char sqlstate[6]; /* when Postgres answered, else "" */
    char id[12]; /* stable id such as "LF-M012" for `lockflight help <id>`; "" = the code's own */
    char what[1024]; /* the wraps, outermost first: "deploy staging: database: apply x.sql" */
    char why[2048];  /* the cause, as the one who noticed it said it */
    char where[512]; /* file:line or URL, "" if it adds nothing */
    char state[512]; /* what is live now, per layer; "" if nothing was touched */
    char hint[512];  /* one command to type next */
};

/* Sets the cause and forgets what was in *e before. Returns false. */
bool err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF(3, 4);

/* As err_set with the text of `errno` appended and kept in sys_errno. Code
 * ERR_IO. Returns false. */
bool err_system(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* Adds the thing that was being done, outermost last. Keeps code and cause. Returns false. */
bool err_wrap(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* Each sets one field of an error that is already set. They return false. */
bool err_hint(struct err *e, const char *fmt, ...) PRINTF(2, 3);
bool err_where(struct err *e, const char *fmt, ...) PRINTF(2, 3);
bool err_state(struct err *e, const char *fmt, ...) PRINTF(2, 3);
bool err_id(struct err *e, const char *id);

/* Changes the kind of an error that is already set, for example ERR_CHECK into ERR_UNDONE. */
bool err_recode(struct err *e, enum err_code code);

/* Makes *e empty. */
void err_clear(struct err *e);

/* Properties of a code: its name for JSON ("blocked"), the process exit status (specification:
 * README, "Exit codes"), the stable id, and whether the same call may be made again without a
 * probe. */
const char *err_name(enum err_code code);
int err_exit_status(const struct err *e);
const char *err_stable_id(const struct err *e);
bool err_may_retry(const struct err *e);

#endif
