/*
 * `lockflight vars check <environment>`: every variable that the sources ask for, against what is
 * declared and what has a value. Asks no host, so it can run before a push.
 */
#include "cli/annotation.h"
#include "cli/output.h"
#include "command/vars/vars.h"
#include "engine/project_inventory.h"

struct check_args {
    const char *environment;
    bool no_values;
    bool uses;
};

static const char *const severities[] = {
    [INVENTORY_ERROR] = "error", [INVENTORY_WARNING] = "warn", [INVENTORY_NOTE] = "note"
};
static const char *const kinds[] = { [USE_LITERAL] = "literal",
                                     [USE_COMPUTED] = "computed",
                                     [USE_ALIAS] = "alias",
                                     [USE_WHOLE] = "whole" };

static void show_findings(struct command_context *c, const struct inventory_report *report)
{
    static const enum style styles[] = { [INVENTORY_ERROR] = STYLE_BAD,
                                         [INVENTORY_WARNING] = STYLE_WARN,
                                         [INVENTORY_NOTE] = STYLE_FAINT };
    for (size_t i = 0; i < report->n; i++) {
        const struct inventory_finding *f = &report->v[i];
        print_styled(&c->out, styles[f->severity], "%-5s", severities[f->severity]);
        print(&c->out, " %s\n", f->where);
        print_wrapped(&c->out, 6, false, f->text);
        if (f->hint)
            print_wrapped(&c->out, 6, false, arena_printf(c->arena, "-> %s", f->hint));
    }
}

static void annotate(struct command_context *c, const struct inventory_report *report)
{
    static const char *const said[] = {
        [INVENTORY_ERROR] = "error", [INVENTORY_WARNING] = "warning", [INVENTORY_NOTE] = "notice"
    };
    for (size_t i = 0; i < report->n; i++) {
        const struct inventory_finding *f = &report->v[i];
        const char *title = f->name ? arena_printf(c->arena, "%s: %s", f->rule, f->name) : f->rule;
        const char *text = f->hint ? arena_printf(c->arena, "%s\n%s", f->text, f->hint) : f->text;
        print_annotation(c->arena, &c->out,
                         &(struct annotation){ said[f->severity], f->where, title, text });
    }
}

static void show_uses(struct command_context *c, const struct inventory *inv)
{
    size_t n;
    const struct env_use *v = inventory_uses(inv, &n);
    struct table *t = table_new(c->arena, 3);
    table_head(t, "name", "asked for by", "where", NULL);
    for (size_t i = 0; i < n; i++) {
        if (v[i].kind != USE_LITERAL && v[i].is_resolved)
            continue;
        table_cell(t, STYLE_STRONG, "%s", v[i].name ? v[i].name : "?");
        table_cell(t, STYLE_PLAIN, "%s", use_place_text(v[i].place));
        table_cell(t, STYLE_FAINT, "%s", env_use_where(c->arena, &v[i]));
    }
    table_print(t, &c->out);
}

static json_t *uses_json(const struct inventory *inv)
{
    size_t n;
    const struct env_use *v = inventory_uses(inv, &n);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s?, s:s, s:s, s:s, s:i, s:i, s:s, s:b}", "name",
                                              v[i].name, "kind", kinds[v[i].kind], "target",
                                              use_place_target(v[i].place), "path", v[i].path,
                                              "line", v[i].line, "column", v[i].column, "object",
                                              v[i].object, "resolved",
                                              (int)(v[i].kind == USE_LITERAL || v[i].is_resolved)));
    return list;
}

static json_t *findings_json(const struct inventory_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->n; i++) {
        const struct inventory_finding *f = &report->v[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s?}", "severity",
                                        severities[f->severity], "rule", f->rule, "name", f->name,
                                        "where", f->where, "text", f->text, "hint", f->hint));
    }
    return list;
}

static void show_sum(struct command_context *c, const struct inventory *inv,
                     const struct inventory_report *report)
{
    size_t uses, files = 0;
    (void)inventory_uses(inv, &uses);
    for (enum use_place place = 0; place < USE_PLACES; place++)
        files += inventory_files(inv, place);
    print(&c->out, "%s in %s: %s, %s, %s\n",
          text_count(c->arena, (int64_t)uses, "use of a variable", "uses of variables"),
          text_count(c->arena, (int64_t)files, "source", "sources"),
          text_count(c->arena, (int64_t)report->errors, "error", "errors"),
          text_count(c->arena, (int64_t)report->warnings, "warning", "warnings"),
          text_count(c->arena, (int64_t)report->notes, "note", "notes"));
}

static bool check(struct command_context *c, void *args_, struct err *e)
{
    const struct check_args *args = args_;
    struct config config;
    CLEANUP(target) struct target t = { 0 };
    struct inventory *inv;
    struct inventory_report report;
    struct project_values values;
    if (!config_load(c->arena, c->config_path, &config, e) ||
        !target_declared(c->arena, &config, args->environment, &t, e) ||
        !project_inventory(c->arena, &config, &config.supabase, &inv, e))
        return false;
    if (!args->no_values)
        values = project_values_try(&t, ~0U);
    project_inventory_check(c->arena, &config, t.name, inv, args->no_values ? NULL : &values,
                            &report);
    if (report.errors > 0)
        answer_refuses(c);
    if (c->wants_json) {
        json_t *document = json_pack("{s:s, s:b, s:o, s:o}", "environment", t.name, "ok",
                                     (int)(report.errors == 0), "findings", findings_json(&report),
                                     "uses", uses_json(inv));
        print_json(c, document);
        return true;
    }
    if (args->uses)
        show_uses(c, inv);
    if (c->is_github)
        annotate(c, &report);
    else
        show_findings(c, &report);
    show_sum(c, inv, &report);
    return true;
}

// clang-format off
static const struct option check_options[] = {
    { "no-values", 0, OPT_FLAG, AT(check_args, no_values), NULL, "Do not look whether declared variables have a value" },
    { "uses",      0, OPT_FLAG, AT(check_args, uses),      NULL, "List every use, too" },
    { 0 },
};

static const struct argument check_arguments[] = {
    { "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(check_args, environment), "Whose values are looked for" },
    { 0 },
};
// clang-format on

const struct command cmd_vars_check = {
    .name = "check",
    .synopsis = "vars check <environment>",
    .summary = "Compare what the sources ask for with what is declared",
    .description =
        "Reads the sources of the Edge Functions, of the frontend and of the site's functions, and "
        "finds every Deno.env.get, process.env and import.meta.env. An error is a name that nobody "
        "declares, a declared one without a value here, one that is not sent to where it is used, "
        "and a secret under a name that a bundler publishes; a deploy would be refused for the "
        "same. "
        "Names that nobody uses are warned of; what cannot be known from the text is noted. No "
        "host "
        "is asked. Exit status 5 if there is an error.",
    .examples =
        "lockflight vars check staging\nlockflight vars check production --no-values --json",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = check_options,
    .arguments = check_arguments,
    .args_size = sizeof(struct check_args),
    .run = check,
};
