/* What a program that waits costs in memory, of its own and in the kernel. */
#ifndef BENCH_COST_H
#define BENCH_COST_H

#include "bench/procfs.h"

/* The parts; PSS and what follows add up to the whole. Resident memory beside them is
   what other tools show: it counts pages that processes share once for each of them. */
enum {
    COST_RESIDENT,
    COST_PSS,              /* its own memory, and its share of what others use too */
    COST_PAGE_TABLES,
    COST_KERNEL_STACKS,
    COST_SLAB,
    COST_PARTS
};

/* What the kernel holds before the program starts. Waits until what earlier ones held is
   free again, a second at the longest. */
struct procfs_kernel cost_begin(void);

/* The parts, in KiB. Kernel stacks and slab are what the whole machine holds more of now
   than before: the other end's sockets and whatever a neighbour does are in them. */
void cost_split(const struct procfs_group *held, const struct procfs_kernel *before,
                const struct procfs_kernel *now, int64_t kib[COST_PARTS]);

int64_t cost_whole(const int64_t parts[COST_PARTS]);

/* What each of `waiting` requests costs beyond the first, in bytes; kib and base_kib are
   the parts with all of them and with one. It may be less than nothing: noise has both
   signs, and a median of one half of it would be too large. */
void cost_each(const int64_t kib[COST_PARTS], const int64_t base_kib[COST_PARTS],
               int waiting, int64_t bytes[COST_PARTS]);

#endif
