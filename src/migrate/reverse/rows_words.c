/*
 * Program texts, of DO blocks and functions: do they write rows? Their words are looked at, not their
 * meaning, so the answer may be yes too often.
 */
#include "base/cleanup.h"
#include "migrate/reverse/rows.h"

#include <ctype.h>

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Words of program text, lower case, without quoted texts; NULL at the end. */
static const char *next_word(struct arena *a, const char **p)
{
    while (**p && !is_word(**p)) {
        if (**p == '-' && (*p)[1] == '-')
            *p += strcspn(*p, "\n");
        else
            (*p)++;
    }
    const char *start = *p;
    while (is_word(**p))
        (*p)++;
    if (*p == start)
        return NULL;
    char *word = arena_strndup(a, start, (size_t)(*p - start));
    for (char *c = word; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return word;
}

bool rows_text_writes(const char *text)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    const char *last = "", *word;
    for (const char *p = text; (word = next_word(scratch, &p)); last = word) {
        if ((streq(word, "into") && (streq(last, "insert") || streq(last, "merge"))) ||
            (streq(word, "from") && streq(last, "delete")) || streq(word, "truncate") ||
            streq(word, "setval") || streq(word, "nextval"))
            return true;
        bool is_event = streq(last, "for") || streq(last, "before") || streq(last, "after") ||
                        streq(last, "or") || streq(last, "on") || streq(last, "of");
        if (streq(word, "update") && !is_event)
            return true;
    }
    return false;
}
