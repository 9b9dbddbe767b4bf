/* Which processors the server and the clients may use. */
#ifndef KIT_CPUS_H
#define KIT_CPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CPUS_MOST = 1024, CPUS_TEXT = 256 };

/* A set of processors; bit n of the whole stands for processor n. */
struct cpus {
    uint64_t bits[CPUS_MOST / 64];
};

/* Divides what this process may use: the first processor for the server, the others for
   the clients. Where there is but one, or none can be told, both get all and it returns
   false. */
bool cpus_divide(struct cpus *server, struct cpus *clients);

/* Binds the calling process and what it will start. Returns 0 or -errno. */
int cpus_bind(const struct cpus *cpus);

/* Writes the set as Linux does: "0", "1-3,7". */
void cpus_format(const struct cpus *cpus, char text[CPUS_TEXT]);

#endif
