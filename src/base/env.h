/*
 * The environment of the process. Read only: nothing in the program changes it, but for a key that
 * main wipes before there are threads, which is why reading it is safe from every thread.
 */
#ifndef LOCKFLIGHT_BASE_ENV_H
#define LOCKFLIGHT_BASE_ENV_H

/* The value of a variable; NULL if it is unset or empty. */
const char *env_value(const char *name);

/* Overwrites the value where it stands and removes the variable, so that neither children nor
 * /proc/self/environ have it. Only at the start of main. */
void env_wipe(const char *name);

#endif
