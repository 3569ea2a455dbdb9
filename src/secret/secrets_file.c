/*
 * Reading a secrets file: see secrets_file.h. One function for each kind of line; the strict order
 * of the head makes its bytes a single block. Printing and changing are in secrets_file_edit.c.
 */
#include "secret/secrets_file.h"

#include "base/limits.h"

#include <ctype.h>
#include <stdio.h>

#define FORMAT     "lf1."
#define NUMBER_MAX 1000000000U /* of generations and revisions */

struct reading {
    struct secrets_file *f;
    struct str rest;
    const char *line_start; /* of what stands above the next line */
    int line;
    bool is_over;
};

bool secrets_file_error(const struct secrets_file *f, int line, struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(f->arena, fmt, ap);
    va_end(ap);
    err_set(e, ERR_DATA, "%s", text);
    return line > 0 ? err_where(e, "%s:%d", f->name, line) : err_where(e, "%s", f->name);
}

static bool wrong(const struct reading *r, struct err *e, const char *what)
{
    return secrets_file_error(r->f, r->line, e, "%s", what);
}

/* ---- words ---- */

bool secrets_name_is_good(struct str name)
{
    if (name.n == 0 || name.n > LIMIT_SECRET_NAME_BYTES || isdigit((unsigned char)name.p[0]))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_')
            return false;
    return true;
}

bool secrets_recipient_is_good(struct str name)
{
    if (name.n == 0 || name.n > LIMIT_RECIPIENT_BYTES)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && !memchr("@.-_+", name.p[i], 5))
            return false;
    return true;
}

/* One number has one text. */
static bool number(struct str text, uint64_t *ret)
{
    return str_to_u64(text, ret) && *ret > 0 && *ret <= NUMBER_MAX && text.p[0] != '0';
}

static bool is_base64(struct str text)
{
    size_t padding = 0;
    while (padding < 2 && padding < text.n && text.p[text.n - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < text.n - padding; i++)
        if (!isalnum((unsigned char)text.p[i]) && text.p[i] != '+' && text.p[i] != '/')
            return false;
    return text.n > 0 && text.n % 4 == 0;
}

/* ---- lines ---- */

/* The next line without its end. */
static bool next(struct reading *r, struct str *ret)
{
    if (!r->rest.p || r->rest.n == 0) {
        r->is_over = true;
        return false;
    }
    *ret = str_cut(&r->rest, '\n');
    r->line++;
    return true;
}

static const char *position(const struct reading *r, struct str text)
{
    return r->rest.p ? r->rest.p : text.p + text.n;
}

/* Cuts "#word " off. */
static bool is_about(struct str *line, const char *word)
{
    size_t n = strlen(word);
    if (!str_starts(*line, word) || line->n <= n || line->p[n] != ' ')
        return false;
    *line = (struct str){ line->p + n + 1, line->n - n - 1 };
    return true;
}

static bool head_line(struct reading *r, const char *word, struct str *ret, struct err *e)
{
    if (next(r, ret) && is_about(ret, word))
        return true;
    r->line += r->is_over;
    return secrets_file_error(r->f, r->line, e, "a line \"%s …\" was expected here", word);
}

static bool read_key(struct reading *r, struct str line, struct err *e)
{
    struct secrets_file *f = r->f;
    struct str id;
    f->key_line = r->line;
    if (!number(str_cut(&line, ' '), &f->generation) || !line.p || !is_base64(line) ||
        !base64_decode(f->arena, line, &id) || id.n != sizeof f->key_id.bytes)
        return wrong(r, e, "\"#key\" is followed by a generation and the key id");
    memcpy(f->key_id.bytes, id.p, id.n);
    return true;
}

static bool read_head(struct reading *r, struct err *e)
{
    struct secrets_file *f = r->f;
    struct str version, project, environment, key, inbox;
    const char *start = r->rest.p;
    if (!head_line(r, "#lockflight-secrets", &version, e))
        return false;
    if (!str_is(version, "1")) {
        wrong(r, e, "this format is newer than this program");
        return err_hint(e, "install a newer lockflight");
    }
    if (!head_line(r, "#project", &project, e) || !head_line(r, "#env", &environment, e) ||
        !head_line(r, "#key", &key, e) || !read_key(r, key, e) ||
        !head_line(r, "#inbox", &inbox, e))
        return false;
    f->project = str_dup(f->arena, project);
    f->environment = str_dup(f->arena, environment);
    if (!key_public_parse(str_cut(&inbox, ' '), &f->inbox) || !inbox.p || !is_base64(inbox))
        return wrong(r, e, "\"#inbox\" is followed by a key \"lfpk1_…\" and base64");
    f->inbox_sealed = inbox;
    f->head = (struct str){ start, (size_t)(position(r, inbox) - start) };
    return true;
}

static bool read_recipient(struct reading *r, struct str line, struct str above, struct str text,
                           struct err *e)
{
    struct secrets_file *f = r->f;
    struct secrets_recipient to = { .line = r->line, .above = above, .text = text };
    struct str name = str_cut(&line, ' ');
    if (f->lines.n > 0)
        return wrong(r, e, "\"#to\" lines stand above all variables");
    if (!secrets_recipient_is_good(name) || !key_public_parse(str_cut(&line, ' '), &to.key) ||
        !line.p || !is_base64(line))
        return wrong(r, e, "\"#to\" is followed by a name, a key \"lfpk1_…\" and base64");
    to.name = str_dup(f->arena, name);
    to.wrap = line;
    const struct secrets_recipient *same = secrets_file_recipient(f, to.name);
    if (same)
        return secrets_file_error(f, r->line, e, "%s stands here and in line %d", to.name,
                                  same->line);
    if (f->to.n >= LIMIT_SECRETS_RECIPIENTS) {
        wrong(r, e, arena_printf(f->arena, "more than %d recipients", LIMIT_SECRETS_RECIPIENTS));
        return err_recode(e, ERR_LIMIT);
    }
    *vec_add(&f->to, f->arena) = to;
    return true;
}

/* "lf1.3.17.<base64>" or "lf1.3.17.deleted.<base64>" */
static bool read_value(struct str word, struct secrets_value *ret)
{
    struct str rest = word;
    *ret = (struct secrets_value){ 0 };
    if (!str_starts(rest, FORMAT))
        return false;
    (void)str_cut(&rest, '.');
    if (!number(str_cut(&rest, '.'), &ret->generation) || !rest.p ||
        !number(str_cut(&rest, '.'), &ret->revision) || !rest.p)
        return false;
    if (str_starts(rest, "deleted.")) {
        ret->is_deleted = true;
        (void)str_cut(&rest, '.');
    }
    ret->sealed = rest;
    return is_base64(rest);
}

/* All of one key and falling revisions, so that none can hide behind another. */
static bool read_values(struct reading *r, struct str rest, struct secrets_line *to, struct err *e)
{
    while (rest.p) {
        struct str word = str_cut(&rest, ' ');
        if (to->n > SECRETS_OLDER)
            return secrets_file_error(r->f, r->line, e, "%s has more than %d older values",
                                      to->name, SECRETS_OLDER);
        struct secrets_value *v = &to->values[to->n];
        if (!read_value(word, v))
            return secrets_file_error(r->f, r->line, e,
                                      "%s is not followed by a value \"lf1.…\" or a text in quotes",
                                      to->name);
        if (v->generation != r->f->generation)
            return secrets_file_error(
                r->f, r->line, e, "%s is of key %llu, but this file has key %llu", to->name,
                (unsigned long long)v->generation, (unsigned long long)r->f->generation);
        if (to->n > 0 && v->revision >= v[-1].revision)
            return secrets_file_error(r->f, r->line, e, "%s: older values stand behind newer ones",
                                      to->name);
        to->n++;
    }
    return true;
}

static bool read_addition(struct reading *r, struct str rest, struct secrets_line *to,
                          struct err *e)
{
    struct secrets_value *v = &to->values[0];
    struct str word = rest;
    if (!str_starts(word, FORMAT))
        return wrong(r, e, "\"+=\" is followed by \"lf1.…\"");
    (void)str_cut(&rest, '.');
    if (!number(str_cut(&rest, '.'), &v->generation) || !rest.p || !is_base64(rest))
        return wrong(r, e, "\"+=\" is followed by \"lf1.<generation>.<base64>\"");
    v->sealed = rest;
    to->n = 1;
    return true;
}

/* "text", with \" \\ \n \r \t; then nothing, or a comment. */
static bool read_plain(struct reading *r, struct str rest, struct secrets_line *to, struct err *e)
{
    static const char from[] = "\"\\nrt", means[] = "\"\\\n\r\t";
    char *out = arena_alloc(r->f->arena, rest.n + 1);
    size_t n = 0, i = 1;
    for (; i < rest.n && rest.p[i] != '"'; i++) {
        const char *escape = NULL;
        if (rest.p[i] == '\\' && i + 1 < rest.n)
            escape = memchr(from, rest.p[i + 1], sizeof from - 1);
        if (rest.p[i] == '\\' && !escape)
            return wrong(r, e, "in quotes, \\ is followed by one of \" \\ n r t");
        out[n++] = escape ? means[escape - from] : rest.p[i];
        i += escape != NULL;
    }
    struct str behind = i < rest.n ? str_trim((struct str){ rest.p + i + 1, rest.n - i - 1 })
                                   : (struct str){ "?", 1 };
    if (behind.n > 0 && behind.p[0] != '#')
        return wrong(r, e, "the text in quotes does not end where the line ends");
    if (n > LIMIT_SECRET_VALUE_BYTES)
        return wrong(r, e, "the value is longer than the platform takes");
    to->plain = out;
    return true;
}

static bool read_variable(struct reading *r, struct str line, struct str above, struct str text,
                          struct err *e)
{
    struct secrets_file *f = r->f;
    struct secrets_line to = { .line = r->line, .above = above, .text = text };
    struct str name = str_cut(&line, '=');
    bool is_addition = str_ends(name, "+");
    name.n -= is_addition;
    if (!line.p || !secrets_name_is_good(name))
        return wrong(r, e, "this is neither NAME=…, nor a comment");
    to.name = str_dup(f->arena, name);
    const struct secrets_line *same =
        is_addition ? secrets_file_find_addition(f, to.name) : secrets_file_find(f, to.name);
    if (same)
        return secrets_file_error(f, r->line, e, "%s stands here and in line %d", to.name,
                                  same->line);
    if (f->lines.n >= LIMIT_SECRETS_LINES) {
        wrong(r, e, arena_printf(f->arena, "more than %d variables", LIMIT_SECRETS_LINES));
        return err_recode(e, ERR_LIMIT);
    }
    to.kind = is_addition              ? SECRETS_ADDITION
              : str_starts(line, "\"") ? SECRETS_PLAIN
                                       : SECRETS_SEALED;
    bool ok = is_addition                ? read_addition(r, line, &to, e)
              : to.kind == SECRETS_PLAIN ? read_plain(r, line, &to, e)
                                         : read_values(r, line, &to, e);
    if (ok)
        *vec_add(&f->lines, f->arena) = to;
    return ok;
}

static bool is_conflict(struct str line)
{
    return str_starts(line, "<<<<<<<") || str_starts(line, "=======") ||
           str_starts(line, ">>>>>>>") || str_starts(line, "|||||||");
}

static bool read_line(struct reading *r, struct str line, struct err *e)
{
    struct str above = { r->line_start, (size_t)(line.p - r->line_start) };
    struct str text = { line.p, (size_t)(position(r, line) - line.p) };
    if (str_ends(line, "\r"))
        return wrong(r, e, "the line ends with a carriage return; git must leave this file alone");
    if (is_conflict(line)) {
        wrong(r, e, "a merge conflict is not resolved here");
        return err_hint(e, "keep both sides' lines, and of one variable one line; `lockflight "
                           "vars merge` does it for git");
    }
    if (line.n == 0 || (line.p[0] == '#' && (line.n == 1 || line.p[1] == ' ')))
        return true; /* above the next one */
    r->line_start = position(r, line);
    if (is_about(&line, "#to"))
        return read_recipient(r, line, above, text, e);
    return read_variable(r, line, above, text, e);
}

bool secrets_file_parse(struct arena *a, struct str text, const char *name,
                        struct secrets_file *ret, struct err *e)
{
    struct secrets_file *f = ARENA_NEW(a, struct secrets_file);
    struct reading r = { .f = f, .rest = text };
    struct str line;
    *f = (struct secrets_file){ .arena = a, .name = name };
    if (text.n > LIMIT_SECRETS_BYTES)
        return err_set(e, ERR_LIMIT, "%s has %zu bytes; at most %zu are read", name, text.n,
                       LIMIT_SECRETS_BYTES);
    if (!str_is_utf8(text))
        return secrets_file_error(f, 0, e, "the file is not text (UTF-8)");
    if (!read_head(&r, e))
        return false;
    r.line_start = f->head.p + f->head.n;
    while (next(&r, &line))
        if (!read_line(&r, line, e))
            return false;
    f->below = (struct str){ r.line_start, (size_t)(text.p + text.n - r.line_start) };
    *ret = *f;
    return true;
}
