/*
 * `lockflight vars import`: the values of a .env file into an environment's secrets file, or those
 * of a JSON object of texts, as `netlify env:list --json` prints it. Supabase gives no value back,
 * only digests: there is nothing to import from there.
 */
#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"
#include "cli/output.h"
#include "command/vars/vars.h"
#include "command/vars/vars_file.h"
#include "config/dotenv.h"

#include <sodium.h>

struct import_args {
    const char *file;
    const char *environment;
    bool all;
};

struct import {
    struct vars_file *f;
    const struct import_args *args;
    json_t *list;
    size_t changed;
};

static void tell(struct import *i, const char *name, const char *what)
{
    struct command_context *c = i->f->c;
    (void)json_array_append_new(i->list, json_pack("{s:s, s:s}", "name", name, "state", what));
    if (!c->wants_json)
        print(&c->out, "%-30s %s\n", name, what);
}

/* Between double quotes \n, \r, \t, \" and \\ mean something; between single ones, nothing. */
static size_t unquote(struct str raw, char *into, bool *ret_ok)
{
    static const char from[] = "nrt\"\\", means[] = "\n\r\t\"\\";
    char quote = (char)(raw.n > 0 && (raw.p[0] == '"' || raw.p[0] == '\'') ? raw.p[0] : '\0');
    size_t n = 0, i = quote ? 1 : 0;
    for (; i < raw.n && (!quote || raw.p[i] != quote); i++) {
        const char *escape = NULL;
        if (!quote && raw.p[i] == '#' && i > 0 && (raw.p[i - 1] == ' ' || raw.p[i - 1] == '\t'))
            break;
        if (quote == '"' && raw.p[i] == '\\' && i + 1 < raw.n)
            escape = memchr(from, raw.p[i + 1], sizeof from - 1);
        into[n++] = (char)(escape ? means[escape - from] : raw.p[i]);
        i += escape != NULL;
    }
    *ret_ok = !quote || i < raw.n; /* the quote ends on this line */
    while (!quote && n > 0 && (into[n - 1] == ' ' || into[n - 1] == '\t'))
        n--;
    return n;
}

/* Why a name of the file is left out; NULL: it is not. */
static const char *reason_to_skip(const struct import *i, const char *name)
{
    const struct config_var *var = config_var_find(&i->f->config, name);
    if (!secrets_name_is_good(str_of(name)))
        return "skipped: no name for a variable";
    if (!var && !i->args->all)
        return "skipped: not declared in lockflight.toml (--all takes it)";
    if (var && var->value)
        return "skipped: lockflight.toml has its value";
    for (size_t k = 0; var && k < var->from.n; k++)
        if (streq(var->from.v[k].name, i->f->env->name))
            return "skipped: lockflight.toml says where it comes from";
    return NULL;
}

static bool set(struct import *i, const char *name, struct str text, struct err *e)
{
    CLEANUP(secret) struct secret *value = secret_new(text);
    bool changed = false;
    if (!vault_set(&i->f->vault, name, value, &changed, e))
        return false;
    i->changed += changed;
    tell(i, name, changed ? "set" : "same");
    return true;
}

static bool import_one(struct import *i, struct str name_text, struct str raw, struct err *e)
{
    const char *name = str_dup(i->f->c->arena, name_text);
    const char *skip = reason_to_skip(i, name);
    bool is_whole = false;
    if (skip) {
        tell(i, name, skip);
        return true;
    }
    char *text = sodium_malloc(raw.n + 1);
    if (!text)
        memory_exhausted(raw.n);
    size_t n = unquote(raw, text, &is_whole);
    bool ok = is_whole ? set(i, name, (struct str){ text, n }, e)
                       : err_set(e, ERR_DATA, "the quotes around %s do not end on its line", name);
    sodium_free(text);
    return ok;
}

static bool import_text(struct import *i, struct str text, struct err *e)
{
    for (int line = 1; text.n > 0; line++) {
        struct str name, raw;
        if (dotenv_line(str_cut(&text, '\n'), &name, &raw) && !import_one(i, name, raw, e))
            return err_where(e, "%s:%d", i->args->file, line);
    }
    return true;
}

static bool import_member(struct import *i, const char *name, const json_t *value, struct err *e)
{
    const char *skip = reason_to_skip(i, name);
    if (!json_is_string(value)) {
        err_set(e, ERR_DATA, "%s is no text", name);
        return err_hint(e,
                        "netlify env:list --json prints what is meant: {\"NAME\": \"value\", …}");
    }
    struct str text = { json_string_value(value), json_string_length(value) };
    if (!skip && text.n == 0)
        skip = "skipped: empty, as a host shows what it does not give back";
    if (skip) {
        tell(i, name, skip);
        return true;
    }
    return set(i, name, text, e);
}

/* Values are wiped where the parser put them. */
static void wipe(json_t *values)
{
    const char *name;
    json_t *value;
    json_object_foreach (values, name, value) {
        if (json_is_string(value)) /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
            sodium_memzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    }
}

static bool import_json(struct import *i, struct str text, struct err *e)
{
    const char *name;
    json_t *value;
    bool ok = true;
    json_auto_t *values = json_parse(text, i->args->file, e);
    if (!values)
        return false;
    if (!json_is_object(values)) {
        err_set(e, ERR_DATA, "%s is a list; values come as an object of names and texts",
                i->args->file);
        return err_hint(e,
                        "netlify env:list --json; what `supabase secrets list` prints are digests, "
                        "and no value can be had from them");
    }
    json_object_foreach (values, name, value) {
        ok = ok && import_member(i, name, value, e);
    }
    wipe(values);
    return ok;
}

static bool import_any(struct import *i, struct str text, struct err *e)
{
    struct str seen = str_trim(text);
    bool is_json = seen.n > 0 && (seen.p[0] == '{' || seen.p[0] == '[');
    return is_json ? import_json(i, text, e) : import_text(i, text, e);
}

static bool import(struct command_context *c, void *args_, struct err *e)
{
    const struct import_args *args = args_;
    CLEANUP(vars_file) struct vars_file f;
    struct str text;
    if (!vars_file_open(c, args->environment, VARS_MAKE, &f, e) ||
        !fs_read(c->arena, args->file, LIMIT_CONFIG_BYTES, &text, e))
        return false;
    struct import i = { .f = &f, .args = args, .list = json_array() };
    bool ok = import_any(&i, text, e) && vars_file_save(&f, e);
    if (text.n > 0) /* ours, though it is for reading. NOLINTNEXTLINE(performance-no-int-to-ptr) */
        sodium_memzero((char *)(uintptr_t)text.p, text.n);
    if (ok && c->wants_json)
        print_json(c, json_pack("{s:s, s:s, s:I, s:O}", "environment", f.env->name, "file",
                                f.vault.place.name, "set", (json_int_t)i.changed, "variables",
                                i.list));
    else if (ok)
        print(&c->err, "%s of %s in %s. Now remove %s, or see that git ignores it.\n",
              text_count(c->arena, (int64_t)i.changed, "value", "values"), f.env->name,
              f.vault.place.name, args->file);
    json_decref(i.list);
    return ok;
}

// clang-format off
static const struct option import_options[] = {
    { "env", 'e', OPT_TEXT, AT(import_args, environment), "<environment>", "Whose values" },
    { "all", 0,   OPT_FLAG, AT(import_args, all),         NULL,            "Also what is not declared in lockflight.toml" },
    { 0 },
};
static const struct argument import_arguments[] = {
    { "file", ARG_ONE, COMPLETE_FILE, AT(import_args, file), "A .env file, or JSON {\"NAME\": \"value\"}" },
    { 0 },
};
// clang-format on

const struct command cmd_vars_import = {
    .name = "import",
    .synopsis = "vars import <file>",
    .summary = "Take the values of a .env or JSON file into an environment's secrets file",
    .description =
        "A .env file, or a JSON object of names and texts, as `netlify env:list --json` prints it. "
        "Netlify shows a secret as an empty text, which is skipped; `supabase secrets list` has "
        "digests, from which no value can be had.",
    .examples =
        "lockflight vars import .env.staging --env staging\n"
        "netlify env:list --json >site.json && lockflight vars import site.json --env staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = import_options,
    .arguments = import_arguments,
    .args_size = sizeof(struct import_args),
    .run = import,
};
