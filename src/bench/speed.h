/* What makespan and throughput have in common: runs against /delay that are timed, and
   the columns of their CSV. */
#ifndef BENCH_SPEED_H
#define BENCH_SPEED_H

#include "bench/experiment.h"

enum { SPEED_PATH = 64 };

extern const char speed_csv_header[];

/* 1 to 1,000 in steps of about three, the most telling first, so that what the budget
   leaves out is missed least. Ends with 0. */
extern const int speed_sizes[];

/* N requests, all at once or one after the other: what theory says, L and N·L, and the
   plan of a cell. */
int64_t speed_together(const struct bench *bench, int size);
int64_t speed_one_by_one(const struct bench *bench, int size);
bool speed_plan_at_once(const struct bench *bench, const struct contender *contender,
                        struct cell *cell);

/* Writes the path that waits for the settings' latency: "/delay/100000us?i={i}". */
void speed_path(const struct bench *bench, char path[SPEED_PATH]);

/* Runs the cell, judges it, warns of 40 ms steps and writes its row. The caller frees
   trial, and takes its figure from it. Returns as trial_finish does. */
int speed_measure(struct bench *bench, const struct cell *cell,
                  enum trial_claim claim, FILE *csv, struct outcome *outcome,
                  struct trial *trial);

#endif
