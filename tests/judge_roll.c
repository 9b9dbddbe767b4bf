#define _GNU_SOURCE    /* process_vm_readv */
#include "tests/judge_roll.h"

#include "kit/array.h"
#include "kit/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* --- Calls -------------------------------------------------------------------------- */

/* How a call says how long it will wait. */
enum timeout {
    NEVER,          /* it has none */
    AT_ONCE,        /* it does not wait, or not for long */
    MILLISECONDS,   /* a number, negative: for ever */
    TIMESPEC,       /* a pointer, NULL: for ever; so are the others */
    TIMEVAL,
    FUTEX,          /* a timespec, from now or from the clock's zero */
    CLOCK           /* the same */
};

struct call {
    long         number;
    const char  *name;
    enum timeout timeout;
    int          argument;    /* which one, from 0 */
};

static const struct call calls[] = {
#ifdef SYS_poll
    {SYS_poll, "poll", MILLISECONDS, 2},
    {SYS_select, "select", TIMEVAL, 4},
    {SYS_epoll_wait, "epoll_wait", MILLISECONDS, 3},
    {SYS_accept, "accept", NEVER, 0},
    {SYS_pause, "pause", NEVER, 0},
#endif
#ifdef SYS_fork
    {SYS_fork, "fork", AT_ONCE, 0},
    {SYS_vfork, "fork", AT_ONCE, 0},
#endif
    {SYS_clone, "clone", AT_ONCE, 0},
    {SYS_ppoll, "poll", TIMESPEC, 2},
    {SYS_pselect6, "select", TIMESPEC, 4},
    {SYS_epoll_pwait, "epoll_wait", MILLISECONDS, 3},
#ifdef SYS_epoll_pwait2
    {SYS_epoll_pwait2, "epoll_wait", TIMESPEC, 3},
#endif
    {SYS_read, "read", NEVER, 0},
    {SYS_readv, "read", NEVER, 0},
    {SYS_write, "write", NEVER, 0},
    {SYS_writev, "write", NEVER, 0},
    {SYS_recvfrom, "recv", NEVER, 0},
    {SYS_recvmsg, "recv", NEVER, 0},
    {SYS_sendto, "send", NEVER, 0},
    {SYS_sendmsg, "send", NEVER, 0},
    {SYS_connect, "connect", NEVER, 0},
    {SYS_accept4, "accept", NEVER, 0},
    {SYS_wait4, "wait", NEVER, 0},
    {SYS_waitid, "wait", NEVER, 0},
    {SYS_rt_sigsuspend, "sigsuspend", NEVER, 0},
    {SYS_restart_syscall, "poll", NEVER, 0},    /* what a SIGCONT makes of it */
    {SYS_nanosleep, "sleep", TIMESPEC, 0},
    {SYS_clock_nanosleep, "sleep", CLOCK, 2},
    {SYS_futex, "futex", FUTEX, 3},
#ifdef SYS_io_uring_enter
    {SYS_io_uring_enter, "io_uring_enter", NEVER, 0},
#endif
};

static const struct call *find_call(long number)
{
    for (size_t i = 0; i < LENGTH(calls); i++)
        if (calls[i].number == number)
            return &calls[i];
    return NULL;
}

/* The two numbers to which the argument points in the thread's memory, as ns. */
static int64_t fetch_time(pid_t process, uint64_t address, int64_t ns_in_second_part)
{
    int64_t parts[2] = {0};
    struct iovec here = {.iov_base = parts, .iov_len = sizeof parts};
    struct iovec there = {.iov_base = (void *)(uintptr_t)address,    /* of that process */
                          .iov_len = sizeof parts};
    if (address == 0 || process_vm_readv(process, &here, 1, &there, 1, 0) < 0)
        return ROLL_FOR_EVER;
    if (parts[0] > INT64_MAX / CLOCK_S / 2)
        return ROLL_FOR_EVER;
    return parts[0] * CLOCK_S + parts[1] * ns_in_second_part;
}

static int64_t from_now(int64_t moment_ns, clockid_t clock)
{
    struct timespec now;
    if (moment_ns == ROLL_FOR_EVER || clock_gettime(clock, &now) < 0)
        return moment_ns;
    return moment_ns - now.tv_sec * (int64_t)CLOCK_S - now.tv_nsec;
}

static int64_t futex_patience(pid_t process, const uint64_t *arguments)
{
    int operation = (int)arguments[1];
    int64_t time_ns = fetch_time(process, arguments[3], 1);
    if ((operation & FUTEX_CMD_MASK) != FUTEX_WAIT_BITSET)
        return time_ns;
    return from_now(time_ns, operation & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME
                                                              : CLOCK_MONOTONIC);
}

static int64_t patience(pid_t process, const struct call *call, const uint64_t *arguments)
{
    uint64_t argument = arguments[call->argument];
    switch (call->timeout) {
    case AT_ONCE:
        return 0;
    case MILLISECONDS:
        return (int)argument < 0 ? ROLL_FOR_EVER : (int)argument * (int64_t)CLOCK_MS;
    case TIMESPEC:
        return fetch_time(process, argument, 1);
    case TIMEVAL:
        return fetch_time(process, argument, CLOCK_US);
    case FUTEX:
        return futex_patience(process, arguments);
    case CLOCK:
        return arguments[1] & TIMER_ABSTIME
                   ? from_now(fetch_time(process, argument, 1), (clockid_t)arguments[0])
                   : fetch_time(process, argument, 1);
    default:
        return ROLL_FOR_EVER;
    }
}

/* --- /proc -------------------------------------------------------------------------- */

/* Reads one small file of /proc/PROCESS/task/THREAD. Returns whether it is there. */
static bool read_file(pid_t process, pid_t thread, const char *name, char *text,
                      size_t size)
{
    char path[96];
    snprintf(path, sizeof path, "/proc/%d/task/%d/%s", (int)process, (int)thread, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

static int64_t number_after(const char *text, const char *key)
{
    const char *found = strstr(text, key);
    return found ? strtoll(found + strlen(key), NULL, 10) : 0;
}

static void read_call(struct roll_thread *thread)
{
    char text[256];
    uint64_t arguments[6] = {0};
    thread->call = -1;
    if (!read_file(thread->process, thread->id, "syscall", text, sizeof text))
        return;
    char *next;
    long number = strtol(text, &next, 10);
    if (next == text)
        return;    /* "running" */
    for (size_t i = 0; i < LENGTH(arguments); i++)
        arguments[i] = strtoull(next, &next, 16);
    thread->call = number;
    const struct call *call = find_call(number);
    thread->patience_ns =
        call ? patience(thread->process, call, arguments) : ROLL_FOR_EVER;
}

static void count_switches(const char *status, struct roll *roll)
{
    int64_t voluntary = number_after(status, "\nvoluntary_ctxt_switches:");
    roll->voluntary += voluntary;
    roll->switches += voluntary + number_after(status, "nonvoluntary_ctxt_switches:");
}

/* Of a thread's status: whether it is one that ThreadSanitizer has started for itself. */
static bool is_sanitizers(const char *status)
{
    const char *blocked = strstr(status, "\nSigBlk:");
    uint64_t mask = blocked ? strtoull(blocked + strlen("\nSigBlk:"), NULL, 16) : 0;
    static const int some[] = {SIGHUP, SIGINT, SIGUSR1, SIGALRM, SIGTERM, SIGCHLD};
    for (size_t i = 0; i < LENGTH(some); i++)
        if (!((mask >> (some[i] - 1)) & 1))
            return false;
    return true;
}

/* Adds one thread to the roll, unless it has gone. */
static void call_thread(pid_t process, pid_t id, struct roll *roll)
{
    char stat[1024], status[4096];
    if (!read_file(process, id, "stat", stat, sizeof stat) ||
        !read_file(process, id, "status", status, sizeof status))
        return;
    struct roll_thread thread = {.process = process, .id = id};
    long long user, system, rss_pages;
    const char *after_name = strrchr(stat, ')');    /* the name may hold anything */
    if (!after_name ||
        sscanf(after_name + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld "
               "%*d %*d %*d %*d %*d %*d %*u %*u %lld",
               &thread.state, &user, &system, &rss_pages) != 4)
        return;
    bool gone = thread.state == 'Z' || thread.state == 'X';
    if (gone || (roll->tsan && is_sanitizers(status)))
        return;
    roll->cpu_ms += (user + system) * 1000 / sysconf(_SC_CLK_TCK);
    if (process == id)
        roll->rss_kib += rss_pages * (sysconf(_SC_PAGESIZE) / 1024);
    count_switches(status, roll);
    read_call(&thread);
    if (roll->threads < ROLL_THREADS)
        roll->thread[roll->threads] = thread;
    roll->threads++;
}

/* Adds a process, and those that its threads have started, if they are of the group. */
static void add_process(pid_t process, pid_t group, struct roll *roll);

static void add_children(pid_t process, pid_t thread, pid_t group, struct roll *roll)
{
    char path[96];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)process, (int)thread);
    FILE *file = fopen(path, "re");
    int child;
    while (file && roll->processes < ROLL_PROCESSES && fscanf(file, "%d", &child) == 1)
        if (getpgid(child) == group)
            add_process(child, group, roll);
    if (file)
        fclose(file);
}

static void add_process(pid_t process, pid_t group, struct roll *roll)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *tasks = opendir(path);
    if (!tasks)
        return;
    roll->processes++;
    struct dirent *entry;
    while ((entry = readdir(tasks)) != NULL) {
        pid_t thread = (pid_t)atoi(entry->d_name);
        if (thread == 0)
            continue;
        call_thread(process, thread, roll);
        if (group != 0)
            add_children(process, thread, group, roll);
    }
    closedir(tasks);
}

void roll_call_process(pid_t process, struct roll *roll)
{
    *roll = (struct roll){.tsan = roll->tsan};
    add_process(process, 0, roll);
}

/* From the caller down, who is the parent of the first, and as a subreaper of those whose
   own parents are gone. To look at every process of the machine would take too long. */
void roll_call(pid_t group, struct roll *roll)
{
    *roll = (struct roll){.tsan = roll->tsan};
    add_children(getpid(), getpid(), group, roll);
}

/* --- What it says ------------------------------------------------------------------- */

bool roll_asleep(const struct roll *roll, int64_t patience_ns)
{
    for (int i = 0; i < roll->threads && i < ROLL_THREADS; i++) {
        const struct roll_thread *thread = &roll->thread[i];
        bool sleeps = thread->state == 'S' && thread->call >= 0;
        if (thread->state != 'T' && (!sleeps || thread->patience_ns < patience_ns))
            return false;
    }
    return true;
}

bool roll_same(const struct roll *one, const struct roll *other)
{
    return one->processes == other->processes && one->threads == other->threads &&
           one->switches == other->switches && one->cpu_ms == other->cpu_ms;
}

const char *roll_name(const struct roll_thread *thread)
{
    static char number[32];
    if (thread->call < 0)
        return "running";
    const struct call *call = find_call(thread->call);
    if (call)
        return call->name;
    snprintf(number, sizeof number, "call %ld", thread->call);
    return number;
}

int roll_count(const struct roll *roll, const char *name)
{
    int count = 0;
    for (int i = 0; i < roll->threads && i < ROLL_THREADS; i++)
        count += strcmp(roll_name(&roll->thread[i]), name) == 0;
    return count;
}
