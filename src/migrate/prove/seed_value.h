/*
 * One value of a synthetic row, as an SQL expression.
 */
#ifndef LOCKFLIGHT_MIGRATE_SEED_VALUE_H
#define LOCKFLIGHT_MIGRATE_SEED_VALUE_H

#include "base/arena.h"
#include "base/str.h"

/* The number of rows that are made; the last one tries to be what the migration looks for. */
#define SEED_ROWS 3

/* What texts look like: a migration that changes a text into something else casts them. */
enum seed_texts {
    SEED_NUMBERS, /* one of them long */
    SEED_SHORT_NUMBERS,
    SEED_UUIDS,
    SEED_TIMES,
    SEED_BOOLEANS,
    SEED_TEXTS_END,
};

struct seed_spec {
    const char *const *oids; /* of the tables */
    size_t n;
    unsigned from;      /* number of the first row: other numbers make other values */
    const char *wanted; /* conditions that a row should meet: "where state = 'old'"; "": none */
    enum seed_texts texts;
};

struct seed_column {
    unsigned position; /* in its table: later times come later */
    const char *name;  /* quoted */
    bool is_required;  /* NOT NULL */
    bool is_made;      /* generated: cannot be given */
    bool counts;       /* its default is a sequence: let it */
    bool has_default;
    bool is_unique;
    const char *type;                        /* as declared, with its modifier */
    const char *base_name, *base_type;       /* below a domain: "int4", "integer" */
    char kind, category;                     /* pg_type.typtype, typcategory of the base type */
    const char *element_name, *element_type; /* of an array; else NULL */
    const char *labels;                      /* of an enum, as literals, \x01 between; NULL */
    const char *checks;                      /* definitions of the CHECK constraints on it; NULL */
    const char *target, *target_column;      /* of its foreign key; NULL */
    bool is_self;                            /* the foreign key points to its own table */
    const char *range_of;                    /* the type a range is of; NULL */
};

/* `row` makes values different; `variant` is which guess this is, from 0. NULL: leave the column
 * out. */
const char *seed_value(struct arena *a, const struct seed_column *c, const struct seed_spec *spec,
                       unsigned row, unsigned variant);

#endif
