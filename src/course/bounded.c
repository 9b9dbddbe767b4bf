/* bounded: runs a command for so many seconds at the longest, and ends whatever it leaves
   running, however deep, when it ends, when the time is up, or when our parent dies.
     bounded SECONDS COMMAND [ARGUMENT...]
   Exits as the command does; 124: the time was up; 128 + N: signal N ended it. */
#define _GNU_SOURCE    /* sigtimedwait's and prctl's constants */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TIME_IS_UP = 124, CANNOT = 125 };

struct process {
    pid_t pid, parent;
    char  state;    /* as proc(5) has it */
};

struct table {
    struct process *process;    /* by pid, ascending, as /proc lists them */
    size_t          count, room;
};

static bool read_process(const char *pid, struct process *process)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;    /* it has ended meanwhile */
    size_t length = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[length] = '\0';
    const char *name_end = strrchr(line, ')');    /* a name may hold anything, also ')' */
    process->pid = atoi(pid);
    return name_end &&
           sscanf(name_end, ") %c %d", &process->state, &process->parent) == 2;
}

static void read_processes(struct table *table)
{
    table->count = 0;
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    while (proc && (entry = readdir(proc)) != NULL) {
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        if (table->count == table->room) {
            size_t room = table->room * 2 + 1024;
            void *larger = realloc(table->process, room * sizeof *table->process);
            if (!larger)
                break;
            table->process = larger;
            table->room = room;
        }
        if (read_process(entry->d_name, &table->process[table->count]))
            table->count++;
    }
    if (proc)
        closedir(proc);
}

static int by_pid(const void *a, const void *b)
{
    const struct process *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Whether it descends from us. An orphan below us is our own child: we are its reaper. */
static bool is_ours(const struct table *table, const struct process *process)
{
    for (size_t up = 0; process && process->parent != getpid(); up++) {
        if (up > table->count)
            return false;    /* a pid was used again while we read: no tree, a ring */
        struct process parent = {.pid = process->parent};
        process = bsearch(&parent, table->process, table->count, sizeof parent, by_pid);
    }
    return process != NULL;
}

/* Sends the signal to all below us. Returns how many of them still ran, or might run. One
   in D, as who waits in vfork(2) for a stopped child, stops before it does any more. */
static size_t signal_all(struct table *table, int signal)
{
    size_t active = 0;
    read_processes(table);
    for (size_t i = 0; i < table->count; i++) {
        const struct process *process = &table->process[i];
        if (process->state != 'Z' && is_ours(table, process) &&
            kill(process->pid, signal) == 0)
            active += process->state == 'R' || process->state == 'S';
    }
    return active;
}

/* Stops them all before it kills the first: those that fork without end would otherwise
   take the places of the dead faster than we find them. */
static void end_all(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    struct table table = {0};
    pid_t ended;
    while ((ended = waitpid(-1, NULL, WNOHANG)) >= 0) {    /* ECHILD: nobody is left */
        if (ended > 0)
            continue;
        while (signal_all(&table, SIGSTOP) > 0)
            nanosleep(&pause, NULL);
        signal_all(&table, SIGKILL);
        nanosleep(&pause, NULL);
    }
    free(table.process);
}

/* Returns what to exit with, when the command or the time has ended, or a signal came. */
static int await(pid_t command, const sigset_t *signals, time_t seconds)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    time_t end = now.tv_sec + seconds;
    for (;;) {
        int status;
        pid_t ended;
        while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
            if (ended == command)
                return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec >= end)
            return TIME_IS_UP;
        const struct timespec left = {.tv_sec = end - now.tv_sec};
        int came = sigtimedwait(signals, NULL, &left);
        if (came > 0 && came != SIGCHLD)
            return 128 + came;
    }
}

static pid_t start(char *const argv[], const sigset_t *before)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_SETMASK, before, NULL);
        execvp(argv[0], argv);
        fprintf(stderr, "bounded: %s: %s\n", argv[0], strerror(errno));
        _exit(CANNOT);
    }
    return pid;
}

int main(int argc, char *argv[])
{
    char *end = NULL;
    long seconds = argc > 2 ? strtol(argv[1], &end, 10) : 0;
    if (seconds <= 0 || *end != '\0') {
        fprintf(stderr, "bounded: usage: bounded SECONDS COMMAND [ARGUMENT...]\n");
        return CANNOT;
    }
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, &before);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);

    pid_t command = start(argv + 2, &before);
    if (command < 0) {
        fprintf(stderr, "bounded: fork: %s\n", strerror(errno));
        return CANNOT;
    }
    int status = await(command, &signals, seconds);
    end_all();
    return status;
}
