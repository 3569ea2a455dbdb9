/*
 * The proof of a migration and its reverse script: both are run, up, down and up again, on a scratch
 * database with synthetic rows, and the catalogue and the rows are compared in between.
 *
 *     S0, rows  →  up  →  S1  →  down  →  S2, rows  →  up  →  S3  →  rows are written  →  down
 *
 *   proven     S2 is S0 but for what the script says it leaves, S3 is S1, and nothing is lost that the
 *              script does not say. What a second up would do is told, not held against it: history
 *              never lets one happen.
 *   loss class A  everything is restored      B  what is written after the migration goes
 *              C  the structure comes back, contents do not      D  cannot be undone
 *              The script may declare one (`-- loss: B why`); what is seen must not be worse.
 *
 * It runs inside one transaction that is rolled back; where a statement does not allow that, on a
 * clone that is dropped.
 *
 * CALLS   shadow_open at the version before → proof_run → proof_record in the environment that will be
 *         asked. A migration without a reverse script cannot be proved: do not ask.
 */
#ifndef LOCKFLIGHT_MIGRATE_PROOF_H
#define LOCKFLIGHT_MIGRATE_PROOF_H

#include "base/vec.h"
#include "migrate/catalogue/change.h"
#include "migrate/shadow/shadow.h"
#include "migrate/shadow/trace.h"

struct proof {
    const struct migration *migration;
    int server_major;
    bool is_proven;
    bool migration_runs; /* false: up itself is refused */
    const char
        *reason; /* not proven: why, in a sentence; may have an excerpt of the file below it */
    const char *where;                /* file:line:column, or NULL */
    const char *compared;             /* "after the reverse script" …; NULL: no difference */
    struct catalogue_change *changes; /* the differences that were not expected */
    size_t change_count;

    char loss; /* 'A' to 'D': declared, or what was seen if that is worse or nothing was */
    const char *loss_text; /* the whole sentence for people */
    bool is_declared;
    bool is_on_clone;         /* not inside one transaction */
    size_t rows;              /* synthetic ones that were there before the migration */
    VEC(const char *) leaves; /* what stays behind, as declared and seen */
    VEC(const char *) notes;  /* what could not be looked at, what is worth knowing */
    struct trace locks;       /* what the migration does to the tables that were there */
    bool has_locks;           /* it could be measured: every statement runs inside a transaction */
    char digest_before[SHA256_HEX_BYTES], digest_after[SHA256_HEX_BYTES];
    int64_t duration_ms;
};

/* Proves m, whose reverse script must exist, on a shadow that stands before it. The shadow is as
 * before afterwards. A pair that is not proven is a result, not an error; false only if the question
 * could not be answered (server gone, wrong directive). */
bool proof_run(struct shadow *s, struct arena *a, const struct migration *m, struct proof *ret,
               struct err *e) MUST_USE;

/* What a class means for the one who rolls back. `what`: which objects, or "". */
const char *loss_sentence(struct arena *a, char loss, const char *what);

/* One sentence per difference: "column public.t.b is missing", "index public.i is left behind". */
const char *proof_change_text(struct arena *a, const struct catalogue_change *c);

/* The result as a document; the caller owns it. */
json_t *proof_json(struct arena *a, const struct proof *p);

#endif
