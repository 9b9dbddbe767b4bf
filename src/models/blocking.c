/* Blocking: one request after the other. While a reply is on its way, the whole program
   is asleep in recv(2). */
#include "models/exchange.h"
#include "models/models.h"

static int run(const struct workload *workload, struct result *results)
{
    for (int i = 0; i < workload->count && !*workload->stop; i++)
        exchange(workload, i, &results[i]);
    return 0;
}

const struct model model_blocking = {
    .name = "blocking",
    .idea = "one at a time; the whole program waits for each reply",
    .one_at_a_time = true,
    .run = run,
};
