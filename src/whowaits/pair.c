#include "whowaits/pair.h"

#include "kit/clock.h"

#include <string.h>

enum {
    PAUSE_MS = 500,         /* for which nothing may change before it counts as rest */
    LONG_S = 600,           /* a longer timer is a guard, not a plan */
    SPIN_CPU_MS = 100,
    SPIN_WAKES = 15,
    SPIN_WAKES_A_S = 30,    /* housekeeping takes less: wrk wakes ten times a second */
    NAPS = 3                /* so many short sleeps in a row make one that asks again */
};

int64_t pair_elapsed(const struct pair *pair)
{
    return pair->last.at_ns - pair->first.at_ns;
}

int pair_waiting(const struct pair *pair)
{
    return pair->last.count.waiting > 0 ? (int)pair->last.count.waiting : 0;
}

static void start_anew(struct pair *pair)
{
    roll_free(&pair->first.roll);
    pair->first = pair->last;
    pair->last.roll = (struct roll){0};
}

const struct roll *pair_latest(const struct pair *pair)
{
    return pair->last.roll.threads ? &pair->last.roll : &pair->first.roll;
}

void pair_free(struct pair *pair)
{
    roll_free(&pair->first.roll);
    roll_free(&pair->last.roll);
}

static bool is_alike(const struct reading *a, const struct reading *b)
{
    if (memcmp(&a->count, &b->count, sizeof a->count) != 0 ||
        a->roll.count != b->roll.count || a->roll.sockets != b->roll.sockets ||
        a->roll.unread != b->roll.unread)
        return false;
    for (int i = 0; i < a->roll.count; i++)
        if (a->roll.threads[i].tid != b->roll.threads[i].tid)
            return false;
    return true;
}

void pair_renew(struct pair *pair)
{
    if (!is_alike(&pair->first, &pair->last))
        start_anew(pair);
}

bool pair_spins(const struct roll_thread *before, const struct roll_thread *after,
                int64_t pause_ns)
{
    int64_t woke = after->woke - before->woke;
    int64_t cpu_ns = after->cpu_ns - before->cpu_ns;
    bool waits = roll_asleep(after) && after->watched > 0;
    if (after->held == 0)
        return false;
    if (woke >= SPIN_WAKES && woke * CLOCK_S >= SPIN_WAKES_A_S * pause_ns)
        return waits || after->call.kind == CALL_TIMER || !roll_asleep(after);
    if (after->call.kind == CALL_TIMER)
        return woke >= NAPS;
    return !roll_asleep(before) && !roll_asleep(after) &&
           cpu_ns >= (int64_t)SPIN_CPU_MS * CLOCK_MS;
}

int pair_spinning(const struct pair *pair)
{
    const struct roll *first = &pair->first.roll, *last = &pair->last.roll;
    bool all_watched = last->watched >= pair_waiting(pair);
    int spinning = 0;
    for (int i = 0; i < last->count; i++)
        if (!all_watched || last->threads[i].watched > 0)
            spinning +=
                pair_spins(&first->threads[i], &last->threads[i], pair_elapsed(pair));
    return spinning;
}

enum rest pair_rest(struct pair *pair)
{
    if (pair_elapsed(pair) < (int64_t)PAUSE_MS * CLOCK_MS)
        return REST_NOT_YET;
    if (pair_spinning(pair) > 0)
        return REST_SPINS;
    int waiting = pair_waiting(pair);
    bool all_watched = waiting > 0 && pair->last.roll.watched >= waiting;
    bool moved = false, busy = false;
    for (int i = 0; i < pair->last.roll.count; i++) {
        const struct roll_thread *was = &pair->first.roll.threads[i];
        const struct roll_thread *is = &pair->last.roll.threads[i];
        bool same = roll_asleep(was) && strcmp(was->call.name, is->call.name) == 0 &&
                    was->watched == is->watched;
        bool counts = !all_watched || is->watched > 0 || was->watched > 0;
        busy = busy || (counts && !roll_asleep(is));
        moved = moved || (counts && roll_asleep(is) && !same);
    }
    if (moved)
        start_anew(pair);
    return moved || busy ? REST_NOT_YET : REST_ASLEEP;
}

/* Whether it sleeps, and no timer is running that may end that. */
static bool is_untimed(const struct roll_thread *thread)
{
    int64_t timeout_ns = thread->call.timeout_ns;
    return roll_asleep(thread) &&
           (timeout_ns < 0 || timeout_ns >= (int64_t)LONG_S * CLOCK_S);
}

/* Whether nobody would ever have moved again: all slept, none of them woke in between,
   nothing was under way to the server, and no timer was running. */
static bool is_still(const struct pair *pair)
{
    if (pair->last.roll.under_way > 0)
        return false;
    for (int i = 0; i < pair->last.roll.count; i++) {
        const struct roll_thread *was = &pair->first.roll.threads[i];
        const struct roll_thread *is = &pair->last.roll.threads[i];
        if (!is_untimed(was) || !is_untimed(is) || was->woke != is->woke)
            return false;
    }
    return true;
}

/* Whether, over a long time, all slept in the same calls, and each timer ran out three
   times without that anything came of it: its thread woke so often. A timerfd tells what
   is left of its time, which alone would not say that. */
static bool is_idle(const struct pair *pair)
{
    for (int i = 0; i < pair->last.roll.count; i++) {
        const struct roll_thread *was = &pair->first.roll.threads[i];
        const struct roll_thread *is = &pair->last.roll.threads[i];
        bool napped = roll_asleep(is) && is->woke - was->woke >= NAPS &&
                      is->call.timeout_ns <= pair_elapsed(pair) / NAPS;
        if (!is_untimed(is) && !napped)
            return false;
    }
    return pair->last.roll.under_way == 0 &&
           pair_elapsed(pair) >= (int64_t)PAIR_POLLERS_S * CLOCK_S;
}

bool pair_is_complete(const struct pair *pair)
{
    return is_still(pair) || is_idle(pair);
}

/* Whether, over a long time, everyone slept, or ran for so long that it might have asked
   for something: a thread that is ready may have to wait, on a busy machine. */
static bool had_its_turn(const struct pair *pair)
{
    for (int i = 0; i < pair->last.roll.count; i++) {
        const struct roll_thread *was = &pair->first.roll.threads[i];
        const struct roll_thread *is = &pair->last.roll.threads[i];
        if (!roll_asleep(is) && is->cpu_ns - was->cpu_ns < CLOCK_S)
            return false;
    }
    return pair_elapsed(pair) >= (int64_t)PAIR_POLLERS_S * CLOCK_S;
}

bool pair_is_over(struct pair *pair)
{
    enum rest rest = pair_rest(pair);
    return (rest == REST_ASLEEP && is_still(pair)) ||
           (rest != REST_NOT_YET && had_its_turn(pair));
}
