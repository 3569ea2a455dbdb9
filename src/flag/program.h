/*
 * A compiled rule: a tree of nodes that nothing changes, shared by all threads.
 */
#ifndef LOCKFLIGHT_FLAG_PROGRAM_H
#define LOCKFLIGHT_FLAG_PROGRAM_H

#include "flag/value.h"

/* Operators whose node does what the name says. The order of the comparisons is used. */
enum op {
    OP_LITERAL,
    OP_RAISE, /* never works, which is found out together with what stands around it */
    OP_FAIL,  /* never works, which is found out when it is run */
    OP_LIST,
    OP_VAR,    /* one path */
    OP_VAR_OR, /* one path and a default */
    OP_VAR_OF, /* a path that is worked out */
    OP_WHOLE,  /* the whole context */
    OP_MISSING,
    OP_MISSING_SOME,
    OP_IF,
    OP_AND,
    OP_OR,
    OP_NOT,
    OP_TRUTH,
    OP_EQUAL,
    OP_UNEQUAL,
    OP_SAME,
    OP_DIFFERENT,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_REMAINDER,
    OP_MAX,
    OP_MIN,
    OP_CAT,
    OP_SUBSTR,
    OP_IN,
    OP_MERGE,
    OP_MAP,
    OP_FILTER,
    OP_REDUCE,
    OP_ALL,
    OP_SOME,
    OP_NONE,
    OP_STARTS_WITH,
    OP_ENDS_WITH,
    OP_SEM_VER,
    OP_FRACTIONAL,
    OP_COUNT,
};

/* How operands stand in the rule. */
enum form {
    FORM_OPERANDS, /* a list: each is worked out by itself */
    FORM_WHOLE,    /* one value, taken as it is */
    FORM_SPREAD,   /* one value: a list's items are the operands */
};

#define PATH_NO_SLOT UINT32_MAX

struct version_test; /* see version.h */

struct path_part {
    struct str name;
    uint32_t index;
    bool is_index;
};

/* A variable, one per document for each way of writing it. */
struct path {
    struct path_part *parts;
    uint32_t n;
    uint32_t slot;   /* where a context remembers its value; PATH_NO_SLOT: nowhere */
    bool is_lenient; /* a false value half-way is the value: what a path of two or three parts does
                        when it is the only operand */
};

struct bucket {
    uint32_t up_to; /* running sum of the weights */
    struct value variant;
};

/* A fractional whose entries are all constant. */
struct buckets {
    struct bucket *v;
    size_t n;
    uint32_t total;
    bool has_unit;           /* the first operand is what is hashed */
    const struct path *unit; /* targetingKey */
};

struct node {
    uint8_t op;
    uint8_t form;
    bool is_pure[2]; /* needs no context: at top level, inside the rule of an iterator */
    uint16_t height; /* operators and lists below */
    uint32_t n;
    const struct node *const *operands;
    union {
        struct value literal;
        const struct path *path;
        const struct buckets *buckets;
        const struct version_test *version;
        const char *why; /* it does not work */
    };
};

struct rule {
    const struct node *top;
};

/* "fractional"; NULL for what is no operator. */
const char *op_name(enum op op);

#endif
