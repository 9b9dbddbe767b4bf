/* An arena is one mapping with room for many stacks: memory is used only where a
   coroutine has written, so a stack costs what it holds, in whole pages. */
#define _GNU_SOURCE    /* MAP_ANONYMOUS, madvise */
#include "coro/stack.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102    /* Linux 6.13 */
#endif

enum { STACKS = 64 };    /* in an arena */

struct arena {
    struct arena *next;
    char         *memory;
    size_t        bytes;
    int           taken;
};

/* Does this kernel guard pages without a mapping of their own? */
static bool has_light_guards(size_t page)
{
    void *probe = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                       -1, 0);
    if (probe == MAP_FAILED)
        return false;
    bool has = madvise(probe, page, MADV_GUARD_INSTALL) == 0;
    munmap(probe, page);
    return has;
}

/* How many stacks may have two mappings each. Some mappings are left for everybody else:
   without one, malloc(3) soon fails too, and nobody could go on. */
static long count_allowed(void)
{
    long most = 65530;    /* unless it says otherwise; see proc_sys_vm(5) */
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
    if (file) {
        if (fscanf(file, "%ld", &most) != 1)
            most = 65530;
        fclose(file);
    }
    return (most - most / 32) / 2;
}

void stacks_init(struct stacks *stacks, size_t stack_bytes, bool mprotect_guards)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    stacks->arenas = NULL;
    stacks->stack_bytes = (stack_bytes + page - 1) / page * page;
    /* -fstack-clash-protection touches each 4 KiB of a big frame, and 64 KiB on aarch64:
       a guard of that size cannot be jumped. */
#ifdef __aarch64__
    stacks->guard_bytes = 64 * 1024;
#else
    stacks->guard_bytes = page;
#endif
    stacks->mprotect_guards = mprotect_guards || !has_light_guards(page);
    stacks->left = stacks->mprotect_guards ? count_allowed() : LONG_MAX;
}

static int arena_add(struct stacks *stacks)
{
    size_t slot = stacks->guard_bytes + stacks->stack_bytes;
    if (slot < stacks->stack_bytes || slot > SIZE_MAX / STACKS)
        return -ENOMEM;
    struct arena *arena = malloc(sizeof *arena);
    if (!arena)
        return -ENOMEM;
    *arena = (struct arena){.next = stacks->arenas, .bytes = slot * STACKS};
    arena->memory = mmap(NULL, arena->bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (arena->memory == MAP_FAILED) {
        free(arena);
        return -ENOMEM;
    }
    /* Else one byte on a stack could bring in 2 MiB. Old kernels without
       it may refuse. */
    madvise(arena->memory, arena->bytes, MADV_NOHUGEPAGE);
    stacks->arenas = arena;
    return 0;
}

int stacks_take(struct stacks *stacks, void **stack)
{
    if (stacks->left <= 0)
        return -EAGAIN;
    if (!stacks->arenas || stacks->arenas->taken == STACKS) {
        int error = arena_add(stacks);
        if (error)
            return error;
    }
    struct arena *arena = stacks->arenas;
    char *guard = arena->memory +
                  (size_t)arena->taken * (stacks->guard_bytes + stacks->stack_bytes);
    /* mprotect splits the mapping; ENOMEM is its word for one mapping too many. */
    int failed = stacks->mprotect_guards
                     ? mprotect(guard, stacks->guard_bytes, PROT_NONE)
                     : madvise(guard, stacks->guard_bytes, MADV_GUARD_INSTALL);
    if (failed)
        return errno == ENOMEM && stacks->mprotect_guards ? -EAGAIN : -errno;
    arena->taken++;
    stacks->left--;
    *stack = guard + stacks->guard_bytes;
    return 0;
}

void stacks_free(struct stacks *stacks)
{
    while (stacks->arenas) {
        struct arena *arena = stacks->arenas;
        stacks->arenas = arena->next;
        munmap(arena->memory, arena->bytes);
        free(arena);
    }
}
