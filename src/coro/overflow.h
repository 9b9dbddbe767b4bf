/* Says which coroutine has overflowed its stack, instead of "Segmentation fault" alone.
   */
#ifndef CORO_OVERFLOW_H
#define CORO_OVERFLOW_H

#include <signal.h>

struct coro_loop;

/* What was in force before. */
struct overflow {
    void            *memory;    /* the handler's own stack: the other one is full */
    stack_t          old_stack;
    struct sigaction old_action;
};

/* For the calling thread, until overflow_forget. Returns 0 or -errno. */
int overflow_watch(struct overflow *overflow, const struct coro_loop *loop);
void overflow_forget(struct overflow *overflow);

#endif
