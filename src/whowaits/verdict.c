#include "whowaits/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum who say_who(struct verdict *verdict, enum who who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum who say_who(struct verdict *verdict, enum who who, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->who_words, VERDICT_WORDS, format, arguments);
    va_end(arguments);
    return who;
}

static enum how_many say_how_many(struct verdict *verdict, enum how_many how_many,
                                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static enum how_many say_how_many(struct verdict *verdict, enum how_many how_many,
                                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->how_many_words, VERDICT_WORDS, format, arguments);
    va_end(arguments);
    return how_many;
}

static const char *plural(int count)
{
    return count == 1 ? "" : "s";
}

/* --- Who waits ---------------------------------------------------------------------- */

/* Some request is in flight for whose answer nobody sleeps. */
static enum who judge_unwatched(const struct evidence *e, struct verdict *verdict)
{
    if (e->hidden > 0)
        return say_who(verdict, WHO_UNKNOWN,
                       "unknown: %d of its %d threads may not be looked at; they belong to "
                       "another user, or this kernel does not tell", e->hidden, e->threads);
    bool one_of_several = e->single > 0 && e->many == 0 && e->rings == 0 &&
                          e->sockets >= e->at_gate;
    if (one_of_several && e->order == ORDER_UNREAD)
        return say_who(verdict, WHO_IN_ORDER,
                       "%d thread%s, in order: asleep in %s on %d of %d sockets, and the "
                       "answer of another was left unread", e->single, plural(e->single),
                       e->call, e->watched, e->sockets);
    if (one_of_several)
        return say_who(verdict, WHO_UNKNOWN,
                       "unknown: %d thread%s asleep in %s on %d of %d sockets, and yet no "
                       "answer of another was left unread", e->single, plural(e->single),
                       e->call, e->watched, e->sockets);
    return say_who(verdict, WHO_UNKNOWN,
                   "unknown: no thread sleeps for %d of the %d requests; most sleep in %s",
                   e->at_gate - e->watched, e->at_gate, e->call);
}

static enum who judge_single(const struct evidence *e, struct verdict *verdict)
{
    bool one_each = e->waiting_processes == e->single;
    if (one_each && e->single > 1)
        return say_who(verdict, WHO_PROCESS,
                       "a process for each: %d processes, each asleep in %s on a socket of "
                       "its own", e->single, e->call);
    if (e->single > 1)
        return say_who(verdict, WHO_THREAD,
                       "%s: %d threads, each asleep in %s on a socket of its own%s",
                       e->next == NEXT_SAME ? "a pool" : "a thread for each", e->single,
                       e->call, e->next == NEXT_SAME ? ", and then for the next" : "");
    if (e->next == NEXT_PROCESSES)
        return say_who(verdict, WHO_PROCESS,
                       "a process for each, asleep in %s on one socket; for the next request "
                       "it was another", e->call);
    return say_who(verdict, WHO_THREAD, "one thread, asleep in %s on one socket%s", e->call,
                   e->next == NEXT_THREADS ? "; for the next request it was another" : "");
}

static enum who judge_watched(const struct evidence *e, struct verdict *verdict)
{
    int kinds = (e->single > 0) + (e->many > 0) + (e->rings > 0);
    /* Loops may have one socket each, where there are about as many loops as sockets. */
    bool loops = e->many > 0 && e->rings == 0 && (e->single == 0 || e->one_call);
    int waiters = e->single + e->many + e->rings;
    if (kinds != 1 && !loops)
        return say_who(verdict, WHO_UNKNOWN,
                       "unknown: of several kinds: %d threads sleep for one socket each, %d "
                       "for several, %d in a ring", e->single, e->many, e->rings);
    if (e->order == ORDER_UNREAD)
        return say_who(verdict, WHO_UNKNOWN,
                       "unknown: %d thread%s slept in %s for all %d sockets, and yet left an "
                       "answer unread", waiters, plural(waiters), e->call, e->watched);
    if (e->rings > 0)
        return say_who(verdict, WHO_RING,
                       "a completion ring: %d thread%s, asleep in %s, for %d socket%s",
                       e->rings, plural(e->rings), e->call, e->watched, plural(e->watched));
    if (loops && waiters == 1)
        return say_who(verdict, WHO_LOOP,
                       "one thread for all of them, asleep in %s, which watches %d sockets",
                       e->call, e->watched);
    if (loops)
        return say_who(verdict, WHO_LOOP,
                       "%d threads for all of them, each asleep in %s; together they watch "
                       "%d sockets", waiters, e->call, e->watched);
    return judge_single(e, verdict);
}

static enum who judge_who(const struct evidence *e, struct verdict *verdict)
{
    if (e->overflowed)
        return say_who(verdict, WHO_UNKNOWN,
                       "unknown: more than %d requests came, and opened the gate before the "
                       "roll was called; -k takes a larger number", e->asked);
    if (e->at_gate == 0)
        return say_who(verdict, WHO_UNKNOWN, "unknown: nobody stood at the gate");
    if (e->spinning > 0)
        return say_who(verdict, WHO_SPIN,
                       "nobody: %d thread%s spin%s, and ask%s again and again",
                       e->spinning, plural(e->spinning), e->spinning == 1 ? "s" : "",
                       e->spinning == 1 ? "s" : "");
    if (!e->settled)
        return say_who(verdict, WHO_UNKNOWN,
                       "unknown: its threads did not come to rest while they were watched");
    return e->watched < e->at_gate ? judge_unwatched(e, verdict) : judge_watched(e, verdict);
}

/* --- How many at once --------------------------------------------------------------- */

static enum how_many judge_how_many(const struct evidence *e, struct verdict *verdict)
{
    enum how_many some = e->at_gate == 1 ? MANY_ONE : MANY_SOME;
    if (e->overflowed)
        return say_how_many(verdict, MANY_UNKNOWN, "unknown: more than %d", e->asked);
    if (e->at_gate == 0)
        return say_how_many(verdict, MANY_UNKNOWN, "unknown: no request came to the gate");
    if (e->at_gate == e->asked)
        return say_how_many(verdict, e->asked == 1 ? MANY_ONE : MANY_ALL,
                            e->asked == 1 ? "1, and no more was looked for (-k 1)"
                                          : "all %d", e->asked);
    if (e->next != NEXT_NONE)
        return say_how_many(verdict, some,
                            "%d: the next came only after an answer, though %d had room",
                            e->at_gate, e->asked);
    if (e->ended)
        return say_how_many(verdict, some,
                            "%d, which is all that it asked for: it ended once answered",
                            e->at_gate);
    if (e->complete)
        return say_how_many(verdict, some,
                            "%d: everyone slept, nothing was under way, and %d had room",
                            e->at_gate, e->asked);
    return say_how_many(verdict, MANY_UNKNOWN,
                        "unknown: %d, but its threads did not all sleep without a timer, so "
                        "that more might have come", e->at_gate);
}

void verdict_reach(const struct evidence *evidence, struct verdict *verdict)
{
    verdict->who = judge_who(evidence, verdict);
    verdict->how_many = judge_how_many(evidence, verdict);
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
        [MANY_UNKNOWN] = "unknown", [MANY_ONE] = "one", [MANY_SOME] = "some", [MANY_ALL] = "all",
    };
    return names[how_many];
}
