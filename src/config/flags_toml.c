/*
 * Reading lockflight.flags.toml: see flags_toml.h. What is wrong across keys is in
 * flags_validate.c.
 */
#include "config/flags_toml.h"

#include "base/fs.h"
#include "config/vendor.h"

// clang-format off
static const struct key attribute_keys[] = {
    { "type",    KEY_CHOICE, KEY_AT(config_attribute, type), .words = "string|number|boolean|list|version", .summary = "What it holds; a context in which it holds something else is taken without it" },
    { "trusted", KEY_BOOL,   KEY_AT(config_attribute, is_trusted), .otherwise = "false", .summary = "Taken only from the token of a signed-in user or of a server, never from what a browser says" },
    { 0 },
};

static const struct key requires_keys[] = {
    { "flag",    KEY_TEXT, KEY_AT(config_flag_requires, flag), .summary = "Key of the other flag" },
    { "variant", KEY_TEXT, KEY_AT(config_flag_requires, variant), .otherwise = "on", .summary = "What it must serve" },
    { 0 },
};

static const struct key needs_keys[] = {
    { "migrations", KEY_TEXTS, KEY_AT(config_flag, needs.migrations), .summary = "Versions that must be applied" },
    { "functions",  KEY_TEXTS, KEY_AT(config_flag, needs.functions),  .summary = "Functions that must be deployed" },
    { 0 },
};

static const struct key flag_keys[] = {
    { "description", KEY_TEXT,   KEY_AT(config_flag, description), .otherwise = "", .summary = "What it switches, for people" },
    { "owner",       KEY_TEXT,   KEY_AT(config_flag, owner), .otherwise = "", .summary = "Who is asked about it" },
    { "kind",        KEY_CHOICE, KEY_AT(config_flag, kind), .words = "release|ops|experiment|permission", .otherwise = "release", .summary = "\"release\" and \"experiment\" are for a while; \"ops\" and \"permission\" stay" },
    { "exposure",    KEY_CHOICE, KEY_AT(config_flag, exposure), .words = "server|client|db", .otherwise = "server", .summary = "Who may see what it serves: servers only; browsers too; servers and the database's own policies" },
    { "variants",    KEY_JSONS,  KEY_AT(config_flag, variants), .summary = "Names and values, all of one type; default on = true, off = false" },
    { "off",         KEY_TEXT,   KEY_AT(config_flag, off), .otherwise = "off", .summary = "The variant that is served while it is switched off" },
    { "expires",     KEY_DATE,   KEY_AT(config_flag, expires), .summary = "From then on it is reported as left over" },
    { "requires",    KEY_LIST,   KEY_AT(config_flag, requires), .keys = requires_keys, .item_bytes = sizeof(struct config_flag_requires), .summary = "Other flags, without which this one serves its off variant" },
    { "needs",       KEY_TABLE,  0, .keys = needs_keys, .summary = "What must be live before it can be switched on, besides the release that brought it" },
    { "initial",     KEY_PAIRS,  KEY_AT(config_flag, initial), .summary = "By environment, the variant it is created with; used once. Default: off" },
    { 0 },
};

static const struct key segment_keys[] = {
    { "rule", KEY_TEXT, KEY_AT(config_segment, rule), .summary = "JsonLogic, used once, when the segment is created" },
    { 0 },
};

const struct key flags_keys[] = {
    { "attributes", KEY_NAMED, KEY_AT(config_flags, attributes), .words = "type", .keys = attribute_keys, .item_bytes = sizeof(struct config_attribute), .summary = "What the context of an evaluation may hold besides targetingKey; a plain text is its `type`" },
    { "flag",       KEY_NAMED, KEY_AT(config_flags, v),          .keys = flag_keys,      .item_bytes = sizeof(struct config_flag),    .summary = "A flag" },
    { "segment",    KEY_NAMED, KEY_AT(config_flags, segments),   .keys = segment_keys,   .item_bytes = sizeof(struct config_segment), .summary = "A rule with a name, for `{\"$ref\": name}`" },
    { 0 },
};
// clang-format on

static const char *type_of(const char *json)
{
    switch (json[0]) {
    case '"':
        return "string";
    case '{':
        return "object";
    case 't':
    case 'f':
        return "boolean";
    case '[':
        return "list";
    default:
        return "number";
    }
}

static void settle(struct arena *a, struct config_flag *f)
{
    if (!f->variants.v) {
        f->variants = (struct pair_array){ ARENA_ARRAY(a, struct text_pair, 2), 2 };
        f->variants.v[0] = (struct text_pair){ "on", "true" };
        f->variants.v[1] = (struct text_pair){ "off", "false" };
    }
    f->type = f->variants.n > 0 ? type_of(f->variants.v[0].value) : "boolean";
    size_t others = 0;
    for (size_t i = 0; i < f->variants.n; i++) {
        if (streq(f->variants.v[i].name, f->off))
            continue;
        f->on = f->variants.v[i].name;
        others++;
    }
    if (others != 1)
        f->on = NULL;
}

bool flags_toml_load(struct config *c, struct origins *origins, struct err *e)
{
    const char *file = c->paths.flags;
    struct origin named = config_origin(c, &c->paths.flags);
    if (!fs_exists(file)) {
        if (named.kind != ORIGIN_FILE)
            return true;
        err_set(e, ERR_CONFIG, "there is no file %s (paths.flags)", config_shown_path(c, file));
        return err_where_origin(e, named);
    }
    if (config_shown_path(c, file) == file || strstr(file, "/../")) {
        err_set(e, ERR_CONFIG, "paths.flags must be inside the project: a release is made from it");
        return err_where_origin(e, named);
    }
    struct reader r = {
        .arena = c->arena,
        .origins = origins,
        .file = config_shown_path(c, file),
        .dir = c->dir,
        .is_strict = true,
    };
    struct toml_node root;
    if (!read_file(&r, file, &root, e) || !read_table(&r, &root, flags_keys, "", &c->flags, e))
        return false;
    c->flags.file = file;
    for (size_t i = 0; i < c->flags.n; i++)
        settle(c->arena, &c->flags.v[i]);
    return true;
}

/* ---- what others ask ---- */

const struct config_flag *config_flag_find(const struct config *c, const char *key)
{
    for (size_t i = 0; i < c->flags.n; i++) {
        if (streq(c->flags.v[i].name, key))
            return &c->flags.v[i];
    }
    return NULL;
}

static const char *pair_find(const struct pair_array *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->n; i++) {
        if (streq(pairs->v[i].name, name))
            return pairs->v[i].value;
    }
    return NULL;
}

const char *config_flag_value(const struct config_flag *f, const char *variant)
{
    return pair_find(&f->variants, variant);
}

const char *config_flag_initial(const struct config_flag *f, const char *environment)
{
    const char *variant = pair_find(&f->initial, environment);
    return variant ? variant : f->off;
}
