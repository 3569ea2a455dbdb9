/*
 * What the files of the compiler share.
 */
#ifndef LOCKFLIGHT_FLAG_COMPILE_INSIDE_H
#define LOCKFLIGHT_FLAG_COMPILE_INSIDE_H

#include "base/limits.h"
#include "flag/compile.h"
#include "flag/evaluate.h"
#include "flag/program.h"

#define COMPILE_FOLD_BYTES                                                                         \
    (64 * MIB) /* a document that is larger keeps its constants as they are */

struct evaluator {
    struct str name;
    const json_t *rule;
    const struct node *node; /* once it was needed */
    const char *why;         /* it does not compile */
};

struct compiler {
    struct arena *arena;
    struct evaluator *evaluators; /* by name */
    size_t evaluator_count;
    const struct path *paths[FLAG_CONTEXT_SLOTS];
    struct str path_texts[FLAG_CONTEXT_SLOTS];
    uint32_t path_count;
    const char *why;     /* what is wrong with the rule at hand; NULL: nothing yet */
    unsigned fold_steps; /* left for working out its constants */
};

/* ---- compile.c ---- */

const struct node *compile_node(struct compiler *c, const json_t *rule, unsigned depth);
const struct node *compile_refuse(struct compiler *c, const char *why);
const struct node *literal_node(struct compiler *c, struct value v);

/* OP_RAISE or OP_FAIL in place of another node, or of none. */
const struct node *failing_node(struct compiler *c, enum op op, const struct node *instead_of,
                                const char *why);

/* ---- refs.c ---- */

/* {"$ref":name} */
const struct node *compile_ref(struct compiler *c, const json_t *name, unsigned depth);

/* The evaluator that the whole of a rule refers to, else the rule. */
const json_t *compile_meant(struct compiler *c, const json_t *rule);

/* ---- special.c: forms that are made simpler ---- */

/* A variable with its operands becomes what can be said of it beforehand. */
void compile_var(struct compiler *c, struct node *n);

/* A fractional with its operands gets its buckets if they are constant. */
void compile_buckets(struct compiler *c, struct node *n);

/* A sem_ver whose second and third operand are constant texts has them read. */
void compile_version(struct compiler *c, struct node *n);

/* reduce that adds or multiplies up, which the reference runs as + and *; NULL: it is another. */
const struct node *compile_sum(struct compiler *c, const json_t *operands, unsigned depth);

#endif
