/*
 * Redirect rules of a deploy: `_redirects` and [[redirects]] of netlify.toml, matched as the site
 * host does.
 *
 *     line   := from [query…] to [status["!"]] [condition…]  ["#" comment]
 *     from   := "/path" | "http(s)://host/path"
 *     query  := key=value | key=:placeholder            between from and to
 *     to     := "/path" | "http(s)://…"
 *
 * MATCH    The first rule that fits wins. A trailing slash does not count; case does. ":name" is
 *          one segment; "*" as a segment, or at its end, is any rest, and more segments may follow;
 *          a "*" with text behind it in its segment never fits. Both sides are compared decoded;
 *          what was captured is encoded again in the target.
 */
#ifndef LOCKFLIGHT_LOCAL_REDIRECTS_H
#define LOCKFLIGHT_LOCAL_REDIRECTS_H

#include "base/arena.h"
#include "base/str.h"
#include "base/vec.h"
#include "config/toml.h"

struct text_pair {
    const char *name;
    const char *value;
};

struct redirect_rule {
    const char *from;      /* as written, for messages */
    const char *scheme;    /* NULL: any */
    const char *host;      /* NULL: any */
    const char **segments; /* of the path, decoded */
    size_t segment_count;
    const char *to;
    int status;
    bool is_forced;
    const struct text_pair *query;
    size_t query_count;
    const struct text_pair *conditions; /* name in lower case, value a comma list */
    size_t condition_count;
    const struct text_pair *headers; /* for proxied requests */
    size_t header_count;
};

/* A line that was left out, and why. */
struct rule_problem {
    int line;
    const char *text;
};

struct redirects {
    VEC(struct redirect_rule) rules;
    VEC(struct rule_problem) problems;
};

/* Each adds the rules it can read and notes the problems; a bad line harms no other. */
void redirects_add_text(struct arena *a, struct redirects *into, struct str text);
void redirects_add_toml(struct arena *a, struct redirects *into, const struct toml_node *root);

/* Removes rules that stand twice, keeping the later one. Call after the last add. */
void redirects_finish(struct redirects *r);

struct redirect_request {
    const char *scheme;
    const char *host;
    const char *path;  /* decoded */
    const char *query; /* as sent, without '?' */
    const char *country;
    const char *language;
    const char *cookies; /* the Cookie header; may be NULL */
};

/* The first rule that fits, and its target with everything put in; NULL if none fits. A rule whose
 * target would be longer than LIMIT_REDIRECT_TARGET does not fit. */
const struct redirect_rule *redirects_match(const struct redirects *r, struct arena *a,
                                            const struct redirect_request *request,
                                            char **ret_target);

/* A cookie of a Cookie header; NULL if it is not there. */
char *cookie_value(struct arena *a, const char *cookies, const char *name);

#endif
