/*
 * Directives: what a person tells Lockflight inside an SQL file, as a comment of one line.
 *
 *     -- phase: contract                      the file: expand, backfill or contract
 *     -- lock-budget: 100ms                   the file: the longest a visitor may wait for a lock
 *     -- allow: L01 the table is small        the next statement; at the head of a file, all of it
 *     -- backfill: key=id batch=1000          the next statement, which then runs in batches
 *     -- loss: C old rows cannot come back    a reverse script: what it cannot restore
 *     -- leaves: enum public.mood sad         a reverse script: what it must leave behind
 *     -- transaction: none                    the file: every statement by itself
 *
 * `-- lockflight: allow L01 …` is accepted too. Unknown words are ordinary comments. The head of a
 * file ends at the first blank line after its first comment, or at its first statement if there is
 * no such line.
 */
#ifndef LOCKFLIGHT_MIGRATE_DIRECTIVE_H
#define LOCKFLIGHT_MIGRATE_DIRECTIVE_H

#include "base/arena.h"
#include "base/str.h"

#include <stdint.h>

enum directive_word {
    DIRECTIVE_PHASE,
    DIRECTIVE_LOCK_BUDGET,
    DIRECTIVE_ALLOW,
    DIRECTIVE_BACKFILL,
    DIRECTIVE_LOSS,
    DIRECTIVE_LEAVES,
    DIRECTIVE_TRANSACTION,
};

struct directive {
    enum directive_word word;
    const char *value; /* all behind the word, trimmed: "L01 the table is small" */
    const char *first; /* its first word: "L01" */
    const char *rest;  /* what follows that: "the table is small"; "" if nothing */
    size_t offset;     /* of the comment in the file */
    unsigned line;
    bool is_head; /* stands at the head of the file */
};

struct directives {
    struct directive *v;
    size_t n;
};

enum phase {
    PHASE_EXPAND,
    PHASE_BACKFILL,
    PHASE_CONTRACT,
};
const char *phase_name(enum phase p);

/* All directives of a file, in order. Wrong values are ERR_CONFIG with their place: an unknown
 * phase, a budget that is no duration, an `allow` without a reason, a loss class outside A to D. */
bool directives_read(struct arena *a, const char *file, struct str text, struct directives *ret,
                     struct err *e) MUST_USE;

/* The first with this word, or NULL. */
const struct directive *directive_find(const struct directives *d, enum directive_word word);

/* What the head of the file says: the phase, EXPAND if nothing; the budget in ms, `otherwise_ms` if
 * nothing. */
enum phase directives_phase(const struct directives *d);
int64_t directives_lock_budget_ms(const struct directives *d, int64_t otherwise_ms);

#endif
