/*
 * Completion: see complete.h. The words typed so far are walked as the parser walks them, but
 * nothing is refused.
 */
#include "cli/complete.h"

#include "base/str.h"
#include "cli/output.h"

struct walk {
    struct command_context *c;
    const struct complete_input *in;
    const struct command *cmd;     /* NULL: none named yet */
    const struct option *awaiting; /* the option whose value is being typed */
    size_t arguments;              /* words that were arguments */
};

static bool is_option(const struct option *o, const char *word)
{
    if (starts_with(word, "--"))
        return streq(o->name, word + 2);
    return o->letter && word[1] == o->letter && word[2] == '\0';
}

static const struct option *find_option(const struct walk *w, const char *word)
{
    for (const struct option *o = w->cmd ? w->cmd->options : NULL; o && o->name; o++) {
        if (is_option(o, word))
            return o;
    }
    for (const struct global_option *g = global_options; g->option.name; g++) {
        if (is_option(&g->option, word))
            return &g->option;
    }
    return NULL;
}

static void step(struct walk *w, const char *word)
{
    const struct command *const *table = w->cmd ? w->cmd->commands : w->c->commands;
    if (w->awaiting) {
        w->awaiting = NULL;
    } else if (word[0] == '-' && word[1]) {
        const struct option *o = find_option(w, word);
        w->awaiting = o && o->kind != OPT_FLAG ? o : NULL;
    } else if (table) {
        const struct command *next = command_find(table, word);
        w->cmd = next ? next : w->cmd;
    } else {
        w->arguments++;
    }
}

static void offer(const struct walk *w, const char *word, const char *what)
{
    print(&w->c->out, "%s\t%s\n", word, what ? what : "");
}

static void offer_all(const struct walk *w, const char *const *names, const char *what)
{
    for (; *names; names++)
        offer(w, *names, what);
}

static void offer_value(const struct walk *w)
{
    const char *placeholder = w->awaiting->placeholder;
    if (streq(placeholder, "<file>") || streq(placeholder, "<folder>")) {
        print(&w->c->out, ":file\n");
        return;
    }
    if (streq(placeholder, "<environment>"))
        offer_all(w, w->in->environments, "environment");
    struct str rest = str_of(placeholder && placeholder[0] != '<' ? placeholder : "");
    while (rest.n > 0) {
        struct str word = str_cut(&rest, '|');
        print(&w->c->out, "%.*s\t\n", STR_FMT(word));
    }
}

static void offer_options(const struct walk *w)
{
    for (const struct option *o = w->cmd ? w->cmd->options : NULL; o && o->name; o++) {
        if (o->summary)
            offer(w, arena_printf(w->c->arena, "--%s", o->name), o->summary);
    }
    for (const struct global_option *g = global_options; g->option.name; g++) {
        if (g->option.summary && global_option_offered(g, w->cmd))
            offer(w, arena_printf(w->c->arena, "--%s", g->option.name), g->option.summary);
    }
}

static void offer_commands(const struct walk *w, const struct command *const *table)
{
    for (; *table; table++) {
        if (!((*table)->offers & COMMAND_HIDDEN))
            offer(w, (*table)->name, (*table)->summary);
    }
}

static void offer_argument(const struct walk *w)
{
    const struct argument *row = w->cmd->arguments;
    for (size_t i = 0; row && row->name && i < w->arguments && row->count != ARG_MANY; i++)
        row++;
    if (!row || !row->name)
        return;
    switch (row->completes) {
    case COMPLETE_NOTHING:
        return;
    case COMPLETE_ENVIRONMENT:
        offer_all(w, w->in->environments, "environment");
        return;
    case COMPLETE_FLAG:
        offer_all(w, w->in->flags, "flag");
        return;
    case COMPLETE_COMMAND:
        offer_commands(w, w->c->commands);
        return;
    case COMPLETE_FILE:
        print(&w->c->out, ":file\n");
        return;
    case COMPLETE_WORDS:
        for (struct str rest = str_of(row->words); rest.n > 0;) {
            struct str word = str_cut(&rest, '|');
            print(&w->c->out, "%.*s\t\n", STR_FMT(word));
        }
        return;
    }
}

void complete_print(struct command_context *c, const struct complete_input *in)
{
    struct walk w = { .c = c, .in = in };
    size_t n = in->words->n;
    for (size_t i = 0; i + 1 < n; i++)
        step(&w, in->words->v[i]);
    const char *typing = n > 0 ? in->words->v[n - 1] : "";
    if (w.awaiting)
        offer_value(&w);
    else if (typing[0] == '-')
        offer_options(&w);
    else if (!w.cmd || w.cmd->commands)
        offer_commands(&w, w.cmd ? w.cmd->commands : c->commands);
    else
        offer_argument(&w);
}
