/*
 * Signals: see signals.h. The handler only counts; the second one leaves, since the journal makes
 * that safe at any instant.
 */
#include "base/signals.h"

#include <signal.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

enum {
    EXIT_INTERRUPTED = 9
};

#define ECHO_MS 1000

static volatile sig_atomic_t stops_asked;
static volatile sig_atomic_t stops_heard;
static volatile int64_t last_ms[NSIG]; /* when each signal came last; 0: never */

/* A runner that stops a job tells every process of it, and npx, npm and shells in between tell us
 * again: a process that sends what came just now says nothing new. A key that is pressed twice does. */
static bool is_echo(int number, const siginfo_t *from)
{
    struct timespec now = { 0 };
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
    bool is_again = last_ms[number] != 0 && now_ms - last_ms[number] < ECHO_MS;
    last_ms[number] = now_ms;
    return is_again && from->si_code != SI_KERNEL;
}

static void on_stop(int number, siginfo_t *from, void *context)
{
    (void)context;
    static const char first[] =
        "\nlockflight: stopping at the next boundary; press again to stop now\n";
    static const char second[] = "\nlockflight: stopped; `lockflight resume` finishes or unwinds\n";
    if (is_echo(number, from))
        return;
    stops_asked++;
    const char *text = stops_asked == 1 ? first : second;
    size_t bytes = stops_asked == 1 ? sizeof first - 1 : sizeof second - 1;
    ssize_t ignored = write(STDERR_FILENO, text, bytes);
    (void)ignored;
    if (stops_asked > 1)
        _exit(EXIT_INTERRUPTED);
}

void signals_install(void)
{
    /* blocked against each other, because both write what is above */
    struct sigaction stop = { .sa_sigaction = on_stop, .sa_flags = SA_SIGINFO };
    (void)sigaddset(&stop.sa_mask, SIGINT);
    (void)sigaddset(&stop.sa_mask, SIGTERM);
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGTERM, &stop, NULL);
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

bool signals_stop_asked(void)
{
    return stops_asked > stops_heard;
}

void signals_stop_heard(void)
{
    stops_heard = stops_asked;
}
