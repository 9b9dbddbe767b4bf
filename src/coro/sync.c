/* Semaphore, mutex and queue. Who releases hands over to the first that waits, so nobody
   who comes later can be quicker, and what was handed over is never lost: a waiter that
   was cancelled in the same turn has it all the same, and hears of the cancellation next
   time. */
#include "coro/scheduler.h"

/* On the stack of the one who waits. */
struct coro_waiter {
    struct coro        *coro;
    struct coro_waiter *next, *previous;
    void               *item;       /* of a queue */
    bool                granted;    /* and so no longer in the list */
};

static void unlink_waiter(struct coro_waiters *waiters, struct coro_waiter *waiter)
{
    *(waiter->previous ? &waiter->previous->next : &waiters->first) = waiter->next;
    *(waiter->next ? &waiter->next->previous : &waiters->last) = waiter->previous;
}

/* Returns 0 once it is granted, or -errno. */
static int wait_in(struct coro *me, struct coro_waiters *waiters,
                   struct coro_waiter *waiter, int64_t deadline_ns)
{
    waiter->coro = me;
    waiter->previous = waiters->last;
    *(waiters->last ? &waiters->last->next : &waiters->first) = waiter;
    waiters->last = waiter;
    int outcome = coro_pause(me, -1, 0, deadline_ns);
    if (waiter->granted)
        return 0;
    unlink_waiter(waiters, waiter);
    return outcome;
}

/* Wakes the first, with what it waited for. Returns it, or NULL if none waits. */
static struct coro_waiter *grant(struct coro_waiters *waiters)
{
    struct coro_waiter *waiter = waiters->first;
    if (!waiter)
        return NULL;
    unlink_waiter(waiters, waiter);
    waiter->granted = true;
    coro_wake(waiter->coro, 0);
    return waiter;    /* valid until it runs */
}

int coro_semaphore_acquire(struct coro *me, struct coro_semaphore *semaphore,
                           int64_t deadline_ns)
{
    int error = coro_may_wait(me, deadline_ns);
    if (error)
        return error;
    if (semaphore->count > 0) {
        semaphore->count--;
        return 0;
    }
    struct coro_waiter waiter = {0};
    return wait_in(me, &semaphore->waiters, &waiter, deadline_ns);
}

void coro_semaphore_release(struct coro_semaphore *semaphore)
{
    if (!grant(&semaphore->waiters))
        semaphore->count++;
}

int coro_mutex_lock(struct coro *me, struct coro_mutex *mutex, int64_t deadline_ns)
{
    int error = coro_may_wait(me, deadline_ns);
    if (error)
        return error;
    if (mutex->owner == me)
        coro_stop("coroutine %d locks a mutex that it has locked", me->number);
    if (!mutex->owner) {
        mutex->owner = me;
        return 0;
    }
    struct coro_waiter waiter = {0};
    return wait_in(me, &mutex->waiters, &waiter, deadline_ns);    /* and me owner */
}

void coro_mutex_unlock(struct coro *me, struct coro_mutex *mutex)
{
    if (mutex->owner != me)
        coro_stop("coroutine %d unlocks a mutex that it has not locked", me->number);
    struct coro_waiter *next = grant(&mutex->waiters);
    mutex->owner = next ? next->coro : NULL;
}

static void append(struct coro_queue *queue, void *item)
{
    queue->items[(queue->head + queue->count++) % queue->capacity] = item;
}

/* There is an empty place only if nobody waits to put, and an item only if nobody waits
   to get: each call below keeps that so. */
int coro_queue_put(struct coro *me, struct coro_queue *queue, void *item,
                   int64_t deadline_ns)
{
    int error = coro_may_wait(me, deadline_ns);
    if (error)
        return error;
    struct coro_waiter *getter = grant(&queue->getters);
    if (getter) {
        getter->item = item;
        return 0;
    }
    if (queue->count < queue->capacity) {
        append(queue, item);
        return 0;
    }
    struct coro_waiter waiter = {.item = item};
    return wait_in(me, &queue->putters, &waiter, deadline_ns);
}

int coro_queue_get(struct coro *me, struct coro_queue *queue, void **item,
                   int64_t deadline_ns)
{
    int error = coro_may_wait(me, deadline_ns);
    if (error)
        return error;
    struct coro_waiter waiter = {0};
    if (queue->count == 0) {
        error = wait_in(me, &queue->getters, &waiter, deadline_ns);
        if (!error)
            *item = waiter.item;
        return error;
    }
    *item = queue->items[queue->head];
    queue->head = (queue->head + 1) % queue->capacity;
    queue->count--;
    struct coro_waiter *putter = grant(&queue->putters);
    if (putter)
        append(queue, putter->item);
    return 0;
}
