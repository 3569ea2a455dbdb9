#include "local/cors.h"

/* No credentials are involved: tokens travel in headers that the page sets itself, so any origin
 * may ask; what it may read is decided by the token. */
void cors_allow(struct request *r)
{
    const char *wanted = request_header(r, "Access-Control-Request-Headers");
    response_header(r, "Access-Control-Allow-Origin", "*");
    response_header(r, "Access-Control-Expose-Headers",
                    "Content-Range, Content-Location, Range-Unit, X-Total-Count, Location");
    if (r->method != METHOD_OPTIONS)
        return;
    response_header(r, "Access-Control-Allow-Methods",
                    "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    response_header(r, "Access-Control-Allow-Headers",
                    wanted ? wanted : "authorization, apikey, content-type, x-client-info, prefer");
    response_header(r, "Access-Control-Max-Age", "3600");
}
