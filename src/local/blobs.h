/*
 * Contents of files, named by their SHA-1: <state>/blobs/<2 hex>/<40 hex>. Written once, never
 * changed. Beside a blob may lie its compressed forms, <sha>.gz and <sha>.br.
 *
 * DURABLE  A blob is written without a sync; blobs_sync makes all of them durable at once, before a
 *          deploy becomes ready. At the start, blobs that no ready deploy names are hashed before
 *          they count as stored; those that no deploy names at all and that are a day old are
 *          removed.
 *
 * MEMORY   Contents up to 1 MiB are kept in memory while the budget lasts, least recently used go
 *          first.
 */
#ifndef LOCKFLIGHT_LOCAL_BLOBS_H
#define LOCKFLIGHT_LOCAL_BLOBS_H

#include "base/hash.h"
#include "base/str.h"

struct blobs;
struct blob;

enum encoding {
    ENCODING_IDENTITY,
    ENCODING_GZIP,
    ENCODING_BROTLI,
};
#define ENCODINGS 3

/* Bytes in memory, shared. */
struct bytes {
    _Atomic(unsigned) refs;
    size_t n;
    char p[];
};
void bytes_unref(void *bytes);

/* Who names a content, at the start. */
enum blob_use {
    BLOB_UNUSED,
    BLOB_AWAITED, /* a deploy that is not ready yet */
    BLOB_SERVED,  /* a ready deploy: it was synced */
};
typedef enum blob_use (*blob_use_fn)(void *context, const char *sha);

bool blobs_open(const char *dir, size_t memory_bytes, blob_use_fn use, void *context,
                struct blobs **ret, struct err *e) MUST_USE;
void blobs_close(struct blobs *b);

/* The blob of that name, or NULL. It stays valid until blobs_close. Any thread. */
struct blob *blobs_find(struct blobs *b, const char *sha);
uint64_t blob_bytes(const struct blob *blob);
const char *blob_sha(const struct blob *blob);

/* Stores contents whose SHA-1 is known to be `sha`. Blocks. Storing it again is success. */
bool blobs_put(struct blobs *b, const char *sha, struct str content, struct err *e) MUST_USE;

/* A temporary file in the store, to be written in pieces, then adopted under its name (or
 * unlinked). */
bool blobs_temp(struct blobs *b, char ret_path[], size_t room, int *ret_fd, struct err *e) MUST_USE;
bool blobs_adopt(struct blobs *b, const char *temp_path, const char *sha, uint64_t n,
                 struct err *e) MUST_USE;

/* Makes everything stored so far durable. Blocks. */
bool blobs_sync(struct blobs *b, struct err *e) MUST_USE;

/* Makes the compressed forms if they are worth it and not there yet. Blocks. They are used after
 * blobs_sync and blobs_compressed, since nobody hashes them after a power cut. */
void blobs_compress(struct blobs *b, struct blob *blob);
void blobs_compressed(struct blobs *b, struct blob *blob);

/* Which forms exist. Any thread. */
bool blob_has(const struct blob *blob, enum encoding encoding);

/* The form's bytes if they are in memory, with a reference; NULL if not. Never blocks. */
struct bytes *blob_memory(struct blob *blob, enum encoding encoding);

/* Small enough to be kept in memory. */
bool blob_is_small(const struct blob *blob);

/* Reads the form into memory and returns it with a reference. Blocks. */
struct bytes *blobs_load(struct blobs *b, struct blob *blob, enum encoding encoding);

/* Opens the form's file. Does not block but for the disk's directory. -1 if it is gone. */
int blobs_file(struct blobs *b, struct blob *blob, enum encoding encoding, uint64_t *ret_bytes);

#endif
