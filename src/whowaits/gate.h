/* A latency-server of whowaits' own, and the gate in it at which the client is to wait.

   whowaits itself stands first at the gate and comes last. The first to arrive says how
   long the gate waits and in which order it answers (for an hour; the last first), so
   that the client's URL needs no ? and &, of which a shell would make something else.
   The last opens it. What whowaits asks for is not counted as the client's. */
#ifndef WHOWAITS_GATE_H
#define WHOWAITS_GATE_H

#include "kit/net.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { GATE_WHY = 400, GATE_URL = NET_NAME + 64, GATE_MOST = 10000 };

struct gate {
    pid_t           server;          /* 0: none */
    int             out;             /* what the server prints; -1: nothing */
    struct endpoint endpoint;
    int             port;
    int             places;          /* K: for the client */
    char            path[32];
    char            url[GATE_URL];    /* for the client */
    int             first;           /* whowaits' own connection; -1: none */
    int             fillers;         /* how many more it needed to open the gate */
};

/* What the client has done so far. When all of a gate's company has been answered,
   whowaits' own first request is among the answered. */
struct gate_count {
    int64_t connections;    /* accepted */
    int64_t requests;       /* arrived */
    int64_t waiting;        /* not answered yet, and the client is still there */
    int64_t answered;
};

/* Starts the server and takes the first place. Returns NULL, or what went wrong, in words
   written to why where need be. gate_close ends it in any case. */
const char *gate_open(struct gate *gate, int places, char why[GATE_WHY]);

/* Returns 0 or -errno. Blocks for half a minute at the longest. */
int gate_count(const struct gate *gate, struct gate_count *count);

/* Takes all places that are left, so that the gate opens: of K + 1, the last one, if K
   wait there. From then on the last to have arrived is answered first, and each next
   one when the one before has closed its connection or asked for more. Returns 0 or
   -errno. */
int gate_release(struct gate *gate, int waiting);

/* Ends the server. */
void gate_close(struct gate *gate);

#endif
