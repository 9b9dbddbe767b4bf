/* The scheduler: a queue of coroutines that are ready to go on, and libevent's loop, that
   waits for what the others wait for. Each switch is between loop and coroutine. */
#include "coro/scheduler.h"

#include "kit/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STACK_BYTES = 64 * 1024,
    WORKERS = 8,
    TURN = 128    /* resumed before the loop looks at descriptors and clock again */
};

void coro_stop(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("coro: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

/* --- pausing and waking ------------------------------------------------------------ */

static void make_ready(struct coro *coro)
{
    struct coro_loop *loop = coro->loop;
    coro->state = CORO_READY;
    coro->next_ready = NULL;
    *loop->ready_end = coro;
    loop->ready_end = &coro->next_ready;
}

void coro_wake(struct coro *coro, int outcome)
{
    if (coro->state != CORO_PAUSED)
        return;    /* timeout and answer can come in one turn: the first counts */
    coro->outcome = outcome;
    make_ready(coro);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    short ready = what & (EV_READ | EV_WRITE);
    coro_wake(arg, ready ? ready : -ETIMEDOUT);
}

static void check_runs(const struct coro *me)
{
    const struct coro *running = me->loop->running;
    if (running != me)
        coro_stop("coroutine %d passed the `me` of coroutine %d to a call that may "
                  "pause: only a coroutine itself can pause",
                  running ? running->number : -1, me->number);
}

int coro_may_wait(const struct coro *me, int64_t deadline_ns)
{
    check_runs(me);
    if (me->cancelled)
        return -ECANCELED;
    return deadline_ns != CORO_NEVER && clock_ns() >= deadline_ns ? -ETIMEDOUT : 0;
}

/* Has the loop wake me. The microsecond more is libevent's, which counts whole ones. */
static int watch(struct coro *me, int fd, short what, int64_t deadline_ns)
{
    struct timeval left;
    struct timeval *timeout = NULL;
    if (deadline_ns != CORO_NEVER) {
        left = clock_timeval(deadline_ns - clock_ns() + CLOCK_US);
        timeout = &left;
    }
    event_assign(&me->event, me->loop->base, fd, what, on_event, me);
    return event_add(&me->event, timeout) == 0 ? 0 : -ENOMEM;
}

int coro_pause(struct coro *me, int fd, short what, int64_t deadline_ns)
{
    bool watched = fd >= 0 || deadline_ns != CORO_NEVER;
    check_runs(me);
    if (watched) {
        int error = watch(me, fd, what, deadline_ns);
        if (error)
            return error;
    }
    me->state = CORO_PAUSED;
    fibre_switch(&me->fibre, &me->loop->fibre);
    if (watched)
        event_del(&me->event);    /* something else may have woken me */
    return me->outcome;
}

int coro_sleep(struct coro *me, int64_t until_ns)
{
    int error = coro_may_wait(me, until_ns);
    if (!error)
        error = coro_pause(me, -1, 0, until_ns);
    return error == -ETIMEDOUT ? 0 : error;
}

int coro_yield(struct coro *me)
{
    int error = coro_may_wait(me, CORO_NEVER);
    if (error)
        return error;
    make_ready(me);
    fibre_switch(&me->fibre, &me->loop->fibre);
    return me->cancelled ? -ECANCELED : 0;
}

/* --- beginning and ending ---------------------------------------------------------- */

static void run_body(void *arg)
{
    struct coro *me = arg;
    me->outcome = me->body(me, me->arg);
    if (me->live > 0)
        coro_stop("coroutine %d has ended, but not %d of its children: it must "
                  "coro_gather their group first", me->number, me->live);
    me->state = CORO_ENDED;
    fibre_leave(&me->fibre, &me->loop->fibre);
}

/* A spare one with its stack, or a new one. Returns 0 or -errno. */
static int take_coro(struct coro_loop *loop, struct coro **taken)
{
    struct coro *coro = loop->spare;
    if (coro) {
        loop->spare = coro->next_ready;
    } else {
        coro = calloc(1, sizeof *coro);
        if (!coro)
            return -ENOMEM;
        int error = stacks_take(&loop->stacks, &coro->stack);
        if (error) {
            free(coro);
            return error;
        }
        coro->loop = loop;
        coro->next_made = loop->made;
        loop->made = coro;
    }
    *taken = coro;
    return 0;
}

static int start(struct coro_loop *loop, struct coro_group *group, coro_body *body,
                 void *arg, struct coro **started)
{
    struct coro *coro;
    int error = take_coro(loop, &coro);
    if (error)
        return error;
    coro->number = loop->spawned++;
    coro->body = body;
    coro->arg = arg;
    coro->group = group;
    coro->live = 0;
    coro->cancelled = false;
    fibre_init(&coro->fibre, coro->stack, loop->stacks.stack_bytes, run_body, coro);
    loop->live++;
    make_ready(coro);
    *started = coro;
    return 0;
}

int coro_spawn(struct coro *me, struct coro_group *group, coro_body *body, void *arg)
{
    struct coro *child;
    int error = start(me->loop, group, body, arg, &child);
    if (error)
        return error;
    if (!group->owner)
        group->owner = me;
    group->owner->live++;
    child->cancelled = group->error != 0;    /* late into a group that ends */
    child->next = group->children;
    if (child->next)
        child->next->link = &child->next;
    child->link = &group->children;
    group->children = child;
    return 0;
}

void coro_cancel(struct coro_group *group)
{
    for (struct coro *child = group->children; child; child = child->next) {
        if (child->cancelled)
            continue;    /* it may be gathering its own, which nothing cuts short */
        child->cancelled = true;
        coro_wake(child, -ECANCELED);
    }
}

static void fail(struct coro_group *group, int error)
{
    if (!group->error)
        group->error = error;
    coro_cancel(group);
}

int coro_gather(struct coro *me, struct coro_group *group, int64_t deadline_ns)
{
    check_runs(me);
    if (group->owner && group->owner != me)
        coro_stop("coroutine %d gathers a group of coroutine %d: who spawns gathers",
                  me->number, group->owner->number);
    while (group->children) {
        if (me->cancelled)
            fail(group, -ECANCELED);
        group->awaited = true;
        int outcome = coro_pause(me, -1, 0, group->error ? CORO_NEVER : deadline_ns);
        group->awaited = false;
        if (outcome < 0)
            fail(group, outcome);
    }
    int error = group->error;
    *group = (struct coro_group){0};
    return error;
}

/* On the loop's stack: nobody can give up the stack that he stands on. */
static void end(struct coro *coro)
{
    struct coro_loop *loop = coro->loop;
    struct coro_group *group = coro->group;
    fibre_end(&coro->fibre);
    if (group) {
        *coro->link = coro->next;
        if (coro->next)
            coro->next->link = coro->link;
        group->owner->live--;
        if (coro->outcome < 0)
            fail(group, coro->outcome);
        if (!group->children && group->awaited)
            coro_wake(group->owner, 0);
    }
    loop->live--;
    coro->next_ready = loop->spare;
    loop->spare = coro;
}

/* --- the loop ---------------------------------------------------------------------- */

static void run_ready(struct coro_loop *loop)
{
    for (int i = 0; i < TURN && loop->ready; i++) {
        struct coro *coro = loop->ready;
        loop->ready = coro->next_ready;
        if (!loop->ready)
            loop->ready_end = &loop->ready;
        coro->state = CORO_RUNNING;
        loop->running = coro;
        fibre_switch(&loop->fibre, &coro->fibre);
        loop->running = NULL;
        if (coro->state == CORO_ENDED)
            end(coro);
    }
}

static void turn(struct coro_loop *loop)
{
    run_ready(loop);
    if (loop->live == 0)
        return;
    int turned = event_base_loop(loop->base,
                                 EVLOOP_ONCE | (loop->ready ? EVLOOP_NONBLOCK : 0));
    if (turned < 0)
        coro_stop("libevent's loop failed");
    if (turned == 1 && !loop->ready)    /* no event is left in it */
        coro_stop("all %d coroutines wait for each other, without a deadline: nothing "
                  "can wake them", loop->live);
}

static int open_loop(struct coro_loop *loop)
{
    struct event_config *config = event_config_new();
    if (!config)
        return -ENOMEM;
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NOLOCK |
                          EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    if (!loop->base)
        return -ENOMEM;
    fibre_adopt(&loop->fibre);
    return overflow_watch(&loop->overflow, loop);
}

static void close_loop(struct coro_loop *loop)
{
    if (loop->pool)
        coro_pool_free(loop->pool);
    while (loop->made) {
        struct coro *coro = loop->made;
        loop->made = coro->next_made;
        free(coro);
    }
    stacks_free(&loop->stacks);
    overflow_forget(&loop->overflow);
    if (loop->base)
        event_base_free(loop->base);
}

int coro_run(const struct coro_options *options, coro_body *body, void *arg)
{
    struct coro_options chosen = options ? *options : (struct coro_options){0};
    struct coro_loop loop = {.workers = chosen.workers ? chosen.workers : WORKERS};
    loop.ready_end = &loop.ready;
    stacks_init(&loop.stacks, chosen.stack_bytes ? chosen.stack_bytes : STACK_BYTES,
                chosen.mprotect_guards);
    struct coro *first;
    int error = open_loop(&loop);
    if (!error)
        error = start(&loop, NULL, body, arg, &first);
    while (!error && loop.live > 0)
        turn(&loop);
    if (!error)
        error = first->outcome;    /* the first ends last, and none came after it */
    close_loop(&loop);
    return error;
}
