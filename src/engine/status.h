/*
 * What an environment is on, layer by layer, and where that differs from what Lockflight made live.
 * Reads only.
 */
#ifndef LOCKFLIGHT_ENGINE_STATUS_H
#define LOCKFLIGHT_ENGINE_STATUS_H

#include "engine/live.h"

/* One difference nobody released: "secret WHATSAPP_TOKEN changed outside Lockflight". */
struct status_drift {
    const char *layer; /* "site", "functions", "variables", "database" */
    const char *text;
};

struct status {
    const char *environment;
    struct live live; /* owned: status_done */
    const char *site_url;
    const char *site;         /* release by the live deploy's title; "" if it is not ours */
    const char *functions;    /* release by what the functions were told; "" if none */
    size_t functions_changed; /* in this checkout, against what runs */
    size_t pending;           /* migrations of this checkout that are not applied */
    size_t ahead;             /* migrations of ours beyond the live release */
    struct status_drift *drift;
    size_t drift_n;
    struct text_array to_rotate; /* "WHATSAPP_TOKEN was set 93 days ago; …" */
    const char
        *waiting; /* release that the required environment proved and that is not live here; NULL */
    const char *waiting_reason;       /* why it is quarantined here; NULL: it is not */
    char catalogue[SHA256_HEX_BYTES]; /* "" unless asked for */
};

/* `with_catalogue`: also the digest of the database's catalogue, which takes longer. */
bool status_read(struct target *t, bool with_catalogue, struct status *ret, struct err *e) MUST_USE;
void status_done(struct status *s);

static inline void status_cleanup(struct status *s)
{
    status_done(s);
}

/* "released 2 min ago", "interrupted at functions", "locked by ana: …" */
const char *status_sentence(struct arena *a, const struct status *s);

/* Everything, with the digests by which two states can be compared exactly. The caller owns it. */
json_t *status_json(struct arena *a, const struct status *s);

#endif
