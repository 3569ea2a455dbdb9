/*
 * A module's text and the import map that bends its specifiers (second section). Whatever stands
 * there, a path that comes out lies inside the project.
 */
#include "fuzz.h"

#include "local/import_map.h"
#include "provider/function_import.h"

struct context {
    struct arena *arena;
    struct str source;
    const json_t *map;
};

static void found(void *context, struct str specifier)
{
    const struct context *c = context;
    assert(fuzz_is_within(specifier, c->source));
    const char *path = function_resolve(c->arena, "supabase/functions/a/index.ts", specifier,
                                        c->map, "supabase/functions/a/deno.json");
    assert(!path || (path[0] != '/' && !fuzz_climbs(path)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str rest = fuzz_input(data, size);
    struct str source = fuzz_section(&rest);
    struct err e = { 0 };
    json_auto_t *map = function_jsonc(rest, "deno.json", &e);
    assert(map || e.code == ERR_CONFIG);
    struct context context = { a, source, map };
    function_imports(source, found, &context);

    char *text = str_dup(a, rest);
    size_t before = strlen(text);
    import_map_strip_comments(text);
    assert(strlen(text) <= before);

    json_auto_t *imports = json_object();
    import_map_scan(imports, source, "/edge");
    json_auto_t *whole = json_object();
    if (json_is_object(map))
        import_map_lay_over(a, whole, map, "supabase/functions/a/deno.json", "/edge");
    return 0;
}
