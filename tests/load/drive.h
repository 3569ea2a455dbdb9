/*
 * The drivers of the load test: what they replace, through which calls, and the history that
 * visitors are held to.
 */
#ifndef LOAD_DRIVE_H
#define LOAD_DRIVE_H

#include "wire.h"

#include <stdatomic.h>

#define SCRIPT_PATH   "/assets/app-%08d.js"
#define FUNCTION_SLUG "load"

enum {
    CHANGES_MAX = 4096
};
static const int64_t LATE_NS = 1000000000;

/* Change i made version[i] live. Written before `started` moves, so a reader never sees an unset
 * one. */
struct history {
    _Atomic int started,
        acknowledged; /* index of the last change asked for, and of the last answered */
    int version[CHANGES_MAX];
};

struct drive {
    int api_port, site_port;
    const char *netlify_token, *supabase_token, *site, *ref;
    int publishes, rollbacks, switches;   /* wanted */
    int pause_ms;                         /* between two visits; below 1000 */
    int published, rolled_back, switched; /* done */
    struct history site_history, function_history;
    char deploy_id[CHANGES_MAX][64]; /* of each version of the site */
    char trouble[300];               /* why a driver gave up, or "" */
};

/* What a version looks like to a visitor; returns its length. */
typedef size_t body_of(int version, char *buffer, size_t buffer_bytes);
body_of page_body, script_body, function_body;

/* Brings the first version of site and function on the air and waits for it. */
bool drive_first(struct drive *d);

/* Thread bodies. */
void *drive_site(void *drive);
void *drive_functions(void *drive);

#endif
