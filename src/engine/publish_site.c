/*
 * Making a deploy live: see publish_site.h.
 */
#include "engine/publish_site.h"

#include "base/clock.h"

/* field reports: the pointer may take more than one poll to move */
#define PUBLISH_WAIT_MS  300000
#define PUBLISH_PAUSE_MS 200

/* NOLINTNEXTLINE(readability-function-size): where, what, how long, and two answers */
static bool wait_live(struct netlify *n, struct arena *a, const char *deploy_id, int64_t wait_ms,
                      bool *ret_live, struct netlify_site *ret, struct err *e)
{
    int64_t end_ms = clock_boot_ms() + wait_ms;
    for (;;) {
        if (!netlify_site_get(n, a, ret, e))
            return err_wrap(e, "read what is live");
        *ret_live = streq(ret->published_id, deploy_id);
        if (*ret_live || clock_boot_ms() >= end_ms)
            return true;
        if (!http_pause(netlify_http(n), PUBLISH_PAUSE_MS, e))
            return err_wrap(e, "wait for the host");
    }
}

static bool restore(struct netlify *n, struct arena *a, const char *deploy_id, struct err *e)
{
    if (netlify_restore(n, a, deploy_id, e))
        return true;
    if (e->code != ERR_UNKNOWN_OUTCOME)
        return false;
    bool is_live = false;
    struct netlify_site site;
    if (!wait_live(n, a, deploy_id, 0, &is_live, &site, e))
        return false;
    return is_live || netlify_restore(n, a, deploy_id, e);
}

static bool set_lock(struct netlify *n, struct arena *a, const char *deploy_id, bool locked,
                     struct err *e)
{
    bool ok = locked ? netlify_lock(n, a, deploy_id, e) : netlify_unlock(n, a, deploy_id, e);
    if (!ok && e->code != ERR_UNKNOWN_OUTCOME)
        return err_wrap(e, "%s the live deploy", locked ? "lock" : "unlock");
    struct netlify_site site;
    if (!netlify_site_get(n, a, &site, e))
        return err_wrap(e, "read the lock back");
    if (site.is_locked != locked)
        return err_set(e, ERR_REMOTE, "the host says the live deploy is %s",
                       site.is_locked ? "locked" : "not locked");
    return true;
}

bool publish_site(struct netlify *n, struct arena *a, const char *deploy_id, bool locked,
                  struct err *e)
{
    struct netlify_site site;
    if (!netlify_site_get(n, a, &site, e))
        return err_wrap(e, "read what is live");
    bool is_live = streq(site.published_id, deploy_id);
    if (!is_live) {
        if (!restore(n, a, deploy_id, e))
            return err_wrap(e, "make deploy %s live", deploy_id);
        if (!wait_live(n, a, deploy_id, PUBLISH_WAIT_MS, &is_live, &site, e))
            return false;
        if (!is_live)
            return err_set(e, ERR_TIMEOUT,
                           "the host took the publish call, but deploy %s is still live",
                           site.published_id);
    }
    return site.is_locked == locked || set_lock(n, a, deploy_id, locked, e);
}
