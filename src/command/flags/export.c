/*
 * `lockflight flags export`: an environment's flags as a flagd document.
 */
#include "flag/export.h"

#include "base/fs.h"
#include "base/json.h"
#include "cli/output.h"
#include "command/flags/flags.h"
#include "command/flags/session.h"
#include "flag/document.h"

#include <stdio.h>

struct export_args {
    struct flags_args flags;
    const char *file;
    const char *reader; /* flagd, lockflight */
};

static bool export(struct command_context *c, void *args_, struct err *e)
{
    const struct export_args *args = args_;
    CLEANUP(flags) struct flags f = { 0 };
    struct flag_stored snapshot;
    if (!flags_open(c, &args->flags, &f, e) ||
        !flag_store_snapshot(f.db, c->arena, 0, &snapshot, e))
        return err_wrap(e, "export flags");
    json_auto_t *all = flag_json_parse(str_of(snapshot.text), "the flags of the database", e);
    json_auto_t *document = NULL;
    bool is_ours = streq(args->reader, "lockflight");
    if (!all || (!is_ours && !flag_export(json_object_get(all, "document"), &document, e)))
        return false;
    char *text = json_dumps(is_ours ? all : document, JSON_INDENT(2) | JSON_SORT_KEYS);
    struct str bytes = str_of(arena_printf(c->arena, "%s\n", text ? text : "{}"));
    free(text);
    if (!args->file) {
        print(&c->out, "%s", bytes.p);
        return true;
    }
    return fs_replace(args->file, bytes, 0644, e) || err_wrap(e, "export flags");
}

// clang-format off
static const struct option export_options[] = {
    FLAGS_LOOK_OPTIONS(export_args, flags),
    { "for",    0,   OPT_TEXT, AT(export_args, reader), "flagd|lockflight", "Whom it is for (default: flagd); lockflight: with attributes, for `flags eval --file`" },
    { "output", 'o', OPT_TEXT, AT(export_args, file), "<file>", "Into this file instead of on standard output" },
    { 0 },
};
// clang-format on

const struct command cmd_flags_export = {
    .name = "export",
    .synopsis = "flags export",
    .summary = "Print an environment's flags as a flagd document",
    .description = "What it serves now, with due schedules in it. flagd and every in-process "
                   "OpenFeature provider for flagd read it as it is.",
    .examples = "lockflight flags export --env production > flags.json\n"
                "lockflight flags export --env staging --output flags.json",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON, /* it is JSON anyway */
    .options = export_options,
    .args_size = sizeof(struct export_args),
    .run = export,
};
