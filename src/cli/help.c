/*
 * Help pages: see help.h.
 */
#include "cli/help.h"

#include "base/str.h"
#include "cli/output.h"

#include <string.h>

const char *const group_titles[GROUP_COUNT] = {
    [GROUP_FLY] = "Fly",   [GROUP_PREPARE] = "Prepare", [GROUP_CONTROL] = "Control",
    [GROUP_LOOK] = "Look", [GROUP_ALSO] = "Also",
};

static const char overview_end[] =
    "Exit status  0 done  2 usage or configuration  4 not authorised  5 blocked, nothing changed\n"
    "             6 failed, as before  7 failed, code as before, database ahead  8 needs a person\n"
    "             9 interrupted, resumable  1 anything unexpected\n";

static bool is_listed(const struct command *cmd)
{
    return !(cmd->offers & COMMAND_HIDDEN);
}

/* The synopsis without the names: "<environment>" of "local reset <environment>". */
static const char *after_path(const struct command *cmd, const char *path)
{
    const char *synopsis = cmd->synopsis ? cmd->synopsis : cmd->name;
    const char *name = starts_with(synopsis, path) ? path : cmd->name;
    const char *rest = synopsis + strlen(name);
    return rest[0] == ' ' ? rest + 1 : rest;
}

char *help_synopsis(struct arena *a, const struct command *cmd, const char *path)
{
    const char *words = cmd->commands ? "<command>" : after_path(cmd, path);
    return arena_printf(a, "lockflight %s%s%s [options]", path, words[0] ? " " : "", words);
}

char *help_option(struct arena *a, const struct option *o)
{
    const char *letter = o->letter ? arena_printf(a, "-%c, ", o->letter) : "    ";
    const char *value = o->placeholder ? arena_printf(a, " %s", o->placeholder) : "";
    return arena_printf(a, "%s--%s%s", letter, o->name, value);
}

static void heading(const struct terminal *to, const char *title)
{
    print(to, "\n");
    print_styled(to, STYLE_STRONG, "%s\n", title);
}

/* Rows "name  summary" below a heading. */
static struct table *rows_new(const struct command_context *c)
{
    struct table *t = table_new(c->arena, 2);
    table_indent(t, 2);
    table_keep_layout(t);
    table_wrap(t);
    return t;
}

static void add_command(struct table *t, const struct command *cmd)
{
    table_cell(t, STYLE_STRONG, "%s", cmd->synopsis ? cmd->synopsis : cmd->name);
    table_cell(t, STYLE_PLAIN, "%s", cmd->summary);
}

void help_overview(const struct command_context *c, const struct terminal *to)
{
    print(to, "Lockflight flies a release of a Netlify + Supabase app, and brings it back.\n");
    print(to, "\nUsage: lockflight <command> [options]\n");
    for (int group = 0; group < GROUP_COUNT; group++) {
        struct table *t = rows_new(c);
        bool has_rows = false;
        for (const struct command *const *cmd = c->commands; *cmd; cmd++) {
            if ((int)(*cmd)->group != group || !is_listed(*cmd))
                continue;
            add_command(t, *cmd);
            has_rows = true;
        }
        if (!has_rows)
            continue;
        heading(to, group_titles[group]);
        table_print(t, to);
    }
    print(to, "\n%s\n`lockflight <command> --help` explains one, with examples.\n", overview_end);
}

static void print_indented(const struct terminal *to, const char *text)
{
    struct str rest = str_of(text);
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        print(to, line.n ? "  %.*s\n" : "%.*s\n", STR_FMT(line));
    }
}

static void print_sub_commands(const struct command_context *c, const struct terminal *to,
                               const struct command *cmd)
{
    if (!cmd->commands)
        return;
    heading(to, "Commands");
    struct table *t = rows_new(c);
    for (const struct command *const *sub = cmd->commands; *sub; sub++) {
        if (is_listed(*sub))
            add_command(t, *sub);
    }
    table_print(t, to);
}

static void print_arguments(const struct command_context *c, const struct terminal *to,
                            const struct command *cmd)
{
    if (!cmd->arguments || !cmd->arguments->name)
        return;
    heading(to, "Arguments");
    struct table *t = rows_new(c);
    for (const struct argument *row = cmd->arguments; row->name; row++) {
        table_cell(t, STYLE_STRONG, "<%s>", row->name);
        table_cell(t, STYLE_PLAIN, "%s", row->summary);
    }
    table_print(t, to);
}

static void add_option(const struct command_context *c, struct table *t, const struct option *o)
{
    if (!o->summary)
        return;
    table_cell(t, STYLE_STRONG, "%s", help_option(c->arena, o));
    table_cell(t, STYLE_PLAIN, "%s", o->summary);
}

static void print_options(const struct command_context *c, const struct terminal *to,
                          const struct command *cmd)
{
    heading(to, "Options");
    struct table *t = rows_new(c);
    for (const struct option *o = cmd->options; o && o->name; o++)
        add_option(c, t, o);
    for (const struct global_option *g = global_options; g->option.name; g++) {
        if (global_option_offered(g, cmd))
            add_option(c, t, &g->option);
    }
    table_print(t, to);
}

void help_command(const struct command_context *c, const struct terminal *to,
                  const struct command *cmd, const char *path)
{
    print(to, "%s\n", cmd->summary);
    print(to, "\nUsage: %s\n", help_synopsis(c->arena, cmd, path));
    if (cmd->examples) {
        heading(to, "Examples");
        print_indented(to, cmd->examples);
    }
    if (cmd->description) {
        heading(to, "What it does");
        print_wrapped(to, 2, false, cmd->description);
    }
    print_sub_commands(c, to, cmd);
    print_arguments(c, to, cmd);
    print_options(c, to, cmd);
}
