/* Stacks for coroutines: many to an arena, each with a guard below it. */
#ifndef CORO_STACK_H
#define CORO_STACK_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

struct stacks {
    size_t        stack_bytes, guard_bytes;    /* whole pages */
    bool          mprotect_guards;    /* two mappings for a stack, and few are allowed: */
    long          left;               /* as many stacks more */
    struct arena *arenas;
};

/* Decides how guards are made. stack_bytes is rounded up to whole pages. Allocates
   nothing. */
void stacks_init(struct stacks *stacks, size_t stack_bytes, bool mprotect_guards);

/* Finds a stack that is new: *stack is its lowest address, the guard ends there. 0,
   -ENOMEM, or -EAGAIN: the kernel has no more mappings for us (vm.max_map_count). */
int stacks_take(struct stacks *stacks, void **stack);

/* All of them at once. */
void stacks_free(struct stacks *stacks);

#endif
