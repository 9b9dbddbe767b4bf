/* Threads: the same exchange, in a thread of its own for each request. Each thread waits
   as the whole program does in blocking.c; the kernel runs those that need not wait. */
#include "models/exchange.h"
#include "models/models.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

/* A place for one request in flight, used again when its thread has ended. */
struct slot {
    const struct workload *workload;
    struct result         *result;    /* written by the thread alone, read after the join */
    int                    number;
    sem_t                 *free_slots;
    pthread_t              thread;
    bool                   started;   /* there is a thread to join */
    atomic_bool            ended;     /* set by the thread when it has nothing left to do */
};

static void *exchange_in_thread(void *arg)
{
    struct slot *slot = arg;
    exchange(slot->workload, slot->number, slot->result);
    atomic_store(&slot->ended, true);
    sem_post(slot->free_slots);    /* cannot overflow: one post for each wait */
    return NULL;
}

/* Waits until one of the slots is free, and joins the thread that used it before.
   Threads end in any order, so the first that has ended is taken. */
static struct slot *take_free_slot(struct slot *slots, sem_t *free_slots)
{
    while (sem_wait(free_slots) < 0)
        continue;    /* EINTR: a signal came; no other error can happen here */
    struct slot *slot = slots;
    while (slot->started && !atomic_load(&slot->ended))
        slot++;      /* ends: the semaphore says that there is one */
    if (slot->started)
        pthread_join(slot->thread, NULL);
    slot->started = false;
    atomic_store(&slot->ended, false);
    return slot;
}

static int start_threads(const struct workload *workload, struct result *results,
                         struct slot *slots, sem_t *free_slots, const pthread_attr_t *attr)
{
    for (int i = 0; i < workload->count; i++) {
        struct slot *slot = take_free_slot(slots, free_slots);
        if (*workload->stop)
            break;
        slot->workload = workload;
        slot->result = &results[i];
        slot->number = i;
        slot->free_slots = free_slots;
        int error = pthread_create(&slot->thread, attr, exchange_in_thread, slot);
        if (error)
            return -error;    /* EAGAIN: no more threads to be had; the rest never start */
        slot->started = true;
    }
    return 0;
}

static int run(const struct workload *workload, struct result *results)
{
    struct slot *slots = calloc((size_t)workload->in_flight, sizeof *slots);
    if (!slots)
        return -ENOMEM;
    sem_t free_slots;
    sem_init(&free_slots, 0, (unsigned)workload->in_flight);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    int error = 0;
    if (workload->stack_bytes)
        error = -pthread_attr_setstacksize(&attr, workload->stack_bytes);
    if (!error)
        error = start_threads(workload, results, slots, &free_slots, &attr);

    for (int i = 0; i < workload->in_flight; i++)
        if (slots[i].started)
            pthread_join(slots[i].thread, NULL);
    pthread_attr_destroy(&attr);
    sem_destroy(&free_slots);
    free(slots);
    return error;
}

const struct model model_threads = {
    .name = "threads",
    .idea = "a thread for each request; the kernel switches between them",
    .thread_each = true,
    .run = run,
};
