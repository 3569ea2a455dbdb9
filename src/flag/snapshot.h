/*
 * What a server answers from: the flags of one environment as they were at one version, compiled,
 * never changed after, shared by reference count between threads.
 *
 * FORMAT   What lockflight.flag_snapshot() returns:
 *            {"v":812, "next":1764070000|null, "document":{flagd document},
 *             "flags":{"financial":{"exposure":"client"}},
 *             "attributes":{"plan":{"type":"string","trusted":true}}}
 *          "next" is when a scheduled change falls due, unix seconds: from then on the snapshot is old
 *          although its version is not. A flag that "flags" does not name is for servers only.
 */
#ifndef LOCKFLIGHT_FLAG_SNAPSHOT_H
#define LOCKFLIGHT_FLAG_SNAPSHOT_H

#include "flag/usage.h"

#include <stdatomic.h>

struct flag_snapshot {
    atomic_uint refs;
    int64_t version;
    int64_t next_s; /* 0: nothing is scheduled */
    struct flag_document *document;
    bool *is_public;    /* by position in the document: browsers may know it */
    json_t *attributes; /* declarations, for flag_normalise; only read */
    struct flag_usage *usage;
};

/* One reference, the caller's. ERR_DATA says what is wrong with it; ERR_LIMIT. */
bool flag_snapshot_parse(struct str text, struct flag_snapshot **ret, struct err *e) MUST_USE;

/* No flags, version 0: an environment that nothing was deployed to yet. */
struct flag_snapshot *flag_snapshot_empty(void);

struct flag_snapshot *flag_snapshot_ref(struct flag_snapshot *s);
void flag_snapshot_unref(struct flag_snapshot *s); /* accepts NULL; the last one frees */

static inline void flag_snapshot_cleanup(struct flag_snapshot **s)
{
    flag_snapshot_unref(*s);
}

#endif
