/* Who is measured: the models that fetch has, and programs from outside. */
#ifndef BENCH_CONTENDERS_H
#define BENCH_CONTENDERS_H

#include "bench/settings.h"
#include "kit/process.h"

#include <stdbool.h>
#include <stdint.h>

enum { CONTENDERS_MOST = 48, CONTENDERS_TEXT = 8192, CONTENDERS_WHY = 600 };

struct contender {
    const char *name;
    const char *command;          /* an external model's, for the shell; what else an
                                     experiment runs, as it likes; or NULL */
    const char *unavailable;      /* why it can't run here, or NULL */
    bool        one_at_a_time;
    bool        process_each;     /* it has a process for each request in flight */
    bool        named;            /* it was asked for by name */
    int         size_most;        /* the largest size that it can have; 0: any */
};

struct contenders {
    struct contender items[CONTENDERS_MOST];
    int              count;
    char             fetch[PROCESS_PATH];      /* the program */
    char             list[CONTENDERS_TEXT];    /* what it says of its models, cut up */
    char             names[CONTENDERS_TEXT];   /* the externals' */
};

/* Asks fetch for its models, adds the externals, and keeps those that the settings want.
   Returns 0, or an exit status with why set: 1 if fetch could not say, 2 if a name is
   wrong. Those that are unavailable are still among them. */
int contenders_open(struct contenders *contenders, const struct settings *settings,
                    char why[CONTENDERS_WHY]);

/* Takes out number i. */
void contenders_remove(struct contenders *contenders, int i);

#endif
