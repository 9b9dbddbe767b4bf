/* Two pipes, one for each direction; the ball is a byte. */
#ifndef PINGPONG_PIPES_H
#define PINGPONG_PIPES_H

#include "pingpong/game.h"

/* What one player holds: it reads from `in` what the other one writes to its `out`. */
struct ends {
    int in, out;
};

/* Opens both pipes. Returns 0 or -errno. Whoever holds a player's ends closes them; a
   second time changes nothing. The other player then has -EPIPE instead of the ball. */
int pipes_open(struct ends ends[2]);
void pipes_close(struct ends *ends);

/* Waits for the ball; passes it on. 0, -EPIPE if the other player has gone, or another
   -errno. */
int pipes_take(const struct ends *ends);
int pipes_give(const struct ends *ends);

/* Plays one player's part, waiting in read(2). Returns 0 or -errno. */
int pipes_play(struct game *game, int player, const struct ends *ends);

#endif
