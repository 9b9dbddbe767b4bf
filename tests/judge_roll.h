/* The roll call: who is there, and in which call each thread sleeps. All of it is read
   from /proc, and nobody who is called notices. */
#ifndef TESTS_JUDGE_ROLL_H
#define TESTS_JUDGE_ROLL_H

#include "kit/call.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    ROLL_THREADS = 256,      /* so many are told apart; more are counted */
    ROLL_PROCESSES = 1000    /* more than these are not even counted */
};

struct roll_thread {
    pid_t   process, id;
    char    state;          /* of proc(5): R runs or is ready, S sleeps, T is stopped */
    struct call call;       /* in which it sleeps, or is */
};

struct roll {
    bool    tsan;           /* said by who calls: leave out ThreadSanitizer's own threads,
                               which block all signals and wake ten times a second */
    int     processes;      /* those too that have ended and were not waited for */
    int     threads;
    int64_t cpu_ms;         /* that the present threads have used; so are the switches */
    int64_t switches;       /* context switches, voluntary and not */
    int64_t voluntary;      /* of these */
    int64_t rss_kib;
    struct roll_thread thread[ROLL_THREADS];
};

/* Calls the roll of a process group that the caller, a subreaper (prctl(2)), has started;
   of one process. None there: all is zero. roll->tsan is read, and stays. */
void roll_call(pid_t group, struct roll *roll);
void roll_call_process(pid_t process, struct roll *roll);

/* Whether every thread sleeps in a call that only somebody else can end: it has no
   timeout, or one of at least patience_ns; see kit/call.h for what is not seen.
   CALL_UNSEEN_S is as long as for ever here. */
bool roll_asleep(const struct roll *roll, int64_t patience_ns);

/* Whether nobody came, went or ran between the two. */
bool roll_same(const struct roll *one, const struct roll *other);

/* The function of C in which the thread sleeps ("recv", "poll", "futex"), "running", or
   "call 123" for one that has no name here. Good as long as the thread's entry. */
const char *roll_name(const struct roll_thread *thread);

/* How many threads sleep in that function. */
int roll_count(const struct roll *roll, const char *name);

#endif
