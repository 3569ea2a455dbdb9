/*
 * The flags of an environment on its own port: /ofrep/…, answered by the same code as `lockflight
 * serve`. The database is watched from the first request on; before the first deploy there are no
 * flags, and that is an answer too.
 */
#ifndef LOCKFLIGHT_LOCAL_FLAG_GATE_H
#define LOCKFLIGHT_LOCAL_FLAG_GATE_H

#include "local/platform.h"

struct flag_gate;

struct flag_gate *flag_gate_new(struct platform_environment *env);

/* On the loop. */
void flag_gate_serve(struct flag_gate *g, struct request *r);

/* Ends event streams and the database connection, before a drain. Accepts NULL. */
void flag_gate_stop(struct flag_gate *g);

/* No request is at work any more. Accepts NULL. */
void flag_gate_free(struct flag_gate *g);

#endif
