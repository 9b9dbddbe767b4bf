#define _GNU_SOURCE    /* sched_getaffinity */
#include "kit/cpus.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

/* cpu_set_t is a secret of _GNU_SOURCE; the kernel takes any array of bits. */
_Static_assert(sizeof(cpu_set_t) == sizeof(struct cpus), "both hold 1,024 bits");

static bool has(const struct cpus *cpus, int cpu)
{
    return cpus->bits[cpu / 64] >> (cpu % 64) & 1;
}

bool cpus_divide(struct cpus *server, struct cpus *clients)
{
    cpu_set_t allowed;
    memset(server, 0xff, sizeof *server);
    memset(clients, 0xff, sizeof *clients);
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        return false;
    memcpy(server, &allowed, sizeof *server);
    memcpy(clients, &allowed, sizeof *clients);
    if (CPU_COUNT(&allowed) < 2)
        return false;
    int first = 0;
    while (!has(server, first))
        first++;
    memset(server, 0, sizeof *server);
    server->bits[first / 64] = 1ULL << (first % 64);
    clients->bits[first / 64] &= ~server->bits[first / 64];
    return true;
}

int cpus_bind(const struct cpus *cpus)
{
    cpu_set_t set;
    memcpy(&set, cpus, sizeof set);
    return sched_setaffinity(0, sizeof set, &set) < 0 ? -errno : 0;
}

void cpus_format(const struct cpus *cpus, char text[CPUS_TEXT])
{
    size_t used = 0;
    text[0] = '\0';
    for (int cpu = 0; cpu < CPUS_MOST && used < CPUS_TEXT; cpu++) {
        if (!has(cpus, cpu))
            continue;
        int last = cpu;
        while (last + 1 < CPUS_MOST && has(cpus, last + 1))
            last++;
        char range[32];
        snprintf(range, sizeof range, cpu == last ? "%d" : "%d-%d", cpu, last);
        const char *comma = used > 0 ? "," : "";
        used += (size_t)snprintf(text + used, CPUS_TEXT - used, "%s%s", comma, range);
        cpu = last;
    }
}
