#define _GNU_SOURCE    /* sched_getaffinity */
#include "pingpong/cores.h"

#include <errno.h>
#include <sched.h>

int cores_choose(int *cpus, int count)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        return -errno;
    int found = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && found < count; cpu++)
        if (CPU_ISSET((size_t)cpu, &allowed))
            cpus[found++] = cpu;
    return found == count ? 0 : -ENODEV;
}

int cores_bind(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) < 0 ? -errno : 0;
}
