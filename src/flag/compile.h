/*
 * Rules made ready: JsonLogic as JSON becomes a tree of nodes with every name looked up, every
 * constant worked out and every variable numbered.
 */
#ifndef LOCKFLIGHT_FLAG_COMPILE_H
#define LOCKFLIGHT_FLAG_COMPILE_H

#include "flag/inside.h"

struct compiler;

/* For the rules of one document. `evaluators` may be NULL. ERR_DATA names an evaluator that refers
 * to another. What it makes lives in the arena. */
struct compiler *compiler_new(struct arena *a, const json_t *evaluators, const char *name,
                              struct err *e);

/* No rule (absent, null, an empty object) gives NULL. False: *ret_why says what is wrong with it. */
bool compile_rule(struct compiler *c, const json_t *rule, const struct rule **ret,
                  const char **ret_why) MUST_USE;

#endif
