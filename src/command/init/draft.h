/*
 * The files that `init` would write, as texts: lockflight.toml, a workflow, netlify.toml where there
 * is none, reverse scripts, feature flags. Nothing is written here; what is there already is kept
 * beside, so that the difference can be shown and a file that changed meanwhile is noticed.
 *
 * CALLS    found_project → draft_files → shown to the user → draft_write for each
 */
#ifndef LOCKFLIGHT_COMMAND_INIT_DRAFT_H
#define LOCKFLIGHT_COMMAND_INIT_DRAFT_H

#include "base/vec.h"
#include "command/init/found.h"

/* What only a person can know, asked or given by flags. */
struct answers {
    const char *site;   /* Netlify site of production; NULL: production is on the local platform */
    const char *ref;    /* its Supabase project */
    enum found_ci ci;   /* never FOUND_CI_UNKNOWN */
    const char *server; /* scratch databases for generated reverse scripts; NULL: stubs */
    bool wants_flags;   /* feature flags, where there is a database */
};

struct draft_file {
    const char *path; /* relative to the project */
    bool is_new;
    struct str before; /* what is there; empty if is_new */
    struct str after;
    const char *note; /* a sentence about it; NULL */
};

struct draft {
    struct arena *arena;
    VEC(struct draft_file) files;
    VEC(const char *) notes; /* what a person should know or do */
};

/* `has_config`: there is a lockflight.toml, which is left as it is. */
bool draft_files(const struct found *f, const struct answers *answers, bool has_config,
                 struct draft *ret, struct err *e) MUST_USE;

/* Atomically, making its folder; ERR_CONFLICT if it is not what `before` says any more. */
bool draft_write(const struct found *f, const struct draft_file *file, struct err *e) MUST_USE;

/* ---- parts of draft_files, one file each ---- */

/* Adds a file unless it has these bytes already. */
bool draft_add(const struct found *f, struct draft *d, const char *path, struct str after,
               struct err *e) MUST_USE;
void draft_note(struct draft *d, const char *fmt, ...) PRINTF(2, 3);

bool draft_config(const struct found *f, const struct answers *answers, struct draft *d,
                  struct err *e) MUST_USE;
bool draft_netlify(const struct found *f, struct draft *d, struct err *e) MUST_USE;
bool draft_workflow(const struct found *f, const struct answers *answers, struct draft *d,
                    struct err *e) MUST_USE;
bool draft_reverse(const struct found *f, const struct answers *answers, struct draft *d,
                   struct err *e) MUST_USE;
bool draft_flags(const struct found *f, const struct answers *answers, struct draft *d,
                 struct err *e) MUST_USE;

#endif
