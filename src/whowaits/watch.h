/* Watches a client wait: lets its requests gather at the gate, calls the roll, and
   answers them in an order that tells who was ready for it. */
#ifndef WHOWAITS_WATCH_H
#define WHOWAITS_WATCH_H

#include "whowaits/client.h"
#include "whowaits/gate.h"
#include "whowaits/roll.h"
#include "whowaits/verdict.h"

#include <signal.h>
#include <stdint.h>

struct watch {
    struct client *client;    /* started */
    struct gate   *gate;      /* open */
    const volatile sig_atomic_t *stop;    /* set: to be given up */

    struct evidence evidence;
    struct roll     before, after;    /* two readings while they stood at the gate, */
    int64_t         pause_ns;         /* ... and what lay between them */
};

/* Watches until the evidence is there; the last four members are its results. Returns
   0, -ECHILD if the client ended before it was seen to wait, or while more might have
   come, -EINTR if stopped, or another -errno. How long it takes is up to the client; it
   is given up when it has neither slept nor come any further for a minute. */
int watch_client(struct watch *watch);

void watch_free(struct watch *watch);

#endif
