/*
 * What one statement is: see judge.h.
 */
#include "migrate/sql/judge.h"

#include "base/strbuf.h"
#include "migrate/sql/mode.h"
#include "migrate/sql/token.h"
#include "migrate/sql/tree.h"

#include <ctype.h>

/* ---- what people call it ---- */

/* Words that stand between CREATE and the kind of thing, and say nothing about it. */
static bool is_filler(struct str text, const struct token *t)
{
    static const char *const fillers[] = { "or",        "replace",  "unique",     "temp",
                                           "temporary", "unlogged", "global",     "local",
                                           "recursive", "trusted",  "procedural", "constraint" };
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++)
        if (token_is(text, t, fillers[i]))
            return true;
    return false;
}

/* "materialized" → a second word belongs to it. */
static bool takes_another(struct str text, const struct token *t)
{
    static const char *const firsts[] = { "materialized", "foreign", "event",   "text",
                                          "access",       "user",    "default", "operator" };
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++)
        if (token_is(text, t, firsts[i]))
            return true;
    return false;
}

static void add_word(struct strbuf *b, struct str text, const struct token *t)
{
    if (b->n > 0)
        (void)strbuf_addc(b, ' ');
    for (size_t i = 0; i < t->n; i++)
        (void)strbuf_addc(b, (char)toupper((unsigned char)text.p[t->at + i]));
}

static const char *what_of(struct arena *a, const struct words *w)
{
    static const char *const two_words[] = { "create",  "alter", "drop",    "comment",
                                             "refresh", "lock",  "security" };
    CLEANUP(strbuf) struct strbuf b = strbuf_init(256);
    size_t i = 0;
    if (w->n == 0 || w->v[0].kind != TOKEN_WORD)
        return "a statement";
    add_word(&b, w->text, &w->v[i++]);
    bool goes_on = false;
    for (size_t k = 0; k < sizeof two_words / sizeof *two_words; k++)
        goes_on = goes_on || token_is(w->text, &w->v[0], two_words[k]);
    while (goes_on && i < w->n && is_filler(w->text, &w->v[i]))
        i++;
    for (; goes_on && i < w->n && w->v[i].kind == TOKEN_WORD; i++) {
        add_word(&b, w->text, &w->v[i]);
        goes_on = takes_another(w->text, &w->v[i]);
    }
    return arena_strdup(a, strbuf_text(&b));
}

void judge(struct arena *a, struct sql_statement *s)
{
    struct words w = words_of(a, s->text);
    const struct mode_row *row = mode_of(a, &w);
    s->mode = row ? row->mode : SQL_IN_TRANSACTION;
    s->what = row ? row->what : what_of(a, &w);
}
