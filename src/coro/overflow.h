/* Says which coroutine has overflowed its stack, instead of "Segmentation fault" alone.
   The handler of SIGSEGV is the process's, and stays when the loop has ended: what was
   there before comes after it. */
#ifndef CORO_OVERFLOW_H
#define CORO_OVERFLOW_H

#include <signal.h>

struct coro_loop;

struct overflow {
    void   *memory;       /* the handler's own stack: the other one is full */
    stack_t old_stack;    /* what was in force before */
};

/* For the calling thread, until overflow_forget. Returns 0 or -errno. */
int overflow_watch(struct overflow *overflow, const struct coro_loop *loop);
void overflow_forget(struct overflow *overflow);

#endif
