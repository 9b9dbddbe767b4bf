/* Coroutines that wait for each other: within one thread, so that no kernel has to know.
   Only where I/O wakes them does it come in. */
#include "pingpong/pair.h"
#include "pingpong/pipes.h"

#include "coro/coro.h"
#include "coro/stack.h"
#include "coro/switch.h"

#include <poll.h>
#include <stddef.h>

#ifdef CORO_ASSEMBLY
#define BY "assembly"
#else
#define BY "ucontext"
#endif

enum { STACK_BYTES = 64 * 1024 };

/* --- the switch itself: save the registers, change the stack, load the others ------- */

struct court {
    struct game *game;
    struct fibre fibres[2];
};

static void rally(struct court *court, int player)
{
    for (int64_t turn = 0; turn < game_turns(court->game); turn++) {
        game_turn(court->game, player, turn);
        fibre_switch(&court->fibres[player], &court->fibres[!player]);
    }
}

static void rally_back(void *arg)
{
    struct court *court = arg;
    rally(court, 1);
    fibre_leave(&court->fibres[1], &court->fibres[0]);
}

static int run_switch(struct game *game)
{
    struct court court = {.game = game};
    struct stacks stacks;
    void *stack;
    stacks_init(&stacks, STACK_BYTES, false);
    int error = stacks_take(&stacks, &stack);
    if (!error) {
        fibre_adopt(&court.fibres[0]);
        fibre_init(&court.fibres[1], stack, STACK_BYTES, rally_back, &court);
        rally(&court, 0);
        fibre_switch(&court.fibres[0], &court.fibres[1]);    /* to let it leave */
        fibre_end(&court.fibres[1]);
    }
    stacks_free(&stacks);
    return error;
}

/* --- through the scheduler: I can go on, but let the other go first ----------------- */

static int play_yield(struct coro *coro, void *arg)
{
    const struct player *me = arg;
    int error = 0;
    for (int64_t turn = 0; !error && turn < game_turns(me->game); turn++) {
        game_turn(me->game, me->number, turn);
        error = coro_yield(coro);
    }
    return error;
}

/* Both players as coroutines of one loop. */
static int spawn_two(struct coro *coro, struct player players[2], coro_body *body)
{
    struct coro_group group = {0};
    int error = coro_spawn(coro, &group, body, &players[0]);
    if (!error)
        error = coro_spawn(coro, &group, body, &players[1]);
    if (error)
        coro_cancel(&group);
    int gathered = coro_gather(coro, &group, CORO_NEVER);
    return error ? error : gathered;
}

static int spawn_yielding(struct coro *coro, void *arg)
{
    return spawn_two(coro, arg, play_yield);
}

static int run_yield(struct game *game)
{
    struct player players[2] = {{.game = game, .number = 0}, {.game = game, .number = 1}};
    return coro_run(NULL, spawn_yielding, players);
}

/* --- woken by I/O: the loop asks the kernel which pipe is ready --------------------- */

static int take(struct coro *coro, const struct ends *ends)
{
    int ready = coro_wait_fd(coro, ends->in, POLLIN, CORO_NEVER);
    return ready < 0 ? ready : pipes_take(ends);    /* which will not wait now */
}

static int play_pipe(struct coro *coro, void *arg)
{
    const struct player *me = arg;
    struct ends *ends = (struct ends *)me->table + me->number;
    int error = 0;
    for (int64_t turn = 0; !error && turn < game_turns(me->game); turn++) {
        if (me->number == 1)
            error = take(coro, ends);
        if (error)
            break;
        game_turn(me->game, me->number, turn);
        error = pipes_give(ends);
        if (me->number == 0 && !error)
            error = take(coro, ends);
    }
    pipes_close(ends);    /* here: after an error the other would wait for ever */
    return error;
}

static int spawn_piping(struct coro *coro, void *arg)
{
    return spawn_two(coro, arg, play_pipe);
}

static int run_loop(struct player *me)
{
    return coro_run(NULL, play_pipe, me);
}

/* On one core one loop wakes both; across two cores there are two threads, with a loop
   and a coroutine each. */
static int run_pipe(struct game *game)
{
    struct ends ends[2];
    int error = pipes_open(ends);
    if (error)
        return error;
    struct player players[2] = {{.game = game, .number = 0, .table = ends},
                                {.game = game, .number = 1, .table = ends}};
    error = game->cpus[0] == game->cpus[1] ? coro_run(NULL, spawn_piping, players)
                                           : pair_run(game, run_loop, ends);
    pipes_close(&ends[0]);
    pipes_close(&ends[1]);
    return error;
}

const struct way coroutine_switch = {
    .name = "coroutine-switch",
    .who = "coroutine",
    .how = "switch",
    .by = BY,
    .stays = true,
    .play = run_switch,
};

const struct way coroutine_yield = {
    .name = "coroutine-yield",
    .who = "coroutine",
    .how = "yield",
    .by = BY,
    .stays = true,
    .play = run_yield,
};

const struct way coroutine_pipe = {
    .name = "coroutine-pipe",
    .who = "coroutine",
    .how = "pipe",
    .by = BY,
    .play = run_pipe,
};
