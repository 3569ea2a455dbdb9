/*
 * What the stable error ids mean, for `lockflight help LF-…` and the manual.
 */
#ifndef LOCKFLIGHT_COMMAND_EXPLAIN_H
#define LOCKFLIGHT_COMMAND_EXPLAIN_H

struct explanation {
    const char *id;
    const char *title;
    const char *text;
};

/* Ends with a row whose id is NULL. */
extern const struct explanation explanations[];

/* By id, in any case; NULL if there is none. */
const struct explanation *explanation_find(const char *id);

#endif
