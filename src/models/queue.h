/* A queue of numbers between threads: who takes waits while it is empty. */
#ifndef MODELS_QUEUE_H
#define MODELS_QUEUE_H

#include <pthread.h>
#include <stdbool.h>

struct queue {
    pthread_mutex_t lock;         /* guards all that follows */
    pthread_cond_t  not_empty;    /* signalled when a number is put, or no more will be */
    int            *numbers;      /* all that were ever put */
    int             put, taken;   /* how many; those between are waiting */
    bool            closed;
};

/* Makes an empty queue, into which `most` numbers can be put, ever. Returns 0 or
   -ENOMEM; the queue is the caller's, who ends it with queue_destroy when no thread uses
   it any more. */
int queue_init(struct queue *queue, int most);
void queue_destroy(struct queue *queue);

/* Puts a number at the end. */
void queue_put(struct queue *queue, int number);

/* No more will be put: whoever waits for a number learns that there is none. */
void queue_close(struct queue *queue);

/* Takes the oldest number, each for one taker alone. Waits while the queue is empty.
   Returns false if it is empty and closed. */
bool queue_take(struct queue *queue, int *number);

#endif
