/*
 * What OFREP answers to one evaluation request: body in, body out, without a connection. The Edge
 * Function makes the same bytes of the same snapshot.
 *
 * BULK     {"flags":[…],"metadata":{…},"eventStreams":[…]}, flags in the order of their keys
 * FLAG     {"key","reason","value"?,"variant"?,"metadata"?}, or
 *          {"key","errorCode","errorDetails"?}, members in this order, compact, values as JSON.stringify
 *          prints them; "metadata" only if there is some. Without a value the caller's own default
 *          counts; there is never a null.
 * ETAG     the first 16 hex digits of the SHA-256 of the array, brackets included, in quotes: so it
 *          changes with the context too, and not with what stands beside the array.
 *
 * WHO      Servers see every flag, with metadata and what went wrong. Everybody else sees the flags
 *          that are exposed to clients, without either; one that is not exposed is not found.
 */
#ifndef LOCKFLIGHT_FLAG_OFREP_ANSWER_H
#define LOCKFLIGHT_FLAG_OFREP_ANSWER_H

#include "base/strbuf.h"
#include "flag/normalise.h"
#include "flag/snapshot.h"

#define OFREP_ETAG_BYTES 19 /* 16 digits, quotes, zero */

struct ofrep_question {
    const struct flag_snapshot *snapshot;
    struct flag_caller caller;
    struct str body; /* {"context":{…}}; empty: no context */
    int64_t now_s;
    bool is_stale;           /* says so in "metadata" */
    const char *flag_set_id; /* repeated in "metadata"; NULL: none was asked for */
    const char *stream;      /* path of the event stream; NULL: no eventStreams */
};

struct ofrep_answer {
    int status;                  /* 200, 400, 404, 500 */
    struct strbuf body;          /* the caller's: strbuf_done */
    char etag[OFREP_ETAG_BYTES]; /* of a bulk answer with status 200, else "" */
};

void ofrep_answer_bulk(const struct ofrep_question *q, struct ofrep_answer *ret);
void ofrep_answer_single(const struct ofrep_question *q, const char *key, struct ofrep_answer *ret);

/* True if one of the tags in an If-None-Match is `etag`, compared weakly, or it is "*". */
bool ofrep_etag_matches(const char *if_none_match, const char *etag);

/* `text` as a JSON string, as JSON.stringify prints it. */
void ofrep_add_text(struct strbuf *to, const char *text);

#endif
