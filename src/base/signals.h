/*
 * The signals of a command: SIGINT and SIGTERM ask it to stop at the next boundary, a second one
 * ends it at once with exit status 9. The same signal sent again by a process within a second is the
 * first one, passed on. SIGPIPE is ignored.
 */
#ifndef LOCKFLIGHT_BASE_SIGNALS_H
#define LOCKFLIGHT_BASE_SIGNALS_H

#include <stdbool.h>

void signals_install(void);
bool signals_stop_asked(void);

/* The stop was heard: signals_stop_asked is false again, so that the way back may wait and retry. A
 * further signal still ends the program at once. */
void signals_stop_heard(void);

#endif
