/*
 * Content types by extension. Text carries its charset; what shrinks is marked for compression.
 */
#include "local/view.h"

#include <strings.h>

/* clang-format off */
static const struct {
    const char *extension;
    const char *type;
    bool is_compressible;
} types[] = {
    { "html",        "text/html; charset=utf-8",                true  },
    { "htm",         "text/html; charset=utf-8",                true  },
    { "js",          "text/javascript; charset=utf-8",          true  },
    { "mjs",         "text/javascript; charset=utf-8",          true  },
    { "css",         "text/css; charset=utf-8",                 true  },
    { "json",        "application/json; charset=utf-8",         true  },
    { "map",         "application/json; charset=utf-8",         true  },
    { "svg",         "image/svg+xml; charset=utf-8",            true  },
    { "png",         "image/png",                               false },
    { "jpg",         "image/jpeg",                              false },
    { "jpeg",        "image/jpeg",                              false },
    { "webp",        "image/webp",                              false },
    { "avif",        "image/avif",                              false },
    { "gif",         "image/gif",                               false },
    { "ico",         "image/x-icon",                            true  },
    { "bmp",         "image/bmp",                               true  },
    { "woff2",       "font/woff2",                              false },
    { "woff",        "font/woff",                               false },
    { "ttf",         "font/ttf",                                true  },
    { "otf",         "font/otf",                                true  },
    { "txt",         "text/plain; charset=utf-8",               true  },
    { "md",          "text/markdown; charset=utf-8",            true  },
    { "csv",         "text/csv; charset=utf-8",                 true  },
    { "xml",         "application/xml; charset=utf-8",          true  },
    { "rss",         "application/rss+xml; charset=utf-8",      true  },
    { "atom",        "application/atom+xml; charset=utf-8",     true  },
    { "ics",         "text/calendar; charset=utf-8",            true  },
    { "webmanifest", "application/manifest+json; charset=utf-8", true },
    { "jsonld",      "application/ld+json; charset=utf-8",      true  },
    { "geojson",     "application/geo+json; charset=utf-8",     true  },
    { "wasm",        "application/wasm",                        true  },
    { "pdf",         "application/pdf",                         false },
    { "mp4",         "video/mp4",                               false },
    { "webm",        "video/webm",                              false },
    { "mp3",         "audio/mpeg",                              false },
    { "ogg",         "audio/ogg",                               false },
    { "wav",         "audio/wav",                               false },
    { "zip",         "application/zip",                         false },
    { "gz",          "application/gzip",                        false },
};
/* clang-format on */

const char *content_type_of(const char *path, bool *ret_compressible)
{
    const char *name = strrchr(path, '/');
    const char *dot = strrchr(name ? name : path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++) {
        if (strcasecmp(dot + 1, types[i].extension) == 0) {
            *ret_compressible = types[i].is_compressible;
            return types[i].type;
        }
    }
    *ret_compressible = false;
    return "application/octet-stream";
}
