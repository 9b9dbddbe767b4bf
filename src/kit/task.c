#include "kit/task.h"

#include "kit/array.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_TEXT = 4096 };    /* more than any of the three holds */

static int open_file(pid_t pid, pid_t tid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/%s", (int)pid, (int)tid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int task_open(struct task *task, pid_t pid, pid_t tid)
{
    task->syscall_fd = open_file(pid, tid, "syscall");
    task->schedstat_fd = open_file(pid, tid, "schedstat");
    task->status_fd = open_file(pid, tid, "status");
    int error = task->syscall_fd < 0     ? task->syscall_fd
                : task->schedstat_fd < 0 ? task->schedstat_fd
                : task->status_fd < 0    ? task->status_fd
                                         : 0;
    if (error)
        task_close(task);
    return error;
}

void task_close(struct task *task)
{
    int fds[] = {task->syscall_fd, task->schedstat_fd, task->status_fd};
    for (size_t i = 0; i < LENGTH(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    *task = (struct task){-1, -1, -1};
}

/* Reads all of a file as it is now: /proc writes it anew for who reads from 0. */
static int read_file(int fd, char text[FILE_TEXT])
{
    ssize_t got = pread(fd, text, FILE_TEXT - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    return got > 0 ? 0 : got == 0 ? -ESRCH : -errno;
}

/* --- Running or ready? -------------------------------------------------------------- */

/* "RUN READY TURNS": ns on a processor, ns ready for one, and how often it got one. */
static int read_schedstat(const struct task *task, struct task_look *look, int64_t *turns)
{
    char text[FILE_TEXT];
    int error = read_file(task->schedstat_fd, text);
    if (!error && sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64, &look->cpu_ns,
                         &look->ready_ns, turns) != 3)
        error = -ENOENT;
    return error;
}

static int64_t number(const char *text, const char *key)
{
    const char *found = strstr(text, key);
    return found ? strtoll(found + strlen(key), NULL, 10) : 0;
}

/* How often it has lost its processor, to sleep or to make room; -1 if it is a zombie. */
static int read_switches(const struct task *task, int64_t *switches)
{
    char text[FILE_TEXT];
    int error = read_file(task->status_fd, text);
    *switches = number(text, "\nvoluntary_ctxt_switches:") +
                number(text, "\nnonvoluntary_ctxt_switches:");
    if (strstr(text, "\nState:\tZ") || strstr(text, "\nState:\tX"))
        *switches = -1;
    return error;
}

/* For /proc both are R. But who has a processor got it once more than it lost it. The two
   counts stand in two files: if it got one in between, it runs for all that we know. */
static int tell_running(const struct task *task, int64_t turns, struct task_look *look)
{
    int64_t switches, turns_now = turns;
    int error = read_switches(task, &switches);
    if (!error)
        error = read_schedstat(task, look, &turns_now);
    bool ready = turns == turns_now && turns == switches;
    look->state = ready ? TASK_READY : TASK_RUNNING;
    return error;
}

int task_look(const struct task *task, struct task_look *look)
{
    char text[FILE_TEXT];
    int64_t turns, switches;
    *look = (struct task_look){.state = TASK_ASLEEP};
    int error = read_schedstat(task, look, &turns);
    if (!error)
        error = read_file(task->syscall_fd, text);    /* "0 0x3 ...", "running" */
    if (error)
        return error;
    if (strncmp(text, "running", 7) == 0)
        return tell_running(task, turns, look);
    look->call = strtol(text, NULL, 10);
    if (look->call < 0) {    /* asleep in the kernel for another cause, or dead */
        error = read_switches(task, &switches);
        look->state = switches < 0 ? TASK_ENDED : TASK_ASLEEP;
    }
    return error;
}
