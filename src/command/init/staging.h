/*
 * `lockflight init --staging`: a Supabase project and a Netlify site of staging's own, made over the
 * vendors' APIs where production is: on the hosted services, or on the local platform.
 *
 * NO STATE FILE   What was made is found again by its name, <project>-staging. Killed anywhere and run
 *                 again, there is one project and one site.
 *
 * PASSWORD        Made here, and on disk (0600, in the project's state folder) before the project is
 *                 asked for, so that it cannot be lost in between; never printed.
 *
 * ORDER           password → project → healthy → site → lockflight.toml → history → variables. Each
 *                 step looks before it acts.
 */
#ifndef LOCKFLIGHT_COMMAND_INIT_STAGING_H
#define LOCKFLIGHT_COMMAND_INIT_STAGING_H

#include "cli/command.h"

struct staging_args {
    const char *organization; /* slug; NULL: production's, or the only one */
    const char *team;         /* of Netlify; NULL: the only one */
    const char *region;       /* NULL: production's */
};

bool staging_make(struct command_context *c, const struct staging_args *args,
                  struct err *e) MUST_USE;

/* `text` of lockflight.toml with these in [env.staging]: lines of the table that say the platform, the
 * site or the project are replaced, all others stay. */
struct str staging_config(struct arena *a, struct str text, const char *site, const char *ref,
                          bool is_local);

#endif
