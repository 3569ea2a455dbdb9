/*
 * What `doctor` finds in one environment: settings that would race or surprise a release. Read only.
 * The plan's gates are asked as a release would ask them; what they do not know is looked at here.
 *
 * SEVERITY   FINDING_ERROR    a release would be stopped, or overtaken by somebody else
 *            FINDING_WARNING  it would go through, and surprise
 */
#ifndef LOCKFLIGHT_COMMAND_DOCTOR_FINDINGS_H
#define LOCKFLIGHT_COMMAND_DOCTOR_FINDINGS_H

#include "base/vec.h"
#include "config/config.h"

#include <stdint.h>

enum finding_severity {
    FINDING_ERROR,
    FINDING_WARNING,
};

struct finding {
    enum finding_severity severity;
    const char *environment; /* "" for the whole project */
    const char *id;          /* "auto-publish" */
    const char *what;
    const char *why;
    const char *fix; /* a command, or the line to write */
};

struct findings {
    struct arena *arena;
    VEC(struct finding) list;
    size_t errors;
};

/* Of the files alone. */
void findings_of_project(const struct config *config, struct findings *ret);

/* An environment that cannot be opened is a finding, not an error. */
void findings_of_environment(const struct config *config, const char *name, struct findings *ret);

/* What the database says of itself and of us. */
struct database_facts {
    const char *role;
    bool may_create_databases;
    bool is_monitor;
    int64_t clock_unix_ms;
    int version; /* 150020 */
};

/* `now_unix_ms`: this machine's clock. */
void findings_of_database(struct findings *ret, const char *environment,
                          const struct database_facts *facts, int64_t now_unix_ms);

#endif
