#include "whowaits/watch.h"

#include "kit/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LOOK_MS = 100,          /* between two readings */
    PAUSE_MS = 500,         /* for which nothing may change before it counts as rest */
    POLLERS_S = 9,          /* ... where somebody wakes by a timer, and might go on */
    GIVE_UP_S = 60,         /* ... where somebody runs all the time, and does not spin */
    TOTAL_S = 600,
    TELL_S = 2,             /* somebody at a terminal wonders why nothing happens */
    LONG_S = 600,           /* a longer timer is a guard, not a plan */
    SPIN_CPU_MS = 100,
    SPIN_WAKES = 15,
    SPIN_WAKES_A_S = 30,    /* housekeeping takes less: wrk wakes ten times a second */
    NAPS = 3                /* so many short sleeps in a row make one that asks again */
};

struct reading {
    int64_t           at_ns;
    struct roll       roll;
    struct gate_count count;
};

/* Two readings between which nothing has changed but what threads do. */
struct pair {
    struct reading first, last;
    int            left;         /* processes */
};

static int64_t elapsed(const struct pair *pair)
{
    return pair->last.at_ns - pair->first.at_ns;
}

static int waiting(const struct pair *pair)
{
    return pair->last.count.waiting > 0 ? (int)pair->last.count.waiting : 0;
}

/* The second reading becomes the first. The numbers of the second stay, but it has no
   threads until the next one is taken. */
static void start_anew(struct pair *pair)
{
    roll_free(&pair->first.roll);
    pair->first = pair->last;
    pair->last.roll = (struct roll){0};
}

static const struct roll *latest(const struct pair *pair)
{
    return pair->last.roll.threads ? &pair->last.roll : &pair->first.roll;
}

static void pair_free(struct pair *pair)
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

/* Takes the next reading, and begins a new pair where something has changed. */
static int read_on(struct watch *watch, struct pair *pair)
{
    roll_free(&pair->last.roll);
    /* In this order: when all have ended, the numbers that follow are the final ones. */
    pair->left = *watch->stop ? -EINTR : client_bury(watch->client);
    if (pair->left < 0)
        return pair->left;
    int error = roll_call(&pair->last.roll, getpid(), watch->client->except,
                          watch->gate->port);
    if (!error)
        error = gate_count(watch->gate, &pair->last.count);
    pair->last.at_ns = clock_ns();
    if (!error && !is_alike(&pair->first, &pair->last))
        start_anew(pair);
    return error;
}

/* --- Rest --------------------------------------------------------------------------- */

bool watch_spins(const struct roll_thread *before, const struct roll_thread *after,
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

/* Those that count: where every request is waited for, others may do as they like. */
static int count_spinning(const struct pair *pair)
{
    const struct roll *first = &pair->first.roll, *last = &pair->last.roll;
    bool all_watched = last->watched >= waiting(pair);
    int spinning = 0;
    for (int i = 0; i < last->count; i++)
        if (!all_watched || last->threads[i].watched > 0)
            spinning += watch_spins(&first->threads[i], &last->threads[i], elapsed(pair));
    return spinning;
}

enum rest { REST_NOT_YET, REST_SPINS, REST_ASLEEP };

/* Whether they have come to rest; begins a new pair if one fell asleep meanwhile. */
static enum rest judge_rest(struct pair *pair)
{
    if (elapsed(pair) < (int64_t)PAUSE_MS * CLOCK_MS)
        return REST_NOT_YET;
    if (count_spinning(pair) > 0)
        return REST_SPINS;
    bool all_watched = waiting(pair) > 0 && pair->last.roll.watched >= waiting(pair);
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
                      is->call.timeout_ns <= elapsed(pair) / NAPS;
        if (!is_untimed(is) && !napped)
            return false;
    }
    return pair->last.roll.under_way == 0 &&
           elapsed(pair) >= (int64_t)POLLERS_S * CLOCK_S;
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
    return elapsed(pair) >= (int64_t)POLLERS_S * CLOCK_S;
}

/* Whether nothing is to be expected any more, as far as can be told. */
static bool is_over(struct pair *pair)
{
    enum rest rest = judge_rest(pair);
    return (rest == REST_ASLEEP && is_still(pair)) ||
           (rest != REST_NOT_YET && had_its_turn(pair));
}

/* --- At the gate -------------------------------------------------------------------- */

static bool has_overflowed(const struct watch *watch, const struct gate_count *count)
{
    int places = watch->gate->places;
    return count->waiting > places || (count->requests > places && count->answered > 0);
}

static bool has_given_up(const struct pair *pair)
{
    return elapsed(pair) >= (int64_t)GIVE_UP_S * CLOCK_S;
}

/* Reads on until all who can come stand at the gate, and are at rest. */
static int gather(struct watch *watch, struct pair *pair)
{
    struct evidence *e = &watch->evidence;
    int64_t begin_ns = clock_ns(), end_ns = begin_ns + (int64_t)TOTAL_S * CLOCK_S;
    for (bool told = !isatty(STDERR_FILENO);;) {
        int error = read_on(watch, pair);
        if (error)
            return error;
        if (!told && clock_ns() > begin_ns + (int64_t)TELL_S * CLOCK_S) {
            fprintf(stderr, "whowaits: %d of %d requests are at the gate; more may come, "
                    "or a timer may end\n", waiting(pair), watch->gate->places);
            told = true;
        }
        e->overflowed = has_overflowed(watch, &pair->last.count);
        e->at_gate = waiting(pair) > e->at_gate ? waiting(pair) : e->at_gate;
        if (pair->left == 0 && !e->overflowed)
            return -ECHILD;
        bool full = waiting(pair) == watch->gate->places;
        /* An empty gate may have reasons that lie elsewhere: a slow name server. */
        bool patient = waiting(pair) > 0 ||
                       elapsed(pair) >= (int64_t)POLLERS_S * CLOCK_S;
        e->settled = full ? judge_rest(pair) != REST_NOT_YET : patient && is_over(pair);
        if (e->settled || e->overflowed || has_given_up(pair) || clock_ns() > end_ns)
            return 0;
        clock_sleep((int64_t)LOOK_MS * CLOCK_MS);
    }
}

/* Counts those that sleep for a request, and notes in which call. */
static void note_waiters(const struct roll *roll, struct evidence *e)
{
    pid_t last = 0;
    for (int i = 0; i < roll->count; i++) {
        const struct roll_thread *thread = &roll->threads[i];
        e->hidden += thread->call.kind == CALL_HIDDEN;
        if (!roll_asleep(thread) || thread->watched == 0)
            continue;
        bool ring = thread->call.kind == CALL_RING;
        e->rings += ring;
        e->single += !ring && thread->watched == 1;
        e->many += !ring && thread->watched > 1;
        e->waiting_processes += thread->pid != last;    /* the roll goes by processes */
        last = thread->pid;
        if (!*e->call)
            e->one_call = true;
        else if (strcmp(e->call, thread->call.name) != 0)
            e->one_call = false;
        memcpy(e->call, thread->call.name, CALL_NAME);
    }
}

/* Where nobody waits: the call in which most sleep. */
static void note_commonest(const struct roll *roll, struct evidence *e)
{
    int most = 0;
    for (int i = 0; i < roll->count; i++) {
        int count = roll_count(roll, roll->threads[i].call.name);
        if (count > most)
            memcpy(e->call, roll->threads[i].call.name, CALL_NAME);
        most = count > most ? count : most;
    }
}

static void note(const struct watch *watch, const struct pair *pair, struct evidence *e)
{
    const struct roll *roll = latest(pair);
    e->asked = watch->gate->places;
    e->at_gate = waiting(pair);
    e->threads = roll->count;
    e->processes = roll->processes;
    e->sockets = roll->sockets;
    e->watched = roll->watched;
    e->spinning = count_spinning(pair);
    e->complete = e->settled && (is_still(pair) || is_idle(pair));
    note_waiters(roll, e);
    if (!*e->call)
        note_commonest(roll, e);
}

/* --- After the gate ----------------------------------------------------------------- */

/* Who sleeps for the requests that have come since; NEXT_SOMEHOW: not seen yet. */
static enum next identify(const struct roll *held, const struct roll *now, int in_flight)
{
    enum next next = NEXT_SAME;
    if (now->watched == 0 || now->watched < in_flight)
        return NEXT_SOMEHOW;
    for (int i = 0; i < now->count; i++) {
        const struct roll_thread *thread = &now->threads[i];
        if (thread->watched == 0 || roll_find(held, thread->tid))
            continue;
        if (!roll_find(held, thread->pid))
            next = NEXT_PROCESSES;
        else if (next == NEXT_SAME)
            next = NEXT_THREADS;
    }
    return next;
}

/* What became of the answers so far, the last to come having been answered first. */
static enum order judge_order(struct pair *pair, int64_t answered, bool more)
{
    int unread = latest(pair)->unread;
    /* Two answers: the first has been closed. Or one, which is no longer to be seen. */
    if (answered > 1 || (answered == 1 && more))
        return ORDER_READ;
    if (answered == 1 && unread == 0 && judge_rest(pair) != REST_NOT_YET)
        return ORDER_READ;
    return answered > 0 && unread > 0 && is_over(pair) ? ORDER_UNREAD : ORDER_NOT_TRIED;
}

/* What the latest reading tells. Returns whether that is all there is to be learnt. */
static bool learn(struct watch *watch, struct pair *pair, const struct gate_count *held)
{
    struct evidence *e = &watch->evidence;
    const struct gate_count *now = &pair->last.count;
    bool more = now->requests > held->requests;
    /* Whoever sleeps for one socket alone can read no other first. */
    bool tries = e->at_gate > 1 || e->spinning > 0;
    if (more && waiting(pair) >= e->next_at_once) {
        e->next = identify(&watch->after, latest(pair), waiting(pair));
        e->next_at_once = waiting(pair);
    }
    if (tries && e->order == ORDER_NOT_TRIED)
        e->order = judge_order(pair, now->answered - held->answered, more);
    e->ended = pair->left == 0;
    bool all_have_come = more && judge_rest(pair) != REST_NOT_YET;
    bool know_next = e->at_gate == e->asked ||
                     (e->next > NEXT_SOMEHOW && all_have_come) ||
                     (more && e->spinning > 0);
    bool know_order = !tries || e->order != ORDER_NOT_TRIED;
    return e->ended || (know_next && know_order) || is_over(pair) || has_given_up(pair);
}

/* Opens the gate, and sees what comes of it. */
static int release(struct watch *watch, struct pair *pair)
{
    struct gate_count held = pair->last.count;
    int64_t end_ns = clock_ns() + (int64_t)TOTAL_S * CLOCK_S;
    int error = gate_release(watch->gate, watch->evidence.at_gate);
    while (!error) {
        error = read_on(watch, pair);
        if (!error && (learn(watch, pair, &held) || clock_ns() > end_ns))
            break;
        clock_sleep((int64_t)LOOK_MS * CLOCK_MS);
    }
    return error;
}

int watch_client(struct watch *watch)
{
    struct pair pair = {.first.at_ns = clock_ns()};
    watch->evidence = (struct evidence){0};
    watch->before = watch->after = (struct roll){0};
    int error = gather(watch, &pair);
    if (!error) {
        note(watch, &pair, &watch->evidence);
        watch->pause_ns = elapsed(&pair);
        watch->before = pair.first.roll;
        watch->after = pair.last.roll;
        pair.first.roll = pair.last.roll = (struct roll){0};
    }
    if (!error && !watch->evidence.overflowed && watch->evidence.at_gate > 0)
        error = release(watch, &pair);
    pair_free(&pair);
    return error;
}

void watch_free(struct watch *watch)
{
    roll_free(&watch->before);
    roll_free(&watch->after);
}
