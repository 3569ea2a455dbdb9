/*
 * The times of the lease: defaults of lease.h, which tests may change through the environment as
 * long as they fit together.
 */
#include "base/env.h"
#include "base/str.h"
#include "engine/lease.h"

static bool time_from_environment(const char *name, int64_t *ms, struct err *e)
{
    const char *text = env_value(name);
    uint64_t value = 0;
    if (!text)
        return true;
    if (!str_to_u64(str_of(text), &value) || value > 3600000)
        return err_set(e, ERR_CONFIG, "%s=%s is not a number of milliseconds up to an hour", name,
                       text);
    *ms = (int64_t)value;
    return true;
}

bool lease_times_read(struct lease_times *ret, struct err *e)
{
    struct lease_times t = { LEASE_MS, LEASE_RENEW_MS, REQUEST_MS, DRAIN_MS };
    if (!time_from_environment("LOCKFLIGHT_LEASE_MS", &t.lease_ms, e) ||
        !time_from_environment("LOCKFLIGHT_RENEW_MS", &t.renew_ms, e) ||
        !time_from_environment("LOCKFLIGHT_REQUEST_MS", &t.request_ms, e) ||
        !time_from_environment("LOCKFLIGHT_DRAIN_MS", &t.drain_ms, e))
        return false;
    if (t.renew_ms < 100 || t.lease_ms < 4 * t.renew_ms ||
        t.lease_ms < t.request_ms + 2 * t.renew_ms || t.drain_ms < t.request_ms)
        return err_set(
            e, ERR_CONFIG,
            "LOCKFLIGHT_*_MS do not fit together: renew %lld, lease %lld, request %lld, drain %lld",
            (long long)t.renew_ms, (long long)t.lease_ms, (long long)t.request_ms,
            (long long)t.drain_ms);
    *ret = t;
    return true;
}
