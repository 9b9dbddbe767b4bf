/* The checks that a trial has to pass before its figures count. */
#ifndef BENCH_GUARDS_H
#define BENCH_GUARDS_H

#include "bench/procfs.h"
#include "bench/summary.h"

#include <stdbool.h>

enum { GUARDS_WHY = 300 };

/* What is known of a trial. */
struct evidence {
    const struct result  *results;
    int                   count;            /* of results */
    const struct summary *summary;          /* of the same */
    int                   in_flight;        /* what was asked */
    bool                  closed_loop;      /* that many at any time */
    int64_t               server_cpu_ns;    /* during the trial; -1: unknown */
    double                ceiling_per_s;    /* the most the server can do; 0: unknown */
    struct procfs_listen  before, after;
};

/* Returns true if all is well; else why says what is not, the reasons parted by "; ". */
bool guards_pass(const struct evidence *evidence, char why[GUARDS_WHY]);

/* How many requests took some 40 ms longer than the server waited, if they stand out from
   those that took a little less and a little more; else 0. Nagle's algorithm against
   delayed acknowledgements looks like that: not proof enough to refuse a trial, but to
   warn. */
int guards_forty_ms(const struct result *results, int count);

#endif
