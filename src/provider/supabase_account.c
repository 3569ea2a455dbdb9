/*
 * A Supabase account: its organizations and projects, and projects that are made and removed.
 */
#include "base/json.h"
#include "base/log.h"
#include "base/vec.h"
#include "net/url.h"
#include "provider/supabase_inside.h"

enum {
    CREATE_DEADLINE_MS = 60000, /* the hosted API takes its time over this one */
};

bool supabase_organizations(struct supabase *s, struct arena *a, struct supabase_organization **ret,
                            size_t *ret_count, struct err *e)
{
    VEC(struct supabase_organization) all = { 0 };
    json_auto_t *list = NULL;
    if (!supabase_list(s, a, "supabase.organizations", "/v1/organizations", "organizations", &list,
                       e))
        return false;
    size_t i;
    json_t *one;
    json_array_foreach (list, i, one) {
        struct fields f = fields_of(a, one, "organization", e);
        *vec_add(&all, a) = (struct supabase_organization){
            .slug = field_id(&f, "slug"),
            .name = field_text(&f, "name"),
        };
        if (!http_checked(s->http, fields_ok(&f), e))
            return err_wrap(e, "list the organizations");
    }
    *ret = all.v;
    *ret_count = all.n;
    return true;
}

bool supabase_projects(struct supabase *s, struct arena *a, struct supabase_project **ret,
                       size_t *ret_count, struct err *e)
{
    VEC(struct supabase_project) all = { 0 };
    json_auto_t *list = NULL;
    if (!supabase_list(s, a, "supabase.projects", "/v1/projects", "projects", &list, e))
        return false;
    size_t i;
    json_t *one;
    json_array_foreach (list, i, one)
        if (!http_checked(s->http, supabase_project_read(a, one, vec_add(&all, a), e), e))
            return err_wrap(e, "list the projects");
    *ret = all.v;
    *ret_count = all.n;
    return true;
}

/* Names are not unique over there, so the same request carried out twice on its way makes two
 * projects. Then ours is taken back, seconds old and empty, and the other one is for the caller to
 * adopt: it may as well have been there before. If nobody answers who else there is, ours stays. */
static bool is_only_one(struct supabase *s, struct arena *a, const struct supabase_project *ours,
                        struct err *e)
{
    struct supabase_project *all = NULL;
    size_t n = 0;
    struct err ignored;
    if (!supabase_projects(s, a, &all, &n, &ignored))
        return true;
    for (size_t i = 0; i < n; i++) {
        if (streq(all[i].ref, ours->ref) || !streq(all[i].name, ours->name) ||
            !streq(all[i].organization, ours->organization))
            continue;
        return supabase_project_delete(s, a, ours->ref, e) &&
               err_set(e, ERR_CONFLICT, "there is another project of that name: %s", all[i].ref);
    }
    return true;
}

bool supabase_project_create(struct supabase *s, struct arena *a,
                             const struct supabase_project_spec *spec, struct supabase_project *ret,
                             struct err *e)
{
    log_redact(str_of(spec->password));
    const struct str sent[] = { str_of(spec->password) };
    json_auto_t *body =
        json_pack("{s:s, s:s, s:s, s:s}", "name", spec->name, "organization_slug",
                  spec->organization, "region", spec->region, "db_pass", spec->password);
    struct http_request q = {
        .what = "supabase.project_create",
        .method = "POST",
        .path = "/v1/projects",
        .effect = HTTP_MUTATING,
        .json = body,
        .sent_values = sent,
        .n_sent_values = 1,
        .deadline_ms = CREATE_DEADLINE_MS,
    };
    json_auto_t *value = NULL;
    if (!body)
        return err_set(e, ERR_CONFIG, "create project: its name or region is not UTF-8 text");
    if (!http_json(s->http, a, &q, &value, NULL, e)) {
        if (e->http_status == 402)
            err_recode(e, ERR_LIMIT);
        return err_wrap(e, "create project %s", spec->name);
    }
    struct supabase_project project;
    if (!supabase_unreadable(s, supabase_project_read(a, value, &project, e), e))
        return err_wrap(e, "create project %s", spec->name);
    if (!streq(project.name, spec->name))
        return err_set(e, ERR_UNKNOWN_OUTCOME,
                       "create project %s: the host answered with project %s (%s)", spec->name,
                       project.name, project.ref);
    if (!is_only_one(s, a, &project, e))
        return err_wrap(e, "create project %s", spec->name);
    *ret = project;
    return true;
}

bool supabase_project_delete(struct supabase *s, struct arena *a, const char *ref, struct err *e)
{
    struct http_request q = {
        .what = "supabase.project_delete",
        .method = "DELETE",
        .path = arena_printf(a, "/v1/projects/%s", url_encode(a, ref)),
        .effect = HTTP_MUTATING,
    };
    if (http_done(s->http, a, &q, e) || e->code == ERR_NOT_FOUND)
        return true;
    if (e->http_status == 400 && strstr(e->why, "has been removed"))
        return true;
    return err_wrap(e, "delete project %s", ref);
}
