/*
 * The inventory: which environment variables the sources of a project ask for, and where.
 *
 * FOUND       Deno.env.get("X"), .has("X"); process.env.X, ["X"], const { X, Y: z } = process.env;
 *             the same of import.meta.env; Netlify.env.get("X"); imports from "$env/static/…"; with
 *             optional chaining, casts and globalThis in between. Comments, strings and text between
 *             tags give nothing, because tokens are read (js_token.h), not lines.
 *
 * HELPERS     Where the name is a parameter of the function around it, the calls of that function
 *             with a literal are the uses: need("X").
 *
 * UNRESOLVED  What cannot be known from the text is told, never left out: a computed name, an alias
 *             of the whole environment, toObject(). A comment on its line or the line before says
 *             what it may be: "// lockflight: env A, B", and those names count as uses.
 *
 * CALLS       inventory_new → inventory_add … → inventory_finish → uses, inventory_mentions
 */
#ifndef LOCKFLIGHT_SECRET_INVENTORY_H
#define LOCKFLIGHT_SECRET_INVENTORY_H

#include "secret/js_token.h"

/* Where a source runs decides which variables it can see. */
enum use_place {
    USE_EDGE_FUNCTION, /* Supabase */
    USE_FRONTEND,      /* what the bundler puts into the site */
    USE_BUILD,         /* configuration files of the bundler */
    USE_SITE_FUNCTION, /* Netlify's functions */
    USE_PLACES,
};

enum use_kind {
    USE_LITERAL,
    USE_COMPUTED, /* the name is made at run time */
    USE_ALIAS,    /* the environment goes on under another name */
    USE_WHOLE,    /* all of it is asked for: toObject(), { ...process.env } */
};

struct env_use {
    enum use_place place;
    enum use_kind kind;
    const char *name;   /* NULL unless literal */
    const char *object; /* "Deno.env", "process.env", "import.meta.env" */
    const char *path;   /* relative to the project */
    int line, column;
    bool is_guess;    /* a comment says so, not the code */
    bool is_resolved; /* not literal, but its calls or a comment say what it may be */
};

struct inventory;

/* Is that a file with code, by its ending? */
bool inventory_reads(const char *path);

/* `names`: NULL-terminated, what inventory_mentions will be asked about. */
struct inventory *inventory_new(struct arena *a, const char *const *names);

/* The same machine asked another question: which feature flags do the sources ask for, by OpenFeature's
 * accessors and hooks or by rpc("module_enabled")? `name` of a use is the key then, `object` the
 * accessor; a comment says "// lockflight: flag a, b". */
struct inventory *inventory_new_of_flags(struct arena *a);

/* Reads one source. Both texts must stay until inventory_finish; a path given before is not read
 * again. What has no code (by its ending) is ignored. ERR_LIMIT: larger than
 * LIMIT_SOURCE_TEXT_BYTES, or too many. */
bool inventory_add(struct inventory *inv, enum use_place place, const char *path, struct str text,
                   struct err *e) MUST_USE;

/* Follows helpers, applies comments, sorts by place, path, line and column. */
void inventory_finish(struct inventory *inv);

const struct env_use *inventory_uses(const struct inventory *inv, size_t *ret_n);
size_t inventory_files(const struct inventory *inv, enum use_place place);

/* Does the name stand anywhere in the code, as a word or a whole string? */
bool inventory_mentions(const struct inventory *inv, const char *name);

/* "src/app.ts:12:5" */
const char *env_use_where(struct arena *a, const struct env_use *use);

#endif
