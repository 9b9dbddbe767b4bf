/* Stands between the answer and the world: a clock that moves only when something waits,
   and a server that is a script. Nothing really happens, so every time is exact. Whoever
   keeps a connection open is told so in a sanitizer's words, which the judge knows.

   STOPWATCH_SCRIPT is a list of what the answer's next calls meet. Each takes NS:
       C NS          net_connect connects           c NS ERRNO    it fails
       S NS          net_send_all sends             s NS ERRNO    it fails
       H NS STATUS   net_recv has a head that promises 5 bytes of body
       B NS BYTES    net_recv has bytes of the body
       E NS          net_recv has the end           R NS ERRNO    it fails
       T             net_connect or net_recv waits until its deadline
       W NS          now somebody sets the wall clock, by NS
   With STOPWATCH_ONE_OPEN nothing connects while the connection before is open. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct endpoint;
int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_gettimeofday(struct timeval *now, void *zone);
time_t __wrap_time(time_t *now);
clock_t __wrap_clock(void);
int __wrap_net_connect(const struct endpoint *server, int64_t deadline_ns);
int __wrap_net_send_all(int fd, const void *buf, size_t len, int64_t deadline_ns);
ssize_t __wrap_net_recv(int fd, void *buf, size_t size, int64_t deadline_ns);

static const int64_t second_ns = 1000000000, coarse_ns = 4000000, late_ns = 5000000000;

static int64_t     now_ns = 1000000000000;           /* the monotonic clock */
static int64_t     wall_ns = 1700000000000000000;    /* more shows the one on the wall */
static const char *script;
static int         last_fd = -1;    /* of the connection made last */

/* --- Clocks ------------------------------------------------------------------------- */

static int64_t read_clock(clockid_t id)
{
    switch (id) {
    case CLOCK_REALTIME:
        return now_ns + wall_ns;
    case CLOCK_REALTIME_COARSE:
        return (now_ns + wall_ns) / coarse_ns * coarse_ns;
    case CLOCK_MONOTONIC_COARSE:
        return now_ns / coarse_ns * coarse_ns;
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        return coarse_ns;    /* it does not run while the program waits */
    default:
        return now_ns;
    }
}

int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
    int64_t ns = read_clock(id);
    *now = (struct timespec){.tv_sec = ns / second_ns, .tv_nsec = ns % second_ns};
    return 0;
}

int __wrap_gettimeofday(struct timeval *now, void *zone)
{
    int64_t ns = read_clock(CLOCK_REALTIME);
    (void)zone;
    *now = (struct timeval){.tv_sec = ns / second_ns, .tv_usec = ns % second_ns / 1000};
    return 0;
}

time_t __wrap_time(time_t *now)
{
    time_t seconds = read_clock(CLOCK_REALTIME) / second_ns;
    if (now)
        *now = seconds;
    return seconds;
}

clock_t __wrap_clock(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID) / (second_ns / CLOCKS_PER_SEC);
}

/* --- The script --------------------------------------------------------------------- */

struct step {
    char    what;    /* '\0': the script is over */
    int64_t ns;
    int     argument;
};

/* Reads the next step, and returns what follows it. */
static const char *read_step(struct step *step)
{
    char *end;
    *step = (struct step){0};
    if (!script)
        script = getenv("STOPWATCH_SCRIPT");
    if (!script)
        return NULL;
    const char *next = script + strspn(script, " ");
    step->what = *next;
    if (step->what == '\0')
        return next;
    step->ns = strtoll(next + 1, &end, 10);
    step->argument = (int)strtol(end, &end, 10);
    return end;
}

/* The next step, with the clock set by those that come before it. */
static struct step peek(const char **rest)
{
    struct step step;
    *rest = read_step(&step);
    while (step.what == 'W') {
        wall_ns += step.ns;
        script = *rest;
        *rest = read_step(&step);
    }
    return step;
}

/* Takes the next step if it is one of these, and lets its time pass; else '\0'. */
static struct step take(const char *these, int64_t deadline_ns)
{
    const char *rest;
    struct step step = peek(&rest);
    if (step.what == '\0' || !strchr(these, step.what))
        return (struct step){0};
    script = rest;
    if (step.what != 'T')
        now_ns += step.ns;
    else if (deadline_ns > now_ns)
        now_ns = deadline_ns;
    return step;
}

/* --- What the answer calls ---------------------------------------------------------- */

int __wrap_net_connect(const struct endpoint *server, int64_t deadline_ns)
{
    (void)server;
    const char *rest;
    for (struct step step = peek(&rest); step.what && !strchr("CcT", step.what);
         step = peek(&rest))
        script = rest;    /* what the answer did not wait for in the request before */
    struct step step = take("CcT", deadline_ns);
    if (getenv("STOPWATCH_ONE_OPEN") && fcntl(last_fd, F_GETFD) >= 0)
        return -EMFILE;
    if (step.what == 'C')    /* something to be closed like a socket */
        return last_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return step.what == 'c' ? -step.argument : -ETIMEDOUT;
}

int __wrap_net_send_all(int fd, const void *buf, size_t len, int64_t deadline_ns)
{
    (void)fd;
    (void)buf;
    (void)len;
    struct step step = take("Ss", deadline_ns);
    return step.what == 'S' ? 0 : step.what == 's' ? -step.argument : -EPIPE;
}

ssize_t __wrap_net_recv(int fd, void *buf, size_t size, int64_t deadline_ns)
{
    (void)fd;
    struct step step = take("HBERT", deadline_ns);
    int length;
    switch (step.what) {
    case 'H':
        length = snprintf(buf, size, "HTTP/1.1 %d -\r\nContent-Length: 5\r\n\r\n",
                          step.argument);
        return length < (int)size ? length : -ENOBUFS;
    case 'B':
        memset(buf, 'x', (size_t)step.argument < size ? (size_t)step.argument : size);
        return step.argument;
    case 'E':
        return 0;
    case 'R':
        return -step.argument;
    case 'T':
        return -ETIMEDOUT;
    default:    /* the reply was whole: the server closes, some time later */
        now_ns += late_ns;
        return 0;
    }
}
