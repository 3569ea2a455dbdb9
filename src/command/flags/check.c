/*
 * `lockflight flags check`: definitions, rules, code and policies held against each other. Without
 * --env nothing is connected to, so it can run before a push.
 */
#include "command/flags/check.h"

#include "base/fs.h"
#include "base/json.h"
#include "cli/output.h"
#include "command/flags/flags.h"
#include "flag/document.h"
#include "flag/profile.h"

struct check_args {
    struct flags_args flags;
    const char *file;
};

void check_add(struct check *k, const struct check_finding *f)
{
    k->errors += f->is_error;
    *vec_add(&k->found, k->c->arena) = *f;
}

/* ---- rules ---- */

static void add_rule_findings(struct check *k, const char *flag, const char *what,
                              const char *where, const struct flag_findings *all)
{
    struct arena *a = k->c->arena;
    for (size_t i = 0; i < all->n; i++) {
        const struct flag_finding *f = &all->v[i];
        check_add(k, &(struct check_finding){
                         .is_error = !f->is_note,
                         .rule = "not-portable",
                         .flag = flag,
                         .where = where,
                         .text = arena_printf(a, "%s%s%s: %s", what, f->at && *f->at ? ", at " : "",
                                              f->at ? f->at : "", f->why),
                         .hint = f->instead ? arena_printf(a, "write %s", f->instead) : NULL,
                     });
    }
}

static json_t *file_attributes(const struct config_flags *flags)
{
    json_t *all = json_object();
    for (size_t i = 0; i < flags->attributes_n; i++)
        json_object_set_new(all, flags->attributes[i].name,
                            json_pack("{s:s, s:b}", "type", flags->attributes[i].type, "trusted",
                                      (int)flags->attributes[i].is_trusted));
    return all;
}

/* Segments of lockflight.flags.toml; the flags' rules are state and not in it. */
static void check_file_segments(struct check *k)
{
    const struct config_flags *flags = &k->config->flags;
    json_auto_t *attributes = file_attributes(flags);
    const struct flag_profile profile = { .attributes = attributes };
    for (size_t i = 0; i < flags->segments_n; i++) {
        const struct config_segment *s = &flags->segments[i];
        struct flag_findings all = { 0 };
        json_auto_t *rule = flags_json(s->rule);
        flag_profile_segment(&profile, k->c->arena, rule, &all);
        add_rule_findings(k, NULL, arena_printf(k->c->arena, "segment %s", s->name),
                          config_where(k->config, &s->name), &all);
    }
}

/* A flagd document in a file. */
static bool check_document(struct check *k, const char *file, struct err *e)
{
    struct arena *a = k->c->arena;
    struct str text;
    if (!fs_read(a, file, LIMIT_FLAG_DOCUMENT_BYTES, &text, e))
        return false;
    json_auto_t *document = flag_json_parse(text, file, e);
    if (!document)
        return false;
    const json_t *flags = json_object_get(document, "flags");
    if (!json_is_object(flags)) {
        err_set(e, ERR_DATA, "%s is no flagd document: it has no object \"flags\"", file);
        return err_hint(e, "lockflight flags export writes one");
    }
    json_auto_t *attributes = file_attributes(&k->config->flags);
    const json_t *segments = json_object_get(document, "$evaluators");
    const char *key;
    json_t *one;
    json_object_foreach ((json_t *)(uintptr_t)segments, key, one) {
        struct flag_findings all = { 0 };
        const struct flag_profile profile = { .attributes = attributes };
        flag_profile_segment(&profile, a, one, &all);
        add_rule_findings(k, NULL, arena_printf(a, "segment %s", key), file, &all);
    }
    json_object_foreach ((json_t *)(uintptr_t)flags, key, one) {
        struct flag_findings all = { 0 };
        const struct flag_profile profile = { .variants = json_object_get(one, "variants"),
                                              .attributes = attributes,
                                              .segments = segments };
        flag_profile_rule(&profile, a, json_object_get(one, "targeting"), &all);
        add_rule_findings(k, key, arena_printf(a, "flag %s", key), file, &all);
    }
    return true;
}

/* ---- telling ---- */

static json_t *found_json(const struct check *k)
{
    json_t *all = json_array();
    for (size_t i = 0; i < k->found.n; i++) {
        const struct check_finding *f = &k->found.v[i];
        json_array_append_new(all, json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s?}", "severity",
                                             f->is_error ? "error" : "note", "rule", f->rule,
                                             "flag", f->flag, "where", f->where, "text", f->text,
                                             "hint", f->hint));
    }
    return all;
}

static void tell(const struct check *k, const char *environment)
{
    struct command_context *c = k->c;
    if (c->wants_json) {
        print_json(c, json_pack("{s:s?, s:b, s:I, s:o}", "environment", environment, "ok",
                                (int)(k->errors == 0), "uses", (json_int_t)k->uses, "findings",
                                found_json(k)));
        return;
    }
    for (size_t i = 0; i < k->found.n; i++) {
        const struct check_finding *f = &k->found.v[i];
        print_styled(&c->out, f->is_error ? STYLE_BAD : STYLE_FAINT, "%-5s",
                     f->is_error ? "error" : "note");
        print(&c->out, " %s\n", f->where);
        print_wrapped(&c->out, 6, false, f->text);
        if (f->hint)
            print_wrapped(&c->out, 6, false, arena_printf(c->arena, "-> %s", f->hint));
    }
    print(&c->out, "%s, asked for in %s: %s, %s\n",
          text_count(c->arena, (int64_t)k->config->flags.n, "flag", "flags"),
          text_count(c->arena, (int64_t)k->uses, "place", "places"),
          text_count(c->arena, (int64_t)k->errors, "error", "errors"),
          text_count(c->arena, (int64_t)(k->found.n - k->errors), "note", "notes"));
}

static bool check_environment(struct check *k, const struct flags_args *args, struct err *e)
{
    CLEANUP(flags) struct flags f = { 0 };
    return flags_open(k->c, args, &f, e) && check_live(k, &f, e);
}

static bool check(struct command_context *c, void *args_, struct err *e)
{
    const struct check_args *args = args_;
    struct config config = { 0 };
    struct check k = { .c = c, .config = &config };
    bool has_project = !args->file || c->config_path || config_find(c->arena, NULL);
    if (has_project && !config_load(c->arena, c->config_path, &config, e))
        return false;
    k.is_used = ARENA_ARRAY(c->arena, bool, config.flags.n + 1);
    bool ok = args->file ? check_document(&k, args->file, e) : check_code(&k, e);
    if (ok && !args->file)
        check_file_segments(&k);
    if (!ok || (args->flags.environment && !check_environment(&k, &args->flags, e)))
        return err_wrap(e, "check flags");
    tell(&k, args->flags.environment);
    if (k.errors > 0)
        answer_refuses(c);
    return true;
}

// clang-format off
static const struct option check_options[] = {
    { "env", 'e', OPT_TEXT, AT(check_args, flags.environment), "<environment>", "Look at its rules and policies too" },
    { 0 },
};
static const struct argument check_arguments[] = {
    { "file", ARG_OPTIONAL, COMPLETE_FILE, AT(check_args, file), "A flagd document: its rules, instead of the project" },
    { 0 },
};
// clang-format on

const struct command cmd_flags_check = {
    .name = "check",
    .synopsis = "flags check [file]",
    .summary = "Find questions for flags that have no answer, and rules that mislead",
    .description =
        "In the code (OpenFeature's accessors and hooks, module_enabled): keys that nobody "
        "defined, "
        "flags that browsers ask for and may not see, the wrong type. In migrations and, with "
        "--env, in the database: policies that ask for every row. Rules and segments outside the "
        "portable profile. Exit status 5 if there is an error.",
    .examples = "lockflight flags check\nlockflight flags check --env production\n"
                "lockflight flags check flags.json",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON,
    .options = check_options,
    .arguments = check_arguments,
    .args_size = sizeof(struct check_args),
    .run = check,
};
