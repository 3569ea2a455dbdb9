/* Stands in for net/server and the site store until they are here. Not linked once server.c exists. */
#include "local/sites.h"
#include "net/server/upstream.h"

struct server *server_new(const struct server_spec *spec) { (void)spec; return NULL; }
bool server_listen(struct server *s, const char *host, int port, request_fn handler, void *context, int *ret_port, struct err *e)
{ (void)s; (void)host; (void)handler; (void)context; (void)e; if (ret_port) *ret_port = port; return true; }
bool server_start(struct server *s, struct err *e) { (void)s; (void)e; return true; }
unsigned server_drain(struct server *s, int timeout_ms) { (void)s; (void)timeout_ms; return 0; }
void server_free(struct server *s) { (void)s; }
struct server_figures server_figures(struct server *s) { (void)s; return (struct server_figures){ 0 }; }
bool sites_open(const char *state_dir, const char *token, struct server *server, struct sites **ret, struct err *e)
{ (void)state_dir; (void)token; (void)server; (void)e; *ret = NULL; return true; }
void sites_close(struct sites *s) { (void)s; }
static const char *stub_id;
bool sites_ensure(struct sites *s, const struct site_spec *spec, struct site **ret, struct err *e) { (void)s; (void)e; *ret = NULL; stub_id = spec->id; return true; }
const char *site_id(const struct site *site) { (void)site; return stub_id; }
bool sites_remove(struct sites *s, const char *name, struct err *e) { (void)s; (void)name; (void)e; return true; }
void sites_serve(struct sites *s, struct site *site, struct request *r) { (void)s; (void)site; (void)r; }
bool netlify_api_serve(struct sites *s, struct request *r) { (void)s; (void)r; return true; }
void respond_error(struct request *r, int status, const char *fmt, ...) { (void)r; (void)status; (void)fmt; }
void respond_json(struct request *r, int status, json_t *value) { (void)r; (void)status; json_decref(value); }
void respond_empty(struct request *r, int status) { (void)r; (void)status; }
const char *request_header(const struct request *r, const char *name) { (void)r; (void)name; return NULL; }
void response_header(struct request *r, const char *name, const char *value) { (void)r; (void)name; (void)value; }
struct upstream *upstream_new(const struct upstream_spec *spec) { (void)spec; return NULL; }
void upstream_unref(struct upstream *u) { (void)u; }
struct upstream_slot *upstream_slot_new(void) { return NULL; }
void upstream_slot_free(struct upstream_slot *slot) { (void)slot; }
struct upstream *upstream_slot_set(struct upstream_slot *slot, struct upstream *u) { (void)slot; (void)u; return NULL; }
struct upstream *upstream_slot_enter(struct upstream_slot *slot) { (void)slot; return NULL; }
void request_proxy(struct request *r, struct upstream *u, const struct proxy_spec *spec) { (void)r; (void)u; (void)spec; }
