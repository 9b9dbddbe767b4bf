#include "tests/judge_roll.h"

#include "kit/array.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    call_read(&thread.call, process, id);
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
        int64_t timeout_ns = thread->call.timeout_ns;
        bool sleeps = thread->state == 'S' && thread->call.number >= 0;
        bool long_enough = timeout_ns < 0 || timeout_ns >= patience_ns;
        if (thread->state != 'T' && (!sleeps || !long_enough))
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
    static const char *const functions[][2] = {
        {"ppoll", "poll"},           {"restart_syscall", "poll"},    /* after SIGCONT */
        {"pselect", "select"},       {"epoll_pwait", "epoll_wait"},
        {"readv", "read"},           {"epoll_pwait2", "epoll_wait"},
        {"writev", "write"},         {"recvmsg", "recv"},
        {"sendmsg", "send"},         {"wait4", "wait"},
        {"waitid", "wait"},          {"nanosleep", "sleep"},
        {"vfork", "fork"},           {"clock_nanosleep", "sleep"},
        {"clone", "fork"},
    };
    if (thread->call.number < 0)
        return "running";
    for (size_t i = 0; i < LENGTH(functions); i++)
        if (strcmp(functions[i][0], thread->call.name) == 0)
            return functions[i][1];
    return thread->call.name;
}

int roll_count(const struct roll *roll, const char *name)
{
    int count = 0;
    for (int i = 0; i < roll->threads && i < ROLL_THREADS; i++)
        count += strcmp(roll_name(&roll->thread[i]), name) == 0;
    return count;
}
