/*
 * Guarding the process: see guard.h.
 */
#include "base/guard.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void guard_install(void)
{
    struct rlimit core;
    if (getrlimit(RLIMIT_CORE, &core) == 0) {
        core.rlim_cur = 0;
        (void)setrlimit(RLIMIT_CORE, &core); /* less is always allowed */
    }
#ifndef __SANITIZE_ADDRESS__ /* the leak checker looks into its own process from outside */
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}
