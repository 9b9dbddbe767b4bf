/* The few statistics that the programs need. */
#ifndef KIT_STATS_H
#define KIT_STATS_H

#include <stddef.h>
#include <stdint.h>

/* Sorts values in place, smallest first. */
void stats_sort(int64_t *values, size_t count);

/* The one in the middle of sorted values, or halfway between the two there. 0 if
   count is 0. */
int64_t stats_median(const int64_t *sorted, size_t count);

/* The q-quantile (0 < q <= 1) of sorted values by nearest rank: the smallest value
   that at least q of them do not exceed, so always one that was seen. 0 if count is 0. */
int64_t stats_quantile(const int64_t *sorted, size_t count, double q);

#endif
