/*
 * The import map of a function: its own, laid over what the platform replaces. Registries other
 * than npm cannot be relied on here, so the usual addresses are led elsewhere:
 *
 *     https://esm.sh/X, jsr:@supabase/supabase-js…     → npm:X
 *     https://deno.land/std@…/http/server.ts           → edge/serve.js
 *     jsr:@supabase/functions-js/…                      → an empty module (it holds types only)
 */
#ifndef LOCKFLIGHT_LOCAL_IMPORT_MAP_H
#define LOCKFLIGHT_LOCAL_IMPORT_MAP_H

#include "base/arena.h"
#include "base/str.h"

#include <jansson.h>

/* Adds an entry for every such specifier that stands quoted in the text of a module. */
void import_map_scan(json_t *imports, struct str module, const char *edge_dir);

/* Lays the function's own map over it. Relative addresses in `own` are relative to own_path, a path
 * below src/; the result stands beside src/. */
void import_map_lay_over(struct arena *a, json_t *map, json_t *own, const char *own_path,
                         const char *edge_dir);

/* JSON with // and block comments and trailing commas removed, in place: deno.jsonc. */
void import_map_strip_comments(char *text);

#endif
