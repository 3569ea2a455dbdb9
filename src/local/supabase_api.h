/*
 * Supabase's management API, as far as the vendor's CLI and our own client need it (docs/local.md
 * lists it): projects, keys, functions, secrets, SQL. Errors are {"message":…}, as hosted.
 */
#ifndef LOCKFLIGHT_LOCAL_SUPABASE_API_H
#define LOCKFLIGHT_LOCAL_SUPABASE_API_H

#include "local/platform.h"
#include "net/server/request.h"

/* Answers r if it is below /v1/ or /v2/; false if it is none of ours. */
bool supabase_api_serve(struct platform *p, struct request *r);

#endif
