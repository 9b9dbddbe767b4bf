/* Threads that wait for each other. The kernel stops the one and starts the other; what
   differs is by what means it is asked to. */
#include "pingpong/pair.h"
#include "pingpong/pipes.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- futex(2): sleep while a number in memory has this value; wake who sleeps on it - */

static int play_futex(struct player *me)
{
    atomic_int *ball = me->table;    /* whose it is */
    int other = !me->number;
    for (int64_t turn = 0; turn < game_turns(me->game); turn++) {
        while (atomic_load(ball) != me->number)    /* EAGAIN, EINTR: look again */
            syscall(SYS_futex, ball, FUTEX_WAIT_PRIVATE, other, NULL, NULL, 0);
        game_turn(me->game, me->number, turn);
        atomic_store(ball, other);
        syscall(SYS_futex, ball, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
    return 0;
}

static int run_futex(struct game *game)
{
    atomic_int ball = 0;
    return pair_run(game, play_futex, &ball);
}

/* --- a condition variable: the same, with a mutex around what is waited for --------- */

struct table {
    pthread_mutex_t mutex;     /* guards ball */
    pthread_cond_t  passed;    /* ball is another's */
    int             ball;
};

/* Of a mutex and a condition as these are, no call can fail. */
static int play_condition(struct player *me)
{
    struct table *table = me->table;
    for (int64_t turn = 0; turn < game_turns(me->game); turn++) {
        pthread_mutex_lock(&table->mutex);
        while (table->ball != me->number)
            pthread_cond_wait(&table->passed, &table->mutex);
        game_turn(me->game, me->number, turn);
        table->ball = !me->number;
        pthread_mutex_unlock(&table->mutex);
        pthread_cond_signal(&table->passed);    /* last: who wakes will want the mutex */
    }
    return 0;
}

static int run_condition(struct game *game)
{
    struct table table = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                          .passed = PTHREAD_COND_INITIALIZER};
    int error = pair_run(game, play_condition, &table);
    pthread_cond_destroy(&table.passed);
    pthread_mutex_destroy(&table.mutex);
    return error;
}

/* --- a pipe: the same call that waits for a socket ---------------------------------- */

static int play_pipe(struct player *me)
{
    struct ends *ends = (struct ends *)me->table + me->number;
    int error = pipes_play(me->game, me->number, ends);
    pipes_close(ends);    /* here: after an error the other would wait for ever */
    return error;
}

static int run_pipe(struct game *game)
{
    struct ends ends[2];
    int error = pipes_open(ends);
    if (error)
        return error;
    error = pair_run(game, play_pipe, ends);
    pipes_close(&ends[0]);
    pipes_close(&ends[1]);
    return error;
}

const struct way thread_futex = {
    .name = "thread-futex",
    .who = "thread",
    .how = "futex",
    .by = "kernel",
    .play = run_futex,
};

const struct way thread_condition = {
    .name = "thread-condition",
    .who = "thread",
    .how = "condition",
    .by = "kernel",
    .play = run_condition,
};

const struct way thread_pipe = {
    .name = "thread-pipe",
    .who = "thread",
    .how = "pipe",
    .by = "kernel",
    .play = run_pipe,
};
