/*
 * Errors: see err.h. The table below is the only place that knows what a code means outside.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct err_row {
    const char *name;
    const char *id;
    int exit_status;
    bool may_retry;
};

// clang-format off
static const struct err_row err_rows[] = {
    /*                        name              id          exit  retry */
    [ERR_NONE]            = { "none",           "LF-0000",  0,    false },
    [ERR_INTERNAL]        = { "internal",       "LF-0001",  1,    false },
    [ERR_USAGE]           = { "usage",          "LF-U001",  2,    false },
    [ERR_CONFIG]          = { "config",         "LF-C001",  2,    false },
    [ERR_AUTH]            = { "auth",           "LF-A001",  4,    false },
    [ERR_BLOCKED]         = { "blocked",        "LF-G001",  5,    false },
    [ERR_FENCED]          = { "fenced",         "LF-L001",  5,    false },
    [ERR_NOT_FOUND]       = { "not_found",      "LF-N001",  1,    false },
    [ERR_CONFLICT]        = { "conflict",       "LF-N002",  1,    false },
    [ERR_LIMIT]           = { "limit",          "LF-D001",  1,    false },
    [ERR_DATA]            = { "data",           "LF-D002",  1,    false },
    [ERR_IO]              = { "io",             "LF-S001",  1,    false },
    [ERR_TIMEOUT]         = { "timeout",        "LF-R001",  1,    true  },
    [ERR_NET]             = { "network",        "LF-R002",  1,    true  },
    [ERR_UNKNOWN_OUTCOME] = { "unknown_outcome","LF-R003",  1,    false },
    [ERR_REMOTE]          = { "remote",         "LF-R004",  1,    false },
    [ERR_DB]              = { "database",       "LF-M001",  1,    false },
    [ERR_CHECK]           = { "check",          "LF-V001",  1,    false },
    [ERR_UNDONE]          = { "undone",         "LF-E006",  6,    false },
    [ERR_AHEAD]           = { "ahead",          "LF-E007",  7,    false },
    [ERR_STUCK]           = { "stuck",          "LF-E008",  8,    false },
    [ERR_INTERRUPTED]     = { "interrupted",    "LF-E009",  9,    false },
    [ERR_MITIGATED]       = { "mitigated",      "LF-E010",  10,   false },
};
// clang-format on

static void put(char *field, size_t field_bytes, const char *fmt, va_list ap) PRINTF(3, 0);

static void put(char *field, size_t field_bytes, const char *fmt, va_list ap)
{
    int n = vsnprintf(field, field_bytes, fmt, ap);
    if (n < 0)
        field[0] = '\0';
}

bool err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    err_clear(e);
    e->code = code;
    va_list ap;
    va_start(ap, fmt);
    put(e->why, sizeof e->why, fmt, ap);
    va_end(ap);
    return false;
}

bool err_system(struct err *e, const char *fmt, ...)
{
    int saved = errno;
    err_clear(e);
    e->code = ERR_IO;
    e->sys_errno = saved;
    va_list ap;
    va_start(ap, fmt);
    put(e->why, sizeof e->why, fmt, ap);
    va_end(ap);
    size_t used = strlen(e->why);
    char text[128];
    const char *reason = strerror_r(saved, text, sizeof text);
    (void)snprintf(e->why + used, sizeof e->why - used, ": %s", reason);
    return false;
}

bool err_wrap(struct err *e, const char *fmt, ...)
{
    char inner[sizeof e->what];
    memcpy(inner, e->what, sizeof inner);
    va_list ap;
    va_start(ap, fmt);
    put(e->what, sizeof e->what, fmt, ap);
    va_end(ap);
    if (inner[0] != '\0') {
        size_t used = strlen(e->what);
        (void)snprintf(e->what + used, sizeof e->what - used, ": %.*s",
                       (int)(sizeof e->what - used), inner);
    }
    return false;
}

bool err_hint(struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put(e->hint, sizeof e->hint, fmt, ap);
    va_end(ap);
    return false;
}

bool err_where(struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put(e->where, sizeof e->where, fmt, ap);
    va_end(ap);
    return false;
}

bool err_state(struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    put(e->state, sizeof e->state, fmt, ap);
    va_end(ap);
    return false;
}

bool err_id(struct err *e, const char *id)
{
    (void)snprintf(e->id, sizeof e->id, "%s", id);
    return false;
}

bool err_recode(struct err *e, enum err_code code)
{
    e->code = code;
    return false;
}

void err_clear(struct err *e)
{
    *e = (struct err){ 0 };
}

const char *err_name(enum err_code code)
{
    return err_rows[code].name;
}

int err_exit_status(const struct err *e)
{
    return err_rows[e->code].exit_status;
}

const char *err_stable_id(const struct err *e)
{
    return e->id[0] != '\0' ? e->id : err_rows[e->code].id;
}

bool err_may_retry(const struct err *e)
{
    return err_rows[e->code].may_retry;
}
