/* The system call in which a thread of any program sleeps, seen from outside:
   what it waits for there, and for how long. All of it is what /proc tells an
   observer; see proc(5). */
#ifndef KIT_CALL_H
#define KIT_CALL_H

#include <stdint.h>
#include <sys/types.h>

enum { CALL_NAME = 32, CALL_PATH = 64, CALL_ARGUMENTS = 6, CALL_UNSEEN_S = 60 };

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
    pid_t          pid, tid;
    enum call_kind kind;
    long           number;    /* SYS_..., or negative: in none */
    uint64_t       arguments[CALL_ARGUMENTS];
    char           name[CALL_NAME];    /* "recv"; "call 123" where it has no name here */
    int64_t        timeout_ns; /* after which it returns by itself, as it was asked to or
                                  as the next timerfd among its descriptors will make it;
                                  0: soon; -1: it does not. CALL_UNSEEN_S, where that
                                  cannot be seen: a ring's timeouts, an unknown call's */
};

/* Taken for none, since /proc does not show them: SO_RCVTIMEO, the timers that
   send a signal (alarm(2), setitimer(2)), and a timerfd in an epoll set that is
   itself in another. */

/* Looks at one thread. One that has gone meanwhile is in no call. */
void call_read(struct call *call, pid_t pid, pid_t tid);

/* Told of a descriptor, and of the inode where that is known (else 0): in an epoll set it
   is the inode that counts, since the number may be another process's, or taken anew. */
typedef void call_see(void *context, int fd, uint64_t inode);

/* Tells `see` of each descriptor that the call waits to read from. A ring's are
   the kernel's secret. */
void call_sources(const struct call *call, call_see *see, void *context);

/* Writes the path of a file that /proc has of the call's thread: "fd/3". By the thread,
   since a process whose first thread has ended shows none of its own. */
void call_path(const struct call *call, char path[CALL_PATH], const char *file, int fd);

/* The name of a call in which threads wait, as C programs know it: "recv";
   NULL for others. */
const char *call_name(long number);

#endif
