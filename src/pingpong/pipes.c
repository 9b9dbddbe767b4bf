#define _GNU_SOURCE    /* pipe2 */
#include "pingpong/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int pipes_open(struct ends ends[2])
{
    int there[2], back[2];
    if (pipe2(there, O_CLOEXEC) < 0)
        return -errno;
    if (pipe2(back, O_CLOEXEC) < 0) {
        int error = -errno;
        close(there[0]);
        close(there[1]);
        return error;
    }
    ends[0] = (struct ends){.in = back[0], .out = there[1]};
    ends[1] = (struct ends){.in = there[0], .out = back[1]};
    return 0;
}

void pipes_close(struct ends *ends)
{
    if (ends->in < 0)
        return;
    close(ends->in);
    close(ends->out);
    *ends = (struct ends){.in = -1, .out = -1};
}

int pipes_take(const struct ends *ends)
{
    char ball;
    ssize_t got;
    do
        got = read(ends->in, &ball, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 ? 0 : got < 0 ? -errno : -EPIPE;
}

int pipes_give(const struct ends *ends)
{
    ssize_t put;
    do
        put = write(ends->out, "o", 1);
    while (put < 0 && errno == EINTR);
    return put == 1 ? 0 : -errno;
}

int pipes_play(struct game *game, int player, const struct ends *ends)
{
    int error = 0;
    for (int64_t turn = 0; !error && turn < game_turns(game); turn++) {
        if (player == 1)
            error = pipes_take(ends);
        if (error)
            break;
        game_turn(game, player, turn);
        error = pipes_give(ends);
        if (player == 0 && !error)
            error = pipes_take(ends);
    }
    return error;
}
