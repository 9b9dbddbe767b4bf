/* /gate/K: nobody is answered until K requests wait at the gate; then all are. */
#include "kit/clock.h"
#include "kit/units.h"
#include "server/handlers.h"
#include "server/wakeup.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MOST = 1000000 };
static const int64_t timeout_most_ns = 3600LL * CLOCK_S;

struct waiter {
    TAILQ_ENTRY(waiter) link;
    struct round *round;
    struct visit *visit;
};

/* One company at a gate, from its first arrival until each has been answered or has left.
   The gate itself is nothing but its name: as soon as a round takes nobody in any more,
   the next to arrive begins a new one. */
struct round {
    LIST_ENTRY(round) link;                  /* in service->rounds while it takes in */
    TAILQ_HEAD(waiters, waiter) waiters;     /* in the order of their arrival */
    struct service *service;
    struct wakeup   timeout;
    int64_t         size;                    /* K */
    int64_t         waiting;
    int64_t         unclosed;                /* answered last-first, not yet closed */
    bool            takes_in;
    bool            opened;                  /* K have waited at once */
    bool            straggler, last_first;   /* as the first to arrive wished */
    bool            keeps_first;             /* opened, but the straggler has to wait */
};

static void take_in_no_more(struct round *round)
{
    if (round->takes_in)
        LIST_REMOVE(round, link);
    round->takes_in = false;
}

static void round_free(struct round *round)
{
    take_in_no_more(round);
    wakeup_clear(&round->timeout);
    free(round);
}

/* Takes the waiter out of the round. Returns its visit, which is to be ended. */
static struct visit *take_out(struct waiter *waiter)
{
    struct visit *visit = waiter->visit;
    TAILQ_REMOVE(&waiter->round->waiters, waiter, link);
    waiter->round->waiting--;
    free(waiter);
    return visit;
}

/* Who may be answered next, or NULL. */
static struct waiter *choose(const struct round *round)
{
    if (!round->opened || (round->last_first && round->unclosed > 0))
        return NULL;
    struct waiter *first = TAILQ_FIRST(&round->waiters);
    if (round->last_first) {
        struct waiter *last = TAILQ_LAST(&round->waiters, waiters);
        return round->keeps_first && last == first ? NULL : last;
    }
    return round->keeps_first ? TAILQ_NEXT(first, link) : first;
}

static void advance(struct round *round);

static void on_closed(void *arg)
{
    struct round *round = arg;
    round->unclosed--;
    advance(round);
}

static void answer(struct round *round, struct waiter *waiter)
{
    char sentence[64];
    snprintf(sentence, sizeof sentence, "gate: %" PRId64 " arrived\n", round->size);
    struct visit *visit = take_out(waiter);
    if (round->last_first) {
        round->unclosed++;
        visit_say_and_linger(visit, on_closed, round, sentence);
    } else {
        visit_reply(visit, 200, NULL, sentence);
    }
}

/* Answers all who may be answered, and ends the round with the last of them. */
static void advance(struct round *round)
{
    struct waiter *next;
    while ((next = choose(round)) != NULL)
        answer(round, next);
    if (round->waiting == 0 && round->unclosed == 0)
        round_free(round);
}

static void on_left(void *arg)
{
    struct waiter *waiter = arg;
    struct round *round = waiter->round;
    if (round->keeps_first && waiter == TAILQ_FIRST(&round->waiters)) {
        round->keeps_first = false;
        take_in_no_more(round);
    }
    take_out(waiter);
    advance(round);
}

/* The time is up: each who still waits hears what for. */
static void on_timeout(void *arg)
{
    struct round *round = arg;
    int64_t arrived = round->opened ? round->size : round->waiting;
    int64_t wanted = round->opened ? round->size + 1 : round->size;
    bool kept = round->keeps_first;
    round->keeps_first = false;
    take_in_no_more(round);
    struct waiter *waiter;
    while ((waiter = TAILQ_FIRST(&round->waiters)) != NULL) {
        struct visit *visit = take_out(waiter);
        if (round->opened && !kept)
            visit_say(visit, 503,
                      "gate: open, but the client that was answered before this one has "
                      "not closed its connection\n");
        else
            visit_say(visit, 503, "gate: %" PRId64 " of %" PRId64 " arrived\n", arrived,
                      wanted);
        kept = false;
    }
    advance(round);
}

static struct round *round_new(struct service *service, int64_t size, int64_t due_ns)
{
    struct round *round = calloc(1, sizeof *round);
    if (!round)
        return NULL;
    round->service = service;
    round->size = size;
    round->takes_in = true;
    LIST_INSERT_HEAD(&service->rounds, round, link);
    TAILQ_INIT(&round->waiters);
    wakeup_set(&round->timeout, service->base, due_ns, on_timeout, round);
    return round;
}

static struct round *find_round(const struct service *service, int64_t size)
{
    struct round *round;
    LIST_FOREACH (round, &service->rounds, link)
        if (round->size == size)
            break;
    return round;
}

static void join(struct round *round, struct waiter *waiter, struct visit *visit)
{
    waiter->round = round;
    waiter->visit = visit;
    TAILQ_INSERT_TAIL(&round->waiters, waiter, link);
    round->waiting++;
    visit_watch(visit, on_left, waiter);
    if (round->opened) {    /* then this is the one more that the first was kept for */
        round->keeps_first = false;
        answer(round, waiter);
    } else if (round->waiting == round->size) {
        round->opened = true;
        round->keeps_first = round->straggler;
    }
    if (round->opened && !round->keeps_first)
        take_in_no_more(round);
    advance(round);
}

/* Returns what is wrong with the visit's parameters, or NULL. */
static const char *read_parameters(const struct visit *visit, int64_t *timeout_ns,
                                   bool *straggler, bool *last_first)
{
    const char *timeout = visit_parameter(visit, "timeout");
    const char *kept = visit_parameter(visit, "straggler");
    const char *order = visit_parameter(visit, "order");
    if (timeout && (units_parse_duration(timeout, timeout_ns) != 0 ||
                    *timeout_ns > timeout_most_ns))
        return "timeout is a duration such as 5s, up to 60m";
    if (kept && strcmp(kept, "0") != 0 && strcmp(kept, "1") != 0)
        return "straggler is 0 or 1";
    if (order && strcmp(order, "last-first") != 0)
        return "order is last-first, if anything";
    *straggler = kept && *kept == '1';
    *last_first = order != NULL;
    return NULL;
}

void gate_serve(struct visit *visit)
{
    int64_t size = 0;
    int64_t timeout_ns = 5LL * CLOCK_S;
    bool straggler, last_first;
    if (units_parse_count(visit->argument, &size) != 0 || size < 1 || size > SIZE_MOST) {
        visit_say(visit, 400, "gate: '%.40s' is not a number of requests from 1 to 1M\n",
                  visit->argument);
        return;
    }
    const char *wrong = read_parameters(visit, &timeout_ns, &straggler, &last_first);
    if (wrong) {
        visit_say(visit, 400, "gate: %s\n", wrong);
        return;
    }
    struct round *round = find_round(visit->service, size);
    if (!round) {
        round = round_new(visit->service, size, visit->arrived_ns + timeout_ns);
        if (round) {
            round->straggler = straggler;
            round->last_first = last_first;
        }
    }
    struct waiter *waiter = round ? calloc(1, sizeof *waiter) : NULL;
    if (waiter)
        join(round, waiter, visit);
    else
        visit_say(visit, 503, "gate: out of memory\n");
}
