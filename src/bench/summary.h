/* What a run's requests.csv says, read strictly and summed up. */
#ifndef BENCH_SUMMARY_H
#define BENCH_SUMMARY_H

#include "kit/result.h"

#include <stddef.h>
#include <stdint.h>

enum { SUMMARY_WHY = 160 };

struct summary {
    int     ok, failed, not_started;        /* together every request */
    int64_t wall_ns;                        /* from the first start to the last end */
    int64_t p50_ns, p90_ns, p99_ns, max_ns; /* service times of those that are ok */
    int     peak_in_flight;                 /* the most at one moment */
};

/* Reads the rows of count requests into results[number]; a time never reached is -1.
   Refuses (-EINVAL, with why in words) a file that is not requests.csv, or has not
   exactly one row for each request, or tells an impossible story. Or returns another
   -errno. */
int summary_read(const char *path, struct result *results, int count,
                 char why[SUMMARY_WHY]);

/* Returns 0 or -ENOMEM. */
int summary_make(const struct result *results, int count, struct summary *summary);

/* How many were in flight from from_ns to to_ns, averaged over that time. */
double summary_mean_in_flight(const struct result *results, int count, int64_t from_ns,
                              int64_t to_ns);

/* Writes the times of those that started to starts, earliest first. Returns how many. */
int summary_starts(const struct result *results, int count, int64_t *starts);

#endif
