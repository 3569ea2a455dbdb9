/*
 * The variables of the Netlify site itself, which builds read that the host starts; a release
 * carries its own. Secrets there are write-only: whether one is the right one cannot be seen.
 */
#ifndef LOCKFLIGHT_ENGINE_SITE_VARIABLES_H
#define LOCKFLIGHT_ENGINE_SITE_VARIABLES_H

#include "engine/target.h"

enum site_state {
    SITE_SAME,
    SITE_ABSENT,
    SITE_OTHER,
    SITE_UNREADABLE, /* a secret: it is there */
};

struct site_variable {
    const struct variable *variable;
    enum site_state state;
    const char *updated_at; /* NULL: absent */
};

/* What goes to the site, compared with what it has. `values` owns the values; free with
 * variables_free. */
bool site_variables_read(struct target *t, struct variable_set *values, struct site_variable **ret,
                         struct err *e) MUST_USE;

/* Sets those that are not known to be the same. */
bool site_variables_level(struct target *t, size_t *ret_set, struct err *e) MUST_USE;

#endif
