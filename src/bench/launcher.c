#include "bench/launcher.h"

#include "bench/launcher_serve.h"
#include "kit/clock.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int launcher_open(struct launcher *launcher)
{
    const char *parent = getenv("TMPDIR");
    int fds[2];
    int error;
    snprintf(launcher->directory, sizeof launcher->directory, "%s/ways-to-wait-XXXXXX",
             parent && *parent ? parent : "/tmp");
    if (!mkdtemp(launcher->directory))
        return -errno;
    snprintf(launcher->requests_csv, LAUNCHER_PATH, "%s/requests.csv",
             launcher->directory);
    snprintf(launcher->complaints, LAUNCHER_PATH, "%s/complaints", launcher->directory);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
        error = -errno;
        goto no_sockets;
    }
    launcher->pid = fork();
    error = launcher->pid < 0 ? -errno : 0;
    if (launcher->pid == 0) {
        setpgid(0, 0);    /* Ctrl-C is bench's to deal with */
        close(fds[0]);    /* or the end of bench would not show */
        launcher->fd = fds[1];
        launcher_serve(launcher);
        _exit(0);
    }
    close(fds[1]);
    launcher->fd = fds[0];
    if (!error)
        return 0;
    close(fds[0]);
no_sockets:
    launcher->pid = 0;
    rmdir(launcher->directory);
    return error;
}

static int receive(struct launcher *launcher, struct notice *notice)
{
    ssize_t got;
    do
        got = recv(launcher->fd, notice, sizeof *notice, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    return got == sizeof *notice ? 0 : -ECHILD;    /* somebody ended the launcher */
}

static int order_send(struct launcher *launcher, const struct order *order, size_t text)
{
    size_t length = offsetof(struct order, text) + text;
    return send(launcher->fd, order, length, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

pid_t launcher_start(struct launcher *launcher, char *const *argv,
                     const struct cpus *cpus)
{
    struct order order = {.bound = cpus != NULL};
    if (cpus)
        order.cpus = *cpus;
    size_t used = 0;
    for (; argv[order.words]; order.words++) {
        size_t length = strlen(argv[order.words]) + 1;
        if (used + length > TEXT_MOST || order.words == WORDS_MOST)
            return -E2BIG;
        memcpy(order.text + used, argv[order.words], length);
        used += length;
    }
    int error = order_send(launcher, &order, used);
    struct notice notice;
    if (!error)
        error = receive(launcher, &notice);
    return error ? error : notice.pid;
}

int launcher_wait(struct launcher *launcher, int64_t timeout_ns, struct run_end *end)
{
    struct pollfd readable = {.fd = launcher->fd, .events = POLLIN};
    int ready = poll(&readable, 1, (int)(timeout_ns / CLOCK_MS));
    if (ready < 0 && errno != EINTR)
        return -errno;
    if (ready <= 0)
        return 0;
    struct notice notice;
    int error = receive(launcher, &notice);
    *end = notice.end;
    return error ? error : 1;
}

int launcher_signal(struct launcher *launcher, int signal_number)
{
    struct order order = {.signal_number = signal_number};
    return order_send(launcher, &order, 0);
}

void launcher_close(struct launcher *launcher)
{
    if (launcher->pid <= 0)
        return;
    close(launcher->fd);    /* which is how it learns that nobody wants it any more */
    while (waitpid(launcher->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    launcher->pid = 0;
}
