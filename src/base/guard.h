/*
 * The memory of a process that holds secrets is nobody else's: no core dump, and no look into /proc by
 * other processes of the same user.
 */
#ifndef LOCKFLIGHT_BASE_GUARD_H
#define LOCKFLIGHT_BASE_GUARD_H

/* At the start of main. Children can be dumped as they like, but for the core limit, which they
 * inherit and may raise. */
void guard_install(void);

#endif
