#include "local/control.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strbuf.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* An error travels as its numbers and texts. */
json_t *control_refusal(const struct err *e)
{
    return json_pack("{s:b, s:{s:i, s:s, s:s, s:s}}", "ok", 0, "error", "code", (int)e->code,
                     "what", e->what, "why", e->why, "hint", e->hint);
}

bool control_check(const json_t *answer, struct err *e)
{
    if (json_bool_or(answer, "ok", false))
        return true;
    const json_t *error = json_object_get(answer, "error");
    int64_t code = json_int_or(error, "code", ERR_INTERNAL);
    if (code <= ERR_NONE || code > ERR_INTERRUPTED)
        code = ERR_INTERNAL;
    err_set(e, (enum err_code)code, "%s", json_text_or(error, "why", "the platform refused"));
    const char *what = json_text_or(error, "what", "");
    const char *hint = json_text_or(error, "hint", "");
    if (*what)
        err_wrap(e, "%s", what);
    if (*hint)
        err_hint(e, "%s", hint);
    return false;
}

char *control_program(struct arena *a)
{
    struct stat st;
    if (stat("/proc/self/exe", &st) != 0)
        return arena_strdup(a, "");
    return arena_printf(a, "%llu:%llu:%lld.%09ld", (unsigned long long)st.st_dev,
                        (unsigned long long)st.st_ino, (long long)st.st_mtim.tv_sec,
                        st.st_mtim.tv_nsec);
}

static bool address(const char *run_dir, struct sockaddr_un *ret, struct err *e)
{
    *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
    int n = snprintf(ret->sun_path, sizeof ret->sun_path, "%s/control.sock", run_dir);
    if (n < 0 || (size_t)n >= sizeof ret->sun_path)
        return err_set(e, ERR_LIMIT, "path too long for a socket: %s", run_dir);
    return true;
}

bool control_listen(const char *run_dir, int *ret_fd, struct err *e)
{
    struct sockaddr_un at;
    if (!address(run_dir, &at, e))
        return false;
    CLEANUP(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_system(e, "socket");
    (void)unlink(at.sun_path); /* the lock says that nobody else listens there */
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || chmod(at.sun_path, 0600) != 0 ||
        listen(fd, 16) != 0)
        return err_system(e, "listen on %s", at.sun_path);
    *ret_fd = fd_take(&fd);
    return true;
}

bool control_receive(int fd, json_t **ret, struct err *e)
{
    CLEANUP(strbuf) struct strbuf line = strbuf_init(CONTROL_LINE_BYTES);
    char buffer[4096];
    while (!line.n || line.p[line.n - 1] != '\n') {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return err_set(e, ERR_TIMEOUT, "no answer in time");
        if (n <= 0)
            return err_set(e, ERR_NET, "the connection ended");
        if (!strbuf_add(&line, buffer, (size_t)n))
            return err_set(e, ERR_LIMIT, "a control message over %zu bytes", CONTROL_LINE_BYTES);
    }
    *ret = json_parse(strbuf_str(&line), "control message", e);
    return *ret != NULL;
}

bool control_send(int fd, json_t *message, struct err *e)
{
    char *text = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    if (!text)
        return err_set(e, ERR_INTERNAL, "control message");
    size_t n = strlen(text);
    text[n] = '\n'; /* in place of the zero */
    bool ok = true;
    for (size_t sent = 0; sent < n + 1 && ok;) {
        ssize_t k = send(fd, text + sent, n + 1 - sent, MSG_NOSIGNAL);
        ok = k >= 0 || errno == EINTR;
        sent += k > 0 ? (size_t)k : 0;
    }
    free(text);
    return ok || err_system(e, "send");
}

static void timeouts(int fd, int timeout_ms)
{
    struct timeval t = { .tv_sec = timeout_ms / 1000,
                         .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000 };
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

bool control_ask(const char *run_dir, json_t *request, int timeout_ms, json_t **ret, struct err *e)
{
    json_auto_t *message = request;
    struct sockaddr_un at;
    if (!address(run_dir, &at, e))
        return false;
    CLEANUP(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_system(e, "socket");
    timeouts(fd, timeout_ms);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        err_system(e, "connect to %s", at.sun_path);
        return err_recode(e, ERR_NET);
    }
    json_auto_t *answer = NULL;
    if (!control_send(fd, json_incref(message), e) || !control_receive(fd, &answer, e))
        return false;
    if (!control_check(answer, e))
        return false;
    *ret = json_incref(answer);
    return true;
}
