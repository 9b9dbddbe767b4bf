#include "bench/cost.h"

#include "kit/clock.h"

enum { STEP_MS = 50, SETTLE_MS = 1000, STILL_KIB = 128 };

/* The kernel frees closed sockets and ended threads when it comes to it, most of them
   within 0.2 s. What it frees after this look would be missing from the difference. What
   it keeps, half-used pages of slab, is missing: some 2 MiB, whatever the program. */
struct procfs_kernel cost_begin(void)
{
    int64_t deadline_ns = clock_ns() + (int64_t)SETTLE_MS * CLOCK_MS;
    struct procfs_kernel before, now = procfs_kernel();
    do {
        before = now;
        clock_sleep((int64_t)STEP_MS * CLOCK_MS);
        now = procfs_kernel();
    } while (now.slab_kib < before.slab_kib - STILL_KIB && clock_ns() < deadline_ns);
    return now;
}

void cost_split(const struct procfs_group *held, const struct procfs_kernel *before,
                const struct procfs_kernel *now, int64_t kib[COST_PARTS])
{
    kib[COST_RESIDENT] = held->rss_kib;
    kib[COST_PSS] = held->pss_kib;
    kib[COST_PAGE_TABLES] = held->page_tables_kib;
    kib[COST_KERNEL_STACKS] = now->stacks_kib - before->stacks_kib;
    kib[COST_SLAB] = now->slab_kib - before->slab_kib;
}

int64_t cost_whole(const int64_t parts[COST_PARTS])
{
    int64_t sum = 0;
    for (int i = COST_PSS; i < COST_PARTS; i++)
        sum += parts[i];
    return sum;
}

void cost_each(const int64_t kib[COST_PARTS], const int64_t base_kib[COST_PARTS],
               int waiting, int64_t bytes[COST_PARTS])
{
    for (int i = 0; i < COST_PARTS; i++)
        bytes[i] = (kib[i] - base_kib[i]) * 1024 / (waiting - 1);
}
