/*
 * URLs: taken apart, put together and encoded. Nothing here allocates outside the given arena.
 */
#ifndef LOCKFLIGHT_NET_URL_H
#define LOCKFLIGHT_NET_URL_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct url {
    const char *scheme; /* "http" or "https", lower case */
    const char *host;   /* lower case, without brackets */
    uint16_t port;      /* the scheme's own if the text has none */
    const char *path;   /* as written, at least "/" */
    const char *query;  /* as written without "?", "" if there is none */
};

/* An absolute http or https URL without user, password or fragment. Else ERR_DATA. */
bool url_parse(struct arena *a, const char *text, struct url *ret, struct err *e) MUST_USE;

/* True for localhost, *.localhost, 127.0.0.0/8 and ::1: never sent through a proxy. */
bool url_host_is_loopback(const char *host);

/* The same for a whole URL; false if it is none. */
bool url_is_loopback(struct arena *a, const char *text);

/* True if both are absolute URLs with equal scheme, host and port. */
bool url_same_origin(struct arena *a, const char *one, const char *other);

/* Percent-encodes everything but A-Z a-z 0-9 - . _ ~ : for one segment of a path or one value of a
 * query. */
char *url_encode(struct arena *a, const char *text);

/* Percent-encodes a path as JavaScript's encodeURI does, "/" stays: what Netlify's upload URL
 * takes. "#" and
 * "?" are escaped too, since they would end the path. */
char *url_encode_path(struct arena *a, const char *path);

/* `base` and `path` with exactly one slash between them. */
char *url_join(struct arena *a, const char *base, const char *path);

/* A whole URL from one found in an answer to `base`: itself if it is whole, else ("/path") at the
 * same origin. NULL if it is neither. */
char *url_resolve(struct arena *a, const char *base, const char *reference);

/* The target of a Link header's rel="next"; NULL if there is none. */
char *url_next_link(struct arena *a, const char *link_header);

#endif
