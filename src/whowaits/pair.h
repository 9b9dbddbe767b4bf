/* Two readings of a client, some time apart: whether it sleeps, spins, or might still
   go on. */
#ifndef WHOWAITS_PAIR_H
#define WHOWAITS_PAIR_H

#include "whowaits/gate.h"
#include "whowaits/roll.h"

#include <stdbool.h>
#include <stdint.h>

enum { PAIR_POLLERS_S = 9 };    /* for how long one looks who wakes by a timer */

struct reading {
    int64_t           at_ns;
    struct roll       roll;
    struct gate_count count;
};

/* Between the two nothing has changed but what threads do. */
struct pair {
    struct reading first, last;
    int            left;    /* processes */
};

/* Begins a new pair with the last reading, if something has changed. The numbers of the
   last stay, but it has no threads until the next one is taken. */
void pair_renew(struct pair *pair);

void pair_free(struct pair *pair);

int64_t pair_elapsed(const struct pair *pair);    /* ns */

/* How many requests stood at the gate. */
int pair_waiting(const struct pair *pair);

/* The last roll that was called. */
const struct roll *pair_latest(const struct pair *pair);

/* Of a thread, over the pause: whether it went on asking instead of waiting for an
   answer. */
bool pair_spins(const struct roll_thread *before, const struct roll_thread *after,
                int64_t pause_ns);

/* How many of those that count do so: where every request is waited for, others may do as
   they like. */
int pair_spinning(const struct pair *pair);

enum rest { REST_NOT_YET, REST_SPINS, REST_ASLEEP };

/* Whether they have come to rest; begins a new pair if one fell asleep meanwhile. */
enum rest pair_rest(struct pair *pair);

/* Whether nobody was ever going to move: they slept, and without a timer that had still
   to run out; or each timer ran out three times, and nothing came of it. */
bool pair_is_complete(const struct pair *pair);

/* Whether nothing is to be expected any more, as far as can be told. May begin a new
   pair. */
bool pair_is_over(struct pair *pair);

#endif
