/* What each thread of a run was doing, and when: found by looking at them all from
   outside, again and again. Between two looks only their counters tell what happened. */
#ifndef BENCH_SAMPLER_H
#define BENCH_SAMPLER_H

#include "kit/task.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

enum { SAMPLER_PROCESSES = 64, SAMPLER_THREADS = 256, SAMPLER_WHY = 200 };

enum span_state {
    SPAN_RUNNING,    /* it was found so: task.h says what the three mean */
    SPAN_READY,
    SPAN_ASLEEP,
    SPAN_STARTED,    /* its first: from the look before to the one that found it */
    SPAN_ENDED,      /* its last: from the last look that found it to the next */
    SPAN_ALL         /* of no thread: what all processes used together */
};

/* A time in which nothing changed, from one look to a later one. Who was found asleep at
   both, and has run in between, has a span of its own there. */
struct span {
    int             process, thread;    /* from 0, as they appeared; -1: all */
    int64_t         from_ns, to_ns;     /* CLOCK_MONOTONIC */
    enum span_state state;
    long            call;               /* in which it sleeps, as in struct task_look */
    int64_t         cpu_ns, ready_ns;   /* in that time; -1: unknown */
};

/* All private. */
struct sampler_process {
    pid_t     pid;      /* 0: it has ended */
    DIR      *tasks;
    clockid_t clock;    /* of its CPU time, threads that have ended included */
    int64_t   cpu_ns;
};

struct sampler_thread {
    pid_t            tid;
    int              process, number;
    bool             listed;    /* it is still there */
    struct task      task;
    struct task_look look;      /* the last one */
    struct span      span;      /* up to the last look */
};

struct sampler {
    int                    children_fd;
    int64_t                look_ns;    /* when that was */
    int64_t                cpu_ns;     /* used till then, by all */
    struct sampler_process processes[SAMPLER_PROCESSES];
    struct sampler_thread  threads[SAMPLER_THREADS];    /* that live */
    int                    process_count, thread_count, numbers;
    struct span            all;
    struct span           *spans;
    size_t                 span_count;
};

/* Begins to look at a process of this user, which has just started, its threads, and the
   children that its first thread starts; beyond as many as above, they are left out. The
   first spans have all that was used since the start. Returns 0, or -errno with why set
   to what it can't see. To be followed by sampler_end in any case. */
int sampler_begin(struct sampler *sampler, pid_t pid, char why[SAMPLER_WHY]);

/* Looks at all of them. Returns 0, -ESRCH if none is left, or another -errno. */
int sampler_look(struct sampler *sampler);

/* Ends all spans at the last look, and looks no more. Returns 0 or -ENOMEM. */
int sampler_end(struct sampler *sampler);

/* The header row of threads.csv, without the line's end. */
extern const char sampler_csv_header[];

/* Writes a row for each span, in the order in which they ended. Times count from zero_ns;
   what is unknown, and what no thread or no call has, is left empty. */
void sampler_write(const struct sampler *sampler, FILE *csv, const char *model,
                   int64_t zero_ns);

void sampler_free(struct sampler *sampler);

#endif
