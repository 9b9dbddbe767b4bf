/* A game of ping-pong: two players take turns, and to pass the ball is to switch. */
#ifndef PINGPONG_GAME_H
#define PINGPONG_GAME_H

#include "kit/clock.h"

#include <stdbool.h>
#include <stdint.h>

/* Lies where both players can reach it, also those that are processes. */
struct game {
    int64_t rounds;      /* that count; a round is two switches */
    int     cpus[2];     /* where each player stays; the same number, or two */
    int64_t taken[2];    /* turns; each written by its player alone, read by both */
    int64_t amiss[2];    /* of these, taken when it was the other's turn */
    int64_t start_ns, end_ns;    /* written by player 0 */
};

/* The turns of each player. The first round does not count, since player 1 is still on
   its way then; the turn after the last is there to see the ball come back. */
static inline int64_t game_turns(const struct game *game)
{
    return game->rounds + 2;
}

/* What a player does with the ball: notes that it had it, and whether the other has
   passed it. Player 0 begins, so the other has had as many turns as itself; player 1
   finds one more. turn counts a player's own turns, from 0. */
static inline void game_turn(struct game *game, int player, int64_t turn)
{
    game->amiss[player] += game->taken[!player] != turn + player;
    game->taken[player] = turn + 1;
    if (player == 0 && turn == 1)
        game->start_ns = clock_ns();
    if (player == 0 && turn == game->rounds + 1)
        game->end_ns = clock_ns();
}

/* Every turn was taken, and none when it was the other's: no switch was missed. */
static inline bool game_is_fair(const struct game *game)
{
    return game->taken[0] == game_turns(game) && game->taken[1] == game_turns(game) &&
           game->amiss[0] == 0 && game->amiss[1] == 0;
}

/* One way of passing the ball. */
struct way {
    const char *name;         /* "thread-futex" */
    const char *who, *how;    /* the players: "thread"; how they wait: "futex" */
    const char *by;           /* who switches: "kernel", "ucontext", "assembly" */
    bool        stays;        /* within one thread: it cannot cross to another core */
    /* Plays the game, whose turns are 0 when it begins, in a process bound to cpus[0].
       Returns when both players have ended: 0, or -errno if they could not play. */
    int       (*play)(struct game *game);
};

extern const struct way system_call, coroutine_switch, coroutine_yield, coroutine_pipe,
                        thread_futex, thread_condition, thread_pipe, process_pipe;

#endif
