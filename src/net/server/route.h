/*
 * Route tables: one row per endpoint, so that an API reads as its list of operations.
 *
 *     static const struct route routes[] = {
 *         { "GET",  "/sites/:site",          site_get },
 *         { "PUT",  "/deploys/:id/upload",   file_put,    .on_loop = true },
 *         { "POST", "/sites/:site/deploys",  deploy_post, .max_body_bytes = 16 * MIB },
 *         { 0 },
 *     };
 *
 * ":name" is one segment, a last "*" the (possibly empty) rest, both decoded; the rest is parameter
 * "*". Unless on_loop is set the body is read into memory first (default limit 1 MiB), then `run`
 * is called on a pool worker, where it may block. First match wins.
 */
#ifndef LOCKFLIGHT_NET_SERVER_ROUTE_H
#define LOCKFLIGHT_NET_SERVER_ROUTE_H

#include "net/server/request.h"

struct route {
    const char *method; /* "GET" also answers HEAD */
    const char *pattern;
    request_fn run;
    bool on_loop; /* `run` is called at once on the loop thread and reads the body itself */
    size_t max_body_bytes; /* 0: 1 MiB */
};

/* Finds the row for `path` (a tail of r->raw_path) and sets r->params. NULL if no row fits; then
 * *ret_other_method (may be NULL) says whether one fits but for the method. */
const struct route *route_find(const struct route *routes, struct request *r, const char *raw_path,
                               bool *ret_other_method);

/* Reads the body and runs the row as it says. */
void route_run(const struct route *row, struct request *r, void *context);

/* Both in one: answers 404 or 405 as JSON when nothing fits. */
void route_dispatch(const struct route *routes, struct request *r, const char *raw_path,
                    void *context);

#endif
