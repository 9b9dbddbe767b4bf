/* One GET at a time, for what programs ask latency-server beside their work: its figures,
   or a place at a gate. Models measure how they wait, and do without. */
#ifndef KIT_GET_H
#define KIT_GET_H

#include "kit/net.h"

#include <stddef.h>
#include <stdint.h>

/* Connects and asks for path. Returns the connection, for get_reply or close(2), or
   -errno. */
int get_ask(const struct endpoint *endpoint, const char *path, int64_t deadline_ns);

/* Reads the reply to its end, and closes. Stores it, head and all, cut to size - 1 bytes.
   Returns its status or -errno. */
int get_reply(int fd, int64_t deadline_ns, char *reply, size_t size);

/* The whole number after "name": in a reply of JSON, as /stats has it; -1: there is
   none. */
int64_t get_number(const char *reply, const char *name);

#endif
