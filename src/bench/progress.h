/* A bar with the time left, on standard error where that is a terminal. */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum { PROGRESS_LABEL = 48 };

struct progress {
    bool    shown;                    /* at all */
    char    label[PROGRESS_LABEL];    /* what runs now */
    int64_t begun_ns;                 /* when it all began */
    int64_t step_begun_ns;
    int64_t step_ns, done_ns, all_ns; /* planned: of this step, so far, in all */
};

/* all_ns is what was planned for all steps together. */
void progress_begin(struct progress *progress, int64_t all_ns);

/* A step that was planned to take step_ns begins; the one before has ended. */
void progress_step(struct progress *progress, const char *label, int64_t step_ns);

/* Draws it anew. */
void progress_show(const struct progress *progress);

/* Wipes it off, so that something else can be printed. */
void progress_clear(const struct progress *progress);

/* What is still to take: what the plan has left, stretched as the past was against its
   plan. */
int64_t progress_left_ns(const struct progress *progress, int64_t now_ns);

#endif
