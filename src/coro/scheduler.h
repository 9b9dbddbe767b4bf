/* What the files of coro/ share: how a coroutine looks inside, how it pauses and is
   woken. */
#ifndef CORO_SCHEDULER_H
#define CORO_SCHEDULER_H

#include "coro/coro.h"
#include "coro/overflow.h"
#include "coro/stack.h"
#include "coro/switch.h"

#include <event2/event_struct.h>

struct pool;    /* of offload.c */

enum coro_state { CORO_READY, CORO_RUNNING, CORO_PAUSED, CORO_ENDED };

/* The control block. It and its stack serve one coroutine after another. */
struct coro {
    struct fibre       fibre;
    struct coro_loop  *loop;
    enum coro_state    state;
    int                number;       /* of those spawned, from 0 */
    int                outcome;      /* of the pause that ended last */
    int                live;         /* children in groups of mine */
    bool               cancelled;
    coro_body         *body;
    void              *arg;
    struct coro_group *group;        /* NULL: the first of all */
    struct coro       *next, **link;    /* among the group's children; link points here */
    struct coro       *next_ready;   /* in the loop's queue; or the next spare */
    struct coro       *next_made;    /* all that there are, until the loop ends */
    struct event       event;        /* what the loop watches while it pauses */
    void              *stack;
};

struct coro_loop {
    struct event_base *base;
    struct fibre       fibre;        /* of coro_run's caller, where the loop runs */
    struct coro       *running;      /* NULL: the loop itself */
    struct coro       *ready, **ready_end;
    struct coro       *spare, *made;
    int                live, spawned;
    int                workers;      /* the most that the pool may have */
    struct pool       *pool;         /* NULL until something is offloaded */
    struct stacks      stacks;
    struct overflow    overflow;
};

/* Pauses me until coro_wake, the deadline, cancellation, or fd being ready for what
   (EV_READ, EV_WRITE; fd -1: nothing). Returns the waker's outcome, -ETIMEDOUT,
   -ECANCELED, or what fd is ready for. The caller asks coro_may_wait first. */
int coro_pause(struct coro *me, int fd, short what, int64_t deadline_ns);

/* 0, -ECANCELED, or -ETIMEDOUT if the deadline is over. Each call that can pause asks it,
   also where it need not: else one that never pauses would not see its time run out. */
int coro_may_wait(const struct coro *me, int64_t deadline_ns);

/* Lets coro go on, soon, if it pauses; one that has been woken already is left as it is,
   with its first outcome. In the loop's thread alone. */
void coro_wake(struct coro *coro, int outcome);

/* Ends the program with a sentence: its author has to read it. */
void coro_stop(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Of offload.c: the end of the loop. */
void coro_pool_free(struct pool *pool);

#endif
