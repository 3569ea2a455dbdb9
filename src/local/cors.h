/*
 * Cross-origin headers for /rest/v1 and /auth/v1, as the hosted service sends them: a page on a
 * permalink has another origin than the environment. (Functions answer for themselves.)
 */
#ifndef LOCKFLIGHT_LOCAL_CORS_H
#define LOCKFLIGHT_LOCAL_CORS_H

#include "net/server/request.h"

void cors_allow(struct request *r);

#endif
