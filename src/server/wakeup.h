/* A timer that is never early. */
#ifndef SERVER_WAKEUP_H
#define SERVER_WAKEUP_H

#include <stdint.h>

#include <event2/event.h>
#include <event2/event_struct.h>

/* Lives inside what it wakes. Zeroed, it is one that was never set. */
struct wakeup {
    struct event event;
    int64_t      due_ns;               /* of clock_ns */
    void       (*on_due)(void *arg);
    void        *arg;
};

/* Calls on_due(arg) once, from the loop, at due_ns or later. May then be set again. */
void wakeup_set(struct wakeup *wakeup, struct event_base *base, int64_t due_ns,
                void (*on_due)(void *arg), void *arg);

/* No call comes after this one. Also for one that was never set, or is due already. */
void wakeup_clear(struct wakeup *wakeup);

#endif
