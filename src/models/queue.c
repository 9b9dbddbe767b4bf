#include "models/queue.h"

#include <errno.h>
#include <stdlib.h>

int queue_init(struct queue *queue, int most)
{
    *queue = (struct queue){0};
    queue->numbers = calloc((size_t)most, sizeof *queue->numbers);
    if (!queue->numbers)
        return -ENOMEM;
    pthread_mutex_init(&queue->lock, NULL);    /* with NULL, neither can fail on Linux */
    pthread_cond_init(&queue->not_empty, NULL);
    return 0;
}

void queue_destroy(struct queue *queue)
{
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->lock);
    free(queue->numbers);
}

void queue_put(struct queue *queue, int number)
{
    pthread_mutex_lock(&queue->lock);
    queue->numbers[queue->put++] = number;
    pthread_cond_signal(&queue->not_empty);    /* one number: one thread is enough */
    pthread_mutex_unlock(&queue->lock);
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->not_empty);    /* this concerns all */
    pthread_mutex_unlock(&queue->lock);
}

/* pthread_cond_wait gives the lock back while it sleeps and has it again when it returns.
   It may return for no reason, and another thread may have been faster:
   hence the loop. */
bool queue_take(struct queue *queue, int *number)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->taken == queue->put && !queue->closed)
        pthread_cond_wait(&queue->not_empty, &queue->lock);
    bool any = queue->taken < queue->put;
    if (any)
        *number = queue->numbers[queue->taken++];
    pthread_mutex_unlock(&queue->lock);
    return any;
}
