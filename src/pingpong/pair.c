#define _GNU_SOURCE    /* pthread_attr_setaffinity_np */
#include "pingpong/pair.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

/* What the second thread is given. */
struct start {
    int         (*body)(struct player *);
    struct player player;
};

static void *begin(void *arg)
{
    struct start *start = arg;
    start->player.error = start->body(&start->player);
    return NULL;
}

/* Bound before it runs: a thread that found out later could leave the other waiting. */
static int create(pthread_t *thread, struct start *start)
{
    pthread_attr_t attr;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)start->player.game->cpus[1], &set);
    int error = pthread_attr_init(&attr);
    if (error)
        return -error;
    error = pthread_attr_setaffinity_np(&attr, sizeof set, &set);
    if (!error)
        error = pthread_create(thread, &attr, begin, start);
    pthread_attr_destroy(&attr);
    return -error;
}

int pair_run(struct game *game, int (*body)(struct player *), void *table)
{
    struct start other = {body, {.game = game, .number = 1, .table = table}};
    struct player me = {.game = game, .number = 0, .table = table};
    pthread_t thread;
    int error = create(&thread, &other);
    if (error)
        return error;
    me.error = body(&me);
    pthread_join(thread, NULL);
    /* Who fails first leaves; that the other finds a broken pipe is only what follows. */
    bool follows = other.player.error == -EPIPE && me.error != 0;
    return other.player.error && !follows ? other.player.error : me.error;
}
