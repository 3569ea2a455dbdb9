/*
 * Reading directives: see directive.h. Each word is a row: its name and what its value must be.
 */
#include "migrate/sql/directive.h"

#include "base/duration.h"
#include "base/vec.h"
#include "migrate/sql/script.h"
#include "migrate/sql/token.h"

#include <ctype.h>

static const char *const phases[] = { "expand", "backfill", "contract" };

const char *phase_name(enum phase p)
{
    return phases[p];
}

/* ---- what a value must be: NULL if it is good, else what is expected ---- */

static const char *check_phase(const struct directive *d)
{
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++)
        if (streq(d->value, phases[i]))
            return NULL;
    return "expand, backfill or contract";
}

static const char *check_duration(const struct directive *d)
{
    int64_t ms = 0;
    return duration_parse(str_of(d->value), &ms) && ms > 0 ? NULL : "a time such as 100ms";
}

static const char *check_allow(const struct directive *d)
{
    bool is_rule = isupper((unsigned char)d->first[0]) && isdigit((unsigned char)d->first[1]);
    return is_rule && *d->rest ? NULL : "a rule and the reason: `-- allow: L01 the table is small`";
}

static const char *check_loss(const struct directive *d)
{
    bool is_class = strlen(d->first) == 1 && strchr("ABCD", d->first[0]);
    return is_class && (*d->rest || d->first[0] == 'A')
               ? NULL
               : "A, B, C or D and a sentence that says it";
}

static const char *check_any(const struct directive *d)
{
    return *d->value ? NULL : "a value";
}

static const char *check_transaction(const struct directive *d)
{
    return streq(d->value, "none") || streq(d->value, "false") ? NULL : "none";
}

// clang-format off
static const struct word {
    const char *name;
    enum directive_word word;
    bool is_of_file;  /* stands before the first statement, and speaks of all of them */
    bool is_english;  /* so that a wrong value of several words is taken for a sentence */
    const char *(*check)(const struct directive *d);
} words[] = {
    { "phase",       DIRECTIVE_PHASE,       true,  true,  check_phase       },
    { "lock-budget", DIRECTIVE_LOCK_BUDGET, true,  false, check_duration    },
    { "allow",       DIRECTIVE_ALLOW,       false, true,  check_allow       },
    { "backfill",    DIRECTIVE_BACKFILL,    false, false, check_any         },
    { "loss",        DIRECTIVE_LOSS,        true,  true,  check_loss        },
    { "leaves",      DIRECTIVE_LEAVES,      true,  false, check_any         },
    { "transaction", DIRECTIVE_TRANSACTION, true,  true,  check_transaction },
    { "tx",          DIRECTIVE_TRANSACTION, true,  false, check_transaction },
};
// clang-format on

/* ---- reading ---- */

static struct str first_word(struct str *rest)
{
    *rest = str_trim(*rest);
    size_t n = 0;
    while (n < rest->n && !isspace((unsigned char)rest->p[n]))
        n++;
    struct str word = { rest->p, n };
    *rest = str_trim((struct str){ rest->p + n, rest->n - n });
    return word;
}

/* A comment's text as a word and its value; NULL if it is an ordinary comment. A colon must stand
 * behind the word, or `lockflight:` before it. */
static const struct word *read_comment(struct arena *a, struct str comment, struct directive *ret,
                                       bool *ret_is_marked)
{
    struct str value = { comment.p + 2, comment.n - 2 };
    struct str word = first_word(&value);
    *ret_is_marked = str_is(word, "lockflight:") || str_is(word, "pg-delta:");
    if (*ret_is_marked)
        word = first_word(&value);
    const char *equals = word.n > 0 ? memchr(word.p, '=', word.n) : NULL;
    if (*ret_is_marked && equals) { /* the Supabase CLI's own spelling: transaction=false */
        value = (struct str){ equals + 1, (size_t)(value.p + value.n - equals) - 1 };
        word.n = (size_t)(equals - word.p);
    }
    if (word.n > 0 && word.p[word.n - 1] == ':')
        word.n--;
    else if (!*ret_is_marked)
        return NULL;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!str_is(word, words[i].name))
            continue;
        value = str_trim(value);
        ret->word = words[i].word;
        ret->value = str_dup(a, value);
        ret->first = str_dup(a, first_word(&value));
        ret->rest = str_dup(a, value);
        return &words[i];
    }
    return NULL;
}

/* Where the reader of a file stands. */
struct reader {
    const char *file;
    struct str text;
    size_t behind;  /* the end of the token before */
    bool is_head;   /* no statement, and no blank line behind a comment yet */
    bool has_code;  /* a statement has begun */
    size_t counted; /* bytes whose lines are counted */
    unsigned line;
};

static void step(struct reader *r, const struct token *t)
{
    int lines = 0;
    for (size_t i = r->behind; i < t->at; i++)
        lines += r->text.p[i] == '\n';
    r->has_code = r->has_code || t->kind != TOKEN_COMMENT;
    r->is_head = r->is_head && !r->has_code && (r->behind == 0 || lines < 2);
    r->behind = t->at + t->n;
}

/* One comment: a directive in *ret, or none (*ret_is_one is false). */
static bool read_one(struct reader *r, struct arena *a, const struct token *t,
                     struct directive *ret, bool *ret_is_one, struct err *e)
{
    bool is_marked = false;
    struct directive d = { .offset = t->at };
    const struct word *word =
        read_comment(a, (struct str){ r->text.p + t->at, t->n }, &d, &is_marked);
    const char *expected = word ? word->check(&d) : NULL;
    *ret_is_one = word && (!expected || is_marked || !word->is_english || !*d.rest);
    if (!*ret_is_one)
        return true;
    if (expected)
        return sql_error_at(e, ERR_CONFIG, r->file, r->text, t->at, "`%s: %s`: expected %s",
                            word->name, d.value, expected);
    if (word->is_of_file && r->has_code)
        return sql_error_at(e, ERR_CONFIG, r->file, r->text, t->at,
                            "`%s` speaks of the whole file: it must stand before the first "
                            "statement",
                            word->name);
    for (; r->counted < t->at; r->counted++)
        r->line += r->text.p[r->counted] == '\n';
    d.line = r->line;
    d.is_head = word->is_of_file || (r->is_head && word->word == DIRECTIVE_ALLOW);
    *ret = d;
    return true;
}

/* Is there anything that looks like one? Most files have none, and need not be read for them. */
static bool may_have_directives(struct str text)
{
    for (struct str rest = text; rest.n > 2;) {
        const char *dashes = memmem(rest.p, rest.n, "--", 2);
        if (!dashes)
            return false;
        rest = (struct str){ dashes + 2, rest.n - (size_t)(dashes + 2 - rest.p) };
        struct str behind = rest;
        struct str word = first_word(&behind);
        if (word.n > 0 && word.p[word.n - 1] == ':')
            return true;
    }
    return false;
}

bool directives_read(struct arena *a, const char *file, struct str text, struct directives *ret,
                     struct err *e)
{
    VEC(struct directive) list = { 0 };
    struct reader r = { .file = file, .text = text, .is_head = true, .line = 1 };
    struct token t;
    bool may = may_have_directives(text);
    size_t at = str_starts(text, "\xef\xbb\xbf") ? 3 : 0; /* a byte order mark is no word */
    while (may && token_next(text, &at, &t)) {
        step(&r, &t);
        if (t.kind != TOKEN_COMMENT || t.quote == '*')
            continue;
        struct directive d;
        bool is_one = false;
        if (!read_one(&r, a, &t, &d, &is_one, e))
            return false;
        if (is_one)
            *vec_add(&list, a) = d;
    }
    *ret = (struct directives){ list.v, list.n };
    return true;
}

const struct directive *directive_find(const struct directives *d, enum directive_word word)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].word == word)
            return &d->v[i];
    return NULL;
}

enum phase directives_phase(const struct directives *d)
{
    const struct directive *found = directive_find(d, DIRECTIVE_PHASE);
    for (size_t i = 0; found && i < sizeof phases / sizeof *phases; i++)
        if (streq(found->value, phases[i]))
            return (enum phase)i;
    return PHASE_EXPAND;
}

int64_t directives_lock_budget_ms(const struct directives *d, int64_t otherwise_ms)
{
    const struct directive *found = directive_find(d, DIRECTIVE_LOCK_BUDGET);
    int64_t ms = otherwise_ms;
    return found && duration_parse(str_of(found->value), &ms) ? ms : otherwise_ms;
}
