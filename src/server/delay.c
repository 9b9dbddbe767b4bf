/* /delay/T: answers after T, or fails after T. */
#include "kit/clock.h"
#include "kit/random.h"
#include "kit/units.h"
#include "server/distribution.h"
#include "server/fault.h"
#include "server/handlers.h"
#include "server/wakeup.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Streams of their own, so that ?fault= changes nothing in the delays. */
enum purpose { PURPOSE_DELAY = 1, PURPOSE_FAULT = 2 };

struct delay {
    struct visit *visit;
    fault_strike *strike;    /* NULL: it will be answered */
    struct wakeup wakeup;
};

static void answer(struct visit *visit)
{
    int64_t us = (clock_ns() - visit->arrived_ns) / CLOCK_US;
    visit_say(visit, 200, "waited %" PRId64 ".%02d ms\n", us / 1000,
              (int)(us % 1000 / 10));
}

static void on_due(void *arg)
{
    struct delay *delay = arg;
    if (delay->strike)
        delay->strike(delay->visit);
    else
        answer(delay->visit);
    free(delay);
}

static void on_left(void *arg)
{
    struct delay *delay = arg;
    wakeup_clear(&delay->wakeup);
    free(delay);
}

static void wait_for(struct visit *visit, int64_t delay_ns, fault_strike *strike)
{
    struct delay *delay = calloc(1, sizeof *delay);
    if (!delay) {
        visit_say(visit, 503, "delay: out of memory\n");
        return;
    }
    delay->visit = visit;
    delay->strike = strike;
    wakeup_set(&delay->wakeup, visit->service->base, visit->arrived_ns + delay_ns, on_due,
               delay);
    visit_watch(visit, on_left, delay);
}

/* Reads ?fault=KIND:PROBABILITY. Returns whether it is of that form. */
static bool read_fault(const char *text, fault_strike **strike, double *probability)
{
    const char *number = strchr(text, ':');
    if (!number || strspn(number + 1, "0123456789.") != strlen(number + 1))
        return false;
    char *end;
    *probability = strtod(number + 1, &end);
    *strike = fault_find(text, (size_t)(number - text));
    return *strike && end != number + 1 && *end == '\0' && *probability <= 1;
}

/* Draws what will become of the visit. Returns whether its parameters allowed that, else
   it has been told what is wrong. */
static bool draw_fate(struct visit *visit, const struct distribution *distribution,
                      int64_t *delay_ns, fault_strike **strike)
{
    struct service *service = visit->service;
    const char *i = visit_parameter(visit, "i");
    const char *fault = visit_parameter(visit, "fault");
    int64_t number = 0;
    double probability = 0;
    *strike = NULL;
    if (i && units_parse_count(i, &number) != 0) {
        visit_say(visit, 400, "delay: i=%.40s is not a whole number\n", i);
        return false;
    }
    if (fault && !read_fault(fault, strike, &probability)) {
        visit_say(visit, 400,
                  "delay: fault=%.40s is not of the form reset:0.01; it takes %s and a "
                  "probability from 0 to 1\n", fault, fault_kinds);
        return false;
    }
    uint64_t item = i ? (uint64_t)number : service->next_number++;
    uint64_t stream = random_stream(service->seed, PURPOSE_DELAY, item);
    *delay_ns = distribution_draw(distribution, &stream);
    if (*delay_ns > service->max_delay_ns)
        *delay_ns = service->max_delay_ns;
    stream = random_stream(service->seed, PURPOSE_FAULT, item);
    if (random_unit(&stream) >= probability)
        *strike = NULL;
    return true;
}

void delay_serve(struct visit *visit)
{
    struct distribution distribution;
    const char *wrong = distribution_parse(visit->argument, &distribution);
    if (wrong) {
        visit_say(visit, 400, "delay: '%.60s' %s\n", visit->argument, wrong);
        return;
    }
    if (distribution_largest(&distribution) > visit->service->max_delay_ns) {
        char most[UNITS_TEXT];
        units_format_duration(most, visit->service->max_delay_ns);
        visit_say(visit, 400,
                  "delay: '%.60s' is more than the server's --max-delay, %s\n",
                  visit->argument, most);
        return;
    }
    int64_t delay_ns;
    fault_strike *strike;
    if (!draw_fate(visit, &distribution, &delay_ns, &strike))
        return;
    if (delay_ns > 0)
        wait_for(visit, delay_ns, strike);
    else if (strike)
        strike(visit);
    else
        answer(visit);
}
