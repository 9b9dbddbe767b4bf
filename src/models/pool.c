/* pool: a fixed number of threads, started once. Each takes a request's number from a
   queue, makes the exchange as in threads.c, and comes back for the next. */
#include "models/exchange.h"
#include "models/models.h"
#include "models/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct pool {
    const struct workload *workload;
    struct result         *results;    /* each by the thread that took its number */
    struct queue           numbers;    /* of the requests to make */
    pthread_t             *threads;
    int                    started;    /* threads to join */
};

static void *work(void *arg)
{
    struct pool *pool = arg;
    int number;
    while (queue_take(&pool->numbers, &number))
        if (!*pool->workload->stop)    /* if it is set: take the rest, start nothing */
            exchange(pool->workload, number, &pool->results[number]);
    return NULL;
}

static int start_threads(struct pool *pool, const pthread_attr_t *attr)
{
    while (pool->started < pool->workload->in_flight) {
        int error = pthread_create(&pool->threads[pool->started], attr, work, pool);
        if (error)
            return -error;    /* EAGAIN: a smaller pool would be another experiment */
        pool->started++;
    }
    return 0;
}

static int run(const struct workload *workload, struct result *results)
{
    struct pool pool = {.workload = workload, .results = results};
    int error = queue_init(&pool.numbers, workload->count);
    if (error)
        return error;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pool.threads = calloc((size_t)workload->in_flight, sizeof *pool.threads);
    if (!pool.threads)
        error = -ENOMEM;
    if (!error && workload->stack_bytes)
        error = -pthread_attr_setstacksize(&attr, workload->stack_bytes);
    if (!error)
        error = start_threads(&pool, &attr);

    for (int i = 0; !error && i < workload->count; i++)
        queue_put(&pool.numbers, i);
    queue_close(&pool.numbers);
    for (int i = 0; i < pool.started; i++)
        pthread_join(pool.threads[i], NULL);
    free(pool.threads);
    pthread_attr_destroy(&attr);
    queue_destroy(&pool.numbers);
    return error;
}

const struct model model_pool = {
    .name = "pool",
    .idea = "a fixed number of threads; each takes the next request from a queue",
    .thread_each = true,
    .run = run,
};
