/*
 * Shared libraries that are loaded when they are first needed. Loading libpq or libcurl brings thirty
 * others along and takes longer than most commands that need neither.
 *
 * A table of functions (provider/pg_library.inc, net/curl_library.inc) defines each of them under its
 * own name; the first call loads the library. So callers include the library's own header and know
 * nothing of this. A library that is not there ends the program, as it would have at its start.
 */
#ifndef LOCKFLIGHT_BASE_LIBRARY_H
#define LOCKFLIGHT_BASE_LIBRARY_H

/* "libpq.so.5". Never unloaded. */
void *library_load(const char *soname);

/* Stores the address of a function into the function pointer at `ret`. */
void library_find(void *library, const char *name, void *ret);

#endif
