/*
 * libcurl, loaded by the first call of one of its functions: see base/library.h.
 */
#include "base/library.h"

#define CURL_DISABLE_TYPECHECK /* the types of options are checked where they are set */
#include <curl/curl.h>
#include <pthread.h>
#include <stdarg.h>

#undef curl_easy_setopt /* checking macros of the same names */
#undef curl_easy_getinfo
#undef curl_multi_setopt

static struct {
#define FUNCTION(type, name, params, args)                                                         \
    type(*name) params; /* NOLINT(bugprone-macro-parentheses) */
#include "net/curl_library.inc"
#undef FUNCTION
    CURLcode (*easy_setopt)(CURL *curl, CURLoption option, ...);
    CURLcode (*easy_getinfo)(CURL *curl, CURLINFO info, ...);
    CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
} libcurl;

static void load(void)
{
    void *library = library_load("libcurl.so.4");
#define FUNCTION(type, name, params, args) library_find(library, #name, &libcurl.name);
#include "net/curl_library.inc"
#undef FUNCTION
    library_find(library, "curl_easy_setopt", &libcurl.easy_setopt);
    library_find(library, "curl_easy_getinfo", &libcurl.easy_getinfo);
    library_find(library, "curl_multi_setopt", &libcurl.multi_setopt);
}

static void need(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, load);
}

#define FUNCTION(type, name, params, args)                                                         \
    type name params                                                                               \
    {                                                                                              \
        need();                                                                                    \
        return libcurl.name args;                                                                  \
    }
#include "net/curl_library.inc"
#undef FUNCTION

/* ---- one argument, whose type the option tells by its thousands ---- */

/* NOLINTBEGIN(clang-analyzer-valist.Uninitialized,bugprone-branch-clone): each branch reads another type
 * from a list that va_start has begun */

#define KIND(option) ((int)(option) / 10000 * 10000)

CURLcode curl_easy_setopt(CURL *curl, CURLoption option, ...)
{
    CURLcode code;
    va_list ap;
    need();
    va_start(ap, option);
    if (KIND(option) == CURLOPTTYPE_LONG)
        code = libcurl.easy_setopt(curl, option, va_arg(ap, long));
    else if (KIND(option) == CURLOPTTYPE_OFF_T)
        code = libcurl.easy_setopt(curl, option, va_arg(ap, curl_off_t));
    else
        code = libcurl.easy_setopt(curl, option, va_arg(ap, void *));
    va_end(ap);
    return code;
}

CURLMcode curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
    CURLMcode code;
    va_list ap;
    need();
    va_start(ap, option);
    if (KIND(option) == CURLOPTTYPE_LONG)
        code = libcurl.multi_setopt(multi, option, va_arg(ap, long));
    else
        code = libcurl.multi_setopt(multi, option, va_arg(ap, void *));
    va_end(ap);
    return code;
}

CURLcode curl_easy_getinfo(CURL *curl, CURLINFO info, ...)
{
    va_list ap;
    need();
    va_start(ap, info);
    CURLcode code = libcurl.easy_getinfo(curl, info, va_arg(ap, void *));
    va_end(ap);
    return code;
}

/* NOLINTEND(clang-analyzer-valist.Uninitialized,bugprone-branch-clone) */
