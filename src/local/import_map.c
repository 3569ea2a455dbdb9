#include "local/import_map.h"

#include "base/limits.h"

#include <ctype.h>
#include <string.h>

#define SPECIFIER_BYTES_MAX 300

/* Where a specifier is led to; NULL if it is left as it is. */
static char *led_to(struct arena *a, const char *specifier, const char *edge_dir)
{
    static const char esm[] = "https://esm.sh/";
    static const char std[] = "https://deno.land/std";
    if (starts_with(specifier, esm)) {
        char *npm = arena_printf(a, "npm:%s", specifier + sizeof esm - 1);
        npm[strcspn(npm, "?")] = '\0';
        return npm;
    }
    if (starts_with(specifier, "jsr:@supabase/functions-js"))
        return arena_printf(a, "file://%s/empty.js", edge_dir);
    if (starts_with(specifier, "jsr:@supabase/supabase-js"))
        return arena_printf(a, "npm:%s", specifier + strlen("jsr:"));
    if (starts_with(specifier, std) && ends_with(specifier, "/http/server.ts"))
        return arena_printf(a, "file://%s/serve.js", edge_dir);
    return NULL;
}

void import_map_scan(json_t *imports, struct str module, const char *edge_dir)
{
    struct arena *scratch = arena_new(8 * MIB);
    for (size_t i = 0; i + 1 < module.n; i++) {
        char quote = module.p[i];
        if (quote != '"' && quote != '\'')
            continue;
        if (module.p[i + 1] != 'h' && module.p[i + 1] != 'j')
            continue;
        size_t left = module.n - i - 1;
        const char *end = memchr(module.p + i + 1, quote,
                                 left < SPECIFIER_BYTES_MAX ? left : SPECIFIER_BYTES_MAX);
        if (!end)
            continue;
        const char *specifier =
            str_dup(scratch, (struct str){ module.p + i + 1, (size_t)(end - module.p) - i - 1 });
        const char *target = led_to(scratch, specifier, edge_dir);
        if (target)
            (void)json_object_set_new(imports, specifier, json_string(target));
    }
    arena_free(scratch);
}

/* "./x" in src/a/b/deno.json → "./src/a/b/x"; URLs and bare names stay. */
static char *moved(struct arena *a, const char *address, const char *own_path)
{
    const char *slash = strrchr(own_path, '/');
    int dir_bytes = slash ? (int)(slash - own_path) : 0;
    if (!starts_with(address, "./") && !starts_with(address, "../"))
        return arena_strdup(a, address);
    return arena_printf(a, "./src/%.*s%s%s", dir_bytes, own_path, dir_bytes ? "/" : "", address);
}

static void lay_imports(struct arena *a, json_t *into, json_t *own, const char *own_path,
                        const char *edge_dir)
{
    const char *key;
    json_t *value;
    json_object_foreach (own, key, value) {
        if (!json_is_string(value))
            continue;
        char *led = led_to(a, json_string_value(value), edge_dir);
        char *target = led ? led : moved(a, json_string_value(value), own_path);
        (void)json_object_set_new(into, moved(a, key, own_path), json_string(target));
        /* deno.json's plain "x": "npm:x" stands for "x/…" too; an import map needs that said */
        size_t n = strlen(key);
        if ((starts_with(target, "npm:") || starts_with(target, "jsr:")) && n &&
            key[n - 1] != '/' && !json_object_get(own, arena_printf(a, "%s/", key)))
            (void)json_object_set_new(into, arena_printf(a, "%s/", key),
                                      json_string(arena_printf(a, "%.4s/%s/", target, target + 4)));
    }
}

void import_map_lay_over(struct arena *a, json_t *map, json_t *own, const char *own_path,
                         const char *edge_dir)
{
    const char *prefix;
    json_t *scope;
    lay_imports(a, json_object_get(map, "imports"), json_object_get(own, "imports"), own_path,
                edge_dir);
    json_t *scopes = json_object();
    json_object_foreach (json_object_get(own, "scopes"), prefix, scope) {
        json_t *imports = json_object();
        lay_imports(a, imports, scope, own_path, edge_dir);
        (void)json_object_set_new(scopes, moved(a, prefix, own_path), imports);
    }
    (void)json_object_set_new(map, "scopes", scopes);
}

/* Skips a comment that begins at p; NULL if none does. */
static const char *behind_comment(const char *p)
{
    if (p[0] == '/' && p[1] == '/')
        return p + strcspn(p, "\n");
    if (p[0] == '/' && p[1] == '*') {
        const char *end = strstr(p + 2, "*/");
        return end ? end + 2 : p + strlen(p);
    }
    return NULL;
}

static const char *behind_blanks(const char *p)
{
    for (;;) {
        while (isspace((unsigned char)*p))
            p++;
        const char *behind = behind_comment(p);
        if (!behind)
            return p;
        p = behind;
    }
}

void import_map_strip_comments(char *text)
{
    char *out = text;
    for (const char *p = text; *p;) {
        const char *behind = behind_comment(p);
        if (behind) {
            p = behind;
        } else if (*p == '"') {
            do {
                if (*p == '\\' && p[1])
                    *out++ = *p++;
                *out++ = *p++;
            } while (*p && *p != '"');
            if (*p)
                *out++ = *p++;
        } else if (*p == ',') {
            /* is it the last comma before a closing bracket? */
            const char *next = behind_blanks(p + 1);
            if (*next != '}' && *next != ']')
                *out++ = ',';
            p++;
        } else {
            *out++ = *p++;
        }
    }
    *out = '\0';
}
