/*
 * The leak gate: looks into a built site for what must not be published.
 *
 * FORBIDDEN  the values of declared secrets, another environment's address or project, and whatever
 *            looks like a secret of a known provider (site_pattern.h).
 * FORMS      Every file is searched, text or not: as it stands; without its escapes, twice (JavaScript,
 *            JSON, HTML, %XX); unpacked if it is .gz or .br; with the source maps that it carries. A
 *            secret is looked for in base64 and in hexadecimal, too, in base64 at each of the three
 *            positions it can have.
 * ALLOWED    by name, in some files or all: [allow.<name>].
 */
#ifndef LOCKFLIGHT_SITE_SITE_SCAN_H
#define LOCKFLIGHT_SITE_SITE_SCAN_H

#include "site/artefact.h"

struct site_forbidden {
    const char *name; /* what it is: "WHATSAPP_TOKEN", "project ref of production" */
    struct str bytes; /* under 6 bytes: ignored, because it would be found by chance */
    bool is_secret;   /* then the bytes are in no error */
    const char *hint; /* NULL: the usual one */
};

struct site_allow {
    const char *name;         /* of something forbidden, or of a pattern */
    const char *const *files; /* patterns of published paths */
    size_t n_files;           /* 0: all */
};

struct site_scan_spec {
    const struct site_forbidden *forbidden;
    size_t n_forbidden;
    const struct site_allow *allow;
    size_t n_allow;
};

/* ERR_BLOCKED that names the file, line and column, what was found there, how many more there are,
 * and the remedy; a secret's value is never shown. Files without a source on this machine are not
 * searched: they were when they were built. */
bool site_scan(const struct artefact *art, const struct site_scan_spec *spec,
               struct err *e) MUST_USE;

#endif
