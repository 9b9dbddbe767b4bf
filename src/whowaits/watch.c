#include "whowaits/watch.h"

#include "kit/clock.h"
#include "whowaits/pair.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    LOOK_MS = 100,          /* between two readings */
    GIVE_UP_S = 60,         /* where somebody runs all the time, and does not spin */
    TOTAL_S = 600,
    TELL_S = 2              /* somebody at a terminal wonders why nothing happens */
};

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
    if (!error)
        pair_renew(pair);
    return error;
}

/* --- At the gate -------------------------------------------------------------------- */

static bool has_overflowed(const struct watch *watch, const struct gate_count *count)
{
    int places = watch->gate->places;
    return count->waiting > places || (count->requests > places && count->answered > 0);
}

static bool has_given_up(const struct pair *pair)
{
    return pair_elapsed(pair) >= (int64_t)GIVE_UP_S * CLOCK_S;
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
                    "or a timer may end\n", pair_waiting(pair), watch->gate->places);
            told = true;
        }
        e->overflowed = has_overflowed(watch, &pair->last.count);
        e->at_gate = pair_waiting(pair) > e->at_gate ? pair_waiting(pair) : e->at_gate;
        if (pair->left == 0 && !e->overflowed)
            return -ECHILD;
        bool full = pair_waiting(pair) == watch->gate->places;
        /* An empty gate may have reasons that lie elsewhere: a slow name server. */
        bool patient = pair_waiting(pair) > 0 ||
                       pair_elapsed(pair) >= (int64_t)PAIR_POLLERS_S * CLOCK_S;
        e->settled = full ? pair_rest(pair) != REST_NOT_YET
                          : patient && pair_is_over(pair);
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
    const struct roll *roll = pair_latest(pair);
    e->asked = watch->gate->places;
    e->at_gate = pair_waiting(pair);
    e->threads = roll->count;
    e->processes = roll->processes;
    e->sockets = roll->sockets;
    e->watched = roll->watched;
    e->spinning = pair_spinning(pair);
    e->complete = e->settled && pair_is_complete(pair);
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
    int unread = pair_latest(pair)->unread;
    /* Two answers: the first has been closed. Or one, which is no longer to be seen. */
    if (answered > 1 || (answered == 1 && more))
        return ORDER_READ;
    if (answered == 1 && unread == 0 && pair_rest(pair) != REST_NOT_YET)
        return ORDER_READ;
    return answered > 0 && unread > 0 && pair_is_over(pair) ? ORDER_UNREAD
                                                            : ORDER_NOT_TRIED;
}

/* What the latest reading tells. Returns whether that is all there is to be learnt. */
static bool learn(struct watch *watch, struct pair *pair, const struct gate_count *held)
{
    struct evidence *e = &watch->evidence;
    const struct gate_count *now = &pair->last.count;
    bool more = now->requests > held->requests;
    /* Whoever sleeps for one socket alone can read no other first. */
    bool tries = e->at_gate > 1 || e->spinning > 0;
    if (more && pair_waiting(pair) >= e->next_at_once) {
        e->next = identify(&watch->after, pair_latest(pair), pair_waiting(pair));
        e->next_at_once = pair_waiting(pair);
    }
    if (tries && e->order == ORDER_NOT_TRIED)
        e->order = judge_order(pair, now->answered - held->answered, more);
    e->ended = pair->left == 0;
    bool all_have_come = more && pair_rest(pair) != REST_NOT_YET;
    bool know_next = e->at_gate == e->asked ||
                     (e->next > NEXT_SOMEHOW && all_have_come) ||
                     (more && e->spinning > 0);
    bool know_order = !tries || e->order != ORDER_NOT_TRIED;
    return e->ended || (know_next && know_order) || pair_is_over(pair) ||
           has_given_up(pair);
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
        watch->pause_ns = pair_elapsed(&pair);
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
