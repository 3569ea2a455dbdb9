/*
 * The Netlify API of the local platform: what its files share. Handlers run on the pool unless
 * their row says otherwise; they take `sites->lock` themselves.
 */
#ifndef LOCKFLIGHT_LOCAL_NETLIFY_H
#define LOCKFLIGHT_LOCAL_NETLIFY_H

#include "local/sites_store.h"
#include "net/server/request.h"

#define NETLIFY_ACCOUNT "lockflight" /* the one team there is */

/* netlify_json.c: objects as the API gives them. New references. */
json_t *netlify_site_json(struct sites *s, struct request *r, const struct site *site);
json_t *netlify_deploy_json(struct sites *s, struct request *r, const struct deploy *d);
json_t *netlify_account_json(void);
json_t *netlify_user_json(const struct sites *s);

/* Answers the page of `all` (takes the reference) that page= and per_page= ask for, with Link. */
void netlify_respond_page(struct request *r, json_t *all);

/* Answers an error of the store: 404, 409 → 422, else 500. */
void netlify_respond_err(struct request *r, const struct err *e);

/* The body as a JSON object; an empty body is an empty object. NULL: 400 or
 * 422 has been answered. */
json_t *netlify_body(struct request *r);

/* The site or deploy of the path; NULL: 404 has been answered. Under lock. */
struct site *netlify_site(struct sites *s, struct request *r);
struct deploy *netlify_deploy(struct sites *s, struct request *r);

/* netlify_sites.c */
void answer_sites_list(struct request *r, void *context);
void answer_site_get(struct request *r, void *context);
void answer_site_create(struct request *r, void *context);
void answer_site_update(struct request *r, void *context);
void answer_site_delete(struct request *r, void *context);
void answer_site_files(struct request *r, void *context);
void answer_rollback(struct request *r, void *context);

/* netlify_deploys.c */
void answer_deploys_list(struct request *r, void *context);
void answer_deploy_create(struct request *r, void *context);
void answer_deploy_update(struct request *r, void *context);
void answer_deploy_get(struct request *r, void *context);
void answer_deploy_delete(struct request *r, void *context);
void answer_deploy_cancel(struct request *r, void *context);
void answer_deploy_lock(struct request *r, void *context);
void answer_deploy_unlock(struct request *r, void *context);
void answer_deploy_restore(struct request *r, void *context);

/* netlify_upload.c: on the loop */
void answer_file_put(struct request *r, void *context);
void answer_function_put(struct request *r, void *context);

/* netlify_env.c */
void answer_env_list(struct request *r, void *context);
void answer_env_get(struct request *r, void *context);
void answer_env_create(struct request *r, void *context);
void answer_env_replace(struct request *r, void *context);
void answer_env_patch(struct request *r, void *context);
void answer_env_delete(struct request *r, void *context);
void answer_env_delete_value(struct request *r, void *context);
void answer_site_env_list(struct request *r, void *context);

#endif
