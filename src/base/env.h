/*
 * The environment of the process. Read only: nothing in the program changes it, which is why
 * reading it is safe from every thread.
 */
#ifndef LOCKFLIGHT_BASE_ENV_H
#define LOCKFLIGHT_BASE_ENV_H

/* The value of a variable; NULL if it is unset or empty. */
const char *env_value(const char *name);

#endif
