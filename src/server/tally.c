#include "server/tally.h"

#include <inttypes.h>
#include <stdio.h>

void tally_arrive(struct tally *tally)
{
    tally->requests++;
    tally->in_flight++;
    if (tally->in_flight > tally->peak_in_flight)
        tally->peak_in_flight = tally->in_flight;
}

void tally_settle(struct tally *tally, int64_t *outcome)
{
    tally->in_flight--;
    ++*outcome;
}

void tally_reset(struct tally *tally)
{
    int64_t in_flight = tally->in_flight;
    *tally = (struct tally){
        .requests = in_flight, .in_flight = in_flight, .peak_in_flight = in_flight
    };
}

void tally_format(const struct tally *tally, char text[TALLY_TEXT])
{
    snprintf(text, TALLY_TEXT,
             "{\"connections\":%" PRId64 ",\"requests\":%" PRId64
             ",\"in_flight\":%" PRId64 ",\"peak_in_flight\":%" PRId64
             ",\"answered\":%" PRId64 ",\"faults\":%" PRId64 ",\"gone\":%" PRId64 "}\n",
             tally->connections, tally->requests, tally->in_flight, tally->peak_in_flight,
             tally->answered, tally->faults, tally->gone);
}
