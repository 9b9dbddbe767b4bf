/* machine.csv: what the figures were measured on, and with. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include "bench/bench.h"

enum { MACHINE_LOAD = 64 };

/* The load averages as the kernel writes them: "0.53 0.15 0.08 2/91 14179". */
void machine_load(char load[MACHINE_LOAD]);

/* Writes DIR/machine.csv. Returns 0 or -errno with bench->why set. */
int machine_write(struct bench *bench, const char *load_before);

#endif
