/*
 * The portable profile: the rules that mean the same in every engine that reads flagd documents.
 * Outside it engines differ in ordinary cases (an absent number, a null with a default, an empty
 * object), so only such a rule may be stored, unless somebody insists.
 *
 *     rule       "variant" | null | true | false | condition | fractional
 *                {"if":[condition, rule, (condition, rule)*, rule]}
 *                true, false and a bare condition only where the variants "true" and "false" exist
 *     condition  {"and"|"or":[condition, condition+]}   {"!":[condition]}   {"$ref":"segment"}
 *                {"=="|"!="|"==="|"!==":[text attribute, "text"]}            either order
 *                {"==="|"!==":[attribute, literal of its type or null]}      either order
 *                {"<"|"<="|">"|">=":[n, n]}   {"<"|"<=":[n, n, n]}           n: a number, or a number
 *                                                                            attribute with a default
 *                {"in":[text attribute, ["a","b"]]}   {"in":["a", text or list attribute]}
 *                {"starts_with"|"ends_with":[text attribute, "text"]}
 *                {"sem_ver":[version attribute, "="|"!="|"<"|"<="|">"|">="|"^"|"~", "1.2.3"]}
 *                {"some"|"none":[list attribute, {"in":[{"var":""}, ["a","b"]]}]}
 *                {"all":[list attribute with default [], {"in":[{"var":""}, ["a","b"]]}]}
 *     fractional {"fractional":[key?, ["variant" or null, whole number >= 0?], …]}
 *     key        {"var":"targetingKey"}   {"cat":["salt", {"var":"$flagd.flagKey"}, {"var":[text, ""]}]}
 *     attribute  {"var":"name"}   {"var":["name"]}   {"var":["name", default of its type]}
 *
 * It holds only for contexts that went through normalise.h, which gives each attribute its declared
 * type or leaves it out.
 */
#ifndef LOCKFLIGHT_FLAG_PROFILE_H
#define LOCKFLIGHT_FLAG_PROFILE_H

#include "base/arena.h"

#include <jansson.h>

/* What a rule is held against. */
struct flag_profile {
    const json_t *variants;   /* name -> value; not used for a segment */
    const json_t *attributes; /* declarations, see normalise.h; NULL: any name and type will do */
    const json_t *segments;   /* name -> rule; NULL: none */
    bool is_permission;       /* kind = "permission": attributes must be trusted */
    bool takes_unportable;    /* somebody insists: a rule that only compiles will do */
};

struct flag_finding {
    const char *at;      /* "if[1].fractional[0]"; "" is the whole rule */
    const char *why;     /* a sentence, lower case, without its full stop */
    const char *instead; /* the portable way to write it; NULL: there is none */
    bool is_note;        /* worth knowing; does not refuse the rule */
};

struct flag_findings {
    struct flag_finding *v;
    size_t n;
    size_t capacity;
    size_t refusals; /* those that are not notes */
};

#define FLAG_FINDINGS_MAX 50 /* in one rule; whoever wrote more starts with these */

/* Reads a rule, or a segment (a condition without {"$ref"}), and appends what it finds. A rule that
 * is null or {} is no rule, and good. */
void flag_profile_rule(const struct flag_profile *p, struct arena *a, const json_t *rule,
                       struct flag_findings *ret);
void flag_profile_segment(const struct flag_profile *p, struct arena *a, const json_t *rule,
                          struct flag_findings *ret);

/* For a rule about to be stored: true if nothing was refused, or an unportable one is taken and it
 * compiles. ERR_DATA tells the first refusal: its place and reason as the cause, the portable way as
 * hint. `what` is the thing: "flag financial". Notes are left in *ret. */
bool flag_check_rule(const struct flag_profile *p, struct arena *a, const char *what,
                     const json_t *rule, struct flag_findings *ret, struct err *e) MUST_USE;
bool flag_check_segment(const struct flag_profile *p, struct arena *a, const char *what,
                        const json_t *rule, struct flag_findings *ret, struct err *e) MUST_USE;

/* "if[1].fractional[0]: a weight is a whole number; write 25" */
const char *flag_finding_text(struct arena *a, const struct flag_finding *f);

#endif
