/* The contract of an experiment: one file in src/bench, which tells this table all that
   is special about it; a script plots/NAME.gp draws its NAME.csv. */
#ifndef BENCH_EXPERIMENT_H
#define BENCH_EXPERIMENT_H

#include "bench/bench.h"
#include "bench/schedule.h"
#include "bench/trial.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { EXPERIMENT_TEXT = 32, EXPERIMENT_PARTS = 5 };

/* What one trial of a cell found. */
struct outcome {
    int     contender, size;
    int     trial;       /* from 0; the number of the block */
    int     position;    /* from 0; how many trials of the experiment came before */
    bool    valid;
    char    why[TRIAL_WHY];    /* ... not; or why it could not run at all */
    int64_t figure;      /* what the table shows, in the experiment's own unit */
    int64_t detail;      /* what else the experiment wants to remember */
    int64_t parts[EXPERIMENT_PARTS];    /* and this */
};

/* All that an experiment found. */
struct record {
    const struct bench      *bench;
    const struct experiment *experiment;
    const struct contenders *contenders;    /* the models, or the experiment's own */
    struct outcome          *outcomes;
    int                      count;
};

/* A row of the table below the contenders: what theory says. */
struct theory {
    const char *label;            /* "N·L"; NULL: there is none */
    bool        one_at_a_time;    /* of interest only beside a contender that is that */
    int64_t   (*at)(const struct bench *bench, int size);
};

struct experiment {
    const char   *name;
    const char   *question;
    const char   *csv_header;
    const int    *sizes;         /* the ones most worth having first; ends with 0 */
    const char   *size_words;    /* what a size counts: "requests" */
    const char   *table_words;   /* what the table shows: "median time" */
    int           trials_most;   /* 0: as many as the user says */
    bool          wants_ceiling; /* what the server can do at most is measured before */
    const struct contenders *contenders;    /* its own, without a server; NULL: models */
    struct theory theory[2];

    /* Fills requests, in_flight, ideal_ns, formula, obstacle and base for the contender
       and the size that cell names. Returns false if there is no such cell. Not asked
       beyond a contender's size_most. */
    bool (*plan)(const struct bench *bench, const struct contender *contender,
                 struct cell *cell);

    /* Measures cell once: writes its rows to csv, and valid, why, figure and detail to
       outcome, whose other members are set. Returns as trial_finish does: no row but with
       TRIAL_RAN. */
    int (*measure)(struct bench *bench, const struct record *record,
                   const struct cell *cell, FILE *csv, struct outcome *outcome);

    /* Writes a figure for people: "0.152 s". */
    void (*format)(int64_t figure, char text[EXPERIMENT_TEXT]);

    /* Writes what was found, in one sentence that is true for any set of contenders. */
    void (*find)(const struct record *record, FILE *out);
};

#endif
