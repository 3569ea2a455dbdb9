/*
 * One write of a flag's state, and all that can come between: somebody who was faster, somebody who
 * does not finish, an answer that was lost.
 *
 * LOST     The write names the version that it replaces, so it is safe to say it again: of two copies
 *          one finds another version. Who wrote the state that is there then tells which it was.
 */
#include "base/clock.h"
#include "command/flags/change.h"
#include "flag/state.h"

#define TRIES 5 /* somebody would have to be faster, or the network fail, as often as that */

bool flags_tell_conflict(struct flags *f, const char *key, struct err *e)
{
    struct arena *a = f->c->arena;
    struct flag_row now;
    struct err unreadable = { 0 };
    if (e->code != ERR_CONFLICT || !flag_store_get(f->db, a, key, &now, &unreadable))
        return false;
    json_auto_t *state = flags_state(&now);
    err_state(e, "%s in %s is now %s (version %lld, by %s, %s%s%s); nothing was changed here", key,
              f->name, flag_state_words(a, state, now.off_variant), (long long)now.version,
              flags_plain(a, now.updated_by), flags_ago(a, now.updated_unix_ms),
              now.updated_reason ? ": " : "", flags_plain(a, now.updated_reason));
    return err_hint(e, "look, then say it again: lockflight flags show %s --env %s", key, f->name);
}

bool flags_tell_wait(struct flags *f, struct err *e)
{
    struct arena *a = f->c->arena;
    struct flag_writer w;
    struct err unreadable = { 0 };
    if (!streq(e->sqlstate, "55P03"))
        return false;
    err_set(e, ERR_BLOCKED, "somebody's change of the flags of %s does not end", f->name);
    err_state(e, "nothing was changed");
    if (!flag_store_writer(f->db, a, &w, &unreadable) || !w.pid)
        return err_hint(e, "say it again, with --wait 1m");
    err_set(e, ERR_BLOCKED,
            "a change of the flags of %s has been open for %s: session %s (%s) of %s", f->name,
            clock_duration(a, w.open_ms), w.pid, flags_plain(a, w.application),
            flags_plain(a, w.user));
    err_state(e, "nothing was changed");
    return err_hint(e, "--wait 1m, or end it in the database: select pg_terminate_backend(%s)",
                    w.pid);
}

/* After a lost connection: what is there now, and is it what was to be written? */
static bool look_again(struct flags *f, struct flag_row *row, const json_t *patch, bool *ret_done,
                       struct err *e)
{
    struct flag_row now;
    if (!pg_reconnect(f->db, e) || !flags_set_wait(f, e) || !flags_get(f, row->key, &now, e)) {
        err_state(e, "whether %s was changed is not known", row->key);
        return err_hint(e, "lockflight flags show %s --env %s", row->key, f->name);
    }
    json_auto_t *before = flags_state(row);
    json_auto_t *wanted = flag_state_patched(before, patch);
    json_auto_t *there = flags_state(&now);
    *ret_done = now.version == row->version + 1 && streq(now.updated_by, f->by.actor) &&
                json_equal(wanted, there);
    if (!*ret_done)
        *row = now;
    return true;
}

bool flags_write(struct flags *f, struct flag_row *row, const struct flags_change *x,
                 int64_t *ret_version, struct err *e)
{
    for (int i = 1;; i++) {
        int64_t seen = row->version;
        bool is_done = false;
        if (flag_store_set(f->db, row->key, x->patch, seen, &f->by, ret_version, e))
            return true;
        bool is_lost = !pg_is_alive(f->db);
        if (i == TRIES || !(is_lost || (e->code == ERR_CONFLICT && x->is_brake)))
            break;
        err_clear(e);
        if (!(is_lost ? look_again(f, row, x->patch, &is_done, e) : flags_get(f, row->key, row, e)))
            return false;
        if (is_done) {
            *ret_version = seen + 1;
            return true;
        }
        if (!x->is_brake && row->version != seen) {
            err_set(e, ERR_CONFLICT, "the connection was lost, and somebody else was faster");
            break;
        }
    }
    return e->code == ERR_CONFLICT ? flags_tell_conflict(f, row->key, e) : flags_tell_wait(f, e);
}
