/* A fault in a guard comes as SIGSEGV, with the address. The handler needs a stack of its
   own, sigaltstack(2), and finds the loop at the bottom of it: no global is needed. */
#include "coro/overflow.h"

#include "coro/scheduler.h"

#include <errno.h>
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
    struct sigaction        old_action;
};

static const uint64_t magic = 0x636f726f20737461;

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
    struct sigaction action = {.sa_handler = SIG_DFL};
    if (note && !(mine->ss_flags & SS_DISABLE) && note->magic == magic) {
        if (note->old_action.sa_sigaction != on_fault)    /* of a loop around this one */
            action = note->old_action;
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
    /* Returning repeats the fault, which now ends the program as it would have. */
    sigaction(signal, &action, NULL);
}

int overflow_watch(struct overflow *overflow, const struct coro_loop *loop)
{
    struct note *note = malloc(HANDLER_STACK);
    if (!note)
        return -ENOMEM;
    overflow->memory = note;
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    stack_t stack = {.ss_sp = note, .ss_size = HANDLER_STACK};
    sigaction(SIGSEGV, NULL, &overflow->old_action);
    *note = (struct note){.magic = magic, .loop = loop,
                          .old_action = overflow->old_action};
    if (sigaltstack(&stack, &overflow->old_stack) == 0) {
        sigaction(SIGSEGV, &action, NULL);    /* cannot fail for this signal */
        return 0;
    }
    int error = -errno;
    free(note);
    overflow->memory = NULL;
    return error;
}

void overflow_forget(struct overflow *overflow)
{
    if (!overflow->memory)
        return;
    sigaction(SIGSEGV, &overflow->old_action, NULL);
    sigaltstack(&overflow->old_stack, NULL);
    free(overflow->memory);
}
