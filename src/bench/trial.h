/* One run of one contender in a fresh process, watched from outside. */
#ifndef BENCH_TRIAL_H
#define BENCH_TRIAL_H

#include "bench/bench.h"
#include "bench/guards.h"
#include "bench/summary.h"

enum { TRIAL_WHY = GUARDS_WHY };

enum trial_outcome {
    TRIAL_RAN = 0,      /* every request is accounted for in results */
    TRIAL_UNABLE = 1    /* it could not run; why says so, and there are no results */
};

/* What has to be so for a trial to count; each asks for what is above it too. */
enum trial_claim {
    TRIAL_ALL_REPLIED,    /* every request is ok; how long it took does not matter */
    TRIAL_TIMED,          /* neither the server nor a full listen queue set the pace */
    TRIAL_CLOSED_LOOP     /* as many as asked were in flight at any time */
};

struct trial {
    /* What is asked. */
    const struct contender *contender;
    int                     requests, in_flight;
    const char             *path;         /* of the URL: "/delay/50ms?i={i}" */
    int64_t                 ideal_ns;     /* how long that would take at best */
    int64_t                 timeout_ns;   /* of one request; 0: as the settings say */
    int64_t                 bound_ns;     /* of the whole; 0: by ideal and timeout */
    char *const            *argv;         /* another program's words; NULL: contender's */
    bool                    unbound;      /* may use all cores, the server's too */
    bool                    monotonic;    /* times of results are CLOCK_MONOTONIC's own;
                                             for fetch's models only */
    /* What was found. */
    struct result          *results;
    struct summary          summary;
    struct run_end          end;
    int64_t                 server_cpu_ns;    /* -1: unknown */
    struct procfs_listen    before, after;
    char                    why[TRIAL_WHY];
    int64_t                 begun_ns;         /* private, as is the next */
    bool                    ended;
};

/* Starts the run. Returns its process, which is its group too, or -errno with bench->why
   set. Every trial that was started is finished, and then freed. */
pid_t trial_start(struct bench *bench, struct trial *trial);

/* Waits for its end for wait_ns at the longest. Returns 1 if it has ended, 0 if not yet,
   or -errno. To be followed by trial_finish in any case. */
int trial_wait(struct bench *bench, struct trial *trial, int64_t wait_ns);

/* Ends it at once, because of why. trial_finish will find it unable. */
void trial_give_up(struct bench *bench, struct trial *trial, const char *why);

/* Waits for its end, for a bounded time. Returns enum trial_outcome; -EINTR if the user
   stopped bench, which ends the run; or another -errno with bench->why set. */
int trial_finish(struct bench *bench, struct trial *trial);

/* The same for a program that answers no requests: what it left in its files is for the
   caller to read, and there are no results. */
int trial_end(struct bench *bench, struct trial *trial);

/* trial_start and trial_finish, one after the other. */
int trial_run(struct bench *bench, struct trial *trial);

/* Does a trial that ran count? If not, trial->why says why not. */
bool trial_judge(const struct bench *bench, struct trial *trial, enum trial_claim claim);

void trial_free(struct trial *trial);

#endif
