/* Somebody's program, which whowaits starts, and of which it leaves nothing behind. */
#ifndef WHOWAITS_CLIENT_H
#define WHOWAITS_CLIENT_H

#include <stdbool.h>
#include <sys/types.h>

struct client {
    pid_t pid;       /* of the command itself; 0: it was not started */
    pid_t except;    /* a child of the caller that is no part of the client */
    bool  ended;     /* the command itself has, and `status` says how */
    int   status;    /* as waitpid(2) tells it */
};

/* Starts the command in a process group of its own, with /dev/null for standard input
   and output. It is killed when the caller ends; and the caller becomes a subreaper, to
   which all that descends from the command falls. Returns 0, or -errno where it can't
   be started: -ENOENT if there is no such program. */
int client_start(struct client *client, char *const *argv, pid_t except);

/* Buries those that have ended. Returns how many processes are left, or -errno. */
int client_bury(struct client *client);

/* Ends all of it: with SIGTERM, and after a second with SIGKILL. Returns 0, -EBUSY if
   some process outlived even that for half a minute, or another -errno. */
int client_end(struct client *client);

#endif
