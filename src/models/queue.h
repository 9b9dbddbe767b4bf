/* A queue of numbers between threads: who takes waits while it is empty, who puts waits
   while it is full. */
#ifndef MODELS_QUEUE_H
#define MODELS_QUEUE_H

#include <pthread.h>
#include <stdbool.h>

struct queue {
    pthread_mutex_t lock;         /* guards all that follows */
    pthread_cond_t  not_empty;    /* signalled when a number was put, or no more will be */
    pthread_cond_t  not_full;     /* signalled when a number was taken */
    int            *numbers;      /* a ring of `capacity` */
    int             capacity;
    int             first;        /* where the oldest is */
    int             count;        /* how many there are */
    bool            closed;
};

/* Makes an empty queue with room for `capacity` numbers. Returns 0 or -ENOMEM; the queue is
   the caller's, who ends it with queue_destroy when no thread uses it any more. */
int queue_init(struct queue *queue, int capacity);
void queue_destroy(struct queue *queue);

/* Puts a number at the end. Waits while the queue is full. */
void queue_put(struct queue *queue, int number);

/* No more will be put: whoever waits for a number learns that there is none. */
void queue_close(struct queue *queue);

/* Takes the oldest number, each for one taker alone. Waits while the queue is empty.
   Returns false if it is empty and closed. */
bool queue_take(struct queue *queue, int *number);

#endif
