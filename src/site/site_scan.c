/*
 * Scanning a built site: see site_scan.h.
 *
 * In base64 a value looks different at each of the three positions it can have within a group of
 * three bytes, so a secret has four appearances: as it stands, and the part of each encoding that
 * does not depend on its neighbours.
 */
#include "site/site_scan.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"

#include <string.h>

enum {
    MIN_BYTES = 6, /* shorter values occur by chance */
    MIN_BASE64_BYTES = 10,
};

struct needle {
    const struct site_forbidden *of;
    struct str bytes;
    bool is_base64;
};

struct scan {
    VEC(struct needle) needles;
};

static void add_base64(struct arena *a, struct scan *s, const struct site_forbidden *f)
{
    static const size_t spoiled_by_padding[] = {
        0, 2, 3
    }; /* characters that depend on what comes before */
    for (size_t shift = 0; shift < 3; shift++) {
        char *shifted = arena_alloc(a, shift + f->bytes.n + 1);
        memcpy(shifted + shift, f->bytes.p, f->bytes.n);
        const char *text = base64_encode(a, (struct str){ shifted, shift + f->bytes.n });
        size_t whole = (shift + f->bytes.n) * 8 / 6, skip = spoiled_by_padding[shift];
        if (whole >= skip + MIN_BASE64_BYTES)
            *vec_add(&s->needles, a) = (struct needle){ f, { text + skip, whole - skip }, true };
    }
}

static int line_of(struct str text, const char *at)
{
    int line = 1;
    for (const char *p = text.p; p < at; p++)
        line += *p == '\n';
    return line;
}

static bool scan_file(const struct scan *s, const struct artefact_file *f, struct str text,
                      struct err *e)
{
    for (size_t i = 0; i < s->needles.n; i++) {
        const struct needle *needle = &s->needles.v[i];
        const char *at = memmem(text.p, text.n, needle->bytes.p, needle->bytes.n);
        if (!at)
            continue;
        err_set(e, ERR_BLOCKED, "the built file %s contains %s%s", f->path, needle->of->name,
                needle->is_base64 ? ", encoded as base64" : "");
        err_where(e, "%s:%d", f->source ? f->source : f->path, line_of(text, at));
        return err_hint(e,
                        needle->of->is_secret
                            ? "read it in an Edge Function; a published file shows it to everybody"
                            : "read the address from /_lockflight/env.js at run time");
    }
    return true;
}

bool site_scan(struct arena *a, const struct artefact *art, const struct site_forbidden *forbidden,
               size_t n, struct err *e)
{
    struct scan s = { 0 };
    for (size_t i = 0; i < n; i++) {
        if (forbidden[i].bytes.n < MIN_BYTES)
            continue;
        *vec_add(&s.needles, a) = (struct needle){ &forbidden[i], forbidden[i].bytes, false };
        if (forbidden[i].is_secret)
            add_base64(a, &s, &forbidden[i]);
    }
    if (s.needles.n == 0)
        return true;
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    for (size_t i = 0; i < art->n_files; i++) {
        const struct artefact_file *f = &art->files[i];
        struct str text = f->content;
        arena_reset(scratch);
        if (f->source && !fs_read(scratch, f->source, LIMIT_SITE_FILE_BYTES, &text, e))
            return err_wrap(e, "scan %s", f->path);
        if (text.n > 0 && !scan_file(&s, f, text, e))
            return false;
    }
    return true;
}
