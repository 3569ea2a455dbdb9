/*
 * The drivers: publish, roll back and switch through the same HTTP calls that netlify-cli and the
 * Supabase CLI make.
 *
 * A publish is POST deploys, PUT its digests, PUT each file the host lacks, and the host makes it
 * live when it has all; a rollback is POST restore of a version that was live before. A function is
 * replaced by one multipart POST. Every fifth publish is followed by a rollback, so both kinds
 * alternate as long as there are any.
 */
#include "drive.h"

#include <jansson.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

__attribute__((format(printf, 2, 3))) static bool give_up(struct drive *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!d->trouble[0])
        vsnprintf(d->trouble, sizeof d->trouble, format, args);
    va_end(args);
    return false;
}

/* A body that names its version on every line, so that a mixture of two is neither. */
static size_t lines(char *buffer, size_t buffer_bytes, const char *first, int version, size_t want)
{
    size_t n = (size_t)snprintf(buffer, buffer_bytes, "%s", first);
    while (n < want && n < buffer_bytes)
        n += (size_t)snprintf(buffer + n, buffer_bytes - n, "/* version %08d at %06zu */\n",
                              version, n);
    return n;
}

size_t page_body(int version, char *buffer, size_t buffer_bytes)
{
    char first[200];
    snprintf(first, sizeof first,
             "<!doctype html><title>%08d</title><script src=\"" SCRIPT_PATH "\"></script>\n<!--\n",
             version, version);
    return lines(buffer, buffer_bytes, first, version, 1200);
}

size_t script_body(int version, char *buffer, size_t buffer_bytes)
{
    return lines(buffer, buffer_bytes, "'use strict';\n", version, 9000);
}

size_t function_body(int version, char *buffer, size_t buffer_bytes)
{
    return (size_t)snprintf(buffer, buffer_bytes, "function version %08d", version);
}

/* One API call; the parsed answer is the caller's, NULL after trouble. */
static json_t *call(struct drive *d, struct wire *w, const char *token, const char *method,
                    const char *path, const char *type, const void *body, size_t body_bytes)
{
    char headers[400];
    snprintf(headers, sizeof headers,
             "authorization: Bearer %s\r\naccept: application/json\r\n%s%s%s", token,
             type ? "content-type: " : "", type ? type : "", type ? "\r\n" : "");
    struct answer a;
    const char *why = wire_request(w, method, path, headers, body, body_bytes, &a);
    if (why)
        return give_up(d, "%s %s: %s", method, path, why), NULL;
    if (a.status < 200 || a.status > 299)
        return give_up(d, "%s %s: status %d: %.150s", method, path, a.status, a.body), NULL;
    json_t *answer = json_loadb(a.body, a.body_bytes, JSON_DECODE_ANY, NULL);
    return answer ? answer : json_null();
}

static void sha1_hex(const void *bytes, size_t n, char ret_hex[41])
{
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(bytes, n, digest);
    for (int i = 0; i < SHA_DIGEST_LENGTH; i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
}

static bool upload(struct drive *d, struct wire *w, const char *deploy, const char *path,
                   const char *body, size_t n)
{
    char to[200];
    snprintf(to, sizeof to, "/api/v1/deploys/%s/files%s", deploy, path);
    json_t *answer = call(d, w, d->netlify_token, "PUT", to, "application/octet-stream", body, n);
    json_decref(answer);
    return answer != NULL;
}

static bool wait_ready(struct drive *d, struct wire *w, const char *deploy)
{
    char path[200];
    snprintf(path, sizeof path, "/api/v1/sites/%s/deploys/%s", d->site, deploy);
    for (int i = 0; i < 200; i++) {
        json_t *answer = call(d, w, d->netlify_token, "GET", path, NULL, NULL, 0);
        const char *state = json_string_value(json_object_get(answer, "state"));
        bool is_ready = state && strcmp(state, "ready") == 0;
        json_decref(answer);
        if (!answer || is_ready)
            return answer != NULL;
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    }
    return give_up(d, "deploy %s never became ready", deploy);
}

/* Both files of a version; the host makes it live with the last byte. */
static bool publish(struct drive *d, struct wire *w, int version)
{
    static char page[4096], script[16384], path[200], digests[400], script_path[64];
    char page_sha[41], script_sha[41];
    size_t page_bytes = page_body(version, page, sizeof page),
           script_bytes = script_body(version, script, sizeof script);
    sha1_hex(page, page_bytes, page_sha);
    sha1_hex(script, script_bytes, script_sha);
    snprintf(script_path, sizeof script_path, SCRIPT_PATH, version);

    snprintf(path, sizeof path, "/api/v1/sites/%s/deploys", d->site);
    json_t *created =
        call(d, w, d->netlify_token, "POST", path, "application/json", "{\"draft\":false}", 15);
    const char *id = json_string_value(json_object_get(created, "id"));
    if (!id || strlen(id) >= sizeof d->deploy_id[0])
        return json_decref(created), give_up(d, "create: no deploy id");
    char *deploy = d->deploy_id[version];
    snprintf(deploy, sizeof d->deploy_id[0], "%s", id);
    json_decref(created);

    snprintf(path, sizeof path, "/api/v1/sites/%s/deploys/%s", d->site, deploy);
    int n = snprintf(digests, sizeof digests,
                     "{\"files\":{\"index.html\":\"%s\",\"%s\":\"%s\"},\"draft\":false}", page_sha,
                     script_path + 1, script_sha);
    json_t *put = call(d, w, d->netlify_token, "PUT", path, "application/json", digests, (size_t)n);
    json_decref(put);
    return put && upload(d, w, deploy, script_path, script, script_bytes) &&
           upload(d, w, deploy, "/index.html", page, page_bytes) && wait_ready(d, w, deploy);
}

static bool restore(struct drive *d, struct wire *w, int version)
{
    char path[200];
    snprintf(path, sizeof path, "/api/v1/sites/%s/deploys/%s/restore", d->site,
             d->deploy_id[version]);
    json_t *answer = call(d, w, d->netlify_token, "POST", path, NULL, NULL, 0);
    json_decref(answer);
    return answer != NULL;
}

static bool deploy_function(struct drive *d, struct wire *w, int version)
{
    static const char boundary[] = "----lockflight-load";
    static char body[4096];
    char text[64], path[200], type[100];
    function_body(version, text, sizeof text);
    int n =
        snprintf(body, sizeof body,
                 "--%s\r\nContent-Disposition: form-data; name=\"file\"; "
                 "filename=\"supabase/functions/" FUNCTION_SLUG "/index.ts\"\r\n"
                 "Content-Type: application/octet-stream\r\n\r\nDeno.serve(() => new "
                 "Response(\"%s\"));\n\r\n"
                 "--%s\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n"
                 "{\"entrypoint_path\":\"supabase/functions/" FUNCTION_SLUG
                 "/index.ts\",\"verify_jwt\":false,\"name\":\"" FUNCTION_SLUG "\"}\r\n--%s--\r\n",
                 boundary, text, boundary, boundary);
    snprintf(path, sizeof path, "/v1/projects/%s/functions/deploy?slug=" FUNCTION_SLUG, d->ref);
    snprintf(type, sizeof type, "multipart/form-data; boundary=%s", boundary);
    json_t *answer = call(d, w, d->supabase_token, "POST", path, type, body, (size_t)n);
    json_decref(answer);
    return answer != NULL;
}

static void begin(struct history *h, int version)
{
    h->version[h->started + 1] = version;
    h->started++;
}

static void end(struct history *h)
{
    h->acknowledged = h->started;
}

bool drive_first(struct drive *d)
{
    struct wire w;
    if (!wire_init(&w, d->api_port))
        return false;
    bool is_up = publish(d, &w, 0) && (!d->switches || deploy_function(d, &w, 0));
    wire_done(&w);
    if (!is_up)
        printf("# driver: %s\n", d->trouble);
    return is_up; /* change 0 of both histories is version 0 */
}

void *drive_site(void *drive)
{
    struct drive *d = drive;
    struct history *h = &d->site_history;
    struct wire w;
    unsigned seed = 1;
    if (!wire_init(&w, d->api_port))
        abort();
    int version = 0;
    while (d->published < d->publishes || d->rolled_back < d->rollbacks) {
        bool goes_back = version > 0 && d->rolled_back < d->rollbacks &&
                         (d->published == d->publishes || (d->published + d->rolled_back) % 6 == 5);
        int next =
            goes_back ? version - 1 -
                            (int)((unsigned)rand_r(&seed) % (unsigned)(version < 20 ? version : 20))
                      : version + 1;
        begin(h, next);
        if (!(goes_back ? restore(d, &w, next) : publish(d, &w, next)))
            break;
        end(h);
        if (goes_back) {
            d->rolled_back++;
        } else {
            version = next;
            d->published++;
        }
    }
    wire_done(&w);
    return NULL;
}

void *drive_functions(void *drive)
{
    struct drive *d = drive;
    struct wire w;
    if (!wire_init(&w, d->api_port))
        abort();
    while (d->switched < d->switches) {
        begin(&d->function_history, d->switched + 1);
        if (!deploy_function(d, &w, d->switched + 1))
            break;
        end(&d->function_history);
        d->switched++;
    }
    wire_done(&w);
    return NULL;
}
