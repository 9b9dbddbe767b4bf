#include "bench/progress.h"

#include "kit/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { CELLS = 30 };

void progress_begin(struct progress *progress, int64_t all_ns)
{
    *progress = (struct progress){.shown = isatty(STDERR_FILENO), .all_ns = all_ns};
    progress->begun_ns = progress->step_begun_ns = clock_ns();
}

void progress_step(struct progress *progress, const char *label, int64_t step_ns)
{
    progress->done_ns += progress->step_ns;
    progress->step_ns = step_ns;
    progress->step_begun_ns = clock_ns();
    snprintf(progress->label, sizeof progress->label, "%s", label);
    progress_show(progress);
}

int64_t progress_left_ns(const struct progress *progress, int64_t now_ns)
{
    double stretch = 1;
    if (progress->done_ns > 0)
        stretch = (double)(progress->step_begun_ns - progress->begun_ns) /
                  (double)progress->done_ns;
    double left = stretch * (double)(progress->all_ns - progress->done_ns) -
                  (double)(now_ns - progress->step_begun_ns);
    return left > 0 ? (int64_t)left : 0;
}

void progress_show(const struct progress *progress)
{
    if (!progress->shown || progress->all_ns <= 0)
        return;
    char bar[CELLS + 1];
    int full = (int)(CELLS * (double)progress->done_ns / (double)progress->all_ns);
    for (int i = 0; i < CELLS; i++)
        bar[i] = i < full ? '#' : '.';
    bar[CELLS] = '\0';
    int64_t left_s = (progress_left_ns(progress, clock_ns()) + CLOCK_S - 1) / CLOCK_S;
    fprintf(stderr, "\r[%s] %" PRId64 ":%02" PRId64 " left  %s\033[K", bar, left_s / 60,
            left_s % 60, progress->label);
}

void progress_clear(const struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
}
