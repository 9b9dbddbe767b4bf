#include "server/wakeup.h"

#include "kit/clock.h"

static void arm(struct wakeup *wakeup, int64_t now_ns)
{
    struct timeval left = clock_timeval(wakeup->due_ns - now_ns);
    if (event_add(&wakeup->event, &left) != 0)              /* no memory for one more: */
        event_active(&wakeup->event, EV_TIMEOUT, 1);        /* then look all the time */
}

/* libevent counts a timer from the time that it noted when it last woke up, not from the
   moment of event_add(3). In a busy loop that is up to milliseconds ago, and the timer
   comes as much too early. So the clock has the last word. */
static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct wakeup *wakeup = arg;
    int64_t now_ns = clock_ns();
    if (now_ns < wakeup->due_ns)
        arm(wakeup, now_ns);
    else
        wakeup->on_due(wakeup->arg);
}

void wakeup_set(struct wakeup *wakeup, struct event_base *base, int64_t due_ns,
                void (*on_due)(void *arg), void *arg)
{
    wakeup->due_ns = due_ns;
    wakeup->on_due = on_due;
    wakeup->arg = arg;
    evtimer_assign(&wakeup->event, base, on_timer, wakeup);
    arm(wakeup, clock_ns());
}

void wakeup_clear(struct wakeup *wakeup)
{
    if (wakeup->on_due)    /* event_del(3) must not see an event never assigned */
        event_del(&wakeup->event);
}
