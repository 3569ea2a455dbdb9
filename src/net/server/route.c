/*
 * Route tables: matching works on the encoded path, segment by segment, so that an encoded slash in
 * a parameter stays part of it; the parameters are decoded afterwards.
 */
#include "net/server/route.h"

#include "net/server/internal.h"

static bool add_param(struct request *r, const char *name, size_t name_bytes, struct str raw)
{
    char *value = NULL;
    if (r->param_count == REQUEST_PARAMS_MAX || !percent_decode(r->arena, raw, false, &value))
        return false;
    r->params[r->param_count++] = (struct path_param){
        .name = arena_strndup(r->arena, name, name_bytes),
        .value = value,
    };
    return true;
}

static bool matches(struct request *r, const char *pattern, const char *path)
{
    r->param_count = 0;
    while (*pattern) {
        if (streq(pattern, "*"))
            return add_param(r, "*", 1, str_of(path));
        if (*pattern == ':') {
            size_t name_bytes = strcspn(pattern, "/") - 1;
            size_t value_bytes = strcspn(path, "/");
            if (value_bytes == 0 ||
                !add_param(r, pattern + 1, name_bytes, (struct str){ path, value_bytes }))
                return false;
            pattern += name_bytes + 1;
            path += value_bytes;
        } else if (*pattern++ != *path++) { // NOLINT(clang-analyzer-core.NullDereference): no NULL
            return false;
        }
    }
    return *path == '\0';
}

static bool method_fits(const struct route *row, const struct request *r)
{
    return streq(row->method, r->method_name) ||
           (r->method == METHOD_HEAD && streq(row->method, "GET"));
}

const struct route *route_find(const struct route *routes, struct request *r, const char *raw_path,
                               bool *ret_other_method)
{
    bool other = false;
    for (const struct route *row = routes; row->pattern; row++) {
        if (!matches(r, row->pattern, raw_path))
            continue;
        if (method_fits(row, r))
            return row;
        other = true;
    }
    r->param_count = 0;
    if (ret_other_method)
        *ret_other_method = other;
    return NULL;
}

struct route_call {
    const struct route *row;
    void *context;
};

static void run_row(struct request *r, void *arg)
{
    struct route_call *call = arg;
    call->row->run(r, call->context);
}

static void body_came(struct request *r, void *arg)
{
    request_to_pool(r, run_row, arg);
}

void route_run(const struct route *row, struct request *r, void *context)
{
    if (row->on_loop) {
        row->run(r, context);
        return;
    }
    struct route_call *call = ARENA_NEW(r->arena, struct route_call);
    *call = (struct route_call){ row, context };
    if (request_body_bytes(r) == 0)
        request_to_pool(r, run_row, call);
    else
        request_read_body(r, row->max_body_bytes ? row->max_body_bytes : LIMIT_HTTP_API_BODY,
                          body_came, call);
}

void route_dispatch(const struct route *routes, struct request *r, const char *raw_path,
                    void *context)
{
    bool other_method = false;
    const struct route *row = route_find(routes, r, raw_path, &other_method);
    if (row)
        route_run(row, r, context);
    else if (other_method)
        respond_error(r, 405, "%s is not a method of %s", r->method_name, r->path);
    else
        respond_error(r, 404, "there is no %s", r->path);
}
