/* The system call in which a thread sleeps, and what it waits for there. */
#ifndef WHOWAITS_CALL_H
#define WHOWAITS_CALL_H

#include "whowaits/sockets.h"

#include <stdint.h>
#include <sys/types.h>

enum { CALL_NAME = 32 };

enum call_kind {
    CALL_NONE,      /* it is in no call: it runs, or is ready to */
    CALL_HIDDEN,    /* it may not be looked at, or this kernel does not tell */
    CALL_READ,      /* one descriptor: read, recv, ... */
    CALL_READY,     /* a set of descriptors: poll, select, epoll_wait, ... */
    CALL_RING,      /* a completion: io_uring_enter */
    CALL_TIMER,     /* time alone: nanosleep, ... */
    CALL_OTHER
};

struct call {
    enum call_kind kind;
    char           name[CALL_NAME];    /* "recv"; "call 123" where it has no name here */
    int64_t timeout_ns; /* after which it returns by itself; -1: it does not.
                                          What SO_RCVTIMEO says is not seen */
    int watched;        /* sockets of the list that it waits to read from */
};

/* Looks at one thread. Marks the sockets that it waits for as watched; their holders must
   be known. A thread that has gone meanwhile is in no call. */
void call_read(struct call *call, pid_t pid, pid_t tid, struct sockets *sockets);

#endif
