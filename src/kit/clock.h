/* Time as every program here counts it: CLOCK_MONOTONIC, in nanoseconds. */
#ifndef KIT_CLOCK_H
#define KIT_CLOCK_H

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

enum {
    CLOCK_US = 1000,          /* nanoseconds in a microsecond */
    CLOCK_MS = 1000 * 1000,
    CLOCK_S = 1000 * 1000 * 1000
};

/* Now. Never steps back, and says nothing about the time of day. */
int64_t clock_ns(void);

/* A length of time as the system calls want it. A negative one becomes zero;
   the timeval is rounded up to a whole microsecond, so that no wait is cut short. */
struct timespec clock_timespec(int64_t ns);
struct timeval clock_timeval(int64_t ns);

/* Sleeps for ns, also when signals come. */
void clock_sleep(int64_t ns);

#endif
