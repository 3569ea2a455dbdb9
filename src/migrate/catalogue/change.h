/*
 * What differs between two catalogues, object by object and field by field: what a person is shown
 * when a proof fails or a schema has drifted, and what tools read as JSON.
 *
 * Objects are the same when kind and identity are. A renamed object is one removed and one added;
 * who has both catalogues from one database may look at catalogue_object.key.
 */
#ifndef LOCKFLIGHT_MIGRATE_CATALOGUE_CHANGE_H
#define LOCKFLIGHT_MIGRATE_CATALOGUE_CHANGE_H

#include "base/json.h"
#include "migrate/catalogue/catalogue.h"

enum catalogue_change_kind {
    CATALOGUE_ADDED,
    CATALOGUE_REMOVED,
    CATALOGUE_CHANGED
};

struct catalogue_field {
    const char *name;
    const char *before; /* compact JSON, NULL: absent */
    const char *after;
};

struct catalogue_change {
    enum catalogue_change_kind what;
    const char *kind;
    const char *identity;
    struct catalogue_field *fields; /* of a changed object: those that differ */
    size_t field_count;
};

/* In order of kind and identity. */
bool catalogue_changes(struct arena *a, const struct catalogue *before,
                       const struct catalogue *after, struct catalogue_change **ret,
                       size_t *ret_count, struct err *e) MUST_USE;

/* "changed  column app.t.a: default 1 → 2", for people; one line, long values cut. */
const char *catalogue_change_text(struct arena *a, const struct catalogue_change *c);

/* {"change", "kind", "identity", "fields": [{"name", "before", "after"}]}; the caller owns it. */
json_t *catalogue_change_json(const struct catalogue_change *c);

#endif
