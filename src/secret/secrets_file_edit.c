/*
 * Changing and printing a secrets file: see secrets_file.h. What was not touched is printed as it
 * was read.
 */
#include "base/limits.h"
#include "base/strbuf.h"
#include "secret/secrets_file.h"

/* ---- finding ---- */

static struct secrets_line *find(const struct secrets_file *f, const char *name, bool is_addition)
{
    for (size_t i = 0; i < f->lines.n; i++)
        if ((f->lines.v[i].kind == SECRETS_ADDITION) == is_addition &&
            streq(f->lines.v[i].name, name))
            return &f->lines.v[i];
    return NULL;
}

struct secrets_line *secrets_file_find(const struct secrets_file *f, const char *name)
{
    return find(f, name, false);
}

struct secrets_line *secrets_file_find_addition(const struct secrets_file *f, const char *name)
{
    return find(f, name, true);
}

struct secrets_recipient *secrets_file_recipient(const struct secrets_file *f, const char *name)
{
    for (size_t i = 0; i < f->to.n; i++)
        if (streq(f->to.v[i].name, name))
            return &f->to.v[i];
    return NULL;
}

/* ---- changing ---- */

static bool comes_before(const struct secrets_line *x, const char *name, bool is_addition)
{
    int order = strcmp(x->name, name);
    return order < 0 || (order == 0 && is_addition && x->kind != SECRETS_ADDITION);
}

bool secrets_file_line(struct secrets_file *f, const char *name, enum secrets_kind kind,
                       struct secrets_line **ret, struct err *e)
{
    bool is_addition = kind == SECRETS_ADDITION;
    struct secrets_line *line = find(f, name, is_addition);
    if (!line) {
        if (f->lines.n >= LIMIT_SECRETS_LINES)
            return err_set(e, ERR_LIMIT, "%s has %d variables already", f->name,
                           LIMIT_SECRETS_LINES);
        size_t at = 0;
        while (at < f->lines.n && comes_before(&f->lines.v[at], name, is_addition))
            at++;
        (void)vec_add(&f->lines, f->arena);
        memmove(&f->lines.v[at + 1], &f->lines.v[at], (f->lines.n - 1 - at) * sizeof *line);
        line = &f->lines.v[at];
        *line = (struct secrets_line){ .name = arena_strdup(f->arena, name), .above = STR("\n") };
    }
    line->kind = kind;
    line->text = (struct str){ 0 };
    *ret = line;
    return true;
}

void secrets_file_drop(struct secrets_file *f, const struct secrets_line *line)
{
    size_t at = (size_t)(line - f->lines.v);
    f->lines.n--;
    memmove(&f->lines.v[at], &f->lines.v[at + 1], (f->lines.n - at) * sizeof *line);
}

bool secrets_file_grant(struct secrets_file *f, const struct secrets_recipient *to, struct err *e)
{
    size_t at = 0;
    if (f->to.n >= LIMIT_SECRETS_RECIPIENTS)
        return err_set(e, ERR_LIMIT, "%s has %d recipients already", f->name,
                       LIMIT_SECRETS_RECIPIENTS);
    while (at < f->to.n && strcmp(f->to.v[at].name, to->name) < 0)
        at++;
    (void)vec_add(&f->to, f->arena);
    memmove(&f->to.v[at + 1], &f->to.v[at], (f->to.n - 1 - at) * sizeof *to);
    f->to.v[at] = *to;
    f->to.v[at].above = STR("\n");
    f->to.v[at].text = (struct str){ 0 };
    return true;
}

void secrets_file_revoke(struct secrets_file *f, const struct secrets_recipient *to)
{
    size_t at = (size_t)(to - f->to.v);
    f->to.n--;
    memmove(&f->to.v[at], &f->to.v[at + 1], (f->to.n - at) * sizeof *to);
}

/* ---- printing ---- */

static void print_text(struct strbuf *b, struct str text)
{
    strbuf_add(b, text.p, text.n);
    if (!str_ends(text, "\n"))
        strbuf_adds(b, "\n");
}

static void print_head(struct strbuf *b, const struct secrets_file *f)
{
    if (f->head.p) {
        print_text(b, f->head);
        return;
    }
    strbuf_printf(b, "#lockflight-secrets 1\n#project %s\n#env %s\n#key %llu %s\n#inbox %s %.*s\n",
                  f->project, f->environment, (unsigned long long)f->generation,
                  base64_encode(f->arena, (struct str){ (const char *)f->key_id.bytes,
                                                        sizeof f->key_id.bytes }),
                  key_public_text(f->arena, &f->inbox), STR_FMT(f->inbox_sealed));
}

static void print_plain(struct strbuf *b, const char *text)
{
    strbuf_adds(b, "\"");
    for (; *text; text++) {
        static const char from[] = "\"\\\n\r\t", letter[] = "\"\\nrt";
        const char *special = strchr(from, *text);
        if (special)
            strbuf_printf(b, "\\%c", letter[special - from]);
        else
            strbuf_addc(b, *text);
    }
    strbuf_adds(b, "\"");
}

static void print_recipient(struct strbuf *b, const struct secrets_file *f,
                            const struct secrets_recipient *to)
{
    strbuf_add(b, to->above.p, to->above.n);
    if (to->text.p)
        print_text(b, to->text);
    else
        strbuf_printf(b, "#to %s %s %.*s\n", to->name, key_public_text(f->arena, &to->key),
                      STR_FMT(to->wrap));
}

static void print_line(struct strbuf *b, const struct secrets_line *line)
{
    strbuf_add(b, line->above.p, line->above.n);
    if (line->text.p) {
        print_text(b, line->text);
        return;
    }
    strbuf_adds(b, line->name);
    if (line->kind == SECRETS_ADDITION)
        strbuf_printf(b, "+=lf1.%llu.%.*s", (unsigned long long)line->values[0].generation,
                      STR_FMT(line->values[0].sealed));
    if (line->kind == SECRETS_PLAIN) {
        strbuf_adds(b, "=");
        print_plain(b, line->plain);
    }
    for (size_t i = 0; line->kind == SECRETS_SEALED && i < line->n; i++) {
        const struct secrets_value *v = &line->values[i];
        strbuf_printf(b, "%slf1.%llu.%llu.%s%.*s", i ? " " : "=", (unsigned long long)v->generation,
                      (unsigned long long)v->revision, v->is_deleted ? "deleted." : "",
                      STR_FMT(v->sealed));
    }
    strbuf_adds(b, "\n");
}

bool secrets_file_print(const struct secrets_file *f, struct str *ret, struct err *e)
{
    CLEANUP(strbuf) struct strbuf buffer = strbuf_init(LIMIT_SECRETS_BYTES);
    struct strbuf *b = &buffer;
    print_head(b, f);
    for (size_t i = 0; i < f->to.n; i++)
        print_recipient(b, f, &f->to.v[i]);
    for (size_t i = 0; i < f->lines.n; i++)
        print_line(b, &f->lines.v[i]);
    strbuf_add(b, f->below.p, f->below.n);
    if (buffer.overflowed)
        return err_set(e, ERR_LIMIT, "%s would have more than %zu bytes", f->name,
                       LIMIT_SECRETS_BYTES);
    *ret = (struct str){ arena_strndup(f->arena, strbuf_text(b), b->n), b->n };
    return true;
}
