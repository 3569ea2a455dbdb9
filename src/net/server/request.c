/*
 * Reading a request: headers, query, bearer token, parameters of its route.
 */
#include "net/server/internal.h"

#include <strings.h>

const char *request_header(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcasecmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    }
    return NULL;
}

const char *request_param(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->param_count; i++) {
        if (streq(r->params[i].name, name))
            return r->params[i].value;
    }
    return "";
}

const char *request_query(struct request *r, const char *name)
{
    struct str rest = str_of(r->query);
    while (rest.p) {
        struct str value = str_cut(&rest, '&');
        struct str key = str_cut(&value, '=');
        char *decoded = NULL;
        if (!percent_decode(r->arena, key, true, &decoded) || !streq(decoded, name))
            continue;
        if (!value.p)
            return "";
        if (percent_decode(r->arena, value, true, &decoded))
            return decoded;
    }
    return NULL;
}

const char *request_bearer(const struct request *r)
{
    const char *value = request_header(r, "authorization");
    if (!value || strncasecmp(value, "bearer ", 7) != 0)
        return NULL;
    value += 7;
    while (*value == ' ')
        value++;
    return *value ? value : NULL;
}

int64_t request_body_bytes(const struct request *r)
{
    return ((const struct exchange *)r)->announced_bytes;
}
