/*
 * The parser: one walk over argv. See parse.h.
 */
#include "cli/parse.h"

#include "base/duration.h"
#include "base/nearest.h"
#include "base/str.h"
#include "base/vec.h"

#include <assert.h>
#include <string.h>

struct parser {
    struct command_context *c;
    char **argv;
    int argc;
    int i;           /* the word being looked at */
    void *args;      /* of the command, once it is known */
    size_t words;    /* arguments taken */
    bool only_words; /* after "--" */
};

/* An option's row and where its value goes. */
struct found {
    const struct option *option;
    void *base;
};

static bool usage(const struct parser *p, struct err *e)
{
    if (p->c->command)
        return err_hint(e, "lockflight %s --help", p->c->path);
    return err_hint(e, "lockflight help");
}

static bool matches(const struct option *o, const char *name, char letter)
{
    return name ? streq(o->name, name) : o->letter == letter;
}

/* By long name, or by letter if name is NULL. The command's own rows come first. */
static bool find_option(const struct parser *p, const char *name, char letter, struct found *ret)
{
    const struct command *cmd = p->c->command;
    for (const struct option *o = cmd ? cmd->options : NULL; o && o->name; o++) {
        if (matches(o, name, letter)) {
            *ret = (struct found){ o, p->args };
            return true;
        }
    }
    for (const struct global_option *g = global_options; g->option.name; g++) {
        bool is_offered = !cmd || cmd->commands || global_option_offered(g, cmd);
        if (is_offered && matches(&g->option, name, letter)) {
            *ret = (struct found){ &g->option, p->c };
            return true;
        }
    }
    return false;
}

static bool unknown_option(const struct parser *p, const char *name, struct err *e)
{
    const struct command *cmd = p->c->command;
    struct nearest n = nearest_to(name);
    for (const struct option *o = cmd ? cmd->options : NULL; o && o->name; o++) {
        if (o->summary)
            nearest_offer(&n, o->name);
    }
    for (const struct global_option *g = global_options; g->option.name; g++) {
        if (global_option_offered(g, cmd))
            nearest_offer(&n, g->option.name);
    }
    const char *of = cmd ? arena_printf(p->c->arena, "lockflight %s", p->c->path) : "lockflight";
    if (n.best)
        err_set(e, ERR_USAGE, "`%s` has no option --%s; did you mean --%s?", of, name, n.best);
    else
        err_set(e, ERR_USAGE, "`%s` has no option --%s", of, name);
    return usage(p, e);
}

/* A placeholder without brackets lists the words allowed: "auto|always|never". */
static bool is_allowed(const char *placeholder, const char *value)
{
    if (!placeholder || placeholder[0] == '<')
        return true;
    struct str rest = str_of(placeholder);
    while (rest.n > 0) {
        if (str_is(str_cut(&rest, '|'), value))
            return true;
    }
    return false;
}

bool parse_option_value(struct arena *a, const struct option *o, const char *value, void *at,
                        struct err *e)
{
    assert(at);
    uint64_t number = 0;
    struct text_list *list = at;
    if (!is_allowed(o->placeholder, value))
        return err_set(e, ERR_USAGE, "--%s takes one of %s, not \"%s\"", o->name, o->placeholder,
                       value);
    switch (o->kind) {
    case OPT_FLAG:
        return err_set(e, ERR_USAGE, "--%s takes no value", o->name);
    case OPT_TEXT:
        *(const char **)at = value;
        return true;
    case OPT_LIST:
        list->v = vec_grow(a, list->v, &list->capacity, list->n, sizeof *list->v);
        list->v[list->n++] = value;
        return true;
    case OPT_MS:
        if (!duration_parse(str_of(value), at))
            return err_set(e, ERR_USAGE, "--%s takes a time such as 90s, 15m or 2h, not \"%s\"",
                           o->name, value);
        return true;
    case OPT_INT:
        if (!str_to_u64(str_of(value), &number) || number > INT64_MAX)
            return err_set(e, ERR_USAGE, "--%s takes a whole number, not \"%s\"", o->name, value);
        *(int64_t *)at = (int64_t)number;
        return true;
    }
    return err_set(e, ERR_INTERNAL, "option --%s has no kind", o->name);
}

/* `value` is what stood after "=" or was glued to the letter; NULL: the next word. */
static bool take_option(struct parser *p, struct found found, const char *value, struct err *e)
{
    assert(found.base); /* a command with options has a struct for them */
    char *at = (char *)found.base + found.option->at;
    if (found.option->kind == OPT_FLAG && !value) {
        *(bool *)(void *)at = true;
        return true;
    }
    if (found.option->kind != OPT_FLAG && !value) {
        if (p->i + 1 >= p->argc) {
            err_set(e, ERR_USAGE, "--%s needs %s", found.option->name, found.option->placeholder);
            return usage(p, e);
        }
        value = p->argv[++p->i];
    }
    return parse_option_value(p->c->arena, found.option, value, at, e) || usage(p, e);
}

static bool take_long(struct parser *p, const char *word, struct err *e)
{
    struct str rest = str_of(word + 2);
    const char *name = str_dup(p->c->arena, str_cut(&rest, '='));
    struct found found;
    if (!find_option(p, name, 0, &found))
        return unknown_option(p, name, e);
    return take_option(p, found, rest.p, e);
}

static bool take_letters(struct parser *p, const char *word, struct err *e)
{
    for (const char *letter = word + 1; *letter; letter++) {
        struct found found;
        if (!find_option(p, NULL, *letter, &found)) {
            err_set(e, ERR_USAGE, "unknown option -%c", *letter);
            return usage(p, e);
        }
        bool is_flag = found.option->kind == OPT_FLAG;
        const char *value = !is_flag && letter[1] ? letter + 1 : NULL;
        if (!take_option(p, found, value, e))
            return false;
        if (!is_flag)
            break;
    }
    return true;
}

static bool unknown_command(const struct parser *p, const struct command *const *table,
                            const char *word, struct err *e)
{
    const char *parent = p->c->path ? p->c->path : "";
    const char *gap = p->c->path ? " " : "";
    const char *nearest = command_nearest(table, word);
    if (!nearest) {
        err_set(e, ERR_USAGE, "there is no command `lockflight %s%s%s`", parent, gap, word);
        return usage(p, e);
    }
    err_set(e, ERR_USAGE, "there is no command `lockflight %s%s%s`; did you mean %s?", parent, gap,
            word, nearest);
    return err_hint(e, "lockflight %s%s%s", parent, gap, nearest);
}

static bool take_command(struct parser *p, const char *word, struct err *e)
{
    struct command_context *c = p->c;
    const struct command *const *table = c->command ? c->command->commands : c->commands;
    const struct command *cmd = command_find(table, word);
    if (!cmd)
        return unknown_command(p, table, word, e);
    c->command = cmd;
    c->path = c->path ? arena_printf(c->arena, "%s %s", c->path, word) : cmd->name;
    p->args = cmd->args_size ? arena_alloc(c->arena, cmd->args_size) : NULL;
    return true;
}

static bool take_argument(struct parser *p, const char *word, struct err *e)
{
    const struct argument *row = p->c->command->arguments;
    for (size_t i = 0; row && row->name && i < p->words && row->count != ARG_MANY; i++)
        row++;
    if (!row || !row->name) {
        err_set(e, ERR_USAGE, "`lockflight %s` does not take \"%s\"", p->c->path, word);
        return usage(p, e);
    }
    if (row->words && !is_allowed(row->words, word)) {
        err_set(e, ERR_USAGE, "<%s> is one of %s, not \"%s\"", row->name, row->words, word);
        return usage(p, e);
    }
    p->words++;
    assert(p->args);
    char *at = (char *)p->args + row->at;
    if (row->count != ARG_MANY) {
        *(const char **)(void *)at = word;
        return true;
    }
    struct text_list *list = (void *)at;
    list->v = vec_grow(p->c->arena, list->v, &list->capacity, list->n, sizeof *list->v);
    list->v[list->n++] = word;
    return true;
}

static bool take_word(struct parser *p, const char *word, struct err *e)
{
    if (!p->only_words && streq(word, "--")) {
        p->only_words = true;
        return true;
    }
    if (!p->only_words && starts_with(word, "--"))
        return take_long(p, word, e);
    if (!p->only_words && word[0] == '-' && word[1] != '\0')
        return take_letters(p, word, e);
    if (!p->c->command || p->c->command->commands)
        return take_command(p, word, e);
    return take_argument(p, word, e);
}

bool parse_command_line(struct command_context *c, int argc, char **argv, void **ret_args,
                        struct err *e)
{
    struct parser p = { .c = c, .argv = argv, .argc = argc, .i = 1 };
    /* An error on the way must already know whether to speak JSON. */
    for (int i = 1; i < argc && !streq(argv[i], "--"); i++)
        c->wants_json = c->wants_json || streq(argv[i], "--json");
    for (; p.i < argc; p.i++) {
        if (!take_word(&p, argv[p.i], e))
            return false;
    }
    *ret_args = p.args;
    return true;
}

bool parse_is_complete(const struct command_context *c, const void *args, struct err *e)
{
    for (const struct argument *row = c->command->arguments; row && row->name; row++) {
        const char *const *value = (const void *)((const char *)args + row->at);
        if (row->count == ARG_ONE && !*value) {
            err_set(e, ERR_USAGE, "`lockflight %s` needs <%s>", c->path, row->name);
            return err_hint(e, "lockflight %s --help", c->path);
        }
    }
    return true;
}
