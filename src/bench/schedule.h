/* Which cells the budget has room for, and in what order they are run. */
#ifndef BENCH_SCHEDULE_H
#define BENCH_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* One contender at one size; measured once in each trial. */
struct cell {
    int         contender;    /* its number */
    int         size;         /* N of makespan, C of throughput, K of footprint */
    int         requests, in_flight;
    int64_t     ideal_ns;     /* the time it takes if waiting costs nothing */
    const char *formula;      /* ... and whence that comes: "N·L" */
    const char *obstacle;     /* why it can't be run here; NULL: none is known */
    int64_t     cost_ns;      /* what it will take, as far as one can tell */
    bool        base;         /* the others are compared with it: first in each trial */
    bool        unable;       /* it could not run; don't try again */
};

/* Puts the cells into the order of their ideal time, those of the same where they stand,
   and takes from the front what fits: the sum of the costs, trials times over, within
   budget_ns. Returns how many cells that are. */
int schedule_choose(struct cell *cells, int count, int64_t trials, int64_t budget_ns);

/* The cost of the first count cells, trials times over. */
int64_t schedule_cost(const struct cell *cells, int count, int64_t trials);

/* Fills order with 0 to count - 1, shuffled: a new order for each trial, always the same
   for the same seed. Cells that are a base come before the others. */
void schedule_shuffle(const struct cell *cells, int *order, int count, uint64_t seed,
                      int trial);

#endif
