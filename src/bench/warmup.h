/* What is done before anything counts. */
#ifndef BENCH_WARMUP_H
#define BENCH_WARMUP_H

#include "bench/bench.h"

/* Runs each contender once and throws the result away: caches are warm then, it is known
   what a start of it costs, and whether an external one can wait for more than one. Takes
   out those that can't run, and says so. Returns 0, -EINTR or another -errno. */
int warmup_contenders(struct bench *bench);

/* Measures how many requests a second the server can answer at all, at delay 0, and keeps
   it in bench. Returns 0, -EINTR or another -errno. */
int warmup_ceiling(struct bench *bench);

#endif
