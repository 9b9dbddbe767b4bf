/* A fault in a guard comes as SIGSEGV, with the address. The handler is the whole
   process's; its stack is each thread's own, sigaltstack(2), and the loop of that thread
   is found at the bottom of it. */
#include "coro/overflow.h"

#include "coro/scheduler.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum { HANDLER_STACK = 64 * 1024 };

/* At the lowest address of the handler's stack, which grows down towards it. */
struct note {
    uint64_t                magic;
    const struct coro_loop *loop;
};

static const uint64_t magic = 0x636f726f20737461;

static pthread_mutex_t  mutex = PTHREAD_MUTEX_INITIALIZER;    /* of who sets the action */
static struct sigaction before;    /* what is done at a fault if we are not there */

/* Only what signal-safety(7) allows. A partial write loses words that nobody can save. */
static void say(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

static void say_number(size_t number)
{
    char digits[24];
    char *first = digits + sizeof digits - 1;
    *first = '\0';
    do
        *--first = (char)('0' + number % 10);
    while (number /= 10);
    say(first);
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    const stack_t *mine = &((const ucontext_t *)context)->uc_stack;
    const struct note *note = mine->ss_sp;
    if (note && !(mine->ss_flags & SS_DISABLE) && note->magic == magic) {
        const struct coro *coro = note->loop->running;
        size_t guard = note->loop->stacks.guard_bytes;
        uintptr_t address = (uintptr_t)info->si_addr;
        if (coro && address < (uintptr_t)coro->stack &&
            address >= (uintptr_t)coro->stack - guard) {
            say("coro: coroutine ");
            say_number((size_t)coro->number);
            say(" has overflowed its stack of ");
            say_number(coro->fibre.stack_bytes / 1024);
            say(" KiB; give it less on the stack, or set stack_bytes of coro_options\n");
        }
    }
    /* Returning repeats the fault, which now ends the program as it would have; but not
       one that somebody has sent, kill(2). */
    sigaction(signal, &before, NULL);
    if (info->si_code <= 0)
        raise(signal);
}

/* Each loop's beginning makes sure: the program, or the handler itself, may have set
   another action since the last. */
static void take_faults(void)
{
    struct sigaction now, action = {.sa_sigaction = on_fault,
                                    .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    pthread_mutex_lock(&mutex);
    sigaction(SIGSEGV, NULL, &now);    /* cannot fail for this signal */
    if (now.sa_sigaction != on_fault) {
        before = now;
        sigaction(SIGSEGV, &action, NULL);
    }
    pthread_mutex_unlock(&mutex);
}

int overflow_watch(struct overflow *overflow, const struct coro_loop *loop)
{
    struct note *note = malloc(HANDLER_STACK);
    if (!note)
        return -ENOMEM;
    overflow->memory = note;
    stack_t stack = {.ss_sp = note, .ss_size = HANDLER_STACK};
    *note = (struct note){.magic = magic, .loop = loop};
    take_faults();
    if (sigaltstack(&stack, &overflow->old_stack) == 0)
        return 0;
    int error = -errno;
    free(note);
    overflow->memory = NULL;
    return error;
}

void overflow_forget(struct overflow *overflow)
{
    if (!overflow->memory)
        return;
    sigaltstack(&overflow->old_stack, NULL);
    free(overflow->memory);
}
