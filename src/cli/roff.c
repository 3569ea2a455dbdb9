/*
 * Roff: see roff.h.
 */
#include "cli/roff.h"

#include "base/str.h"
#include "cli/help.h"
#include "cli/output.h"

/* A backslash or a leading dot or quote would be an order; a plain "-" would become a typographic
 * one. */
static void escaped(const struct terminal *to, struct str text)
{
    if (text.n > 0 && (text.p[0] == '.' || text.p[0] == '\''))
        print(to, "\\&");
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\\')
            print(to, "\\e");
        else if (text.p[i] == '-')
            print(to, "\\-");
        else
            print(to, "%c", text.p[i]);
    }
}

void roff_title(const struct terminal *to, const char *name, int section, const char *summary)
{
    print(to, ".TH \"%s\" \"%d\" \"%s\" \"lockflight %s\" \"\"\n", name, section, LOCKFLIGHT_DATE,
          LOCKFLIGHT_VERSION);
    roff_section(to, "NAME");
    escaped(to, str_of(name));
    print(to, " \\- ");
    escaped(to, str_of(summary));
    print(to, "\n");
}

void roff_section(const struct terminal *to, const char *title)
{
    print(to, ".SH \"");
    escaped(to, str_of(title));
    print(to, "\"\n");
}

void roff_subsection(const struct terminal *to, const char *title)
{
    print(to, ".SS \"");
    escaped(to, str_of(title));
    print(to, "\"\n");
}

void roff_text(const struct terminal *to, const char *text)
{
    struct str rest = str_of(text);
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        if (line.n == 0) {
            print(to, ".PP\n");
            continue;
        }
        escaped(to, line);
        print(to, "\n");
    }
}

void roff_item(const struct terminal *to, const char *term, const char *text)
{
    print(to, ".TP\n\\fB");
    escaped(to, str_of(term));
    print(to, "\\fR\n");
    roff_text(to, text);
}

void roff_example(const struct terminal *to, const char *lines)
{
    print(to, ".RS 4\n.nf\n");
    struct str rest = str_of(lines);
    while (rest.n > 0) {
        escaped(to, str_cut(&rest, '\n'));
        print(to, "\n");
    }
    print(to, ".fi\n.RE\n");
}

static void option_item(const struct command_context *c, const struct terminal *to,
                        const struct option *o)
{
    if (!o->name || !o->summary)
        return;
    struct str term = str_trim(str_of(help_option(c->arena, o)));
    roff_item(to, str_dup(c->arena, term), o->summary);
}

/* One verb, or one sub-command. */
static void command_page(const struct command_context *c, const struct terminal *to,
                         const struct command *cmd, const char *path)
{
    roff_subsection(to, help_synopsis(c->arena, cmd, path));
    roff_text(to, arena_printf(c->arena, "%s.", cmd->summary));
    if (cmd->description) {
        print(to, ".PP\n");
        roff_text(to, cmd->description);
    }
    for (const struct argument *row = cmd->arguments; row && row->name; row++)
        roff_item(to, arena_printf(c->arena, "<%s>", row->name), row->summary);
    for (const struct option *o = cmd->options; o && o->name; o++)
        option_item(c, to, o);
    for (const struct global_option *g = global_options; g->option.name; g++) {
        if (g->needs != 0 && global_option_offered(g, cmd))
            option_item(c, to, &g->option);
    }
    if (cmd->examples) {
        print(to, ".PP\n"); /* back from the items' indentation */
        roff_example(to, cmd->examples);
    }
}

static void pages_of(const struct command_context *c, const struct terminal *to,
                     const struct command *cmd)
{
    if (!cmd->commands) {
        command_page(c, to, cmd, cmd->name);
        return;
    }
    for (const struct command *const *sub = cmd->commands; *sub; sub++) {
        if (!((*sub)->offers & COMMAND_HIDDEN))
            command_page(c, to, *sub, arena_printf(c->arena, "%s %s", cmd->name, (*sub)->name));
    }
}

void roff_commands(const struct command_context *c, const struct terminal *to)
{
    for (int group = 0; group < GROUP_COUNT; group++) {
        bool is_begun = false;
        for (const struct command *const *cmd = c->commands; *cmd; cmd++) {
            if ((int)(*cmd)->group != group || ((*cmd)->offers & COMMAND_HIDDEN))
                continue;
            if (!is_begun)
                roff_section(to, arena_printf(c->arena, "COMMANDS: %s", group_titles[group]));
            is_begun = true;
            pages_of(c, to, *cmd);
        }
    }
    roff_section(to, "OPTIONS OF EVERY COMMAND");
    for (const struct global_option *g = global_options; g->option.name; g++) {
        if (g->needs == 0)
            option_item(c, to, &g->option);
    }
}
