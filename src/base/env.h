/*
 * The environment of the process. Read only: nothing in the program changes it, but for a key that
 * main wipes before there are threads, which is why reading it is safe from every thread. Children
 * inherit it without what is hidden: the sources of secrets, and the credentials of a release.
 */
#ifndef LOCKFLIGHT_BASE_ENV_H
#define LOCKFLIGHT_BASE_ENV_H

#include <stdbool.h>

/* The value of a variable; NULL if it is unset or empty. */
const char *env_value(const char *name);

/* Overwrites the value where it stands and removes the variable, so that neither children nor
 * /proc/self/environ have it. Only at the start of main. */
void env_wipe(const char *name);

/* Children do not get this variable, unless they are given it by name: it holds a secret of ours. Only
 * while there are no threads that start any. */
void env_hide(const char *name);

/* Is that entry, "K=V", one of the hidden ones? */
bool env_is_hidden(const char *entry);

#endif
