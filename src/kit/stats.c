#include "kit/stats.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

void stats_sort(int64_t *values, size_t count)
{
    if (count > 0)    /* qsort must not be given NULL */
        qsort(values, count, sizeof *values, compare);
}

int64_t stats_median(const int64_t *sorted, size_t count)
{
    if (count == 0)
        return 0;
    int64_t low = sorted[(count - 1) / 2];
    return low + (sorted[count / 2] - low) / 2;
}

int64_t stats_quantile(const int64_t *sorted, size_t count, double q)
{
    if (count == 0)
        return 0;
    double rank = ceil(q * (double)count);
    if (rank < 1)
        rank = 1;
    if (rank > (double)count)
        rank = (double)count;
    return sorted[(size_t)rank - 1];
}
