/*
 * Parallel uploads against a scripted peer that keeps what it gets by its SHA-1, as the real host
 * does.
 */
#include "assert_ok.h"

#include "base/fs.h"
#include "base/hash.h"
#include "base/vec.h"
#include "fake/peer.h"
#include "net/http.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    N_SMALL = 40,
    LARGE_BYTES = 300000
};

struct fixture {
    struct arena *a;
    struct err e;
    struct http *h;
    struct peer *p;
    const char *dir;
    size_t asked;
    size_t fail_first; /* so many requests get `fail_status` */
    int fail_status;
    bool has_wrong_bytes;
    size_t progress_calls;
};

/* The path is the SHA-1 that the body must have. */
static struct peer_step keep_by_hash(void *context, const struct peer_request *r)
{
    struct fixture *f = context;
    if (f->asked++ < f->fail_first)
        return (struct peer_step){ .status = f->fail_status,
                                   .headers = f->fail_status == 429 ? "Retry-After: 0\r\n" : NULL };
    char hex[SHA1_HEX_BYTES];
    hash_hex(HASH_SHA1, (struct str){ r->body, r->body_bytes }, hex);
    f->has_wrong_bytes |= strncmp(r->line + strlen("PUT /"), hex, SHA1_HEX_BYTES - 1) != 0;
    return (struct peer_step){ .status = 200,
                               .headers = "Content-Type: application/json\r\n",
                               .body = "{}" };
}

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    f->a = arena_new(0);
    char dir[] = "/tmp/lockflight-upload-XXXXXX";
    assert_non_null(mkdtemp(dir));
    f->dir = arena_strdup(f->a, dir);
    f->p = peer_start_with(keep_by_hash, f);
    f->h = http_open(&(struct http_spec){ .name = "peer", .base_url = peer_url(f->p) });
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    http_close(f->h);
    peer_stop(f->p);
    assert_ok(fs_remove_tree(f->dir, &f->e), &f->e);
    arena_free(f->a);
    test_free(f);
    return 0;
}

static void on_progress(void *context, size_t done, size_t total, uint64_t bytes)
{
    struct fixture *f = context;
    (void)bytes;
    assert_true(done <= total);
    f->progress_calls++;
}

/* Small files, one empty one, one large one. */
static struct http_upload *make_items(struct fixture *f, size_t *ret_count)
{
    struct http_upload *items = ARENA_ARRAY(f->a, struct http_upload, N_SMALL + 2);
    for (size_t i = 0; i < N_SMALL + 2; i++) {
        size_t n = i < N_SMALL ? i * 100 + 1 : i == N_SMALL ? 0 : LARGE_BYTES;
        char *bytes = arena_alloc(f->a, n + 1);
        for (size_t j = 0; j < n; j++)
            bytes[j] = (char)('a' + (i + j * 7) % 26);
        char *hex = arena_alloc(f->a, SHA1_HEX_BYTES);
        hash_hex(HASH_SHA1, (struct str){ bytes, n }, hex);
        const char *file = arena_printf(f->a, "%s/%zu", f->dir, i);
        assert_ok(fs_replace(file, (struct str){ bytes, n }, 0600, &f->e), &f->e);
        items[i] = (struct http_upload){
            .path = hex, .file = file, .sha1_hex = hex, .bytes = n, .show = file
        };
    }
    *ret_count = N_SMALL + 2;
    return items;
}

static struct http_uploads all_of(struct fixture *f)
{
    struct http_uploads u = {
        .what = "test.upload", .method = "PUT", .progress = on_progress, .context = f
    };
    u.items = make_items(f, &u.n_items);
    return u;
}

static void every_file_arrives_once_over_a_few_connections(void **state)
{
    struct fixture *f = *state;
    struct http_uploads u = all_of(f);
    assert_ok(http_upload_all(f->h, &u, &f->e), &f->e);
    assert_int_equal(peer_count(f->p), u.n_items);
    assert_false(f->has_wrong_bytes);
    assert_int_equal(f->progress_calls, u.n_items);
    assert_true(peer_connections(f->p) <= HTTP_UPLOAD_CONNECTIONS);
    assert_true(peer_connections(f->p) > 1);
}

static void files_that_fail_in_passing_are_sent_again(void **state)
{
    struct fixture *f = *state;
    struct http_uploads u = all_of(f);
    f->fail_first = 5;
    f->fail_status = 502;
    assert_ok(http_upload_all(f->h, &u, &f->e), &f->e);
    assert_int_equal(peer_count(f->p), u.n_items + 5);
    assert_false(f->has_wrong_bytes);
}

static void a_rate_limit_pauses_the_upload_and_does_not_end_it(void **state)
{
    struct fixture *f = *state;
    struct http_uploads u = all_of(f);
    f->fail_first = 2;
    f->fail_status = 429;
    assert_ok(http_upload_all(f->h, &u, &f->e), &f->e);
    assert_false(f->has_wrong_bytes);
}

static void a_refused_file_ends_the_upload_and_is_named(void **state)
{
    struct fixture *f = *state;
    struct http_uploads u = all_of(f);
    f->fail_first = 1;
    f->fail_status = 422;
    assert_fails(http_upload_all(f->h, &u, &f->e), &f->e, ERR_REMOTE);
    assert_int_equal(f->e.http_status, 422);
    assert_non_null(strstr(f->e.what, f->dir));
}

static void a_small_file_that_changed_since_it_was_hashed_is_not_sent(void **state)
{
    struct fixture *f = *state;
    struct http_uploads u = all_of(f);
    assert_ok(fs_replace(u.items[7].file, STR("other bytes"), 0600, &f->e), &f->e);
    assert_fails(http_upload_all(f->h, &u, &f->e), &f->e, ERR_CONFLICT);
    assert_non_null(strstr(f->e.why, "changed after it was hashed"));
    assert_false(f->has_wrong_bytes);
}

static void a_large_file_that_changed_since_it_was_hashed_is_never_sent_whole(void **state)
{
    struct fixture *f = *state;
    struct http_uploads u = all_of(f);
    const struct http_upload *large = &u.items[u.n_items - 1];
    struct str bytes;
    assert_ok(fs_read(f->a, large->file, 2 * LARGE_BYTES, &bytes, &f->e), &f->e);
    char *changed = arena_strndup(f->a, bytes.p, bytes.n);
    changed[LARGE_BYTES / 2] ^= 1;
    assert_ok(fs_replace(large->file, (struct str){ changed, bytes.n }, 0600, &f->e), &f->e);
    assert_fails(http_upload_all(f->h, &u, &f->e), &f->e, ERR_CONFLICT);
    assert_false(f->has_wrong_bytes);
}

static void nothing_to_upload_is_no_request(void **state)
{
    struct fixture *f = *state;
    struct http_uploads u = { .what = "test.upload", .method = "PUT" };
    assert_ok(http_upload_all(f->h, &u, &f->e), &f->e);
    assert_int_equal(peer_count(f->p), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(every_file_arrives_once_over_a_few_connections),
        T(files_that_fail_in_passing_are_sent_again),
        T(a_rate_limit_pauses_the_upload_and_does_not_end_it),
        T(a_refused_file_ends_the_upload_and_is_named),
        T(a_small_file_that_changed_since_it_was_hashed_is_not_sent),
        T(a_large_file_that_changed_since_it_was_hashed_is_never_sent_whole),
        T(nothing_to_upload_is_no_request),
    };
    return cmocka_run_group_tests_name("upload", tests, NULL, NULL);
}
