/*
 * Collecting uses: see inventory.h. What stands in a text is found in inventory_find.c and
 * inventory_helper.c; here are the list, and what is code in which kind of file.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "secret/inventory_inside.h"

#include <stdlib.h>

enum {
    HELPER_ROUNDS = 8, /* helpers that call helpers */
    HELPER_STEPS = 200 * 1000 * 1000,
};

struct inventory *inventory_new(struct arena *a, const char *const *names)
{
    struct inventory *inv = ARENA_NEW(a, struct inventory);
    size_t n = 0;
    while (names && names[n])
        n++;
    inv->a = a;
    inv->names = names;
    inv->steps_left = HELPER_STEPS;
    inv->is_mentioned = ARENA_ARRAY(a, bool, n + 1);
    return inv;
}

struct inventory *inventory_new_of_flags(struct arena *a)
{
    struct inventory *inv = inventory_new(a, NULL);
    inv->seeks_flags = true;
    return inv;
}

/* ---- kinds of files ---- */

enum file_kind {
    FILE_NO_CODE,
    FILE_CODE,
    FILE_MARKUP, /* code in <script>, in {…} and {{…}} */
    FILE_PAGE,   /* code in <script>; %NAME% is filled in by the bundler */
};

static enum file_kind kind_of(const char *path, enum js_dialect *ret)
{
    // clang-format off
    static const struct {
        const char *ending;
        enum file_kind kind;
        enum js_dialect dialect;
    } rows[] = {
        { ".ts",     FILE_CODE,   JS_TYPED   }, { ".mts",   FILE_CODE, JS_TYPED }, { ".cts", FILE_CODE, JS_TYPED },
        { ".tsx",    FILE_CODE,   JS_TYPED_X }, { ".jsx",   FILE_CODE, JS_PLAIN }, { ".js",  FILE_CODE, JS_PLAIN },
        { ".mjs",    FILE_CODE,   JS_PLAIN   }, { ".cjs",   FILE_CODE, JS_PLAIN },
        { ".vue",    FILE_MARKUP, JS_TYPED   }, { ".svelte", FILE_MARKUP, JS_TYPED },
        { ".astro",  FILE_MARKUP, JS_TYPED_X },
        { ".html",   FILE_PAGE,   JS_PLAIN   },
    };
    // clang-format on
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (ends_with(path, rows[i].ending)) {
            *ret = rows[i].dialect;
            return rows[i].kind;
        }
    }
    return FILE_NO_CODE;
}

bool inventory_reads(const char *path)
{
    enum js_dialect ignored;
    return kind_of(path, &ignored) != FILE_NO_CODE;
}

/* ---- one text ---- */

/* As js_place, from the last place on if it is not behind. */
static void find_place(struct search *s, const char *at, int *ret_line, int *ret_column)
{
    struct str all = s->of->text;
    if (s->seen && at >= s->seen) {
        struct str rest = { s->seen, all.n - (size_t)(s->seen - all.p) };
        int line, column;
        js_place(rest, at, &line, &column);
        s->column = line == 1 ? s->column + column - 1 : column;
        s->line += line - 1;
    } else {
        js_place(all, at, &s->line, &s->column);
    }
    s->seen = at;
    *ret_line = s->line;
    *ret_column = s->column;
}

void inventory_use(struct search *s, enum use_kind kind, const char *object, struct str name,
                   const char *at)
{
    struct inventory *inv = s->inv;
    struct env_use use = { .place = s->of->place,
                           .kind = kind,
                           .object = object,
                           .path = s->of->path,
                           .name = kind == USE_LITERAL ? str_dup(inv->a, name) : NULL };
    find_place(s, at, &use.line, &use.column);
    for (size_t i = inv->uses.n; i > 0; i--) {
        const struct env_use *other = &inv->uses.v[i - 1];
        if (streq(other->path, use.path) && other->line == use.line &&
            other->column == use.column && other->kind == kind && streq(other->name, use.name))
            return;
        if (inv->uses.n - i > 64)
            break;
    }
    *vec_add(&inv->uses, inv->a) = use;
}

static void mark_mentioned(struct inventory *inv, const struct js_text *code)
{
    for (size_t i = 0; inv->names && inv->names[i]; i++) {
        size_t n = strlen(inv->names[i]);
        for (size_t k = 0; k < code->n && !inv->is_mentioned[i]; k++)
            inv->is_mentioned[i] =
                code->v[k].text.n == n && memcmp(code->v[k].text.p, inv->names[i], n) == 0;
    }
}

/* "// lockflight: env A, B"; "// lockflight: flag a, b" */
static void take_notes(struct search *s)
{
    for (size_t i = 0; i < s->code.notes_n; i++) {
        const struct js_note *note = &s->code.notes[i];
        struct str rest = note->text;
        if (!str_is(str_cut(&rest, ' '), s->inv->seeks_flags ? "flag" : "env"))
            continue;
        struct inventory *inv = s->inv;
        while (rest.p) {
            struct str name = str_trim(str_cut(&rest, ','));
            while (str_ends(name, "*/") || str_ends(name, " ") || str_ends(name, "}"))
                name.n--;
            size_t before = inv->uses.n;
            if (name.n > 0)
                inventory_use(s, USE_LITERAL, "comment", name, note->at);
            if (inv->uses.n > before)
                inv->uses.v[inv->uses.n - 1].is_guess = true;
        }
        int line, column;
        find_place(s, note->at, &line, &column);
        for (size_t k = 0; k < inv->uses.n; k++) {
            struct env_use *use = &inv->uses.v[k];
            if (use->kind != USE_LITERAL && streq(use->path, s->of->path) &&
                (use->line == line || use->line == line + 1))
                use->is_resolved = true;
        }
    }
}

typedef void (*searcher)(struct search *s, size_t first);

static void search_code(struct inventory *inv, const struct inventory_text *of, struct str part,
                        enum js_dialect dialect, searcher search, size_t first)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    struct search s = {
        .scratch = scratch, .inv = inv, .of = of, .code = js_tokens(scratch, part, dialect)
    };
    search(&s, first);
}

/* The next "<script …>…</script>" of a page: its contents, and what stands before it. */
static bool next_script(struct str *rest, struct str *ret_before, struct str *ret_script)
{
    static const char open[] = "<script", close[] = "</script";
    const char *begin = rest->n ? memmem(rest->p, rest->n, open, sizeof open - 1) : NULL;
    const char *end = rest->p + rest->n;
    const char *inside = begin ? memchr(begin, '>', (size_t)(end - begin)) : NULL;
    if (!inside)
        return false;
    const char *stop = memmem(inside, (size_t)(end - inside), close, sizeof close - 1);
    if (!stop)
        stop = end;
    *ret_before = (struct str){ rest->p, (size_t)(begin - rest->p) };
    *ret_script = (struct str){ inside + 1, (size_t)(stop - inside) - 1 };
    *rest = (struct str){ stop, (size_t)(end - stop) };
    return true;
}

/* What stands in braces, one after the other. */
static void search_braces(struct inventory *inv, const struct inventory_text *of, struct str part,
                          searcher search, size_t first)
{
    for (size_t i = 0; i < part.n; i++) {
        if (part.p[i] != '{')
            continue;
        size_t from = i + 1;
        int depth = 1;
        while (++i < part.n && depth > 0)
            depth += (part.p[i] == '{') - (part.p[i] == '}');
        search_code(inv, of, (struct str){ part.p + from, i - from }, JS_PLAIN, search, first);
        i--;
    }
}

/* The head of an Astro page, between two lines "---", is code. */
static struct str cut_front_matter(struct str *text)
{
    struct str none = { text->p, 0 };
    if (!str_starts(*text, "---"))
        return none;
    const char *end = memmem(text->p + 3, text->n - 3, "\n---", 4);
    if (!end)
        return none;
    struct str head = { text->p + 3, (size_t)(end - text->p) - 3 };
    *text = (struct str){ end + 4, text->n - head.n - 7 };
    return head;
}

/* %VITE_TITLE% in index.html */
static void find_placeholders(struct inventory *inv, const struct inventory_text *of)
{
    struct search s = { .inv = inv, .of = of };
    const char *end = of->text.p + of->text.n;
    for (const char *p = of->text.p; p < end; p++) {
        if (*p != '%')
            continue;
        const char *q = p + 1;
        while (q < end && ((*q >= 'A' && *q <= 'Z') || (*q >= '0' && *q <= '9') || *q == '_'))
            q++;
        struct str name = { p + 1, (size_t)(q - p) - 1 };
        if (q < end && *q == '%' && memchr(name.p, '_', name.n))
            inventory_use(&s, USE_LITERAL, "%…%", name, p);
        p = q < end && *q == '%' && name.n > 0 ? q : p;
    }
}

static void search_text(struct inventory *inv, const struct inventory_text *of, searcher search,
                        size_t first)
{
    enum js_dialect dialect = JS_PLAIN;
    enum file_kind kind = kind_of(of->path, &dialect);
    struct str rest = of->text, before, script;
    if (kind == FILE_CODE) {
        search_code(inv, of, rest, dialect, search, first);
        return;
    }
    struct str head = cut_front_matter(&rest);
    if (head.n > 0)
        search_code(inv, of, head, dialect, search, first);
    while (next_script(&rest, &before, &script)) {
        if (kind == FILE_MARKUP)
            search_braces(inv, of, before, search, first);
        search_code(inv, of, script, dialect == JS_TYPED_X ? JS_TYPED : dialect, search, first);
    }
    if (kind == FILE_MARKUP)
        search_braces(inv, of, rest, search, first);
}

static void search_first(struct search *s, size_t first)
{
    (void)first;
    mark_mentioned(s->inv, &s->code);
    if (s->inv->seeks_flags)
        inventory_find_flags(s);
    else
        inventory_find(s);
    take_notes(s);
}

bool inventory_add(struct inventory *inv, enum use_place place, const char *path, struct str text,
                   struct err *e)
{
    enum js_dialect dialect;
    enum file_kind kind = kind_of(path, &dialect);
    if (kind == FILE_NO_CODE)
        return true;
    for (size_t i = 0; i < inv->texts.n; i++)
        if (streq(inv->texts.v[i].path, path))
            return true;
    if (text.n > LIMIT_SOURCE_TEXT_BYTES || inv->bytes > LIMIT_SOURCES_BYTES - text.n) {
        err_set(e, ERR_LIMIT, "%s has %zu bytes; a source may have %zu, all together %zu", path,
                text.n, LIMIT_SOURCE_TEXT_BYTES, LIMIT_SOURCES_BYTES);
        return err_hint(e, "if it is made, not written: [inventory] ignore = [\"%s\"]", path);
    }
    inv->bytes += text.n;
    inv->files[place]++;
    *vec_add(&inv->texts, inv->a) = (struct inventory_text){ place, path, text };
    const struct inventory_text *of = &inv->texts.v[inv->texts.n - 1];
    search_text(inv, of, search_first, 0);
    if (kind == FILE_PAGE && !inv->seeks_flags)
        find_placeholders(inv, of);
    return true;
}

/* ---- the whole ---- */

static int by_place(const void *one, const void *other)
{
    const struct env_use *x = one, *y = other;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    int by_path = strcmp(x->path, y->path);
    if (by_path != 0)
        return by_path;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

void inventory_finish(struct inventory *inv)
{
    size_t first = 0;
    for (int round = 0; round < HELPER_ROUNDS && first < inv->helpers.n; round++) {
        size_t known = inv->helpers.n;
        for (size_t i = 0; i < inv->texts.n; i++)
            search_text(inv, &inv->texts.v[i], inventory_find_calls, first);
        first = known;
    }
    if (inv->uses.n > 0)
        qsort(inv->uses.v, inv->uses.n, sizeof inv->uses.v[0], by_place);
}

const struct env_use *inventory_uses(const struct inventory *inv, size_t *ret_n)
{
    *ret_n = inv->uses.n;
    return inv->uses.v;
}

size_t inventory_files(const struct inventory *inv, enum use_place place)
{
    return inv->files[place];
}

bool inventory_mentions(const struct inventory *inv, const char *name)
{
    for (size_t i = 0; inv->names && inv->names[i]; i++)
        if (streq(inv->names[i], name))
            return inv->is_mentioned[i];
    return false;
}

const char *env_use_where(struct arena *a, const struct env_use *use)
{
    return arena_printf(a, "%s:%d:%d", use->path, use->line, use->column);
}
