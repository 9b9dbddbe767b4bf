#include "models/queue.h"

#include <errno.h>
#include <stdlib.h>

int queue_init(struct queue *queue, int capacity)
{
    *queue = (struct queue){.capacity = capacity};
    queue->numbers = calloc((size_t)capacity, sizeof *queue->numbers);
    if (!queue->numbers)
        return -ENOMEM;
    pthread_mutex_init(&queue->lock, NULL);    /* with NULL, none of these can fail on Linux */
    pthread_cond_init(&queue->not_empty, NULL);
    pthread_cond_init(&queue->not_full, NULL);
    return 0;
}

void queue_destroy(struct queue *queue)
{
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->lock);
    free(queue->numbers);
}

/* pthread_cond_wait gives the lock back while it sleeps and has it again when it returns.
   It may return for no reason, and another thread may have been faster: hence the loops. */

void queue_put(struct queue *queue, int number)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->count == queue->capacity)
        pthread_cond_wait(&queue->not_full, &queue->lock);
    queue->numbers[(queue->first + queue->count) % queue->capacity] = number;
    queue->count++;
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

bool queue_take(struct queue *queue, int *number)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->closed)
        pthread_cond_wait(&queue->not_empty, &queue->lock);
    bool taken = queue->count > 0;
    if (taken) {
        *number = queue->numbers[queue->first];
        queue->first = (queue->first + 1) % queue->capacity;
        queue->count--;
        pthread_cond_signal(&queue->not_full);
    }
    pthread_mutex_unlock(&queue->lock);
    return taken;
}
