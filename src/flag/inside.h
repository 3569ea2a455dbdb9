/*
 * What a document is made of, for the files of this folder that build and read it.
 */
#ifndef LOCKFLIGHT_FLAG_INSIDE_H
#define LOCKFLIGHT_FLAG_INSIDE_H

#include "flag/evaluate.h"
#include "flag/program.h"

struct variant {
    struct str name;
    const json_t *value;
    const char *value_json;
    struct flag_answer matched; /* the rule chose it */
};

/* Another flag that must give a variant before this one's own rule is looked at. */
struct requirement {
    struct str key;
    struct str variant;
    const struct flag *flag; /* NULL: there is none of that key, so it is never met */
    struct flag_answer unmet;
};

struct flag {
    struct str key;
    enum flag_type type;
    bool is_enabled;
    bool is_plain; /* at_rest is the answer */
    struct variant *variants;
    size_t variant_count;
    const struct variant *default_variant; /* or NULL */
    const struct variant *off_variant;     /* or NULL */
    struct requirement *requirements;
    size_t requirement_count;
    unsigned requirement_height; /* the longest chain of requirements below it */
    const struct rule *rule;     /* NULL: none */
    const char *broken;          /* why it cannot be evaluated; NULL: it can */
    const char *metadata;

    /* What is known without looking at a context: for a flag without rule, or when the rule says
     * nothing. */
    struct flag_answer at_rest;
    struct flag_answer by_default;
};

struct flag_document {
    struct arena *arena;
    uint64_t serial; /* no other document of this process has it */
    struct flag *flags;
    size_t count;
    const struct flag **index; /* by hash of the key, `mask` + 1 places, open addressing */
    uint32_t mask;
    const char *metadata;
    json_t *values; /* an array that owns the variants' values */
};

/* The variant of that name, or NULL. */
const struct variant *flag_variant(const struct flag *f, struct str name);

#endif
