/*
 * `lockflight flags import`: states and segments out of a flagd document. Definitions are not
 * imported: the code owns them. All rules are judged before anything is asked or written, and all is
 * written together or not at all.
 */
#include "base/fs.h"
#include "base/json.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/flags/change.h"
#include "command/flags/flags.h"
#include "flag/document.h"
#include "flag/export.h"
#include "flag/profile.h"
#include "flag/state.h"

#include <assert.h>

struct import_args {
    struct flags_args flags;
    const char *file;
    bool unportable;
};

struct import {
    struct flags f;
    struct flag_rows rows;
    struct flag_segment *segments;
    size_t segments_n;
    json_t *document;
    json_t *patches;     /* key → patch, of flags that change */
    json_t *rules;       /* segment → rule, of those that change */
    const char *unknown; /* keys that no release has defined here */
    const char *unsaid;  /* keys whose own state is not in the document */
    bool asks;
};

static void import_cleanup(struct import *i)
{
    json_decref(i->document);
    json_decref(i->patches);
    json_decref(i->rules);
    flags_close(&i->f);
}

static const struct flag_row *find(const struct import *i, const char *key)
{
    for (size_t k = 0; k < i->rows.n; k++)
        if (streq(i->rows.v[k].key, key))
            return &i->rows.v[k];
    return NULL;
}

/* What a flag of the document is as a state here. One that was switched off is exported without
 * what it keeps, so here it is switched off and keeps what it has. The caller owns it. */
static json_t *patch_of(const json_t *flag)
{
    if (json_is_true(json_object_get(json_object_get(flag, "metadata"), "killed")))
        return json_pack("{s:b}", "killed", 1);
    const json_t *otherwise = json_object_get(flag, "defaultVariant");
    const json_t *rule = flag_export_rule(flag);
    bool is_disabled = streq(json_text_or(flag, "state", "ENABLED"), "DISABLED");
    bool has_default = json_is_string(otherwise) && json_string_length(otherwise) > 0;
    return json_pack("{s:b, s:b, s:o, s:o}", "enabled", (int)!is_disabled, "killed", 0,
                     "default_variant", has_default ? json_deep_copy(otherwise) : json_null(),
                     "targeting", rule ? json_deep_copy(rule) : json_null());
}

static bool take_flag(struct import *i, const char *key, const json_t *flag, struct err *e)
{
    const struct flag_row *row = find(i, key);
    struct arena *a = i->f.c->arena;
    if (!row) {
        i->unknown = arena_printf(a, "%s%s%s", i->unknown, i->unknown[0] ? ", " : "", key);
        return true;
    }
    if (!flag_export_has_rule(flag)) {
        i->unsaid = arena_printf(a, "%s%s%s", i->unsaid, i->unsaid[0] ? ", " : "", key);
        return true;
    }
    json_auto_t *variants = flags_json(row->variants);
    const json_t *theirs = json_object_get(flag, "variants");
    if (theirs && !json_equal(variants, theirs)) {
        err_set(e, ERR_CONFLICT, "%s has other variants in %s than in the document", key,
                i->f.name);
        return err_hint(e, "definitions come with a release: lockflight deploy %s", i->f.name);
    }
    json_auto_t *wanted = patch_of(flag);
    json_auto_t *here = flags_state(row);
    json_auto_t *there = flag_state_patched(here, wanted);
    json_t *patch = flag_state_difference(here, there);
    if (json_object_size(patch) > 0)
        (void)json_object_set(i->patches, key, patch);
    json_decref(patch);
    return true;
}

static bool read_document(struct import *i, const char *file, struct err *e)
{
    struct str text;
    const char *key;
    json_t *one;
    if (!fs_read(i->f.c->arena, file, LIMIT_FLAG_DOCUMENT_BYTES, &text, e))
        return false;
    i->document = flag_json_parse(text, file, e);
    if (!i->document)
        return false;
    json_t *inside = json_object_get(i->document, "document"); /* exported for lockflight */
    if (json_is_object(inside)) {
        json_incref(inside);
        json_decref(i->document);
        i->document = inside;
    }
    const json_t *flags = json_object_get(i->document, "flags");
    if (!json_is_object(flags)) {
        err_set(e, ERR_DATA, "%s is no flagd document: it has no object \"flags\"", file);
        return err_hint(e, "lockflight flags export writes one");
    }
    json_object_foreach (json_object_get(i->document, "$evaluators"), key, one) {
        const struct flag_segment *has = NULL;
        for (size_t k = 0; k < i->segments_n; k++)
            has = streq(i->segments[k].name, key) ? &i->segments[k] : has;
        json_auto_t *rule = flags_json(has ? has->rule : NULL);
        if (!json_equal(rule, one))
            (void)json_object_set(i->rules, key, one);
    }
    json_object_foreach ((json_t *)(uintptr_t)flags, key, one)
        if (!take_flag(i, key, one, e))
            return false;
    return true;
}

/* ---- judging ---- */

static bool check_segments(struct import *i, const json_t *attributes, bool unportable,
                           struct err *e)
{
    struct arena *a = i->f.c->arena;
    const struct flag_profile profile = { .attributes = attributes,
                                          .takes_unportable = unportable };
    const char *name;
    json_t *rule;
    json_object_foreach (i->rules, name, rule) {
        struct flag_findings found = { 0 };
        const char *what = arena_printf(a, "segment %s", name);
        if (!flag_check_segment(&profile, a, what, rule, &found, e))
            return false;
    }
    return true;
}

/* Rules may use the segments that the document brings. */
static bool check_rules(struct import *i, bool unportable, struct err *e)
{
    json_auto_t *attributes = json_object();
    json_auto_t *segments = json_object();
    const char *key;
    json_t *patch;
    if (!flags_declared(&i->f, attributes, segments, e) ||
        !check_segments(i, attributes, unportable, e))
        return false;
    (void)json_object_update(segments, i->rules);
    json_object_foreach (i->patches, key, patch) {
        const json_t *rule = json_object_get(patch, "targeting");
        const struct flags_rule r = { rule, attributes, segments, unportable };
        if (rule && !json_is_null(rule) && !flags_check_rule(&i->f, find(i, key), &r, e))
            return false;
    }
    return true;
}

/* ---- showing and writing ---- */

/* Shows every change; `list` gets them as JSON. */
static void show_changes(struct import *i, const struct terminal *to, bool prints, json_t *list)
{
    const char *key;
    json_t *patch;
    json_object_foreach (i->rules, key, patch) {
        json_array_append_new(list, json_pack("{s:s, s:O}", "segment", key, "rule", patch));
        i->asks = true;
        if (prints)
            print(to, "segment %s: %s\n", key, json_text_in_order(i->f.c->arena, patch));
    }
    json_object_foreach (i->patches, key, patch) {
        CLEANUP(flags_difference) struct flags_difference d = { 0 };
        flags_difference_make(&i->f, find(i, key), patch, &d);
        i->asks = i->asks || flags_difference_asks(&i->f, &d);
        json_array_append_new(list, flags_difference_json(&d));
        if (prints)
            flags_difference_print(&i->f, &d, to);
    }
}

static int64_t segment_version(const struct import *i, const char *name)
{
    for (size_t k = 0; k < i->segments_n; k++)
        if (streq(i->segments[k].name, name))
            return i->segments[k].version;
    return 0;
}

/* All or nothing, and one version for all. */
static bool write_all(struct import *i, struct err *e)
{
    const char *key;
    json_t *value;
    int64_t version;
    struct pg *db = i->f.db;
    if (!pg_begin(db, e))
        return false;
    json_object_foreach (i->rules, key, value)
        if (!flag_store_segment_set(db, key, value, segment_version(i, key), &i->f.by, &version, e))
            return err_wrap(e, "segment %s", key);
    json_object_foreach (i->patches, key, value) {
        const struct flag_row *row = find(i, key);
        assert(row); /* take_flag has found it */
        if (!flag_store_set(db, key, value, row->version, &i->f.by, &version, e))
            return err_wrap(e, "%s", key);
    }
    return pg_commit(db, e);
}

static void leave_out(struct import *i)
{
    const struct terminal *to = &i->f.c->err;
    if (i->unknown[0])
        print_styled(to, STYLE_WARN, "left out, because no release has defined them in %s: %s\n",
                     i->f.name, i->unknown);
    if (i->unsaid[0])
        print_styled(to, STYLE_WARN,
                     "left out, because a flag that they require was off and the document does not "
                     "say what they are themselves (export it with --for lockflight): %s\n",
                     i->unsaid);
}

static void answer(struct import *i, json_t *list, bool is_dry)
{
    struct command_context *c = i->f.c;
    size_t n = json_array_size(list);
    if (c->wants_json) {
        print_json(c, json_pack("{s:s, s:b, s:s, s:O}", "environment", i->f.name, "dry_run",
                                (int)is_dry, "not_defined", i->unknown, "changes", list));
        return;
    }
    if (n == 0)
        print(&c->out, "Nothing to change in %s: its flags are as the document says.\n", i->f.name);
    else
        print(&c->out, is_dry ? "%s would be made in %s: --dry-run.\n" : "%s made in %s.\n",
              text_count(c->arena, (int64_t)n, "change", "changes"), i->f.name);
    leave_out(i);
}

static bool agree(struct import *i, size_t n, struct err *e)
{
    struct command_context *c = i->f.c;
    return !i->asks ||
           prompt_continue(c, i->f.name,
                           arena_printf(c->arena, "Make %s in %s?",
                                        text_count(c->arena, (int64_t)n, "change", "changes"),
                                        i->f.name),
                           e);
}

static bool import(struct command_context *c, void *args_, struct err *e)
{
    const struct import_args *args = args_;
    CLEANUP(import)
    struct import i = {
        .patches = json_object(), .rules = json_object(), .unknown = "", .unsaid = ""
    };
    if (!flags_open_to_write(c, &args->flags, &i.f, e) ||
        !flag_store_list(i.f.db, c->arena, false, &i.rows, e) ||
        !flag_store_segments(i.f.db, c->arena, &i.segments, &i.segments_n, e) ||
        !read_document(&i, args->file, e) || !check_rules(&i, args->unportable, e))
        return err_wrap(e, "import flags");
    if (args->unportable)
        flags_note_unportable(&i.f);
    json_auto_t *list = json_array();
    show_changes(&i, &c->out, !c->wants_json, list);
    size_t n = json_array_size(list);
    bool ok = args->flags.is_dry || n == 0 || (agree(&i, n, e) && write_all(&i, e));
    pg_rollback(i.f.db);
    if (!ok) {
        (void)flags_tell_wait(&i.f, e);
        return err_wrap(e, "import flags into %s", i.f.name);
    }
    answer(&i, list, args->flags.is_dry);
    return true;
}

// clang-format off
static const struct option import_options[] = {
    { "unportable", 0, OPT_FLAG, AT(import_args, unportable), NULL, "Store rules that other engines may read otherwise" },
    FLAGS_LOOK_OPTIONS(import_args, flags),
    FLAGS_AUTHOR_OPTIONS(import_args, flags),
    { "dry-run", 0, OPT_FLAG, AT(import_args, flags.is_dry), NULL, "Show what would change, and stop" },
    { 0 },
};
static const struct argument import_arguments[] = {
    { "file", ARG_ONE, COMPLETE_FILE, AT(import_args, file), "A flagd document" },
    { 0 },
};
// clang-format on

const struct command cmd_flags_import = {
    .name = "import",
    .synopsis = "flags import <file>",
    .summary = "Set states and segments as a flagd document says",
    .description =
        "For flags that a release has defined in the environment; others are named and "
        "left out. All changes are shown, asked for once if need be, and made together or "
        "not at all.",
    .examples = "lockflight flags import flags.json --env staging --dry-run",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = import_options,
    .arguments = import_arguments,
    .args_size = sizeof(struct import_args),
    .run = import,
};
