#include "engine/journal_write.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/log.h"
#include "engine/event.h"

#include <stdio.h>

/* Chosen once per write, however often it is sent. */
static struct event event_of(struct lease *l, struct arena *a, const struct journal_write *w)
{
    return (struct event){
        .target = lease_target(l),
        .release_id = w->release_id,
        .epoch = lease_epoch(l),
        .type = w->event,
        .body = journal_text(a, w->body),
        .nonce = random_uuid(a),
    };
}

const char *journal_text(struct arena *a, const char *text)
{
    return text ? log_redacted(a, str_of(text)) : NULL;
}

static bool write_inside(struct lease *l, const struct journal_write *w, const struct event *v,
                         struct err *e)
{
    struct pg *db = lease_db(l);
    struct err nothing = { 0 };
    if (!lease_fence(l, db, e))
        return false;
    (void)err_set(&nothing, ERR_CONFLICT, "%s", w->nothing ? w->nothing : "nothing to change");
    if (w->sql && !pg_expect(db, w->sql, w->params, &nothing, e))
        return false;
    return !w->event || event_append(db, v, e);
}

static bool write_alone(struct lease *l, const struct journal_write *w, const struct event *v,
                        struct err *e)
{
    struct pg *db = lease_db(l);
    if (pg_begin(db, e) && write_inside(l, w, v, e) && pg_commit(db, e))
        return true;
    pg_rollback(db);
    return false;
}

/* A lost connection is no reason to stop as long as the lease can be kept. */
static bool write_until_settled(struct lease *l, const struct journal_write *w,
                                const struct event *v, struct err *e)
{
    while (!write_alone(l, w, v, e)) {
        if (e->code != ERR_NET && e->code != ERR_UNKNOWN_OUTCOME)
            return false;
        if (!lease_reconnect(l, e))
            return false;
    }
    return true;
}

bool journal_write(struct lease *l, const struct journal_write *w, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    const struct event v = event_of(l, a, w);
    char before[64], after[64];
    (void)snprintf(before, sizeof before, "journal.%s.before", w->name);
    (void)snprintf(after, sizeof after, "journal.%s.after", w->name);

    if (!FAULT_POINT(before, e))
        return err_wrap(e, "journal: %s", w->name);
    bool ok = pg_in_transaction(lease_db(l)) ? write_inside(l, w, &v, e)
                                             : write_until_settled(l, w, &v, e);
    if (!ok || !FAULT_POINT(after, e))
        return err_wrap(e, "journal: %s", w->name);
    return true;
}
