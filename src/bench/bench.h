/* What every part of bench shares: the settings, who is measured, and what with. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "bench/contenders.h"
#include "bench/launcher.h"
#include "bench/progress.h"
#include "bench/settings.h"
#include "bench/target.h"
#include "kit/cpus.h"

#include <signal.h>

enum { BENCH_WHY = 800, BENCH_PATH = 4096 };

struct bench {
    struct settings   settings;
    struct launcher   launcher;
    struct target     target;
    struct contenders contenders;
    struct progress   progress;
    struct cpus       server_cpus, client_cpus;
    bool              bound;            /* the two differ, and each side is bound */
    double            ceiling_per_s;    /* the server's, at delay 0; 0: not measured */
    int               planned, kept;    /* trials */
    int               amiss;            /* what was not as it should be: exit status 3 */
    char              why[BENCH_WHY];   /* what a function that failed has to say */
    const volatile sig_atomic_t *stop;  /* set: end in order */
};

/* Prints a line on standard output, clear of the progress bar. */
__attribute__((format(printf, 2, 3)))
void bench_say(struct bench *bench, const char *form, ...);

/* Keeps the sentence for main to print, and returns error. */
__attribute__((format(printf, 3, 4)))
int bench_fail(struct bench *bench, int error, const char *form, ...);

/* Where NAME.csv is to be written. */
void bench_csv_path(const struct bench *bench, const char *name, char path[BENCH_PATH]);

#endif
