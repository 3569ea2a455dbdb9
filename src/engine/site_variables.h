/*
 * The variables of the Netlify site itself, which builds read that the host starts; a release
 * carries its own. Secrets there are write-only: whether one is the right one cannot be seen.
 */
#ifndef LOCKFLIGHT_ENGINE_SITE_VARIABLES_H
#define LOCKFLIGHT_ENGINE_SITE_VARIABLES_H

#include "engine/lease.h"
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
    const char *found;      /* what it has; NULL: absent, or cannot be read */
};

/* What goes to the site, compared with what it has. `values` owns the values; free with
 * variables_free. */
bool site_variables_read(struct target *t, struct variable_set *values, struct site_variable **ret,
                         struct err *e) MUST_USE;

/* Sets those that are not known to be the same; before that the event "site.variables" keeps what is
 * there: a value if it is no secret, the mark of one that is declared secret and can be read, and for
 * one that the host gives back to nobody the time when it was set. */
bool site_variables_level(struct target *t, struct lease *l, size_t *ret_set,
                          struct err *e) MUST_USE;

#endif
