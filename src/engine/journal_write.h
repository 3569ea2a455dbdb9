/*
 * The one place where the journal is written. Every durable write of journal, attestations and
 * artifacts passes through journal_write: fault point, transaction, fence, statement, event,
 * commit, fault point.
 *
 * Joins the transaction that is open on lease_db(). Otherwise the write is a transaction of its
 * own, and when the connection is lost it reconnects the lease and writes again: the statement must
 * therefore be one that may be repeated.
 */
#ifndef LOCKFLIGHT_ENGINE_JOURNAL_WRITE_H
#define LOCKFLIGHT_ENGINE_JOURNAL_WRITE_H

#include "engine/lease.h"

struct journal_write {
    const char *name; /* of the fault points: journal.<name>.before and .after */
    const char *sql;  /* must touch a row; NULL: only the event */
    struct pg_params params;
    const char *nothing; /* what it means when no row is touched: ERR_CONFLICT with this text */

    const char *event; /* type; NULL: none */
    const char *release_id;
    const char *body; /* JSON text or NULL */
};

/* A free text or JSON for the journal, with every registered secret replaced; NULL stays NULL.
 * Names, digests and ids are written as they are: a variable whose value is "staging" must not blot
 * out the name of the environment. */
const char *journal_text(struct arena *a, const char *text);

bool journal_write(struct lease *l, const struct journal_write *w, struct err *e) MUST_USE;

#endif
