/* Stands between the answer, libevent and the clock. A bufferevent may be freed once, and
   must be; who frees it again is told so in a sanitizer's words, which the judge knows.
   And whoever sleeps sleeps for an hour, so that nobody else is served meanwhile. */
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct bufferevent *__real_bufferevent_socket_new(struct event_base *, evutil_socket_t,
                                                  int);
void __real_bufferevent_free(struct bufferevent *);
unsigned __real_sleep(unsigned);

struct bufferevent *__wrap_bufferevent_socket_new(struct event_base *, evutil_socket_t,
                                                  int);
void __wrap_bufferevent_free(struct bufferevent *);
unsigned __wrap_sleep(unsigned);
int __wrap_usleep(useconds_t);
int __wrap_nanosleep(const struct timespec *, struct timespec *);
int __wrap_clock_nanosleep(clockid_t, int, const struct timespec *, struct timespec *);

enum { MOST = 1000, HOUR_S = 3600 };

static struct bufferevent *live[MOST];    /* made, and not freed yet */

static _Noreturn void report(const char *where, const char *fact)
{
    fprintf(stderr, "%s: runtime error: %s\n", where, fact);
    _exit(1);
}

static struct bufferevent **find(const struct bufferevent *which)
{
    int i = 0;
    while (i < MOST - 1 && live[i] != which)
        i++;
    return &live[i];
}

struct bufferevent *__wrap_bufferevent_socket_new(struct event_base *base,
                                                  evutil_socket_t fd, int options)
{
    struct bufferevent *made = __real_bufferevent_socket_new(base, fd, options);
    if (made)
        *find(NULL) = made;
    return made;
}

void __wrap_bufferevent_free(struct bufferevent *which)
{
    struct bufferevent **found = find(which);
    if (!which || *found != which)
        report("who frees a mirror's connection, and who may have done so before",
               "bufferevent_free is called for one that is freed already");
    *found = NULL;
    __real_bufferevent_free(which);
}

__attribute__((destructor))
static void look_for_live(void)
{
    for (int i = 0; i < MOST; i++)
        if (live[i])
            report("what is left of a round when it is over",
                   "it ends, and a bufferevent was never freed");
}

unsigned __wrap_sleep(unsigned seconds)
{
    (void)seconds;
    return __real_sleep(HOUR_S);
}

int __wrap_usleep(useconds_t us)
{
    (void)us;
    return (int)__real_sleep(HOUR_S);
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
    (void)time;
    (void)left;
    return (int)__real_sleep(HOUR_S);
}

int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                           struct timespec *left)
{
    (void)clock;
    (void)flags;
    (void)time;
    (void)left;
    return (int)__real_sleep(HOUR_S);
}
