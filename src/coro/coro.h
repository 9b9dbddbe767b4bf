/* Coroutines: functions that pause, and one loop (libevent's) that resumes them.

   A function whose first parameter is `struct coro *me` may pause; one without
   cannot, and nothing else runs while it does. Who knows asyncio knows this:

     async def f(x)                        int f(struct coro *me, int x)
     await f(x)                            f(me, x)
     asyncio.run(main())                   coro_run(NULL, main_body, arg)
     async with TaskGroup() as group:      struct coro_group group = {0};
         group.create_task(f(x))               coro_spawn(me, &group, f_body, &x)
         (the end of the block)                coro_gather(me, &group, deadline_ns)
     task.cancel(), CancelledError         coro_cancel(&group), -ECANCELED
     asyncio.timeout(), TimeoutError       the deadline of each call, -ETIMEDOUT
     asyncio.sleep(t), asyncio.sleep(0)    coro_sleep(me, clock_ns() + t), coro_yield(me)
     open_connection, write, read          coro_connect, coro_send_all, coro_recv
     loop.add_reader, loop.add_writer      coro_wait_fd
     asyncio.to_thread                     coro_offload
     Semaphore, Lock, Queue                coro_semaphore, coro_mutex, coro_queue

   A deadline is a moment of clock_ns; CORO_NEVER is none. Errors are 0 or -errno.
   Each call that takes `me` and can wait returns -ETIMEDOUT when its deadline is
   over, and -ECANCELED from the moment that `me` is cancelled: cancellation is
   sticky, only coro_gather still waits then. errno does not survive a pause. What no
   program should do (passing another's `me`, ending before its children, waiting for
   what can never come) is answered by a sentence and abort(3). */
#ifndef CORO_CORO_H
#define CORO_CORO_H

#include "kit/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CORO_NEVER INT64_MAX

struct coro;    /* one coroutine; valid from its start until its body returns */
typedef int coro_body(struct coro *me, void *arg);    /* 0, or -errno for its group */

struct coro_options {        /* zero: the defaults */
    size_t stack_bytes;      /* of each coroutine: 64 KiB */
    int    workers;          /* threads for coro_offload at the most: 8 */
    bool   mprotect_guards;  /* guard stacks as kernels before 6.13 must */
};

/* Runs body as the first coroutine and the loop under it; returns when it has ended, with
   what it returned, or -errno if it could not start. options may be NULL. */
int coro_run(const struct coro_options *options, coro_body *body, void *arg);

/* Children that end together. Starts as {0}; belongs to whoever first spawns into it, who
   must gather it before it goes out of scope. Look, but don't touch. */
struct coro_group {
    struct coro *owner, *children;
    int          error;    /* the first that a child returned */
    bool         awaited;
};

/* Starts body in the group; it runs when me pauses, and always runs, cancelled or not.
   arg stays the caller's. -ENOMEM; -EAGAIN: the kernel's limit on mappings is reached,
   and with it the number of stacks (sysctl vm.max_map_count; two each for mprotect
   guards). */
int coro_spawn(struct coro *me, struct coro_group *group, coro_body *body, void *arg);

/* Waits until all children have ended. The first error cancels the rest, and so do the
   deadline and me's own cancellation; they are awaited all the same. Returns that error.
   */
int coro_gather(struct coro *me, struct coro_group *group, int64_t deadline_ns);

/* Cancels all children: whatever they wait for returns -ECANCELED. Does not wait. */
void coro_cancel(struct coro_group *group);

/* Sleeps until that moment: 0. Or lets all others that can run go first: needs no
   deadline, since it waits for nothing. */
int coro_sleep(struct coro *me, int64_t until_ns);
int coro_yield(struct coro *me);

/* Waits until fd is ready for one of events, POLLIN and POLLOUT of poll(2). Returns those
   for which it is ready; an error or a hang-up counts as both. -EPERM for what is always
   ready, as a regular file. Not for copies, dup(2), of what was waited for; and nobody
   closes what another waits for: libevent would mistake the next of that
   number for it. */
int coro_wait_fd(struct coro *me, int fd, int events, int64_t deadline_ns);

/* As net_connect, net_send_all and net_recv of kit/net.h, with sockets that don't block.
   */
int coro_connect(struct coro *me, const struct endpoint *server, int64_t deadline_ns);
int coro_send_all(struct coro *me, int fd, const void *buf, size_t len,
                  int64_t deadline_ns);
ssize_t coro_recv(struct coro *me, int fd, void *buf, size_t size, int64_t deadline_ns);

/* Has a real thread run work on a copy of the size bytes at arg, and copies them back.
   Given up early, work goes on without us, its copy is dropped, and arg is as it was.
   All signals are blocked in the thread. */
int coro_offload(struct coro *me, void (*work)(void *arg), void *arg, size_t size,
                 int64_t deadline_ns);

/* These start as {0}, or with a count; they own nothing, and serve in order of arrival.
   */
struct coro_waiters { struct coro_waiter *first, *last; };

struct coro_semaphore { int count; struct coro_waiters waiters; };
int coro_semaphore_acquire(struct coro *me, struct coro_semaphore *, int64_t deadline_ns);
void coro_semaphore_release(struct coro_semaphore *);

struct coro_mutex { struct coro *owner; struct coro_waiters waiters; };
int coro_mutex_lock(struct coro *me, struct coro_mutex *, int64_t deadline_ns);
void coro_mutex_unlock(struct coro *me, struct coro_mutex *);    /* me has locked it */

/* Pointers in order. The caller sets items, an array of capacity >= 1, and owns it. */
struct coro_queue {
    void              **items;
    size_t              capacity, count, head;
    struct coro_waiters getters, putters;
};
int coro_queue_put(struct coro *me, struct coro_queue *, void *item, int64_t deadline_ns);
int coro_queue_get(struct coro *me, struct coro_queue *, void **item,
                   int64_t deadline_ns);

#endif
