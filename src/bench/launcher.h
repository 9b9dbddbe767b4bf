/* A small process that starts the runs, one at a time, and clears up after them.

   The peak memory that wait4(2) tells of a process includes what its parent had at the
   fork, so the parent of a run has to be small. And it outlives bench by a moment:
   whatever ends bench, the launcher then ends the run in progress and removes the
   temporary files. */
#ifndef BENCH_LAUNCHER_H
#define BENCH_LAUNCHER_H

#include "kit/cpus.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { LAUNCHER_PATH = 256 };

struct launcher {
    int   fd;
    pid_t pid;
    char  directory[LAUNCHER_PATH - 32];    /* temporary; the files below are in it */
    char  requests_csv[LAUNCHER_PATH];      /* for a run's -o */
    char  complaints[LAUNCHER_PATH];        /* the run's standard error */
};

/* How a run ended, and what it cost. */
struct run_end {
    int           status;    /* as waitpid(2) tells it */
    struct rusage usage;
};

/* Starts the launcher; to be called before the caller grows. Returns 0 or -errno. */
int launcher_open(struct launcher *launcher);

/* Starts a run, in a process group of its own, bound to cpus (NULL: to none), after
   removing the files of the one before. Returns its process or -errno. */
pid_t launcher_start(struct launcher *launcher, char *const *argv,
                     const struct cpus *cpus);

/* Waits for the run's end for timeout_ns at the longest. Returns 1 if it has ended, 0 if
   not yet (or a signal came), -errno. Whatever was left of its group has been killed
   then. */
int launcher_wait(struct launcher *launcher, int64_t timeout_ns, struct run_end *end);

/* Sends a signal to the whole process group of the run in progress, if there is one. */
int launcher_signal(struct launcher *launcher, int signal_number);

/* Ends what runs, the launcher, and its files. Does nothing where none was opened. */
void launcher_close(struct launcher *launcher);

#endif
