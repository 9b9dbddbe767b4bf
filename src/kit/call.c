#define _GNU_SOURCE    /* for the names of system calls that are Linux's own */
#include "kit/call.h"

#include "kit/array.h"
#include "kit/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CHUNK = 256, RING_EXT_ARG = 8 };    /* the latter of <linux/io_uring.h> */

/* What a call's arguments are: which it waits for, and how it is told for how long. */
enum set { SET_NONE, SET_ONE, SET_POLL, SET_SELECT, SET_EPOLL };
enum timeout {
    NEVER,
    SOON,        /* it does not wait, or not for others */
    MILLISECONDS, TIMESPEC, TIMEVAL, CLOCK, FUTEX, RING,
    FORGOTTEN    /* over a stop: restart_syscall(2) */
};

static const struct form {
    long           number;
    const char    *name;
    enum call_kind kind;
    enum set       set;
    enum timeout   timeout;
    int            argument;    /* which one the timeout is, from 0 */
} forms[] = {
    {SYS_read, "read", CALL_READ, SET_ONE, NEVER, 0},
    {SYS_readv, "readv", CALL_READ, SET_ONE, NEVER, 0},
    {SYS_recvfrom, "recv", CALL_READ, SET_ONE, NEVER, 0},
    {SYS_recvmsg, "recvmsg", CALL_READ, SET_ONE, NEVER, 0},
    {SYS_recvmmsg, "recvmmsg", CALL_READ, SET_ONE, NEVER, 0},    /* not until the first */
#ifdef SYS_poll    /* newer architectures have only the second of each pair */
    {SYS_poll, "poll", CALL_READY, SET_POLL, MILLISECONDS, 2},
#endif
    {SYS_ppoll, "ppoll", CALL_READY, SET_POLL, TIMESPEC, 2},
#ifdef SYS_select
    {SYS_select, "select", CALL_READY, SET_SELECT, TIMEVAL, 4},
#endif
    {SYS_pselect6, "pselect", CALL_READY, SET_SELECT, TIMESPEC, 4},
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, "epoll_wait", CALL_READY, SET_EPOLL, MILLISECONDS, 3},
#endif
    {SYS_epoll_pwait, "epoll_pwait", CALL_READY, SET_EPOLL, MILLISECONDS, 3},
#ifdef SYS_epoll_pwait2
    {SYS_epoll_pwait2, "epoll_pwait2", CALL_READY, SET_EPOLL, TIMESPEC, 3},
#endif
#ifdef SYS_io_uring_enter
    {SYS_io_uring_enter, "io_uring_enter", CALL_RING, SET_NONE, RING, 4},
#endif
    {SYS_nanosleep, "nanosleep", CALL_TIMER, SET_NONE, TIMESPEC, 0},
    {SYS_clock_nanosleep, "clock_nanosleep", CALL_TIMER, SET_NONE, CLOCK, 2},
    {SYS_futex, "futex", CALL_OTHER, SET_NONE, FUTEX, 3},
    {SYS_rt_sigtimedwait, "sigtimedwait", CALL_OTHER, SET_NONE, TIMESPEC, 2},
    {SYS_rt_sigsuspend, "sigsuspend", CALL_OTHER, SET_NONE, NEVER, 0},
#ifdef SYS_pause
    {SYS_pause, "pause", CALL_OTHER, SET_NONE, NEVER, 0},
#endif
    {SYS_wait4, "wait4", CALL_OTHER, SET_NONE, NEVER, 0},
    {SYS_waitid, "waitid", CALL_OTHER, SET_NONE, NEVER, 0},
    {SYS_connect, "connect", CALL_OTHER, SET_NONE, NEVER, 0},
    {SYS_accept, "accept", CALL_OTHER, SET_NONE, NEVER, 0},
    {SYS_accept4, "accept", CALL_OTHER, SET_NONE, NEVER, 0},
    {SYS_sendto, "send", CALL_OTHER, SET_NONE, NEVER, 0},
    {SYS_sendmsg, "sendmsg", CALL_OTHER, SET_NONE, NEVER, 0},
    {SYS_write, "write", CALL_OTHER, SET_NONE, NEVER, 0},
    {SYS_writev, "writev", CALL_OTHER, SET_NONE, NEVER, 0},
    {SYS_flock, "flock", CALL_OTHER, SET_NONE, NEVER, 0},
#ifdef SYS_fork
    {SYS_fork, "fork", CALL_OTHER, SET_NONE, SOON, 0},
    {SYS_vfork, "vfork", CALL_OTHER, SET_NONE, SOON, 0},
#endif
    {SYS_clone, "clone", CALL_OTHER, SET_NONE, SOON, 0},
#ifdef SYS_clone3
    {SYS_clone3, "clone", CALL_OTHER, SET_NONE, SOON, 0},
#endif
    {SYS_execve, "execve", CALL_OTHER, SET_NONE, SOON, 0},
    {SYS_fsync, "fsync", CALL_OTHER, SET_NONE, SOON, 0},
    {SYS_restart_syscall, "restart_syscall", CALL_OTHER, SET_NONE, FORGOTTEN, 0},
};

static const struct form *find_form(long number)
{
    for (size_t i = 0; i < LENGTH(forms); i++)
        if (forms[i].number == number)
            return &forms[i];
    return NULL;
}

const char *call_name(long number)
{
    const struct form *form = find_form(number);
    return form ? form->name : NULL;
}

void call_path(const struct call *call, char path[CALL_PATH], const char *file, int fd)
{
    int length = snprintf(path, CALL_PATH, "/proc/%d/task/%d/%s", (int)call->pid,
                          (int)call->tid, file);
    if (fd >= 0)
        snprintf(path + length, CALL_PATH - (size_t)length, "/%d", fd);
}

/* Reads from the memory of another process. Returns how much there was. */
static size_t peek(const struct call *call, uint64_t address, void *buf, size_t size)
{
    char path[CALL_PATH];
    call_path(call, path, "mem", -1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = pread(fd, buf, size, (off_t)address);
    close(fd);
    return got < 0 ? 0 : (size_t)got;
}

/* --- For what ----------------------------------------------------------------------- */

static void see_poll(const struct call *call, call_see *see, void *context)
{
    struct pollfd fds[CHUNK];
    for (uint64_t next = 0, count = call->arguments[1]; next < count; next += CHUNK) {
        size_t wanted = count - next < CHUNK ? (size_t)(count - next) : CHUNK;
        size_t got = peek(call, call->arguments[0] + next * sizeof *fds, fds,
                          wanted * sizeof *fds);
        for (size_t i = 0; i < got / sizeof *fds; i++)
            if (fds[i].fd >= 0 && (fds[i].events & POLLIN))
                see(context, fds[i].fd, 0);
        if (got < wanted * sizeof *fds)
            break;
    }
}

static void see_select(const struct call *call, call_see *see, void *context)
{
    unsigned char bits[FD_SETSIZE / 8] = {0};
    int highest = (int)call->arguments[0];
    int count = highest < FD_SETSIZE ? highest : FD_SETSIZE;
    if (call->arguments[1] != 0)
        peek(call, call->arguments[1], bits, sizeof bits);
    for (int fd = 0; fd < count; fd++)
        if (bits[fd / 8] >> (fd % 8) & 1)
            see(context, fd, 0);
}

/* The kernel lists what an epoll descriptor has to watch: proc(5), fdinfo. */
static void see_epoll(const struct call *call, call_see *see, void *context)
{
    char path[CALL_PATH], line[256];
    call_path(call, path, "fdinfo", (int)call->arguments[0]);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        int fd;
        unsigned events;
        uint64_t inode;
        if (sscanf(line, "tfd: %d events: %x data: %*x pos:%*d ino:%" SCNx64, &fd,
                   &events, &inode) == 3 && (events & POLLIN))
            see(context, fd, inode);
    }
    if (file)
        fclose(file);
}

void call_sources(const struct call *call, call_see *see, void *context)
{
    const struct form *form = find_form(call->number);
    switch (form ? form->set : SET_NONE) {
    case SET_ONE:
        see(context, (int)call->arguments[0], 0);
        break;
    case SET_POLL:
        see_poll(call, see, context);
        break;
    case SET_SELECT:
        see_select(call, see, context);
        break;
    case SET_EPOLL:
        see_epoll(call, see, context);
        break;
    case SET_NONE:
        break;
    }
}

/* --- For how long ------------------------------------------------------------------- */

static const int64_t unseen_ns = (int64_t)CALL_UNSEEN_S * CLOCK_S;

/* Reads a timespec, or a timeval: `unit` ns is one of its second number. */
static int64_t read_time(const struct call *call, uint64_t address, int64_t unit)
{
    int64_t time[2];
    if (address == 0)
        return -1;
    if (peek(call, address, time, sizeof time) < sizeof time)
        return unseen_ns;
    if (time[0] < 0 || time[0] >= INT64_MAX / CLOCK_S - 1 || time[1] < 0 ||
        time[1] >= CLOCK_S / unit)
        return -1;    /* no time that a call would take */
    return time[0] * CLOCK_S + time[1] * unit;
}

/* A moment of that clock, as a time from now on. No moment is as near to its zero as a
   time that cannot be seen is to now. */
static int64_t until(const struct call *call, uint64_t address, clockid_t clock)
{
    struct timespec now = {0};
    int64_t end_ns = read_time(call, address, 1);
    bool passes = clock >= 0 && clock != CLOCK_PROCESS_CPUTIME_ID &&
                  clock != CLOCK_THREAD_CPUTIME_ID;    /* those of another process */
    if (end_ns < 0 || end_ns == unseen_ns)
        return end_ns;
    if (!passes || clock_gettime(clock, &now) < 0)
        return unseen_ns;
    int64_t left_ns = end_ns - (int64_t)now.tv_sec * CLOCK_S - now.tv_nsec;
    return left_ns > 0 ? left_ns : 0;
}

static int64_t futex_timeout(const struct call *call)
{
    int command = (int)call->arguments[1] & FUTEX_CMD_MASK;
    bool realtime = command == FUTEX_LOCK_PI ||
                    (call->arguments[1] & FUTEX_CLOCK_REALTIME);
    if (command == FUTEX_WAIT)
        return read_time(call, call->arguments[3], 1);
    return until(call, call->arguments[3], realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC);
}

/* One that was given with the call itself; else the ring may hold others. */
static int64_t ring_timeout(const struct call *call)
{
    uint64_t extended[3] = {0};    /* struct io_uring_getevents_arg: the last is its ts */
    if (call->arguments[3] & RING_EXT_ARG)
        peek(call, call->arguments[4], extended, sizeof extended);
    int64_t own_ns = read_time(call, extended[2], 1);
    return own_ns >= 0 && own_ns < unseen_ns ? own_ns : unseen_ns;
}

static int64_t own_timeout(const struct call *call, const struct form *form)
{
    uint64_t argument = call->arguments[form->argument];
    switch (form->timeout) {
    case MILLISECONDS:
        return (int)argument < 0 ? -1 : (int64_t)(int)argument * CLOCK_MS;
    case TIMESPEC:
        return read_time(call, argument, 1);
    case TIMEVAL:
        return read_time(call, argument, CLOCK_US);
    case CLOCK:
        return call->arguments[1] & TIMER_ABSTIME
                   ? until(call, argument, (clockid_t)call->arguments[0])
                   : read_time(call, argument, 1);
    case FUTEX:
        return futex_timeout(call);
    case RING:
        return ring_timeout(call);
    case FORGOTTEN:
        return unseen_ns;
    case SOON:
        return 0;
    case NEVER:
        break;
    }
    return -1;
}

struct timers {
    struct call *call;
    uint64_t     anon_inode;    /* which timerfds share with all that are no files */
};

/* Where the descriptor is an armed timerfd, the call ends no later than that. */
static void see_timer(void *context, int fd, uint64_t inode)
{
    struct timers *timers = context;
    struct call *call = timers->call;
    char path[CALL_PATH], line[256];
    if (inode != 0 && inode != timers->anon_inode)
        return;
    call_path(call, path, "fdinfo", fd);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        int64_t s, ns;
        if (sscanf(line, "it_value: (%" SCNd64 ", %" SCNd64 ")", &s, &ns) != 2)
            continue;
        int64_t left_ns = s * CLOCK_S + ns;
        if (left_ns > 0 && (call->timeout_ns < 0 || left_ns < call->timeout_ns))
            call->timeout_ns = left_ns;
    }
    if (file)
        fclose(file);
}

static void find_timeout(struct call *call, const struct form *form)
{
    char path[CALL_PATH];
    struct stat epoll = {0};
    call->timeout_ns = own_timeout(call, form);
    call_path(call, path, "fd", (int)call->arguments[0]);
    if (form->set == SET_EPOLL && stat(path, &epoll) < 0 && call->timeout_ns < 0)
        call->timeout_ns = unseen_ns;
    struct timers timers = {.call = call, .anon_inode = epoll.st_ino};
    call_sources(call, see_timer, &timers);
}

/* --- The whole ---------------------------------------------------------------------- */

/* Where it is in no call, the number tells why: the first is what proc(5) says of a
   thread that sleeps in the kernel, but not for a system call. */
static const struct {
    enum call_kind kind;
    const char    *name;
} none[] = {{CALL_OTHER, "(kernel)"}, {CALL_NONE, "-"}, {CALL_HIDDEN, "?"}};
enum { RUNNING = -2, HIDDEN = -3 };

/* Reads "NUMBER 0xARGUMENT ...", "-1 ..." or "running". */
static long read_number(pid_t pid, pid_t tid, uint64_t arguments[CALL_ARGUMENTS])
{
    char path[CALL_PATH];
    long number = RUNNING;
    snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", (int)pid, (int)tid);
    FILE *file = fopen(path, "re");
    bool gone = !file && (errno == ENOENT || errno == ESRCH);
    if (!file)
        return gone && access("/proc/self/syscall", F_OK) == 0 ? RUNNING : HIDDEN;
    errno = 0;
    int found = fscanf(file, "%ld", &number);
    if (found != 1)    /* whether one may look is asked at the first read */
        number = errno == 0 || errno == ESRCH ? RUNNING : HIDDEN;
    for (int i = 0; i < CALL_ARGUMENTS && number >= 0; i++)
        if (fscanf(file, "%" SCNx64, &arguments[i]) != 1)
            number = RUNNING;
    fclose(file);
    return number < HIDDEN ? HIDDEN : number;
}

void call_read(struct call *call, pid_t pid, pid_t tid)
{
    *call = (struct call){.pid = pid, .tid = tid, .kind = CALL_OTHER,
                          .timeout_ns = unseen_ns};
    call->number = read_number(pid, tid, call->arguments);
    const struct form *form = find_form(call->number);
    if (call->number < 0) {
        call->kind = none[-1 - call->number].kind;
        snprintf(call->name, CALL_NAME, "%s", none[-1 - call->number].name);
    } else if (form) {
        call->kind = form->kind;
        snprintf(call->name, CALL_NAME, "%s", form->name);
        find_timeout(call, form);
    } else {
        snprintf(call->name, CALL_NAME, "call %ld", call->number);
    }
}
