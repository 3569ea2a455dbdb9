/*
 * Imports of a TypeScript or JavaScript file, found in its text, and the import map that bends
 * them.
 *
 * The scan is textual, as the vendor's own is: comments and strings are stepped over, nothing is
 * evaluated. What it finds too much does no harm (a path that does not exist is left out); what is
 * computed at run time it cannot find, and neither can the bundler.
 */
#ifndef LOCKFLIGHT_PROVIDER_FUNCTION_IMPORT_H
#define LOCKFLIGHT_PROVIDER_FUNCTION_IMPORT_H

#include "base/arena.h"
#include "base/str.h"

#include <jansson.h>

/* Calls `found` for each literal specifier: import … from 'x', export … from 'x', import 'x',
 * import('x'). */
void function_imports(struct str source, void (*found)(void *context, struct str specifier),
                      void *context);

/* JSON with comments and trailing commas; `name` for errors. NULL: ERR_CONFIG. The caller owns the
 * value. */
json_t *function_jsonc(struct str text, const char *name, struct err *e) MUST_USE;

/* `specifier` as file path relative to the project, or NULL if it is not a file of ours: after
 * substitution by the map's "imports" (exact, else the longest prefix that ends in "/") it must
 * begin with ./ or ../ and have an extension. `from` is the importing file, `map_path` the map's,
 * both relative to the project; `map` may be NULL. */
char *function_resolve(struct arena *a, const char *from, struct str specifier, const json_t *map,
                       const char *map_path);

/* "a/./b/../c" → "a/c"; NULL if it leads above the start. */
char *function_normal_path(struct arena *a, const char *path);

#endif
