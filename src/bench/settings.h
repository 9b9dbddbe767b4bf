/* What the command line says. */
#ifndef BENCH_SETTINGS_H
#define BENCH_SETTINGS_H

#include "kit/options.h"

#include <stdbool.h>
#include <stdint.h>

struct settings {
    const char         *models;        /* a comma list; NULL: all */
    int64_t             latency_ns;    /* a whole number of microseconds */
    int64_t             trials, seed;
    int64_t             budget_ns;     /* what all the experiments may take together */
    int64_t             timeout_ns;    /* of one request */
    const char         *directory;
    const char         *url;           /* NULL: a server of our own */
    struct option_texts externals;
    bool                list;
};

extern const struct option_program settings_program;

/* Parses argv over the defaults. Returns the index of the first operand, an experiment's
   name. Does not return where help was asked for or something is wrong. */
int settings_or_exit(struct settings *settings, int argc, char **argv);

#endif
