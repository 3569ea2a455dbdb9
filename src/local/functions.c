#include "local/functions.h"

#include "base/clock.h"
#include "base/env.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "local/functions_run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT_TIMEOUT_MS   30000
#define BOOT_TRIES        2
#define BOOT_LOOK_MS      3 /* how often a booting worker's socket is tried */
#define DRAIN_LOOK_MS     10
#define DRAIN_TIMEOUT_MS  150000 /* the longest a hosted request may take */
#define FAREWELL_MS       10000  /* for EdgeRuntime.waitUntil after SIGTERM */
#define STABLE_MS         60000  /* a process that lived this long starts again without a pause */
#define PAUSE_FIRST_MS    250
#define PAUSE_MAX_MS      30000
#define SETTLE_TIMEOUT_MS 20000
#define BUNDLE_KEEP_S     ((int64_t)7 * 24 * 3600)
#define REQUEST_IDLE_MS   150000

/* ---- Keeping processes in line --------------------------------------------------------------- */

void functions_wake(struct functions *f)
{
    uint64_t one = 1;
    (void)!write(f->wake_fd, &one, sizeof one);
}

static void wake_by_child(void *context)
{
    functions_wake(context);
}

/* What the keeper needs to know, read in one moment. */
struct wish {
    json_t *function; /* NULL: there is none */
    bool is_wanted;
    bool is_suspect;
    unsigned generation;
    int64_t version;
};

static struct wish read_wish(struct run *run)
{
    struct functions *f = run->functions;
    struct wish wish = { .function = project_function(f->project, run->slug) };
    (void)pthread_mutex_lock(&f->mutex);
    wish.is_wanted = run->is_wanted && !run->boot_failed;
    wish.is_suspect = run->is_suspect;
    wish.generation = f->generation;
    run->exists = wish.function != NULL;
    (void)pthread_mutex_unlock(&f->mutex);
    wish.version = json_int_or(wish.function, "version", 0);
    atomic_store(&run->verify_jwt, json_bool_or(wish.function, "verify_jwt", true));
    return wish;
}

static void resume_waiters(struct run *run);

static void drain(struct run *run, struct worker *w, int64_t patience_ms)
{
    upstream_retire(w->upstream);
    w->stop_boot_ms = clock_boot_ms() + patience_ms;
    w->next = run->draining;
    run->draining = w;
}

/* Takes the current worker out of service; the slot's reference becomes the worker's again. */
static void take_down(struct run *run, int64_t patience_ms)
{
    struct worker *w = run->current;
    run->current = NULL;
    (void)upstream_slot_set(run->slot, NULL); /* returns the reference that `w` is given back */
    drain(run, w, patience_ms);
}

static void pause_after_failure(struct run *run, int64_t now_ms)
{
    int64_t pause = run->failures ? PAUSE_FIRST_MS : 0;
    for (unsigned i = 1; i < run->failures && pause < PAUSE_MAX_MS; i++)
        pause *= 2;
    run->failures++;
    run->next_start_boot_ms = now_ms + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
}

static void note_end(struct run *run, const struct worker *w, const char *when)
{
    int status = child_exit_status(w->child);
    (void)pthread_mutex_lock(&run->functions->mutex);
    run->last_exit_status = status;
    run->last_exit_boot_ms = clock_boot_ms();
    (void)pthread_mutex_unlock(&run->functions->mutex);
    log_event("function.end", "%s %s v%lld %s: status %d", run->functions->env->id.name, run->slug,
              (long long)w->version, when, status);
}

static void see_crash(struct run *run, int64_t now_ms)
{
    struct worker *w = run->current;
    if (!w || child_is_running(w->child))
        return;
    note_end(run, w, "ended by itself");
    run->current = NULL;
    (void)upstream_slot_set(run->slot, NULL);
    if (now_ms - w->started_boot_ms > STABLE_MS)
        run->failures = 0;
    pause_after_failure(run, now_ms);
    upstream_retire(w->upstream);
    worker_free(w);
}

static void boot_failed(struct run *run, int64_t now_ms)
{
    struct functions *f = run->functions;
    pause_after_failure(run, now_ms);
    if (run->failures < BOOT_TRIES)
        return;
    if (run->current)
        take_down(run, DRAIN_TIMEOUT_MS);
    (void)pthread_mutex_lock(&f->mutex);
    run->boot_failed = true;
    run->retry_boot_ms = run->next_start_boot_ms;
    (void)pthread_mutex_unlock(&f->mutex);
    resume_waiters(run);
}

static void start_booting(struct run *run, const struct wish *wish, int64_t now_ms)
{
    struct functions *f = run->functions;
    struct err e;
    json_auto_t *secrets = project_secret_values(f->project);
    struct worker_spec spec = {
        .env = f->env,
        .tools = f->tools,
        .project_dir = project_dir(f->project),
        .function = wish->function,
        .secrets = secrets,
        .generation = wish->generation,
        .on_exit = wake_by_child,
        .context = f,
    };
    bool ok = worker_start(&spec, &run->booting, &e);
    (void)pthread_mutex_lock(&f->mutex);
    run->is_missing = !ok && e.code == ERR_NOT_FOUND;
    (void)pthread_mutex_unlock(&f->mutex);
    if (!ok) {
        log_event("function.start", "%s: %s", run->slug, e.why);
        run->failures = run->failures ? run->failures : 1;
        boot_failed(run, now_ms);
    }
}

/* The new version serves; the old one finishes what it has. */
static void switch_over(struct run *run)
{
    struct functions *f = run->functions;
    struct worker *old = run->current;
    (void)pthread_mutex_lock(&f->mutex);
    int64_t patience_ms = run->is_suspect ? FAREWELL_MS : DRAIN_TIMEOUT_MS; /* it may be stuck */
    (void)pthread_mutex_unlock(&f->mutex);
    run->current = run->booting;
    run->booting = NULL;
    (void)upstream_slot_set(run->slot, run->current->upstream);
    (void)pthread_mutex_lock(&f->mutex);
    run->boot_failed = false;
    run->is_suspect = false;
    run->pid = child_pid(run->current->child);
    run->version = run->current->version;
    (void)pthread_mutex_unlock(&f->mutex);
    if (old)
        drain(run, old, patience_ms);
    resume_waiters(run);
}

static void watch_boot(struct run *run, int64_t now_ms)
{
    struct worker *w = run->booting;
    bool runs = child_is_running(w->child);
    if (runs && worker_accepts(w)) {
        switch_over(run);
        return;
    }
    if (runs && now_ms - w->started_boot_ms > BOOT_TIMEOUT_MS)
        child_signal(w->child, SIGKILL); /* its end is seen next time */
    if (runs)
        return;
    note_end(run, w, "while it started");
    run->booting = NULL;
    worker_free(w);
    boot_failed(run, now_ms);
}

static void watch_draining(struct run *run, int64_t now_ms)
{
    for (struct worker **at = &run->draining; *at;) {
        struct worker *w = *at;
        if (!child_is_running(w->child)) {
            *at = w->next;
            worker_free(w);
            continue;
        }
        bool is_over = now_ms > w->stop_boot_ms;
        if (!w->was_told && (is_over || upstream_in_flight(w->upstream) == 0)) {
            child_signal(w->child, SIGTERM);
            w->was_told = true;
            w->stop_boot_ms = now_ms + FAREWELL_MS;
        } else if (w->was_told && is_over) {
            child_signal(w->child, SIGKILL);
        }
        at = &w->next;
    }
}

static bool fits(const struct worker *w, const struct wish *wish)
{
    return w && w->version == wish->version && w->generation == wish->generation;
}

static bool needs_start(const struct run *run, const struct wish *wish)
{
    return wish->function && wish->is_wanted && !run->booting &&
           (!fits(run->current, wish) || wish->is_suspect);
}

/* Makes one function's processes match the wish. Returns after how many ms to look again, or -1. */
static int step(struct run *run)
{
    int64_t now_ms = clock_boot_ms();
    struct wish wish = read_wish(run);
    see_crash(run, now_ms);
    if (run->booting && !fits(run->booting, &wish)) {
        drain(run, run->booting, 0);
        run->booting = NULL;
    }
    if (run->tried_version != wish.version || run->tried_generation != wish.generation) {
        run->tried_version = wish.version; /* something new deserves a start without a pause */
        run->tried_generation = wish.generation;
        run->failures = 0;
        run->next_start_boot_ms = 0;
    }
    if (!wish.function && run->current)
        take_down(run, DRAIN_TIMEOUT_MS);
    if (needs_start(run, &wish) && now_ms >= run->next_start_boot_ms)
        start_booting(run, &wish, now_ms);
    if (run->booting)
        watch_boot(run, now_ms);
    watch_draining(run, now_ms);

    struct functions *f = run->functions;
    bool is_busy = run->booting != NULL;
    bool needs = needs_start(run, &wish);
    (void)pthread_mutex_lock(&f->mutex);
    run->is_settled = !wish.function || !wish.is_wanted || run->boot_failed ||
                      (fits(run->current, &wish) && !is_busy);
    if (!run->current)
        run->pid = 0;
    if (!wish.function) { /* one of that name that comes later is another one */
        run->asked_version = 0;
        run->version = 0;
        run->boot_failed = false;
        run->is_wanted = false;
    }
    if (run->is_settled)
        (void)pthread_cond_broadcast(&f->settled);
    (void)pthread_mutex_unlock(&f->mutex);
    if (!wish.function)
        resume_waiters(run);
    json_decref(wish.function);
    if (run->booting)
        return BOOT_LOOK_MS;
    if (run->draining)
        return DRAIN_LOOK_MS;
    int64_t left = run->next_start_boot_ms - now_ms;
    return needs ? (left > 0 ? (int)left : BOOT_LOOK_MS) : -1;
}

static void *keep(void *argument)
{
    struct functions *f = argument;
    for (;;) {
        int timeout_ms = -1;
        (void)pthread_mutex_lock(&f->mutex);
        struct run *first = f->runs;
        bool stop = f->stop_asked;
        (void)pthread_mutex_unlock(&f->mutex);
        if (stop)
            return NULL;
        for (struct run *run = first; run; run = run->next) {
            int wait_ms = step(run);
            if (wait_ms >= 0 && (timeout_ms < 0 || wait_ms < timeout_ms))
                timeout_ms = wait_ms;
        }
        struct pollfd p = { .fd = f->wake_fd, .events = POLLIN };
        if (poll(&p, 1, timeout_ms) > 0) {
            uint64_t count;
            (void)!read(f->wake_fd, &count, sizeof count);
        }
    }
}

/* ---- Runs ------------------------------------------------------------------------------------ */

struct run *functions_find(struct functions *f, const char *slug)
{
    (void)pthread_mutex_lock(&f->mutex);
    struct run *run = f->runs;
    while (run && !streq(run->slug, slug))
        run = run->next;
    (void)pthread_mutex_unlock(&f->mutex);
    return run;
}

static struct run *make_run(struct functions *f, const char *slug)
{
    struct run *run = calloc(1, sizeof *run);
    if (!run)
        memory_exhausted(sizeof *run);
    run->functions = f;
    run->slot = upstream_slot_new();
    run->exists = true;
    (void)snprintf(run->slug, sizeof run->slug, "%s", slug);
    atomic_store(&run->verify_jwt, true);
    (void)pthread_mutex_lock(&f->mutex);
    run->next = f->runs;
    f->runs = run;
    (void)pthread_mutex_unlock(&f->mutex);
    return run;
}

static void run_free(struct run *run)
{
    upstream_slot_free(run->slot);
    free(run);
}

/* A run for every stored function; those whose stored version differs from the running one, or that
 * are new, are wanted. */
static void take_in(struct functions *f, bool start)
{
    json_auto_t *list = project_functions(f->project);
    size_t i;
    json_t *one;
    json_array_foreach (list, i, one) {
        const char *slug = json_text_or(one, "slug", "");
        struct run *run = functions_find(f, slug);
        if (!run)
            run = make_run(f, slug);
        (void)pthread_mutex_lock(&f->mutex);
        int64_t version = json_int_or(one, "version", 0);
        if (start && run->version != version && run->asked_version != version) {
            run->asked_version = version;
            run->is_wanted = true;
            run->boot_failed = false;
            run->exists = true;
        }
        run->is_settled = run->is_settled && !run->is_wanted;
        (void)pthread_mutex_unlock(&f->mutex);
        atomic_store(&run->verify_jwt, json_bool_or(one, "verify_jwt", true));
    }
}

static bool all_settled(const struct functions *f)
{
    for (const struct run *run = f->runs; run; run = run->next)
        if (run->is_wanted && !run->is_settled)
            return false;
    return true;
}

static void await_settled(struct functions *f)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += SETTLE_TIMEOUT_MS / 1000;
    (void)pthread_mutex_lock(&f->mutex);
    int late = 0;
    while (!all_settled(f) && late == 0 && !f->stop_asked)
        late = pthread_cond_timedwait(&f->settled, &f->mutex, &until);
    (void)pthread_mutex_unlock(&f->mutex);
}

void functions_settle(struct functions *f)
{
    take_in(f, true);
    functions_wake(f);
    await_settled(f);
}

void functions_secrets_changed(struct functions *f)
{
    (void)pthread_mutex_lock(&f->mutex);
    f->generation++;
    for (struct run *run = f->runs; run; run = run->next) {
        run->is_settled = run->is_settled && !run->is_wanted;
        run->boot_failed = false;
    }
    (void)pthread_mutex_unlock(&f->mutex);
    functions_wake(f);
    await_settled(f);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static unsigned idle_ms(void)
{
    const char *chosen = env_value("LOCKFLIGHT_FUNCTION_IDLE_MS"); /* tests do not wait 150 s */
    uint64_t ms = 0;
    return chosen && str_to_u64(str_of(chosen), &ms) && ms > 0 && ms < REQUEST_IDLE_MS
               ? (unsigned)ms
               : REQUEST_IDLE_MS;
}

static bool is_in_use(const json_t *functions, const char *digest)
{
    size_t i;
    json_t *one;
    json_array_foreach (functions, i, one)
        if (streq(json_text_or(one, "ezbr_sha256", ""), digest))
            return true;
    return false;
}

/* Folders that a killed deploy left half-written, and contents that no function has had for a
 * while: a rollback that needs one sends it again. */
static void sweep(struct functions *f, const char *dir)
{
    struct arena *a = arena_new(16 * MIB);
    struct err ignored;
    const char **names = NULL;
    size_t n = 0;
    const char *bundles = fs_join(a, dir, "bundles");
    json_auto_t *list = project_functions(f->project);
    if (!fs_list(a, bundles, &names, &n, &ignored))
        n = 0;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        const char *path = fs_join(a, bundles, names[i]);
        bool is_old =
            stat(path, &st) == 0 && clock_unix_ms() / 1000 - st.st_mtim.tv_sec > BUNDLE_KEEP_S;
        if (starts_with(names[i], ".new-") || (is_old && !is_in_use(list, names[i])))
            (void)!fs_remove_tree(path, &ignored);
    }
    arena_free(a);
}

bool functions_open(struct platform_environment *env, const struct bundle_tools *tools,
                    struct functions **ret, struct err *e)
{
    struct arena *a = arena_new(16 * MIB);
    struct functions *f = ARENA_NEW(a, struct functions);
    const char *dir =
        arena_printf(a, "%s/projects/%s", env->platform->state_dir, env->id.project_ref);
    *f = (struct functions){ .arena = a, .env = env, .tools = tools, .idle_ms = idle_ms() };
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&f->mutex, NULL);
    (void)pthread_cond_init(&f->settled, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    f->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (f->wake_fd < 0 || !fs_mkdirs(fs_join(a, dir, "bundles"), 0700, e) ||
        !project_open(dir, &f->project, e)) {
        arena_free(a);
        return false;
    }
    sweep(f, dir);
    take_in(f, false);
    errno = pthread_create(&f->keeper, NULL, keep, f);
    if (errno != 0) {
        project_close(f->project);
        arena_free(a);
        return err_system(e, "start the keeper");
    }
    *ret = f;
    return true;
}

static void end_worker(struct worker *w)
{
    if (!w)
        return;
    child_stop(w->child, SIGTERM, 2000);
    worker_free(w);
}

void functions_close(struct functions *f)
{
    if (!f)
        return;
    (void)pthread_mutex_lock(&f->mutex);
    f->stop_asked = true;
    (void)pthread_cond_broadcast(&f->settled);
    (void)pthread_mutex_unlock(&f->mutex);
    functions_wake(f);
    (void)pthread_join(f->keeper, NULL);
    for (struct run *run = f->runs; run; run = run->next)
        if (run->current)
            take_down(run, 0);
    for (struct run *run = f->runs; run; run = run->next) {
        if (run->booting)
            child_signal(run->booting->child, SIGTERM);
        for (struct worker *w = run->draining; w; w = w->next)
            child_signal(w->child, SIGTERM);
    }
    while (f->runs) {
        struct run *run = f->runs;
        f->runs = run->next;
        end_worker(run->booting);
        while (run->draining) {
            struct worker *w = run->draining;
            run->draining = w->next;
            end_worker(w);
        }
        run_free(run);
    }
    project_close(f->project);
    (void)close(f->wake_fd);
    arena_free(f->arena);
}

struct project *functions_project(struct functions *f)
{
    return f->project;
}

const struct bundle_tools *functions_tools(struct functions *f)
{
    return f->tools;
}

bool functions_reset(struct functions *f, struct err *e)
{
    struct arena *scratch = arena_new(1 * MIB);
    bool ok = project_clear(f->project, e);
    if (ok) {
        functions_secrets_changed(f);
        ok = fs_remove_tree(fs_join(scratch, project_dir(f->project), "bundles"), e) &&
             fs_mkdirs(fs_join(scratch, project_dir(f->project), "bundles"), 0700, e);
    }
    arena_free(scratch);
    return ok;
}

void functions_status(struct functions *f, json_t *parts)
{
    (void)pthread_mutex_lock(&f->mutex);
    for (const struct run *run = f->runs; run; run = run->next) {
        const char *state = run->pid           ? "runs"
                            : run->boot_failed ? "does not boot"
                                               : "starts when asked";
        if (run->exists)
            (void)json_array_append_new(
                parts,
                json_pack("{s:s, s:s, s:s, s:b, s:s, s:i, s:I}", "part",
                          arena_printf(f->arena, "function %s", run->slug), "environment",
                          f->env->id.name, "slug", run->slug, "running", run->pid != 0, "state",
                          state, "pid", (int)run->pid, "version", (json_int_t)run->version));
    }
    (void)pthread_mutex_unlock(&f->mutex);
}

/* ---- Waiters --------------------------------------------------------------------------------- */

static void resume_waiters(struct run *run)
{
    struct functions *f = run->functions;
    (void)pthread_mutex_lock(&f->mutex);
    struct waiter *w = run->waiters;
    run->waiters = NULL;
    run->waiters_n = 0;
    (void)pthread_mutex_unlock(&f->mutex);
    while (w) {
        struct waiter *next = w->next; /* it lives in the request, which goes on at once */
        request_resume(w->request, function_waiter_resumed, run);
        w = next;
    }
}
