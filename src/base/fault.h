/*
 * Named fault points: places where a test may kill, stop or fail the program. They exist only in
 * the test build (meson option `faults`); in a release build the macros are empty.
 *
 *     LOCKFLIGHT_FAULT=journal.intent.after:2:kill      the second passage dies with SIGKILL
 *     LOCKFLIGHT_FAULT=netlify.request.before:1:error   that passage fails with ERR_IO
 *     LOCKFLIGHT_FAULT_LIST=FILE                        every passage appends its name to FILE
 */
#ifndef LOCKFLIGHT_BASE_FAULT_H
#define LOCKFLIGHT_BASE_FAULT_H

#include "base/err.h"

#ifdef LOCKFLIGHT_FAULTS
/* True to go on; false with an error in *e when the test wants a failure here. */
bool fault_passes(const char *name, struct err *e) MUST_USE;
#define FAULT_POINT(name, e) fault_passes((name), (e))
#else
#define FAULT_POINT(name, e) ((void)(e), true)
#endif

#endif
