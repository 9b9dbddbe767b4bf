/* Two threads that play against each other. */
#ifndef PINGPONG_PAIR_H
#define PINGPONG_PAIR_H

#include "pingpong/game.h"

struct player {
    struct game *game;
    int          number;    /* 0 or 1 */
    void        *table;     /* what the two share beside the game, if anything */
    int          error;     /* what body returned */
};

/* Runs body once for each player: 0 in the calling thread, 1 in a thread of its own,
   which is bound to its processor. Returns when both have ended: 0 or -errno, the
   cause, where the other has only found a broken pipe. */
int pair_run(struct game *game, int (*body)(struct player *), void *table);

#endif
