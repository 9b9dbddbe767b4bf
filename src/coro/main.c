/* first-second: a sleep before "second", and what it holds up. */
#include "coro/coro.h"
#include "kit/clock.h"
#include "kit/options.h"

#include <stdio.h>
#include <string.h>

#define NAP (500LL * CLOCK_MS)

static const struct option_program program = {
    .name = "first-second",
    .operands = "",
    .about = "Says \"first\" and \"second\" with a sleep before \"second\": blocking, "
             "and then in two coroutines.",
};

static void say(const char *word, int64_t start_ns)
{
    printf("    %3d ms  %s\n", (int)((clock_ns() - start_ns) / CLOCK_MS), word);
    fflush(stdout);
}

/* Blocking: nothing else in the program happens during the sleep. */
static void sleep_then_second(int64_t start_ns)
{
    clock_sleep(NAP);
    say("second", start_ns);
}

/* As a coroutine: `me` says that it may pause, and coro_sleep is where. */
static int pause_then_second(struct coro *me, void *arg)
{
    const int64_t *start_ns = arg;
    int error = coro_sleep(me, clock_ns() + NAP);
    if (!error)
        say("second", *start_ns);
    return error;
}

static int first(struct coro *me, void *arg)
{
    (void)me;    /* it may pause, but has no need to */
    const int64_t *start_ns = arg;
    say("first", *start_ns);
    return 0;
}

static int both(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    int error = coro_spawn(me, &group, pause_then_second, arg);
    if (!error)
        error = coro_spawn(me, &group, first, arg);
    int gathered = coro_gather(me, &group, CORO_NEVER);    /* also what did start */
    return error ? error : gathered;
}

int main(int argc, char **argv)
{
    options_or_exit(&program, argc, argv, NULL);
    puts("blocking: a sleep before \"second\" comes before everything after it");
    int64_t start_ns = clock_ns();
    sleep_then_second(start_ns);
    say("first", start_ns);

    puts("two coroutines, started in the same order: one sleeps, the other goes on");
    start_ns = clock_ns();
    int error = coro_run(NULL, both, &start_ns);
    if (error)
        fprintf(stderr, "first-second: coro_run: %s\n", strerror(-error));
    return options_exit_status(&program, error ? 1 : 0);
}
