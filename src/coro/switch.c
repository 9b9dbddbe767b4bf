/* Switching between stacks by ucontext(3), which is portable, and asks the kernel each
   time for the signal mask; or with SWITCH=assembly by switch_assembly.c, which does
   not. And what the sanitizers must be told: they follow the stack, and would be lost.
   */
#define _GNU_SOURCE    /* pthread_getattr_np */
#include "coro/switch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifndef __has_feature    /* clang's word; gcc has one macro for each */
#define __has_feature(x) 0
#endif
#if defined __SANITIZE_ADDRESS__ || __has_feature(address_sanitizer)
#define ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined __SANITIZE_THREAD__ || __has_feature(thread_sanitizer)
#define TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* --- what the sanitizers are told -------------------------------------------------- */

static void tell_adopted(struct fibre *fibre)
{
#ifdef ASAN
    pthread_attr_t attr;
    void *stack;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &stack, &fibre->stack_bytes);
        fibre->stack = stack;
        pthread_attr_destroy(&attr);
    }
#endif
#ifdef TSAN
    fibre->shadow = __tsan_get_current_fiber();
#endif
    (void)fibre;
}

static void tell_new(struct fibre *fibre)
{
#ifdef ASAN    /* frames that were left for good have left their marks */
    __asan_unpoison_memory_region(fibre->stack, fibre->stack_bytes);
#endif
#ifdef TSAN
    fibre->shadow = __tsan_create_fiber(0);
#endif
    (void)fibre;
}

/* fake_stack NULL: for good. */
static void tell_leaving(void **fake_stack, const struct fibre *to)
{
#ifdef ASAN
    __sanitizer_start_switch_fiber(fake_stack, to->stack, to->stack_bytes);
#endif
#ifdef TSAN
    __tsan_switch_to_fiber(to->shadow, 0);
#endif
    (void)fake_stack;
    (void)to;
}

static void tell_arrived(void *fake_stack)
{
#ifdef ASAN
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
    (void)fake_stack;
}

static void tell_ended(struct fibre *fibre)
{
#ifdef TSAN
    __tsan_destroy_fiber(fibre->shadow);
#endif
    (void)fibre;
}

/* --- switching --------------------------------------------------------------------- */

static void begin(void *arg)
{
    struct fibre *fibre = arg;
    tell_arrived(NULL);
    fibre->entry(fibre->arg);
}

#ifdef CORO_ASSEMBLY

static void prepare(struct fibre *fibre)
{
    char *top = (char *)(uintptr_t)fibre->stack + fibre->stack_bytes;
    fibre->registers = fibre_registers(top, begin, fibre);
}

static void swap(struct fibre *from, struct fibre *to)
{
    fibre_swap(&from->registers, to->registers);
}

#else

/* makecontext(3) passes ints only: a pointer comes in two halves. */
static void begin_halves(unsigned high, unsigned low)
{
    begin((void *)(uintptr_t)((uint64_t)high << 32 | low));
}

static void prepare(struct fibre *fibre)
{
    ucontext_t *context = &fibre->registers;
    getcontext(context);
    context->uc_stack.ss_sp = (void *)(uintptr_t)fibre->stack;
    context->uc_stack.ss_size = fibre->stack_bytes;
    context->uc_link = NULL;
    uint64_t pointer = (uintptr_t)fibre;
    makecontext(context, (void (*)(void))begin_halves, 2, (unsigned)(pointer >> 32),
                (unsigned)pointer);
}

static void swap(struct fibre *from, struct fibre *to)
{
#ifdef ASAN    /* in two halves: ASan has a swapcontext of its own, without fibres */
    volatile bool back = false;
    getcontext(&from->registers);    /* returns a second time, when we are switched to */
    if (!back) {
        back = true;
        setcontext(&to->registers);
    }
#else
    swapcontext(&from->registers, &to->registers);
#endif
}

#endif

void fibre_adopt(struct fibre *fibre)
{
    *fibre = (struct fibre){0};
    tell_adopted(fibre);
}

void fibre_init(struct fibre *fibre, void *stack, size_t bytes, void (*entry)(void *),
                void *arg)
{
    *fibre = (struct fibre){.entry = entry, .arg = arg, .stack = stack,
                            .stack_bytes = bytes};
    tell_new(fibre);
    prepare(fibre);
}

void fibre_switch(struct fibre *from, struct fibre *to)
{
    tell_leaving(&from->fake_stack, to);
    swap(from, to);
    tell_arrived(from->fake_stack);
}

void fibre_leave(struct fibre *from, struct fibre *to)
{
    tell_leaving(NULL, to);
    swap(from, to);
    abort();    /* nobody switches to what has left */
}

void fibre_end(struct fibre *fibre)
{
    tell_ended(fibre);
}
