/* The TCP connections to one port of this machine, seen from the side that connected. */
#ifndef WHOWAITS_SOCKETS_H
#define WHOWAITS_SOCKETS_H

#include "kit/call.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct socket_entry {
    uint64_t inode;      /* by which /proc names the socket in every process */
    int64_t  unread;     /* bytes that have arrived and that nobody has read */
    bool     under_way;  /* what was sent has not arrived yet, or connecting goes on */
    pid_t    holder;     /* a process with a descriptor of it; 0: none was seen */
    bool     watched;    /* some thread sleeps until it has something to read */
};

struct sockets {
    struct socket_entry *entries;    /* by inode */
    int                  count;
};

/* Lists the connections to `port` that are being made, that stand, or that the peer has
   closed. The last two members are not filled in. Returns 0 or -errno; the caller frees
   the list. */
int sockets_list(struct sockets *sockets, int port);

void sockets_free(struct sockets *sockets);

/* Notes that the process holds those of which it has a descriptor, by any thread of it
   that has not ended. Returns how many, or -errno: -EACCES where one may not look. */
int sockets_hold(struct sockets *sockets, pid_t pid, pid_t tid);

/* Marks those as watched for which the call waits, and returns how many they are. A
   process waits by its ring for all that it holds and that no other call of it waits for:
   what stands in the ring's queue cannot be seen. */
int sockets_watch(struct sockets *sockets, const struct call *call);

#endif
