/*
 * Header rules of a deploy: `_headers` and [[headers]] of netlify.toml.
 *
 * A line that starts with "/" opens a block, "Name: value" lines belong to it. Every block that
 * fits a path applies, in order; a later one replaces a name, within one block values are joined.
 * Paths match without regard to case and a trailing slash; ":name" is one segment, "*" anything,
 * and as a whole segment it makes the slash before it optional. Names that belong to the server are
 * ignored.
 */
#ifndef LOCKFLIGHT_LOCAL_HEADERS_H
#define LOCKFLIGHT_LOCAL_HEADERS_H

#include "base/arena.h"
#include "base/vec.h"
#include "config/toml.h"
#include "local/redirects.h"

struct header_rule {
    const char *path;    /* as written */
    const void *pattern; /* compiled */
    struct text_pair *values;
    size_t count;
};

struct header_rules {
    VEC(struct header_rule) rules;
    VEC(struct rule_problem) problems;
    bool has_basic_auth;
};

void headers_add_text(struct arena *a, struct header_rules *into, struct str text);

/* A block of netlify.toml replaces the one of the same path. */
void headers_add_toml(struct arena *a, struct header_rules *into, const struct toml_node *root);

/* All headers for a decoded path, in the order of the file: *ret_count pairs in the arena. */
const struct text_pair *headers_match(const struct header_rules *h, struct arena *a,
                                      const char *path, size_t *ret_count);

#endif
