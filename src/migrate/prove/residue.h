/*
 * What a reverse script says it leaves behind (`-- leaves: …`), and whether that is exactly what is
 * left.
 *
 *     -- leaves: enum public.mood happy      a label that cannot be taken out of its type
 *     -- leaves: index public.orders_at      any other object, by kind and identity
 */
#ifndef LOCKFLIGHT_MIGRATE_RESIDUE_H
#define LOCKFLIGHT_MIGRATE_RESIDUE_H

#include "migrate/catalogue/change.h"
#include "migrate/sql/script.h"

struct residue {
    const char **declared; /* "enum public.mood happy" */
    size_t n;
    bool *is_seen;
};

void residue_read(struct arena *a, const struct sql_script *reverse, struct residue *ret);

/* Takes out of the list what was declared, and marks it seen. */
void residue_take(struct arena *a, struct residue *r, struct catalogue_change *changes, size_t *n);

/* The migration's text with the statements blanked that would add labels that are still there. */
struct str residue_without_labels(struct arena *a, const struct sql_script *up,
                                  const struct residue *r);

#endif
