/* A fibre is a stack and what was in the registers when it last ran. */
#ifndef CORO_SWITCH_H
#define CORO_SWITCH_H

#include <stddef.h>
#include <ucontext.h>

struct fibre {
#ifdef CORO_ASSEMBLY
    void       *registers;      /* where they are on its stack while it pauses */
#else
    ucontext_t  registers;      /* off the stack: they would cost it a second page */
#endif
    void      (*entry)(void *);
    void       *arg;
    const void *stack;          /* its lowest address */
    size_t      stack_bytes;
    void       *fake_stack;     /* ASan's */
    void       *shadow;         /* TSan's */
};

/* Makes a fibre of what runs now, to be switched away from and back to. */
void fibre_adopt(struct fibre *fibre);

/* Prepares a fibre on the caller's stack, which calls entry(arg) when first switched to.
   entry never returns, it leaves. */
void fibre_init(struct fibre *fibre, void *stack, size_t bytes, void (*entry)(void *),
                void *arg);

/* Goes on with `to` where that paused; returns when something switches back to `from`. */
void fibre_switch(struct fibre *from, struct fibre *to);

/* The last switch away from `from`. */
void fibre_leave(struct fibre *from, struct fibre *to) __attribute__((noreturn));

/* It has left; its stack is the caller's again. Not to be called on that stack. */
void fibre_end(struct fibre *fibre);

/* In assembly, for switch.c alone. Puts the registers that a call must keep on the
   present stack and their place in *kept, then loads those that `resume` points to. */
void fibre_swap(void **kept, void *resume);

/* Lays out, below top, registers with which fibre_swap calls begin(arg). Returns them. */
void *fibre_registers(void *top, void (*begin)(void *), void *arg);

#endif
