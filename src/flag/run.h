/*
 * One run of one rule.
 *
 * MEMORY   Texts and lists that a rule makes are cut from `room`, one piece of memory per thread,
 *          and are gone when the next run of that thread begins. When it is full the rule fails.
 *
 * FAILURE  VALUE_RAISED goes up through every operator; `why` says what happened, once.
 */
#ifndef LOCKFLIGHT_FLAG_RUN_H
#define LOCKFLIGHT_FLAG_RUN_H

#include "base/limits.h"
#include "flag/evaluate.h"
#include "flag/program.h"

#define RUN_ROOM_BYTES (512 * KIB)

/* What `var` is relative to inside map, filter, reduce, all, some and none. */
struct frame {
    struct value item;
    struct value above; /* what ../ finds first: a step of map and filter, else the list */
    struct frame *outer;
};

struct telling; /* see explain.c */
struct version_test;

struct run {
    struct flag_context *context;
    struct value root;    /* ROOT; UNDEFINED while a rule is compiled */
    const json_t *values; /* or NULL */
    struct str flag_key;
    struct frame *frame;
    struct telling *telling; /* NULL unless somebody wants to hear */
    const char *why;
    bool is_over_limit; /* the failure is ours: of steps, room or length */
    unsigned steps_left;
    char *room;
    size_t room_used;
};

struct run run_begin(struct flag_context *c, struct str flag_key);

/* flagd's own operators need the whole context: they fail for the items of a list, and where the
 * reference thinks that a rule needs no context although it does. */
#define RUN_NOT_INSIDE                                                                             \
    "flagd's own operators do not work inside map, filter, reduce, all, some and none"

static inline bool run_is_at_top(const struct run *r)
{
    return (r->frame ? r->frame->item : r->root).kind == VALUE_ROOT;
}

/* ---- run.c: operators of control, comparison and context ---- */

struct value run_node(struct run *r, const struct node *n);
struct value run_raise(struct run *r, const char *why);
struct value run_raise_limit(struct run *r, const char *why);

/* Takes n steps; false when there are not so many left, and that has been raised. */
bool run_take(struct run *r, size_t n) MUST_USE;

/* For arrays on the way to every operand, which would otherwise be zeroed each time. */
#define UNWRITTEN __attribute__((uninitialized))

/* The operands of a node that wants them all. `small` has room for RUN_OPERANDS. False: raised. */
#define RUN_OPERANDS 8
bool run_operands(struct run *r, const struct node *n, struct value small[RUN_OPERANDS],
                  struct value *ret) MUST_USE;

/* Memory of the room, aligned for a value; NULL: full, raised. */
void *run_room(struct run *r, size_t bytes) MUST_USE;

/* What is about to outlive the frame that it may be part of. */
struct value run_kept(struct run *r, struct value v);

/* ---- paths.c ---- */

struct value run_var(struct run *r, const struct path *p);
struct value run_path(struct run *r, struct value from, const struct path *p);
struct value run_var_of(struct run *r, struct value key, struct value otherwise);
struct value run_missing(struct run *r, struct value keys);
struct value run_missing_some(struct run *r, struct value need, struct value keys);

/* ---- arithmetic.c ---- */

/* Number(v), of anything. False: raised. */
bool run_number(struct run *r, struct value v, double *ret) MUST_USE;
struct value run_arithmetic(struct run *r, enum op op, struct value operands);

/* ---- texts.c ---- */

/* String(v), in the room if it has to be made. False: raised. */
bool run_text(struct run *r, struct value v, struct str *ret) MUST_USE;
/* A list of its letters. False: raised. */
bool run_letters(struct run *r, struct str text, struct value *ret) MUST_USE;
struct value run_cat(struct run *r, struct value operands);
struct value run_substr(struct run *r, struct value operands);
struct value run_in(struct run *r, struct value operands);
struct value run_affix(enum op op, struct value operands);

/* ---- version.c ---- */

struct value run_sem_ver(struct run *r, struct value operands);
struct value run_version_test(struct run *r, struct value left, const struct version_test *test);

/* ---- lists.c ---- */

struct value run_merge(struct run *r, struct value operands);
struct value run_iterator(struct run *r, const struct node *n);

/* ---- fractional.c ---- */

struct value run_fractional(struct run *r, const struct node *n);

/* One entry, ["variant", weight]; false if it is none. */
bool fractional_entry(struct value entry, struct value *ret_variant, double *ret_weight) MUST_USE;

/* ---- explain.c ---- */

struct value telling_node(struct run *r, const struct node *n);
void telling_bucket(struct run *r, struct str key, uint32_t bucket, uint32_t total);

/* What an operator does, untold. */
struct value run_operator(struct run *r, const struct node *n);

#endif
