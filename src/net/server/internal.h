/*
 * Inside the server; nobody outside net/server/ includes this.
 *
 * A connection (struct conn) belongs to one loop for its life and has one exchange at a time: a
 * request, its body, its answer. Handlers never act on it: every respond_…, request_… call only
 * notes the next *action* in the exchange, and the loop carries it out when the handler has
 * returned (exchange.c). So it does not matter on which thread a handler ran, and there is no
 * recursion.
 *
 *     loop.c      epoll, inbox of messages from other threads, sweep of deadlines
 *     conn.c      bytes in: head, body; the advance loop; closing
 *     head.c      the strict checks and llhttp: bytes of a head → struct request
 *     exchange.c  actions, the end of a request, body consumers
 *     response.c  respond_…: the head of an answer and its body
 *     output.c    bytes out
 *     upstream.c  versions, slots, kept connections;   proxy.c  one request passed on
 */
#ifndef LOCKFLIGHT_NET_SERVER_INTERNAL_H
#define LOCKFLIGHT_NET_SERVER_INTERNAL_H

#include "base/limits.h"
#include "base/strbuf.h"
#include "net/server/request.h"
#include "net/server/upstream.h"

#include <llhttp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

struct loop;
struct conn;
struct proxy;

/* What epoll points at. */
enum source_kind {
    SOURCE_LISTENER,
    SOURCE_WAKE,
    SOURCE_CONN,
    SOURCE_UPSTREAM,
};

struct source {
    enum source_kind kind;
    int fd;
};

/* A note to a loop. Intrusive: its owner keeps it alive until it has run. */
struct message {
    struct message *next;
    void (*run)(struct loop *l, void *arg);
    void *arg;
};

/* Work for the pool. Intrusive as well. */
struct job {
    struct job *next;
    void (*run)(void *arg);
    void *arg;
};

struct loop {
    struct server *server;
    unsigned index;
    int epoll_fd;
    struct source wake;
    pthread_t thread;
    bool is_running;

    pthread_mutex_t inbox_lock;
    struct message *inbox; /* oldest first */
    struct message **inbox_tail;

    struct conn *conns; /* all that are open */
    unsigned conn_count;
    struct conn *dead_conns; /* freed after the current batch of events */
    struct uconn *uconns;
    struct uconn *dead_uconns;

    unsigned retries; /* proxies that wait for a place in an upstream's queue */
    int64_t now_ms;   /* boot time, read once per batch */
    int64_t date_s;
    char date[40];
    char *scratch; /* LIMIT_HTTP_PIECE_BYTES */
};

/* ---- Exchange -------------------------------------------------------------------------------- */

enum action {
    ACTION_NONE,
    ACTION_RESPOND,
    ACTION_READ,
    ACTION_SINK,
    ACTION_POOL,
    ACTION_PROXY,
    ACTION_SUSPEND,
};

enum body_mode {
    BODY_HOLD,   /* nobody has said what to do with it: it stays in the socket */
    BODY_IGNORE, /* read and thrown away */
    BODY_MEMORY,
    BODY_SINK,
    BODY_PROXY,
};

enum answer_kind {
    ANSWER_NONE,
    ANSWER_BYTES,
    ANSWER_FILE,
    ANSWER_QUEUE, /* a stream or a proxied answer: bytes come over time */
};

struct end_hook {
    struct end_hook *next;
    server_fn fn;
    void *context;
};

struct out_header {
    struct out_header *next;
    const char *name;
    const char *value;
};

struct answer {
    enum answer_kind kind;
    int status;
    const char *content_type;
    struct out_header *headers;
    struct out_header **headers_tail;
    struct str body;
    server_fn release;
    void *owner;
    int fd;
    uint64_t offset;
    uint64_t left;  /* of the file */
    int64_t length; /* announced; -1: unknown */
    bool is_head_made;
    bool is_chunked; /* the queue is sent in chunks */
    bool is_ended;   /* nothing will be added to the queue */
    bool is_cut;     /* the queue ended too early: close without an end mark */
    struct strbuf queue;
    size_t queue_sent;
    struct stream *stream;
};

struct exchange {
    struct request pub; /* first: a request is its exchange */
    struct conn *conn;
    enum action action;
    bool must_act; /* a handler has come back: its action waits for conn_advance */
    request_fn then;
    void *then_context;

    /* what the head said */
    bool is_http10;
    bool wants_keep_alive;
    bool expects_continue;
    bool is_head_read;
    bool is_counted;       /* among the server's requests in flight */
    struct header *fields; /* what pub.headers points at */
    size_t target_bytes;
    size_t trailer_bytes;
    int64_t announced_bytes;

    /* the body */
    enum body_mode body_mode;
    bool is_body_done;
    bool is_too_large;
    uint64_t body_bytes;
    uint64_t raw_bytes;
    uint64_t max_body_bytes;
    struct strbuf memory; /* the body, or the piece for the sink */
    body_sink_fn sink;
    void *sink_context;
    bool is_sink_busy;
    bool is_sink_failed;

    /* going on later */
    bool is_suspended;
    bool is_resumed; /* resume came before the suspension was seen */
    request_fn resume_then;
    void *resume_context;

    struct end_hook *end_hooks;
    struct answer answer;
    struct proxy *proxy;
    const struct proxy_spec *proxy_spec;
    struct upstream *proxy_upstream;
};

enum phase {
    PHASE_HEAD,   /* waiting for a head, or reading one */
    PHASE_WORK,   /* a request is at work: body, handler, answer */
    PHASE_LINGER, /* answered and closed on our side; reading the rest so that the answer arrives */
};

struct conn {
    struct source source; /* first */
    struct loop *loop;
    const struct listener *listener;
    struct conn *next;
    struct conn *prev;
    enum phase phase;
    bool may_read;
    bool may_write;
    bool has_hung_up;  /* the other side will send nothing more */
    bool is_gone;      /* the other side is away: nothing more is read or written */
    bool is_closed;    /* in dead_conns */
    bool is_advancing; /* guards against recursion */
    bool is_held;      /* a handler or a sink has it on another thread, or it is suspended */
    bool must_close;   /* after the answer */
    unsigned answered; /* requests so far */
    int64_t deadline_ms;
    int64_t window_ms; /* start of the body's current rate window */
    uint64_t window_bytes;
    char peer[46];

    char *in;
    size_t in_start;
    size_t in_end;
    size_t in_capacity;
    size_t scanned; /* of the head */

    struct strbuf head; /* of the answer */
    size_t head_sent;
    struct arena *arena;
    llhttp_t parser;
    struct exchange x;
    struct job job;
    struct message message;
    struct message resume_message;
};

struct listener {
    struct source source; /* first */
    struct listener *next;
    int port;
    request_fn handler;
    void *context;
};

struct server {
    struct server_spec spec;
    unsigned loop_count;
    struct loop loops[LIMIT_HTTP_LOOPS];
    pthread_mutex_t lock; /* listeners, timers */
    struct listener *listeners;
    struct timer *timers;
    unsigned next_loop;
    bool is_started;
    atomic_bool is_draining;
    atomic_bool is_stopping;
    atomic_bool is_full; /* listeners are out of epoll: too many connections */
    atomic_uint connections;
    atomic_uint in_flight;
    atomic_uint_fast64_t requests;
    atomic_uint_fast64_t refused;
    struct pool *pool;
};

/* loop.c */
bool loop_open(struct loop *l, struct server *s, unsigned index, struct err *e) MUST_USE;
bool loop_start(struct loop *l, struct err *e) MUST_USE;
void loop_join(struct loop *l);
void loop_done(struct loop *l);
void loop_post(struct loop *l, struct message *m);
bool loop_watch(struct loop *l, struct source *source);
const char *loop_date(struct loop *l);

/* server.c */
void server_accept(struct loop *l, struct listener *from);
void server_accept_again(struct server *s);  /* after a connection closed */
int64_t server_run_timers(struct server *s); /* starts what is due; ms until the next, -1: none */

/* pool.c */
struct pool *pool_new(unsigned workers);
void pool_free(struct pool *p);
void pool_add(struct pool *p, struct job *job);

/* conn.c */
void conn_open(struct loop *l, const struct listener *listener, int fd);
void conn_event(struct conn *c, uint32_t events);
void conn_advance(struct conn *c);
void conn_close(struct conn *c); /* frees after the batch; a held one only when it comes back */
void conn_gone(struct conn *c);
void conn_sweep(struct conn *c);
void conn_free(struct conn *c);
void conn_refuse(struct conn *c, int status); /* answers a bad head or body and closes */

/* head.c */
enum head_state {
    HEAD_PART,
    HEAD_WHOLE,
    HEAD_BAD,
};
enum head_state head_scan(const char *p, size_t n, size_t *scanned, size_t *ret_bytes,
                          int *ret_status);
/* Fills c->x from a whole head. 0, or the status to refuse it with. */
int head_parse(struct conn *c, const char *p, size_t n);
/* Feeds body bytes; how many were taken, or -1 when they are malformed. */
ssize_t body_feed(struct conn *c, const char *p, size_t n);

/* exchange.c */
void exchange_begin(struct conn *c);
void exchange_call(struct conn *c, request_fn fn, void *context); /* then conn_advance acts */
void exchange_act(struct conn *c);
void exchange_body(struct exchange *x, const char *p, size_t n); /* from the parser */
bool exchange_wants_body(const struct conn *c);
void exchange_after_feed(struct conn *c);
bool exchange_finish(struct conn *c); /* the answer has been sent in full */
void exchange_clean(struct conn *c);  /* hooks, proxy, stream, buffers */

/* response.c */
void response_make_head(struct conn *c);
void queue_add(struct exchange *x, struct str bytes); /* one chunk */
void queue_end(struct exchange *x);
void stream_detach(struct stream *st);
void stream_pull(struct exchange *x); /* takes what the stream's writers left */
const char *status_text(int status);

/* output.c */
bool output_pending(const struct conn *c);
bool output_advance(struct conn *c); /* true if anything was sent */
bool output_is_done(const struct conn *c);

/* path.c */
/* Decodes and checks a path. 0, or 400. */
int path_decode(struct arena *a, const char *raw, const char **ret);
bool percent_decode(struct arena *a, struct str raw, bool plus_is_space, char **ret);

/* upstream.c */
struct upstream {
    atomic_uint refs;
    atomic_uint in_flight;
    atomic_uint failures;
    atomic_bool is_retired;
    char *name;
    bool is_unix;
    struct sockaddr_storage address;
    socklen_t address_bytes;
    int idle_ms;
    struct uconn *idle[LIMIT_HTTP_LOOPS]; /* each touched by its loop only */
};

/* uconn.c: one connection to an upstream, on one loop */
struct uconn {
    struct source source; /* first */
    struct loop *loop;
    struct upstream *upstream; /* a reference */
    struct uconn *next;
    struct uconn *prev;
    struct uconn *idle_next;
    struct proxy *proxy; /* NULL while idle */
    bool may_read;
    bool may_write;
    bool has_hung_up;
    bool is_connected;
    bool is_reused;
    bool is_idle;
    bool is_closed;
    int64_t idle_since_ms;
    struct strbuf out;
    size_t out_sent;
    struct strbuf head; /* of the answer, until it is whole */
    llhttp_t parser;
};
enum uconn_result {
    UCONN_OPEN,
    UCONN_BUSY, /* its queue is full: try again in a moment */
    UCONN_NONE, /* refused, or nobody is there */
};
enum uconn_result uconn_take(struct loop *l, struct upstream *u, bool fresh, struct uconn **ret);
void uconn_keep(struct uconn *u); /* back to the idle ones */
void uconn_close(struct uconn *u);
void uconn_flush(struct uconn *u);
void uconn_event(struct uconn *u, uint32_t events);
void uconn_sweep_all(struct loop *l);
void uconn_close_all(struct loop *l);
void uconn_free(struct uconn *u);

/* proxy.c */
void proxy_begin(struct conn *c);
void proxy_body(struct proxy *p, const char *bytes, size_t n);
void proxy_body_done(struct proxy *p);
void proxy_flush(struct proxy *p);
bool proxy_is_behind(const struct proxy *p); /* the upstream does not take the body fast enough */
bool proxy_pump(struct proxy *p);            /* reads more of the answer; true if any came */
void proxy_abort(struct proxy *p);           /* the client has gone, or the exchange ends */
void proxy_advance(struct proxy *p);
void proxy_sweep(struct proxy *p);
void proxy_retry_all(struct loop *l); /* those that met a full queue */

static inline struct exchange *exchange_of(struct request *r)
{
    return (struct exchange *)r;
}

#endif
