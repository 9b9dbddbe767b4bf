/* All the experiments that were chosen, from plan to findings. */
#ifndef BENCH_CAMPAIGN_H
#define BENCH_CAMPAIGN_H

#include "bench/bench.h"
#include "bench/experiment.h"

enum { CAMPAIGN_MOST = 32 };

/* One experiment's part. */
struct part {
    const struct experiment *experiment;
    struct cell             *cells;
    int                      planned;    /* cells there are ... */
    int                      taken;      /* ... of which so many fit, the first */
    int64_t                  trials, share_ns;
    struct record            record;
};

struct campaign {
    struct part parts[CAMPAIGN_MOST];
    int         count;
};

/* Makes the directory for the output, and finds out whether every CSV can be written
   there, before an hour is spent on measuring. Returns 0 or -errno
   with bench->why set. */
int campaign_check_output(struct bench *bench, const struct campaign *campaign);

/* Plans cells for the experiments that stand in campaign->parts, within the settings'
   budget, and says which it has no room for. Returns 0 or -errno with bench->why set. */
int campaign_plan(struct bench *bench, struct campaign *campaign);

/* Runs them, and writes their CSV as it goes. Returns 0, -EINTR if the user stopped it,
   or another -errno with bench->why set; what was measured is kept in any case. */
int campaign_run(struct bench *bench, struct campaign *campaign);

/* Prints what was found, a sentence for each. */
void campaign_report(const struct campaign *campaign);

void campaign_free(struct campaign *campaign);

#endif
