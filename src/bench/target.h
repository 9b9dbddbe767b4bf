/* The latency-server that a run waits for: bench's own, or one that is there already. */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include "kit/cpus.h"
#include "kit/net.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { TARGET_URL = 320, TARGET_REPLY = 2048, TARGET_WHY = 400 };

struct target {
    struct endpoint endpoint;
    char            url[TARGET_URL];    /* "http://127.0.0.1:8080", no slash at its end */
    pid_t           pid;                /* of bench's own server; 0: somebody else's */
    int             out;                /* what it prints */
    int             status;             /* how it ended, once pid is -1 */
};

/* Each returns NULL, or what went wrong, in words written to why where need be. */

/* Takes the server at url, a base URL, once it has answered. */
const char *target_attach(struct target *target, const char *url, char why[TARGET_WHY]);

/* Starts the program with options, bound to cpus (NULL: to none), at a free port. */
const char *target_start(struct target *target, char *const *argv,
                         const struct cpus *cpus, char why[TARGET_WHY]);

/* Whether the server is still there. */
const char *target_check(struct target *target, char why[TARGET_WHY]);

/* Ends bench's own server, if there is one that has not been ended yet. */
const char *target_stop(struct target *target, char why[TARGET_WHY]);

/* GETs path. Writes the reply, head and all, cut to TARGET_REPLY - 1 bytes, to reply.
   Returns the status or -errno. Blocks until deadline_ns at the longest. */
int target_get(const struct target *target, const char *path, int64_t deadline_ns,
               char reply[TARGET_REPLY]);

/* How many requests wait there now, or -errno. Blocks until deadline_ns
   at the longest. */
int target_in_flight(const struct target *target, int64_t deadline_ns);

/* The CPU time that bench's own server has used; -1: unknown. */
int64_t target_cpu_ns(const struct target *target);

#endif
