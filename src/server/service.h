/* What all requests share: the loop, the listening socket, and the settings. */
#ifndef SERVER_SERVICE_H
#define SERVER_SERVICE_H

#include "server/tally.h"

#include <stdint.h>
#include <sys/queue.h>

struct visit;    /* of visit.h */
struct round;    /* of gate.c */

struct service {
    uint64_t seed;                              /* of all that is drawn */
    int64_t  max_delay_ns;
    void   (*serve)(struct visit *visit);       /* is given each visit, and must end it */

    struct event_base   *base;
    struct evhttp       *http;
    struct tally         tally;
    uint64_t             next_number;           /* for a request that brings no ?i= */
    LIST_HEAD(, round)   rounds;                /* at the gates, open to newcomers */
    LIST_HEAD(, visit)   lingering;             /* answered, not closed by clients yet */
};

/* Starts to accept connections from listen_fd, which is the service's from here on. The
   first three members are set, the others zero. The caller runs service->base's loop.
   Returns 0 or -errno. */
int service_open(struct service *service, int listen_fd);

/* Ends every visit as if its client had left, and frees all. */
void service_close(struct service *service);

#endif
