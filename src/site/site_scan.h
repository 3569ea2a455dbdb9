/*
 * Looks into a built site for what must not be published: another environment's address or project,
 * or the value of a declared secret. Every file is searched, text or not, as it stands and, for
 * secrets, also as base64, since that is how bundlers inline them.
 */
#ifndef LOCKFLIGHT_SITE_SITE_SCAN_H
#define LOCKFLIGHT_SITE_SITE_SCAN_H

#include "site/artefact.h"

struct site_forbidden {
    const char *name; /* what it is: "WHATSAPP_TOKEN", "project ref of production" */
    struct str bytes; /* under 6 bytes: ignored, because it would be found by chance */
    bool is_secret;   /* then the bytes are in no error */
};

/* ERR_BLOCKED that names the file, the line and the forbidden thing's name; the
 * value is never shown. Files without a source on this machine are not searched:
 * they were when they were built. */
bool site_scan(struct arena *a, const struct artefact *art, const struct site_forbidden *forbidden,
               size_t n, struct err *e) MUST_USE;

#endif
