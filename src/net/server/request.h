/*
 * A request and its answer.
 *
 * A handler does exactly one of these, and after it must not touch the request again, unless it is
 * called back:
 *
 *     respond_…           answers; a body that was not asked for is read and thrown away
 *     request_read_body   reads the body into memory, then calls `then` on the loop
 *     request_sink_body   hands the body piece by piece to a function on the pool, then `then`
 *     request_to_pool     calls `then` on a pool worker, where it may block; there it may respond
 *     request_proxy       passes the request on to an upstream (upstream.h)
 *     request_suspend     keeps it until another thread calls request_resume
 *
 * MEMORY   r->arena lives until the answer has been sent; texts given to respond_… must live as
 *          long, so allocate them there. All texts in the request are zero-terminated.
 */
#ifndef LOCKFLIGHT_NET_SERVER_REQUEST_H
#define LOCKFLIGHT_NET_SERVER_REQUEST_H

#include "base/arena.h"
#include "base/str.h"
#include "net/server/server.h"

#include <jansson.h>

enum method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_PATCH,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_OTHER, /* see method_name */
};

struct header {
    const char *name; /* as sent; compare with strcasecmp or use request_header */
    const char *value;
    size_t value_bytes;
};

struct path_param {
    const char *name;
    const char *value; /* decoded */
};

#define REQUEST_PARAMS_MAX 6

struct request {
    struct arena *arena;
    enum method method;
    const char *method_name;
    const char *target;   /* as sent, without scheme and host: path and query */
    const char *raw_path; /* path as sent, still encoded */
    const char *path;  /* decoded once, checked: starts with '/', no NUL, no "." or ".." segment */
    const char *query; /* as sent, without '?'; "" if there is none */
    const char *host;  /* the Host header in lower case, without port */
    const char *authority; /* the Host header in lower case */
    const char *peer;      /* the other side's address */
    int port;              /* of the listener */
    const struct header *headers;
    size_t header_count;
    struct str body;                              /* after request_read_body */
    struct path_param params[REQUEST_PARAMS_MAX]; /* set by route.h */
    size_t param_count;
    struct server *server;
};

/* First header of that name, any case; NULL if there is none. */
const char *request_header(const struct request *r, const char *name);

/* A parameter of the route, "" if there is none. */
const char *request_param(const struct request *r, const char *name);

/* A query parameter, decoded; NULL if absent. `name` is compared decoded;
 * "a[]" finds a%5B%5D too. */
const char *request_query(struct request *r, const char *name);

/* The token of "Authorization: Bearer <token>"; NULL if there is none. */
const char *request_bearer(const struct request *r);

/* What the body is announced to be: -1 when chunked, 0 when there is none. */
int64_t request_body_bytes(const struct request *r);

/* Decodes a path once and checks it as r->path was; false if it is no path to follow. */
bool url_path_decode(struct arena *a, const char *raw, const char **ret);

/* ---- Going on later -------------------------------------------------------------------------- */

/* Reads the body into r->body; 413 is answered by itself when it is larger. Then calls `then`. */
void request_read_body(struct request *r, size_t max_bytes, request_fn then, void *context);

/* Gives the body in pieces (up to 256 KiB) to sink on a pool worker; reading waits meanwhile. If
 * sink returns false the rest is thrown away and `then` is called all the same. A body over
 * max_bytes or cut short never reaches `then`: register request_on_end to clean up. */
typedef bool (*body_sink_fn)(void *sink_context, struct str piece);
void request_sink_body(struct request *r, uint64_t max_bytes, body_sink_fn sink, void *sink_context,
                       request_fn then, void *context);

/* Calls `then` on a pool worker, where it may block. If it does none of the things above, 500. */
void request_to_pool(struct request *r, request_fn then, void *context);

/* From a handler: "an answer will come". Later, from any thread, once:
 * `then` on the loop thread. */
void request_suspend(struct request *r);
void request_resume(struct request *r, request_fn then, void *context);

/* Registers fn(context) for the end of the request, however it ends. Last registered runs first; on
 * the loop thread, so it must not block. */
void request_on_end(struct request *r, server_fn fn, void *context);

/* ---- Answers --------------------------------------------------------------------------------- */

/* Adds a header to the answer, before respond_…. A value with control bytes is dropped. Framing
 * headers (Content-Length, Transfer-Encoding, Connection, Date) belong to the server and are
 * ignored here. */
void response_header(struct request *r, const char *name, const char *value);

/* The same, instead of any header of that name added before (by an upstream, for example). */
void response_set_header(struct request *r, const char *name, const char *value);

/* content_type may be NULL. HEAD requests get the same head and no body. */
void respond(struct request *r, int status, const char *content_type, struct str body);
void respond_text(struct request *r, int status, const char *text); /* text/plain, UTF-8 */
void respond_json(struct request *r, int status, json_t *value);    /* takes the reference */
void respond_empty(struct request *r, int status);

/* {"code":status,"message":…,"msg":…} */
void respond_error(struct request *r, int status, const char *fmt, ...) PRINTF(3, 4);

/* Bytes owned by someone else: release(owner) is called when they have been sent. */
void respond_shared(struct request *r, int status, const char *content_type, struct str body,
                    server_fn release, void *owner);

/* `bytes` of an open file from `offset` by sendfile; takes the descriptor. */
void respond_file(struct request *r, int status, const char *content_type, int fd, uint64_t offset,
                  uint64_t bytes);

/* ---- Answers that go on (SSE) ---------------------------------------------------------------- */

/*
 * Starts an answer of unknown length. Other threads may write to the stream until they end it;
 * writes never block. stream_write returns false once the other side is gone or is more than 1 MiB
 * behind, after which the stream must still be ended. The stream outlives the request.
 */
struct stream;
struct stream *respond_stream(struct request *r, int status, const char *content_type);
bool stream_write(struct stream *st, struct str bytes);
void stream_end(struct stream *st);

#endif
