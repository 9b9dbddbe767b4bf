/* /drip/BYTES?over=T: the body comes a few bytes at a time. */
#include "kit/clock.h"
#include "kit/units.h"
#include "server/handlers.h"
#include "server/wakeup.h"

#include <stdlib.h>
#include <string.h>

enum {
    BYTES_MOST = 1000000,
    STEP_NS = CLOCK_MS    /* bytes that are due sooner one after the other go together */
};

struct drip {
    struct visit *visit;
    int64_t       begun_ns, over_ns;
    int64_t       bytes, sent;
    struct wakeup wakeup;
};

static void on_left(void *arg)
{
    struct drip *drip = arg;
    wakeup_clear(&drip->wakeup);
    free(drip);
}

static void send_dots(struct drip *drip, int64_t count)
{
    char dots[4096];
    memset(dots, '.', sizeof dots);
    drip->sent += count;
    while (count > 0) {
        size_t length = count < (int64_t)sizeof dots ? (size_t)count : sizeof dots;
        visit_send_body(drip->visit, dots, length);
        count -= (int64_t)length;
    }
}

/* Byte k of n is due at k/n of the time, so the last one is due at its end. Nothing
   overflows: a million bytes by the nanoseconds of an hour are 3.6e18. */
static void on_due(void *arg)
{
    struct drip *drip = arg;
    int64_t now_ns = clock_ns();
    int64_t past_ns = now_ns - drip->begun_ns;
    int64_t due = drip->bytes;
    if (past_ns < drip->over_ns)
        due = drip->bytes * past_ns / drip->over_ns;
    send_dots(drip, due - drip->sent);
    if (drip->sent == drip->bytes) {
        visit_end_body(drip->visit);
        free(drip);
        return;
    }
    /* Rounded up: at the exact time, not a little before. */
    int64_t next_ns = ((drip->sent + 1) * drip->over_ns + drip->bytes - 1) / drip->bytes;
    if (next_ns < past_ns + STEP_NS)
        next_ns = past_ns + STEP_NS;
    wakeup_set(&drip->wakeup, drip->visit->service->base, drip->begun_ns + next_ns,
               on_due, drip);
}

static void start(struct visit *visit, int64_t bytes, int64_t over_ns)
{
    struct drip *drip = calloc(1, sizeof *drip);
    if (!drip) {
        visit_say(visit, 503, "drip: out of memory\n");
        return;
    }
    drip->visit = visit;
    drip->begun_ns = clock_ns();
    drip->over_ns = over_ns;
    drip->bytes = visit->method == EVHTTP_REQ_HEAD ? 0 : bytes;
    visit_watch(visit, on_left, drip);
    visit_begin_body(visit, (size_t)bytes);
    on_due(drip);
}

void drip_serve(struct visit *visit)
{
    int64_t bytes = 0;
    int64_t over_ns = CLOCK_S;
    const char *over = visit_parameter(visit, "over");
    char most[UNITS_TEXT];
    units_format_duration(most, visit->service->max_delay_ns);
    if (units_parse_count(visit->argument, &bytes) != 0 || bytes > BYTES_MOST)
        visit_say(visit, 400, "drip: '%.40s' is not a number of bytes from 0 to 1M\n",
                  visit->argument);
    else if (over && (units_parse_duration(over, &over_ns) != 0 ||
                      over_ns > visit->service->max_delay_ns))
        visit_say(visit, 400, "drip: over=%.40s is not a duration such as 2s, up to the "
                  "server's --max-delay, %s\n", over, most);
    else
        start(visit, bytes, over_ns);
}
