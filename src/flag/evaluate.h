/*
 * What a flag is for a context: flagd's algorithm, the same for one flag and for all of them.
 *
 *     unknown key          FLAG_NOT_FOUND
 *     state DISABLED       reason DISABLED, no value
 *     rule did not compile PARSE_ERROR
 *     no rule              the default variant, STATIC; without one DEFAULT and no value
 *     rule failed          GENERAL; so is a limit that was hit
 *     rule gave null       the default variant, DEFAULT
 *     rule gave a variant  TARGETING_MATCH; one that does not exist is GENERAL
 *
 * Semantics of the operators: JsonLogic as json-logic-engine 5 interprets it, plus flagd's own
 * (fractional, starts_with, ends_with, sem_ver); docs/flags.md lists where we differ and why.
 */
#ifndef LOCKFLIGHT_FLAG_EVALUATE_H
#define LOCKFLIGHT_FLAG_EVALUATE_H

#include "flag/document.h"
#include "flag/value.h"

enum flag_reason {
    FLAG_REASON_ERROR,
    FLAG_REASON_STATIC,
    FLAG_REASON_DEFAULT,
    FLAG_REASON_TARGETING_MATCH,
    FLAG_REASON_DISABLED,
};

enum flag_error {
    FLAG_OK,
    FLAG_NOT_FOUND,
    FLAG_PARSE_ERROR,
    FLAG_GENERAL,
};

/* Everything in it lives as long as the document. */
struct flag_answer {
    enum flag_reason reason;
    enum flag_error error;
    const char *variant;    /* NULL: none */
    const char *value_json; /* as JavaScript's JSON.stringify prints it; NULL: the code default */
    const json_t *value;    /* the same; NULL likewise */
    const char *detail;     /* of an error, a sentence; NULL: none */
    const char *metadata;   /* JSON text, sorted keys: set overlaid by flag; "{}" if none */
    unsigned steps;         /* operator steps taken */
};

/* What an evaluation is about. `values` is a JSON object, not changed, that outlives the context;
 * "$flagd" in it is hidden by our own. Makes room for a few kilobytes once, on the caller's stack;
 * use it for as many flags as wanted, from one thread. */
#define FLAG_CONTEXT_SLOTS 64

struct flag_context {
    const json_t *values;
    int64_t now_s;       /* $flagd.timestamp, unix seconds */
    unsigned steps_left; /* shared by the request: LIMIT_FLAG_STEPS at the start */

    /* Variables that have been looked up, by their number in the document of this serial. */
    uint64_t serial;
    uint64_t known;
    struct value slots[FLAG_CONTEXT_SLOTS];
};
struct flag_context flag_context(const json_t *values, int64_t now_s);

/* `f` NULL answers FLAG_NOT_FOUND. Allocates nothing. */
void flag_evaluate(const struct flag_document *d, const struct flag *f, struct flag_context *c,
                   struct flag_answer *ret);

/* The same, telling each operator's operands and result, indented by depth, one line each. */
void flag_explain(const struct flag_document *d, const struct flag *f, struct flag_context *c,
                  void (*line)(void *to, int depth, const char *text), void *to,
                  struct flag_answer *ret);

const char *flag_reason_name(enum flag_reason r); /* "TARGETING_MATCH" */
const char *flag_error_name(enum flag_error x);   /* "FLAG_NOT_FOUND"; NULL for FLAG_OK */

#endif
