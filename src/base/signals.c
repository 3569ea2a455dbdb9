/*
 * Signals: see signals.h. The handler only counts; the second one leaves, since the journal makes
 * that safe at any instant.
 */
#include "base/signals.h"

#include <signal.h>
#include <unistd.h>

enum {
    EXIT_INTERRUPTED = 9
};

static volatile sig_atomic_t stops_asked;
static volatile sig_atomic_t stops_heard;

static void on_stop(int signal_number)
{
    (void)signal_number;
    static const char first[] =
        "\nlockflight: stopping at the next boundary; press again to stop now\n";
    static const char second[] = "\nlockflight: stopped; `lockflight resume` finishes or unwinds\n";
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
    struct sigaction stop = { .sa_handler = on_stop };
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
