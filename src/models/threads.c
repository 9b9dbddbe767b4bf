/* Threads: the same exchange, in a thread of its own for each request. Each thread waits
   as the whole program does in blocking.c; the kernel runs those that need not wait.
   Slots and the semaphore only hold their number down to what may be in flight. */
#include "models/exchange.h"
#include "models/models.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

/* A place for one request in flight, used again when its thread has ended. */
struct slot {
    struct crew           *crew;
    struct result         *result;    /* the thread alone writes; read after the join */
    int                    number;
    pthread_t              thread;
    bool                   started;   /* there is a thread to join */
    atomic_bool            ended;     /* set by the thread when its exchange is over */
};

struct crew {
    const struct workload *workload;
    struct slot           *slots;     /* workload->in_flight of them */
    sem_t                  free;      /* counts the slots that are free */
    int                    look_at;   /* the slot to look at next */
};

static void *exchange_in_thread(void *arg)
{
    struct slot *slot = arg;
    exchange(slot->crew->workload, slot->number, slot->result);
    atomic_store(&slot->ended, true);
    sem_post(&slot->crew->free);    /* cannot overflow: one post for each wait */
    return NULL;
}

/* Waits until one of the slots is free, and joins the thread that used it before.
   Threads end in any order, so the next that has ended is taken,
   whoever started first. */
static struct slot *take_free_slot(struct crew *crew)
{
    while (sem_wait(&crew->free) < 0)
        continue;    /* EINTR: a signal came; no other error can happen here */
    struct slot *slot;
    do {    /* ends: the semaphore let us pass, so at least one is free or has ended */
        slot = &crew->slots[crew->look_at];
        crew->look_at = (crew->look_at + 1) % crew->workload->in_flight;
    } while (slot->started && !atomic_load(&slot->ended));
    if (slot->started)    /* its sem_post may still be due; the join waits for it */
        pthread_join(slot->thread, NULL);
    slot->started = false;
    atomic_store(&slot->ended, false);
    return slot;
}

static int start_threads(struct crew *crew, struct result *results,
                         const pthread_attr_t *attr)
{
    for (int i = 0; i < crew->workload->count; i++) {
        struct slot *slot = take_free_slot(crew);
        if (*crew->workload->stop)
            break;
        slot->crew = crew;
        slot->result = &results[i];
        slot->number = i;
        int error = pthread_create(&slot->thread, attr, exchange_in_thread, slot);
        if (error)
            return -error;    /* EAGAIN: no more threads; the rest never start */
        slot->started = true;
    }
    return 0;
}

static int run(const struct workload *workload, struct result *results)
{
    struct crew crew = {.workload = workload};
    crew.slots = calloc((size_t)workload->in_flight, sizeof *crew.slots);
    if (!crew.slots)
        return -ENOMEM;
    sem_init(&crew.free, 0, (unsigned)workload->in_flight);
    pthread_attr_t attr;
    pthread_attr_init(&attr);    /* these two cannot fail on Linux */
    int error = 0;
    if (workload->stack_bytes)
        error = -pthread_attr_setstacksize(&attr, workload->stack_bytes);
    if (!error)
        error = start_threads(&crew, results, &attr);

    for (int i = 0; i < workload->in_flight; i++)
        if (crew.slots[i].started)
            pthread_join(crew.slots[i].thread, NULL);
    pthread_attr_destroy(&attr);
    sem_destroy(&crew.free);
    free(crew.slots);
    return error;
}

const struct model model_threads = {
    .name = "threads",
    .idea = "a thread for each request; the kernel switches between them",
    .thread_each = true,
    .run = run,
};
