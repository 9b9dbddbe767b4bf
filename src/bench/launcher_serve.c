#define _GNU_SOURCE    /* wait4 */
#include "bench/launcher_serve.h"

#include "kit/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct run {
    pid_t pid;    /* 0: there is none */
    int   pidfd;    /* readable when it has ended; -1: none */
};

static void start(const struct launcher *launcher, const struct order *order,
                  struct run *run)
{
    char *argv[WORDS_MOST + 1] = {NULL};
    char *next = (char *)order->text;    /* execv(3) does not write to it */
    for (int i = 0; i < order->words; i++) {
        argv[i] = next;
        next += strlen(next) + 1;
    }
    unlink(launcher->requests_csv);
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    int complaints = open(launcher->complaints, flags, 0600);
    struct process_spec spec = {.argv = argv, .out = -1, .err = complaints};
    spec.cpus = order->bound ? &order->cpus : NULL;
    run->pid = complaints < 0 ? -errno : process_start(&spec);
    if (complaints >= 0)
        close(complaints);
    run->pidfd = run->pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, run->pid, 0);
    if (run->pid > 0 && run->pidfd < 0) {
        int error = -errno;
        kill(-run->pid, SIGKILL);
        waitpid(run->pid, NULL, 0);
        run->pid = error;
    }
}

/* The run's first process has ended, or is to end now. What it left of its group ends
   before it is reaped: until then nobody else can have the group's number. */
static void reap(struct run *run, struct run_end *end)
{
    kill(-run->pid, SIGKILL);
    while (wait4(run->pid, &end->status, 0, &end->usage) < 0 && errno == EINTR)
        continue;
    close(run->pidfd);
    *run = (struct run){.pid = 0, .pidfd = -1};
}

/* Returns false when bench has gone. */
static bool obey(const struct launcher *launcher, struct run *run)
{
    struct order order;
    if (recv(launcher->fd, &order, sizeof order, 0) <= 0)
        return false;
    if (order.signal_number != 0) {
        if (run->pid > 0)
            kill(-run->pid, order.signal_number);
        return true;
    }
    start(launcher, &order, run);
    struct notice notice = {.pid = run->pid};
    if (run->pid < 0)
        run->pid = 0;
    return send(launcher->fd, &notice, sizeof notice, MSG_NOSIGNAL) > 0;
}

void launcher_serve(const struct launcher *launcher)
{
    struct run run = {.pid = 0, .pidfd = -1};
    bool wanted = true;
    while (wanted) {
        struct pollfd fds[2] = {{.fd = launcher->fd, .events = POLLIN},
                                {.fd = run.pidfd, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents) {
            struct notice notice = {.pid = run.pid};
            reap(&run, &notice.end);
            wanted = send(launcher->fd, &notice, sizeof notice, MSG_NOSIGNAL) > 0;
        } else if (fds[0].revents) {
            wanted = obey(launcher, &run);
        }
    }
    struct run_end end;
    if (run.pid > 0)
        reap(&run, &end);
    unlink(launcher->requests_csv);
    unlink(launcher->complaints);
    rmdir(launcher->directory);
}
