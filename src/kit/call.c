#define _GNU_SOURCE    /* for the names of system calls that are Linux's own */
#include "whowaits/call.h"

#include "kit/array.h"
#include "kit/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ARGUMENTS = 6, CHUNK = 256, GUESS_S = 60 };

enum {    /* the bits of <linux/io_uring.h>, which need not be there */
    RING_GETEVENTS = 1,
    RING_EXT_ARG = 8
};

/* What a call's arguments are: which it waits for, and how it is told for how long. */
enum set { SET_NONE, SET_ONE, SET_POLL, SET_SELECT, SET_EPOLL, SET_RING };
enum timeout { NEVER, MILLISECONDS, TIMESPEC, TIMEVAL, CLOCK, FUTEX, RING, FORGOTTEN };

static const struct form {
    long           number;
    const char    *name;
    enum call_kind kind;
    enum set       set;
    enum timeout   timeout;
    int            argument;    /* which one the timeout is */
} forms[] = {
    {SYS_read, "read", CALL_READ, SET_ONE, NEVER, 0},
    {SYS_readv, "readv", CALL_READ, SET_ONE, NEVER, 0},
    {SYS_recvfrom, "recv", CALL_READ, SET_ONE, NEVER, 0},
    {SYS_recvmsg, "recvmsg", CALL_READ, SET_ONE, NEVER, 0},
    {SYS_recvmmsg, "recvmmsg", CALL_READ, SET_ONE, TIMESPEC, 4},
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
    {SYS_io_uring_enter, "io_uring_enter", CALL_RING, SET_RING, RING, 4},
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
    {SYS_write, "write", CALL_OTHER, SET_NONE, NEVER, 0},
    {SYS_flock, "flock", CALL_OTHER, SET_NONE, NEVER, 0},
    {SYS_restart_syscall, "restart_syscall", CALL_OTHER, SET_NONE, FORGOTTEN, 0},
};

/* Reads from the memory of another process. Returns how much there was. */
static size_t peek(pid_t pid, uint64_t address, void *buf, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = pread(fd, buf, size, (off_t)address);
    close(fd);
    return got < 0 ? 0 : (size_t)got;
}

/* --- For how long ------------------------------------------------------------------- */

/* Reads a timespec, or a timeval: `unit` ns is one of its second number. */
static int64_t read_time(pid_t pid, uint64_t address, int64_t unit)
{
    int64_t time[2] = {0};
    if (address == 0)
        return -1;
    peek(pid, address, time, sizeof time);    /* if it can't, 0: as if it was soon over */
    if (time[0] < 0 || time[0] >= INT64_MAX / CLOCK_S - 1 || time[1] < 0 ||
        time[1] >= CLOCK_S / unit)
        return -1;    /* no time that a call would take */
    return time[0] * CLOCK_S + time[1] * unit;
}

/* A moment of that clock, as a time from now on. */
static int64_t until(pid_t pid, uint64_t address, clockid_t clock)
{
    struct timespec now = {0};
    int64_t end_ns = read_time(pid, address, 1);
    clock_gettime(clock, &now);
    int64_t left_ns = end_ns - (int64_t)now.tv_sec * CLOCK_S - now.tv_nsec;
    return end_ns < 0 || left_ns > 0 ? left_ns : 0;
}

static int64_t futex_timeout(pid_t pid, const uint64_t *arguments)
{
    int command = (int)arguments[1] & FUTEX_CMD_MASK;
    bool realtime = arguments[1] & FUTEX_CLOCK_REALTIME;
    if (arguments[3] == 0 || (command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET))
        return -1;
    if (command == FUTEX_WAIT)
        return read_time(pid, arguments[3], 1);
    return until(pid, arguments[3], realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC);
}

static int64_t ring_timeout(pid_t pid, const uint64_t *arguments)
{
    uint64_t extended[3] = {0};    /* struct io_uring_getevents_arg: the last is its ts */
    if (arguments[3] & RING_EXT_ARG)
        peek(pid, arguments[4], extended, sizeof extended);
    return read_time(pid, extended[2], 1);
}

static int64_t find_timeout(const struct form *form, pid_t pid, const uint64_t *arguments)
{
    uint64_t argument = arguments[form->argument];
    switch (form->timeout) {
    case MILLISECONDS:
        return (int)argument < 0 ? -1 : (int64_t)(int)argument * CLOCK_MS;
    case TIMESPEC:
        return read_time(pid, argument, 1);
    case TIMEVAL:
        return read_time(pid, argument, CLOCK_US);
    case CLOCK:
        return arguments[1] & TIMER_ABSTIME
                   ? until(pid, argument, (clockid_t)arguments[0])
                   : read_time(pid, argument, 1);
    case FUTEX:
        return futex_timeout(pid, arguments);
    case RING:
        return ring_timeout(pid, arguments);
    case FORGOTTEN:    /* over a stop: restart_syscall(2) */
        return (int64_t)GUESS_S * CLOCK_S;
    case NEVER:
        break;
    }
    return -1;
}

/* --- For what ----------------------------------------------------------------------- */

static int mark(struct socket_entry *entry)
{
    if (entry)
        entry->watched = true;
    return entry != NULL;
}

static int mark_poll(pid_t pid, const uint64_t *arguments, struct sockets *sockets)
{
    struct pollfd fds[CHUNK];
    int watched = 0;
    for (uint64_t next = 0, count = arguments[1]; next < count; next += CHUNK) {
        size_t wanted = count - next < CHUNK ? (size_t)(count - next) : CHUNK;
        size_t got =
            peek(pid, arguments[0] + next * sizeof *fds, fds, wanted * sizeof *fds);
        for (size_t i = 0; i < got / sizeof *fds; i++)
            if (fds[i].fd >= 0 && (fds[i].events & POLLIN))
                watched += mark(sockets_of(sockets, pid, fds[i].fd));
        if (got < wanted * sizeof *fds)
            break;
    }
    return watched;
}

static int mark_select(pid_t pid, const uint64_t *arguments, struct sockets *sockets)
{
    unsigned char bits[FD_SETSIZE / 8] = {0};
    int count = (int)arguments[0] < FD_SETSIZE ? (int)arguments[0] : FD_SETSIZE;
    int watched = 0;
    if (arguments[1] != 0)
        peek(pid, arguments[1], bits, sizeof bits);
    for (int fd = 0; fd < count; fd++)
        if (bits[fd / 8] >> (fd % 8) & 1)
            watched += mark(sockets_of(sockets, pid, fd));
    return watched;
}

/* The kernel lists what an epoll descriptor has to watch: proc(5), fdinfo. */
static int mark_epoll(pid_t pid, int epoll_fd, struct sockets *sockets)
{
    char path[64], line[256];
    int watched = 0;
    snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)pid, epoll_fd);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        unsigned events;
        uint64_t inode;
        if (sscanf(line, "tfd: %*d events: %x data: %*x pos:%*d ino:%" SCNx64, &events,
                   &inode) == 2 && (events & POLLIN))
            watched += mark(sockets_find(sockets, inode));
    }
    if (file)
        fclose(file);
    return watched;
}

/* What stands in the ring's queue is the kernel's secret. A process waits by its ring for
   all that it holds and that no other call of it waits for. */
static int mark_ring(pid_t pid, const uint64_t *arguments, struct sockets *sockets)
{
    int watched = 0;
    if (arguments[2] == 0 || !(arguments[3] & RING_GETEVENTS))
        return 0;
    for (int i = 0; i < sockets->count; i++)
        if (sockets->entries[i].holder == pid && !sockets->entries[i].watched)
            watched += mark(&sockets->entries[i]);
    return watched;
}

static int mark_all(const struct form *form, pid_t pid, const uint64_t *arguments,
                    struct sockets *sockets)
{
    switch (form->set) {
    case SET_ONE:
        return mark(sockets_of(sockets, pid, (int)arguments[0]));
    case SET_POLL:
        return mark_poll(pid, arguments, sockets);
    case SET_SELECT:
        return mark_select(pid, arguments, sockets);
    case SET_EPOLL:
        return mark_epoll(pid, (int)arguments[0], sockets);
    case SET_RING:
        return mark_ring(pid, arguments, sockets);
    case SET_NONE:
        break;
    }
    return 0;
}

/* --- The whole ---------------------------------------------------------------------- */

enum {    /* what stands for a number where there is none */
    ASLEEP_ELSEWHERE = -1,    /* in the kernel, but not for a system call: so proc(5) */
    RUNNING = -2,             /* or gone */
    HIDDEN = -3
};

/* Reads "NUMBER 0xARGUMENT ...", "-1 ..." or "running". */
static long read_number(pid_t pid, pid_t tid, uint64_t arguments[ARGUMENTS])
{
    char path[64];
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
    for (int i = 0; i < ARGUMENTS && number >= 0; i++)
        if (fscanf(file, "%" SCNx64, &arguments[i]) != 1)
            number = RUNNING;
    fclose(file);
    return number;
}

static void call_name(struct call *call, long number)
{
    static const struct {
        enum call_kind kind;
        const char    *name;
    } none[] = {{CALL_OTHER, "(kernel)"}, {CALL_NONE, "-"}, {CALL_HIDDEN, "?"}};
    *call = (struct call){.kind = CALL_OTHER, .timeout_ns = -1};
    if (number < 0) {
        call->kind = none[-1 - number].kind;
        snprintf(call->name, CALL_NAME, "%s", none[-1 - number].name);
    } else {
        snprintf(call->name, CALL_NAME, "call %ld", number);
    }
}

void call_read(struct call *call, pid_t pid, pid_t tid, struct sockets *sockets)
{
    uint64_t arguments[ARGUMENTS] = {0};
    long number = read_number(pid, tid, arguments);
    call_name(call, number);
    for (size_t i = 0; i < LENGTH(forms); i++) {
        const struct form *form = &forms[i];
        if (form->number != number)
            continue;
        call->kind = form->kind;
        snprintf(call->name, CALL_NAME, "%s", form->name);
        call->timeout_ns = find_timeout(form, pid, arguments);
        call->watched = mark_all(form, pid, arguments, sockets);
    }
}
