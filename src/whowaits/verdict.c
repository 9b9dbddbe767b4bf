#include "whowaits/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void say(char words[VERDICT_WORDS], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(char words[VERDICT_WORDS], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, VERDICT_WORDS, format, arguments);
    va_end(arguments);
}

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

/* --- Who waits ---------------------------------------------------------------------- */

/* Some request is in flight for whose answer nobody sleeps. */
static enum who judge_unwatched(const struct evidence *e, char *words)
{
    if (e->hidden > 0) {
        say(words, "unknown: %d of its %d threads may not be looked at", e->hidden,
            e->threads);
        return WHO_UNKNOWN;
    }
    /* A reader in order has one socket in its call, and others besides. */
    if (e->single == 0 || e->many > 0 || e->rings > 0 || e->sockets < e->at_gate) {
        say(words, "unknown: no thread sleeps for %d of the %d requests%s%s",
            e->at_gate - e->watched, e->at_gate, *e->call ? "; most sleep in " : "",
            e->call);
        return WHO_UNKNOWN;
    }
    bool caught = e->order == ORDER_UNREAD;
    say(words, "%s%d thread%s, %sasleep in %s on %d of %d sockets, and the answer of "
        "another %s unread", caught ? "" : "unknown: ", e->single, plural(e->single),
        caught ? "in order: " : "", e->call, e->watched, e->sockets,
        caught ? "was left" : "was yet never seen");
    return caught ? WHO_IN_ORDER : WHO_UNKNOWN;
}

static enum who judge_single(const struct evidence *e, char *words)
{
    bool pool = e->next == NEXT_SAME;
    if (e->single == 1 && e->next == NEXT_PROCESSES) {
        say(words, "one process after the other, each asleep in %s on one socket",
            e->call);
        return WHO_PROCESS;
    }
    if (e->single == 1) {
        say(words, "%s, asleep in %s on one socket", e->next == NEXT_THREADS
            ? "one thread after the other, each" : "one thread", e->call);
        return WHO_THREAD;
    }
    if (e->waiting_processes == e->single) {
        say(words, "%s: %d processes, each asleep in %s on a socket of its own%s",
            pool ? "a pool" : "a process for each", e->single, e->call,
            pool ? "; the same ones then wait for the next" : "");
        return WHO_PROCESS;
    }
    say(words, "%s: %d threads, each asleep in %s on a socket of its own%s",
        pool ? "a pool" : "a thread for each", e->single, e->call,
        pool ? "; the same ones then wait for the next" : "");
    return WHO_THREAD;
}

static enum who judge_loops(const struct evidence *e, int loops, char *words)
{
    if (loops == 1)
        say(words, "one thread for all of them, asleep in %s, which watches %d sockets",
            e->call, e->watched);
    else
        say(words, "%d threads for all of them, each asleep in %s; they watch %d sockets",
            loops, e->call, e->watched);
    return WHO_LOOP;
}

static enum who judge_watched(const struct evidence *e, char *words)
{
    int waiters = e->single + e->many + e->rings;
    int kinds = (e->single > 0) + (e->many > 0) + (e->rings > 0);
    /* Some loops have one socket, where there are about as many loops as sockets. */
    bool loops = e->many > 0 && e->rings == 0 && (e->single == 0 || e->one_call);
    if (kinds != 1 && !loops) {
        say(words, "unknown: of several kinds: %d threads sleep for one socket each, %d "
            "for several, %d in a ring", e->single, e->many, e->rings);
        return WHO_UNKNOWN;
    }
    if (e->order == ORDER_UNREAD) {
        say(words, "unknown: %d thread%s slept in %s for all %d sockets, and yet left an "
            "answer unread", waiters, plural(waiters), e->call, e->watched);
        return WHO_UNKNOWN;
    }
    if (loops)
        return judge_loops(e, waiters, words);
    if (e->rings == 0)
        return judge_single(e, words);
    say(words, "a completion ring: %d thread%s, asleep in %s, for %d socket%s", e->rings,
        plural(e->rings), e->call, e->watched, plural(e->watched));
    return WHO_RING;
}

static enum who judge_who(const struct evidence *e, char *words)
{
    bool all = e->watched >= e->at_gate;
    int waiters = e->single + e->many + e->rings;
    if (e->overflowed) {
        say(words, "unknown: more than %d requests came, and opened the gate too soon",
            e->asked);
    } else if (e->at_gate == 0) {
        say(words, "unknown: nobody stood at the gate");
    } else if (e->spinning > 0 && e->order == ORDER_READ && (all || waiters == 0)) {
        say(words, "nobody: %d thread%s again and again, instead of waiting", e->spinning,
            e->spinning == 1 ? " asks" : "s ask");
        return WHO_SPIN;
    } else if (!e->settled) {
        say(words, "unknown: its threads did not come to rest");
    } else {
        return all ? judge_watched(e, words) : judge_unwatched(e, words);
    }
    return WHO_UNKNOWN;
}

/* --- How many at once --------------------------------------------------------------- */

/* There was room for more. */
static enum how_many judge_fewer(const struct evidence *e, char *words)
{
    if (e->next_at_once > e->at_gate) {
        say(words, "unknown: %d until the first answer, and then at least %d", e->at_gate,
            e->next_at_once);
        return MANY_UNKNOWN;
    }
    if (e->next != NEXT_NONE)
        say(words, "%d: the next came only after an answer, though there was room for %d",
            e->at_gate, e->asked);
    else if (e->ended)
        say(words, "%d, which is all that it asked for: it ended once answered",
            e->at_gate);
    else if (e->complete)
        say(words, "%d: everyone slept, nothing was under way, and there was room for %d",
            e->at_gate, e->asked);
    else {
        say(words, "unknown: %d, but a thread ran or had set itself a timer, so that "
            "more might have come", e->at_gate);
        return MANY_UNKNOWN;
    }
    return e->at_gate == 1 ? MANY_ONE : MANY_SOME;
}

static enum how_many judge_how_many(const struct evidence *e, char *words)
{
    if (e->overflowed) {
        say(words, "unknown: more than %d", e->asked);
        return MANY_UNKNOWN;
    }
    if (e->at_gate == 0) {
        say(words, "unknown: no request came to the gate");
        return MANY_UNKNOWN;
    }
    if (e->at_gate < e->asked)
        return judge_fewer(e, words);
    if (e->asked == 1)
        say(words, "1, and no more was asked for (-k 1)");
    else
        say(words, "all %d", e->asked);
    return e->asked == 1 ? MANY_ONE : MANY_ALL;
}

void verdict_reach(const struct evidence *evidence, struct verdict *verdict)
{
    verdict->who = judge_who(evidence, verdict->who_words);
    verdict->how_many = judge_how_many(evidence, verdict->how_many_words);
}

const char *verdict_who_name(enum who who)
{
    static const char *const names[] = {
        [WHO_UNKNOWN] = "unknown",   [WHO_THREAD] = "thread", [WHO_PROCESS] = "process",
        [WHO_LOOP] = "loop",         [WHO_RING] = "ring",     [WHO_IN_ORDER] = "in-order",
        [WHO_SPIN] = "nobody",
    };
    return names[who];
}

const char *verdict_how_many_name(enum how_many how_many)
{
    static const char *const names[] = {
        [MANY_UNKNOWN] = "unknown",
        [MANY_ONE] = "one",
        [MANY_SOME] = "some",
        [MANY_ALL] = "all",
    };
    return names[how_many];
}
