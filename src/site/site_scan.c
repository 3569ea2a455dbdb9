/*
 * Scanning a built site: see site_scan.h.
 *
 * In base64 a value looks different at each of the three positions it can have within a group of
 * three bytes; of each encoding the part is looked for that does not depend on its neighbours.
 */
#include "site/site_scan.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/pattern.h"
#include "base/vec.h"
#include "site/needle_set.h"
#include "site/site_pattern.h"
#include "site/site_text.h"

enum {
    MIN_BYTES = 6, /* shorter values occur by chance */
    MIN_ENCODED_BYTES = 10,
    PLAIN_LEVELS = 2, /* a source map holds a source as a string, and that has strings */
    MAX_FINDINGS = 1000,
};

struct needle {
    const struct site_forbidden *of; /* NULL: the beginning of a pattern */
    const struct site_pattern *pattern;
    const char *form; /* ", encoded as base64" */
};

struct finding {
    const char *file;
    const char *name;
};

struct scan {
    struct arena *a;
    const struct site_scan_spec *spec;
    struct needle_set *set;
    VEC(struct str) texts;
    VEC(struct needle) needles; /* beside texts */
    VEC(struct finding) found;
    struct err *e; /* holds the first finding */
    bool is_over;
};

/* One form of a file's text, while it is searched. */
struct level {
    struct scan *scan;
    const struct artefact_file *file;
    const struct str *texts; /* [0] as it stands, [n] without n levels of escapes */
    size_t depth;
    const char *note; /* ", unpacked" */
};

/* ---- what is looked for ---- */

static void add_needle(struct scan *s, struct str text, struct needle needle)
{
    *vec_add(&s->texts, s->a) = text;
    *vec_add(&s->needles, s->a) = needle;
}

static struct str url_alphabet(struct arena *a, struct str text)
{
    char *copy = str_dup(a, text);
    for (char *p = copy; *p; p++)
        *p = (char)(*p == '+' ? '-' : *p == '/' ? '_' : *p);
    return (struct str){ copy, text.n };
}

static void add_base64(struct scan *s, const struct site_forbidden *f, struct str value)
{
    /* characters that depend on what comes before */
    static const size_t spoiled[] = { 0, 2, 3 };
    struct needle needle = { .of = f, .form = ", encoded as base64" };
    for (size_t shift = 0; shift < 3; shift++) {
        char *shifted = arena_alloc(s->a, shift + value.n + 1);
        memcpy(shifted + shift, value.p, value.n);
        const char *text = base64_encode(s->a, (struct str){ shifted, shift + value.n });
        size_t whole = (shift + value.n) * 8 / 6, skip = spoiled[shift];
        if (whole < skip + MIN_ENCODED_BYTES)
            continue;
        struct str part = { text + skip, whole - skip };
        struct str url = url_alphabet(s->a, part);
        add_needle(s, part, needle);
        if (!str_eq(part, url))
            add_needle(s, url, needle);
    }
}

static void add_hex(struct scan *s, const struct site_forbidden *f, struct str value)
{
    char *lower = arena_alloc(s->a, 2 * value.n + 1);
    hex_encode(value.p, value.n, lower);
    char *upper = arena_strdup(s->a, lower);
    for (char *p = upper; *p; p++)
        *p = (char)(*p >= 'a' ? *p - 'a' + 'A' : *p);
    add_needle(s, str_of(lower), (struct needle){ .of = f, .form = ", in hexadecimal" });
    if (!streq(lower, upper))
        add_needle(s, str_of(upper), (struct needle){ .of = f, .form = ", in hexadecimal" });
}

static void prepare(struct scan *s)
{
    for (size_t i = 0; i < s->spec->n_forbidden; i++) {
        const struct site_forbidden *f = &s->spec->forbidden[i];
        struct str value = str_trim(f->bytes); /* a line end at its end does not travel with it */
        if (value.n < MIN_BYTES)
            continue;
        add_needle(s, value, (struct needle){ .of = f, .form = "" });
        if (f->is_secret) {
            add_base64(s, f, value);
            add_hex(s, f, value);
        }
    }
    for (const struct site_pattern *p = site_patterns; p->name; p++)
        add_needle(s, str_of(p->prefix), (struct needle){ .pattern = p });
    s->set = needle_set_new(s->a, s->texts.v, s->texts.n);
}

/* ---- what was found ---- */

static bool is_allowed(const struct scan *s, const char *name, const char *path)
{
    for (size_t i = 0; i < s->spec->n_allow; i++) {
        const struct site_allow *allow = &s->spec->allow[i];
        if (!streq(allow->name, name))
            continue;
        for (size_t k = 0; k < allow->n_files; k++)
            if (pattern_matches(allow->files[k], path) ||
                pattern_matches(allow->files[k], path + 1))
                return true;
        if (allow->n_files == 0)
            return true;
    }
    return false;
}

static bool is_known(const struct scan *s, const char *file, const char *name)
{
    for (size_t i = 0; i < s->found.n; i++)
        if (streq(s->found.v[i].file, file) && streq(s->found.v[i].name, name))
            return true;
    return false;
}

static void find_place(const struct level *l, size_t at, int *ret_line, int *ret_column)
{
    for (size_t depth = l->depth; depth > 0; depth--)
        at = site_text_origin(l->texts[depth - 1], at);
    const char *begin = l->texts[0].p;
    *ret_line = *ret_column = 1;
    for (const char *p = begin; p < begin + at; p++) {
        *ret_line += *p == '\n';
        *ret_column = *p == '\n' ? 1 : *ret_column + (((unsigned char)*p & 0xc0) != 0x80);
    }
}

static void tell_first(const struct level *l, const struct needle *needle, size_t at)
{
    struct err *e = l->scan->e;
    const struct artefact_file *f = l->file;
    const struct site_pattern *p = needle->pattern;
    int line, column;
    find_place(l, at, &line, &column);
    if (p)
        err_set(e, ERR_BLOCKED, "the built file %s contains %s (%s)%s", f->path, p->what, p->name,
                l->note);
    else
        err_set(e, ERR_BLOCKED, "the built file %s contains %s%s%s", f->path, needle->of->name,
                needle->form, l->note);
    err_where(e, "%s:%d:%d", f->source ? f->source : f->path, line, column);
    if (p)
        err_hint(e, "use it in an Edge Function; %s", p->remedy);
    else if (needle->of->hint)
        err_hint(e, "%s", needle->of->hint);
    else if (needle->of->is_secret)
        err_hint(e, "read it in an Edge Function; a published file shows it to everybody");
    else
        err_hint(e, "read the address from /_lockflight/env.js at run time");
}

static bool on_match(void *context, size_t which, size_t at)
{
    struct level *l = context;
    struct scan *s = l->scan;
    const struct needle *needle = &s->needles.v[which];
    const struct site_pattern *p = needle->pattern;
    const char *name = p ? p->name : needle->of->name;
    if (is_known(s, l->file->path, name) || (p && !p->is_it(l->texts[l->depth], at, p)) ||
        is_allowed(s, name, l->file->path))
        return true;
    if (s->found.n == 0)
        tell_first(l, needle, at);
    *vec_add(&s->found, s->a) = (struct finding){ l->file->path, name };
    s->is_over = s->found.n >= MAX_FINDINGS;
    return !s->is_over;
}

/* ---- texts ---- */

static void search_levels(struct scan *s, struct arena *scratch, const struct artefact_file *f,
                          struct str text, const char *note)
{
    struct str texts[PLAIN_LEVELS + 1] = { text };
    for (size_t depth = 0; depth <= PLAIN_LEVELS && !s->is_over; depth++) {
        struct level level = { s, f, texts, depth, note };
        if (depth > 0 && !site_text_plain(scratch, texts[depth - 1], &texts[depth]))
            return;
        needle_set_search(s->set, texts[depth], on_match, &level);
    }
}

static bool search_text(struct scan *s, struct arena *scratch, const struct artefact_file *f,
                        struct str text, struct err *e)
{
    bool is_packed;
    struct str inner;
    const char *note = "";
    search_levels(s, scratch, f, text, note);
    if (!site_text_unpack(scratch, f->path, text, &is_packed, &inner, e))
        return false;
    if (is_packed) {
        text = inner;
        note = ", when it is unpacked";
        search_levels(s, scratch, f, text, note);
    }
    for (size_t at = 0; site_text_inner(scratch, text, &at, &inner) && !s->is_over;)
        search_levels(s, scratch, f, inner, ", in its source map");
    return true;
}

/* "… (and 2 more: API_KEY in /assets/b.js)" */
static bool finish(struct scan *s)
{
    if (s->found.n == 0)
        return true;
    if (s->found.n > 1) {
        struct err first = *s->e;
        const struct finding *next = &s->found.v[1];
        err_set(s->e, ERR_BLOCKED, "%s (and %zu more, such as %s in %s)", first.why, s->found.n - 1,
                next->name, next->file);
        err_where(s->e, "%s", first.where);
        err_hint(s->e, "%s", first.hint);
    }
    return false;
}

bool site_scan(const struct artefact *art, const struct site_scan_spec *spec, struct err *e)
{
    CLEANUP(arena) struct arena *own = arena_new(0); /* encoded values end with the search */
    struct scan s = { .a = own, .spec = spec, .e = e };
    prepare(&s);
    CLEANUP(arena) struct arena *scratch = arena_new(LIMIT_SCAN_BYTES);
    for (size_t i = 0; i < art->n_files && !s.is_over; i++) {
        const struct artefact_file *f = &art->files[i];
        struct str text = f->content;
        struct err unread = { 0 };
        arena_reset(scratch);
        if ((f->source && !fs_read(scratch, f->source, LIMIT_SITE_FILE_BYTES, &text, &unread)) ||
            (text.n > 0 && !search_text(&s, scratch, f, text, &unread))) {
            *e = unread;
            return err_wrap(e, "scan %s", f->path);
        }
    }
    return finish(&s);
}
