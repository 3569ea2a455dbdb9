/*
 * Inside the management API: the handlers, and what they share. Handlers run on the pool; their
 * context is the platform.
 */
#ifndef LOCKFLIGHT_LOCAL_SUPABASE_INSIDE_H
#define LOCKFLIGHT_LOCAL_SUPABASE_INSIDE_H

#include "local/supabase_api.h"

/* Answers {"message":…}. */
void supabase_refuse(struct request *r, int status, const char *fmt, ...) PRINTF(3, 4);

/* The environment of :ref, ready to be used; NULL after having answered why not. */
struct platform_environment *supabase_environment(struct request *r, struct platform *p);

/* The same, ready or not. */
struct platform_environment *supabase_project_of(struct request *r, struct platform *p);

/* The body as JSON of that type; NULL after having answered 400. The caller owns it. */
json_t *supabase_body(struct request *r, json_type type);

/* supabase_projects.c */
void profile_get(struct request *r, void *context);
void organizations_get(struct request *r, void *context);
void organization_get(struct request *r, void *context);
void projects_get(struct request *r, void *context);
void projects_post(struct request *r, void *context);
void project_get(struct request *r, void *context);
void project_delete(struct request *r, void *context);
void api_keys_get(struct request *r, void *context);
void health_get(struct request *r, void *context);
void addons_get(struct request *r, void *context);

/* supabase_functions.c */
void functions_list_get(struct request *r, void *context);
void functions_deploy_post(struct request *r, void *context);
void functions_put(struct request *r, void *context);
void function_get(struct request *r, void *context);
void function_patch(struct request *r, void *context);
void function_delete(struct request *r, void *context);
void function_body_get(struct request *r, void *context);
void secrets_get(struct request *r, void *context);
void secrets_post(struct request *r, void *context);
void secrets_delete(struct request *r, void *context);

/* supabase_database.c */
void query_post(struct request *r, void *context);
void query_read_only_post(struct request *r, void *context);
void login_role_post(struct request *r, void *context);
void login_role_delete(struct request *r, void *context);
void postgrest_get(struct request *r, void *context);
void pooler_get(struct request *r, void *context);

#endif
