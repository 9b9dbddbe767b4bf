#include "kit/clock.h"

#include <errno.h>

int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);    /* cannot fail: the clock exists */
    return (int64_t)now.tv_sec * CLOCK_S + now.tv_nsec;
}

struct timespec clock_timespec(int64_t ns)
{
    if (ns < 0)
        ns = 0;
    return (struct timespec){.tv_sec = ns / CLOCK_S, .tv_nsec = ns % CLOCK_S};
}

struct timeval clock_timeval(int64_t ns)
{
    if (ns < 0)
        ns = 0;
    int64_t us = ns / CLOCK_US + (ns % CLOCK_US != 0);
    return (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
}

void clock_sleep(int64_t ns)
{
    struct timespec until = clock_timespec(clock_ns() + ns);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}
