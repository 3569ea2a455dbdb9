/*
 * Uploads: contents of files and archives of functions.
 *
 * A body is found by its hash, never by the path in the URL (the vendor's client gets some of those
 * wrong). It is hashed as it comes in; the first part stays in memory, so that a small file costs
 * one write and one rename, and what is longer goes to a temporary file.
 */
#include "base/fs.h"
#include "base/hash.h"
#include "base/strbuf.h"
#include "local/netlify.h"

#include <stdlib.h>
#include <unistd.h>

struct upload {
    struct sites *sites;
    bool is_function;
    struct hash *hash;
    char hex[SHA256_HEX_BYTES];
    struct strbuf memory;
    uint64_t bytes;
    int fd; /* of the temporary file; -1: all is in memory */
    char temp[LIMIT_PATH_BYTES];
    struct err e;
};

static void upload_end(void *context)
{
    struct upload *u = context;
    if (u->hash) {
        char ignored[SHA256_HEX_BYTES];
        hash_finish(u->hash, ignored);
    }
    if (u->fd >= 0) {
        (void)close(u->fd);
        (void)unlink(u->temp); /* still there only if it was not adopted */
    }
    strbuf_done(&u->memory);
}

static bool take_piece(void *context, struct str piece)
{
    struct upload *u = context;
    hash_add(u->hash, piece.p, piece.n);
    u->bytes += piece.n;
    if (u->fd < 0 && u->bytes <= LIMIT_HTTP_PIECE_BYTES)
        return strbuf_add(&u->memory, piece.p, piece.n);
    if (u->fd < 0) {
        if (!blobs_temp(u->sites->blobs, u->temp, sizeof u->temp, &u->fd, &u->e) ||
            !fs_write_all(u->fd, strbuf_str(&u->memory), &u->e))
            return false;
        strbuf_done(&u->memory);
    }
    return fs_write_all(u->fd, piece, &u->e);
}

/* ---- Storing --------------------------------------------------------------------------------- */

static bool store_function(struct upload *u, struct arena *a)
{
    const char *path = function_path(u->sites, a, u->hex);
    if (u->fd < 0)
        return fs_replace(path, strbuf_str(&u->memory), 0600, &u->e);
    if (fsync(u->fd) != 0 || rename(u->temp, path) != 0)
        return err_system(&u->e, "store function %s", u->hex);
    return true;
}

static bool store(struct upload *u, struct arena *a)
{
    if (u->is_function)
        return store_function(u, a);
    if (u->fd >= 0)
        return blobs_adopt(u->sites->blobs, u->temp, u->hex, u->bytes, &u->e);
    return blobs_put(u->sites->blobs, u->hex, strbuf_str(&u->memory), &u->e);
}

static bool is_stored(const struct upload *u, struct arena *a)
{
    return u->is_function ? fs_exists(function_path(u->sites, a, u->hex))
                          : blobs_find(u->sites->blobs, u->hex) != NULL;
}

static json_t *stored_json(const struct upload *u, struct request *r)
{
    bool ignored;
    if (u->is_function)
        return json_pack("{s:s, s:s, s:s}", "id", u->hex, "name", request_param(r, "name"), "sha",
                         u->hex);
    const char *path = arena_printf(r->arena, "/%s", request_param(r, "*"));
    json_t *o = json_pack("{s:s, s:I, s:s}", "sha", u->hex, "size", (json_int_t)u->bytes,
                          "mime_type", content_type_of(path, &ignored));
    if (str_is_utf8(str_of(path))) {
        (void)json_object_set_new(o, "id", json_string(path));
        (void)json_object_set_new(o, "path", json_string(path));
    }
    return o;
}

/* On the pool, with the whole body taken. */
static void finish(struct request *r, void *context)
{
    struct upload *u = context;
    struct sites *s = u->sites;
    hash_finish(u->hash, u->hex);
    u->hash = NULL;
    (void)pthread_mutex_lock(&s->lock);
    bool is_wanted = deploys_want(s, u->hex);
    bool has_deploy = deploy_find(s, request_param(r, "deploy")) != NULL;
    (void)pthread_mutex_unlock(&s->lock);
    if (u->e.code) {
        netlify_respond_err(r, &u->e);
    } else if (!has_deploy) {
        respond_error(r, 404, "Not Found");
    } else if (!is_wanted && is_stored(u, r->arena)) {
        respond_json(r, 200, stored_json(u, r)); /* once more: harmless */
    } else if (!is_wanted) {
        respond_error(r, 422, "no deploy asks for content %s", u->hex);
    } else {
        bool ok = store(u, r->arena);
        (void)pthread_mutex_lock(&s->lock);
        ok = ok && deploys_received(s, u->hex, &u->e);
        (void)pthread_mutex_unlock(&s->lock);
        if (ok)
            respond_json(r, 200, stored_json(u, r));
        else
            netlify_respond_err(r, &u->e);
    }
}

static void finish_on_pool(struct request *r, void *context)
{
    request_to_pool(r, finish, context);
}

/* A body that came whole into memory. */
static void finish_short(struct request *r, void *context)
{
    (void)take_piece(context, r->body);
    finish(r, context);
}

static void finish_short_on_pool(struct request *r, void *context)
{
    request_to_pool(r, finish_short, context);
}

static void begin(struct request *r, struct sites *s, bool is_function)
{
    struct upload *u = ARENA_NEW(r->arena, struct upload);
    u->sites = s;
    u->is_function = is_function;
    u->hash = hash_new(is_function ? HASH_SHA256 : HASH_SHA1);
    u->memory = strbuf_init(LIMIT_HTTP_PIECE_BYTES);
    u->fd = -1;
    request_on_end(r, upload_end, u);
    int64_t announced = request_body_bytes(r);
    if (announced >= 0 && announced <= (int64_t)LIMIT_HTTP_PIECE_BYTES)
        request_read_body(r, LIMIT_HTTP_PIECE_BYTES, finish_short_on_pool, u);
    else
        request_sink_body(r, LIMIT_SITE_FILE_BYTES, take_piece, u, finish_on_pool, u);
}

void answer_file_put(struct request *r, void *context)
{
    begin(r, context, false);
}

void answer_function_put(struct request *r, void *context)
{
    begin(r, context, true);
}
