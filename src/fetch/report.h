/* What a run came to: the numbers, and the one screen that shows them. */
#ifndef FETCH_REPORT_H
#define FETCH_REPORT_H

#include "models/model.h"

#include <stdio.h>

struct summary {
    int     ok, failed, not_started;    /* together: the workload's count */
    int     peak_in_flight;             /* as the results' times show it */
    int64_t wall_ns;                    /* from the first start to the last end */
    int64_t p50_ns, p90_ns, p99_ns, max_ns;    /* latencies of the ok requests */
};

/* Returns 0 or -ENOMEM. */
int summarise(const struct workload *workload, const struct result *results,
              struct summary *summary);

/* Prints the screen. */
void report_print(FILE *out, const struct model *model, const struct workload *workload,
                  const struct summary *summary);

/* Writes why requests failed, each reason with its count: "2 reset by the server, 1
   HTTP status 404". Cut where size ends. */
void report_reasons(char *text, size_t size, const struct workload *workload,
                    const struct result *results);

#endif
