/* From the evidence to the verdict: who waits, and how many at once. */
#ifndef WHOWAITS_VERDICT_H
#define WHOWAITS_VERDICT_H

#include "kit/call.h"

#include <stdbool.h>
#include <stdint.h>

enum order {             /* what came of answering the last to arrive first */
    ORDER_NOT_TRIED,
    ORDER_READ,          /* the client read that answer, while the others still waited */
    ORDER_UNREAD         /* it lay there, while the client slept */
};

enum next {              /* what came once the first answers had come */
    NEXT_NONE,
    NEXT_SOMEHOW,        /* more requests */
    NEXT_SAME,           /* ... for which some of the same threads sleep */
    NEXT_THREADS,        /* ... for which other threads sleep, in the same processes */
    NEXT_PROCESSES       /* ... in other processes */
};

struct evidence {
    int  asked;                /* K: the gate opens for K + 1 */
    int  at_gate;              /* P requests stood there while the roll was called; where
                                  it ended before that, the most that were seen there */
    bool overflowed;           /* more than K came, and the gate opened by itself */
    bool settled;              /* nobody moved but those that spin */
    bool complete;             /* nobody was ever going to move: they slept, and
                                  without a timer that had still to run out */
    bool ended;                /* once answered, the client ended by itself */
    int  threads, processes;
    int  sockets;              /* of the client, connected to the gate */
    int  watched;              /* ... for which a thread sleeps */
    int  single, many, rings;  /* threads asleep for one socket; for several; in a ring */
    int  waiting_processes;    /* to which those belong */
    int  spinning;             /* threads that run or nap, and may ask again and again:
                                  if they read the last answer first, they did */
    int  hidden;               /* threads at which one may not look */
    char call[CALL_NAME];      /* in which they wait; else in which most sleep */
    bool one_call;             /* they all sleep in that one */
    enum order order;
    enum next  next;
    int        next_at_once;    /* the most of these that stood at the gate together */
};

enum who {
    WHO_UNKNOWN,
    WHO_THREAD,      /* each request has a thread that sleeps for it alone */
    WHO_PROCESS,     /* ... a process */
    WHO_LOOP,        /* one call waits for all of them */
    WHO_RING,        /* ... for their completion */
    WHO_IN_ORDER,    /* a thread sleeps for one of them, and then for the next */
    WHO_SPIN         /* nobody sleeps; somebody asks again and again */
};
enum how_many { MANY_UNKNOWN, MANY_ONE, MANY_SOME, MANY_ALL };    /* 1, P, K */

enum { VERDICT_WORDS = 240 };

struct verdict {
    enum who      who;
    enum how_many how_many;
    char          who_words[VERDICT_WORDS];         /* one line each, for people */
    char          how_many_words[VERDICT_WORDS];
};

/* What the evidence proves, and no more: unknown, with what did not fit, where it proves
   nothing. Looks at nothing else. */
void verdict_reach(const struct evidence *evidence, struct verdict *verdict);

/* "thread"; "some". */
const char *verdict_who_name(enum who who);
const char *verdict_how_many_name(enum how_many how_many);

#endif
