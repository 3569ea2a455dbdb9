/*
 * Matching patterns of words: see words.h.
 */
#include "migrate/sql/words.h"

void words_begin(struct words *w, struct str text)
{
    w->text = text;
    w->at = w->n = 0;
    w->is_whole = false;
}

const struct token *words_token(struct words *w, size_t i)
{
    while (i >= w->n && !w->is_whole) {
        w->is_whole = !token_next_code(w->text, &w->at, &w->v[w->n]);
        w->n += !w->is_whole;
        w->is_whole = w->is_whole || w->n == WORDS_MAX;
    }
    return i < w->n ? &w->v[i] : NULL;
}

struct match {
    struct arena *a;
    struct words *w;
    struct sql_name name;
    bool has_name;
};

static bool is_name(const struct token *t)
{
    return t && (t->kind == TOKEN_WORD || t->kind == TOKEN_NAME);
}

/* A name as Postgres would keep it. */
static const char *name_text(struct match *m, const struct token *t)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz";
    struct str s = { m->w->text.p + t->at, t->n };
    bool is_quoted = t->kind == TOKEN_NAME && s.n >= 2 && s.p[0] == '"';
    char *text = str_dup(m->a, is_quoted ? (struct str){ s.p + 1, s.n - 2 } : s);
    char *to = text;
    for (const char *p = text; *p; p++) {
        bool is_capital = !is_quoted && *p >= 'A' && *p <= 'Z';
        if (is_capital)
            *to++ = small[*p - 'A'];
        else
            *to++ = *p;
        p += is_quoted && p[0] == '"' && p[1] == '"';
    }
    *to = '\0';
    return text;
}

/* Tokens of the name that begins at `i`: a, a.b, a.b.c; 0 if there is none. */
static size_t match_name(struct match *m, size_t i)
{
    struct words *w = m->w;
    size_t last = i;
    if (!is_name(words_token(w, i)))
        return 0;
    while (is_name(words_token(w, last + 2)) && token_is(w->text, words_token(w, last + 1), "."))
        last += 2;
    if (!m->has_name) {
        m->has_name = true;
        m->name.name = name_text(m, words_token(w, last));
        m->name.schema = last > i ? name_text(m, words_token(w, last - 2)) : NULL;
    }
    return last + 1 - i;
}

/* Does the token match one word of "a|b|c"? */
static bool match_word(struct words *w, size_t i, struct str alternatives)
{
    const struct token *t = words_token(w, i);
    bool may = t && (t->kind == TOKEN_WORD || t->kind == TOKEN_SYMBOL);
    while (may && alternatives.p) {
        struct str one = str_cut(&alternatives, '|');
        if (t->n == one.n && strncasecmp(w->text.p + t->at, one.p, one.n) == 0)
            return true;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as a pattern has words and dots, which are ours */
static bool match(struct match *m, size_t i, struct str pattern)
{
    pattern = str_trim(pattern);
    if (pattern.n == 0)
        return true;
    if (pattern.p[0] == '[') {
        const char *end = memchr(pattern.p, ']', pattern.n);
        struct str option = { pattern.p + 1, (size_t)(end - pattern.p) - 1 };
        struct str behind = { end + 1, pattern.n - option.n - 2 };
        const char *with = arena_printf(m->a, "%.*s %.*s", STR_FMT(option), STR_FMT(behind));
        bool had_name = m->has_name;
        if (match(m, i, str_of(with)))
            return true;
        m->has_name = had_name; /* what the failed attempt took for one */
        return match(m, i, behind);
    }
    struct str rest = pattern;
    struct str word = str_cut(&rest, ' ');
    if (!rest.p)
        rest = (struct str){ "", 0 };
    if (str_is(word, "$"))
        return !words_token(m->w, i);
    if (str_is(word, "..")) {
        for (; words_token(m->w, i); i++)
            if (match(m, i, rest))
                return true;
        return match(m, i, rest);
    }
    if (str_is(word, "%")) {
        size_t n = match_name(m, i);
        return n > 0 && match(m, i + n, rest);
    }
    return match_word(m->w, i, word) && match(m, i + 1, rest);
}

bool words_match(struct arena *a, struct words *w, const char *pattern, struct sql_name *ret_name)
{
    struct match m = { .a = a, .w = w };
    if (!match(&m, 0, str_of(pattern)))
        return false;
    if (ret_name && m.has_name)
        *ret_name = m.name;
    return true;
}
