/* All experiments; the build finds them. */
#ifndef BENCH_EXPERIMENTS_H
#define BENCH_EXPERIMENTS_H

#include "bench/experiment.h"

/* In the order of their names; ends with NULL. */
extern const struct experiment *const experiments[];

/* The experiment called name, or NULL. */
const struct experiment *experiment_find(const char *name);

#endif
