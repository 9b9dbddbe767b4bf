/* The roll call: which processes and threads a program is made of at this moment, in
   which system call each sleeps, and what they hold. All of it is what /proc tells an
   observer; the program is neither stopped nor touched. */
#ifndef WHOWAITS_ROLL_H
#define WHOWAITS_ROLL_H

#include "kit/call.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { ROLL_NAME = 16 };

struct roll_thread {
    pid_t       pid, tid;           /* they are equal in a process's first thread */
    char        name[ROLL_NAME];    /* the thread's; as a rule that of its program */
    char        state;              /* as in proc(5): R runs or is ready, S asleep, ... */
    struct call call;               /* in which it sleeps */
    int         watched;            /* sockets that it waits there to read from */
    int         held;               /* of the server's sockets, by its whole process */
    int64_t     cpu_ns;             /* used since its start */
    int64_t     woke;               /* how often it has gone to sleep since its start */
};

struct roll {
    struct roll_thread *threads;    /* process by process; the dead are left out */
    int                 count;
    int                 processes;
    int                 sockets;    /* connected to the server, in one of the processes */
    int                 watched;    /* ... for which some thread sleeps */
    int                 unread;     /* ... on which bytes lie that nobody has read */
    int                 under_way;  /* ... on which something sent has not arrived yet */
    int64_t             rss_kib;    /* resident memory, of all processes together */
};

/* Calls the roll of all that descends from `ancestor`, itself not included, but for the
   process `except` (0: none) and what descends from that. `port` is the server's, to
   which the sockets that count are connected. A process that lost its parent still
   descends from an ancestor that is a subreaper: prctl(2), PR_SET_CHILD_SUBREAPER.
   Returns 0 or -errno. The caller frees the roll. May be called by any thread. */
int roll_call(struct roll *roll, pid_t ancestor, pid_t except, int port);

void roll_free(struct roll *roll);

/* Whether the thread sleeps; it has not been seen to, if it runs or is stopped. */
bool roll_asleep(const struct roll_thread *thread);

/* The same thread in another roll, or NULL. */
const struct roll_thread *roll_find(const struct roll *roll, pid_t tid);

/* How many sleep in the call of that name. */
int roll_count(const struct roll *roll, const char *call);

/* The processes of which roll_call would call the roll, those that have ended and not
   been waited for included: an array that the caller frees. Returns their number or
   -errno. */
int roll_processes(pid_t ancestor, pid_t except, pid_t **pids);

#endif
