/* Waiting for descriptors, and the calls of kit/net.h for coroutines: each tries, and
   pauses where that would block. */
#include "coro/scheduler.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Waits for a socket, of which there is no doubt that epoll(7) takes it. */
static int await(struct coro *me, int fd, int events, int64_t deadline_ns)
{
    int error = coro_may_wait(me, deadline_ns);
    if (error)
        return error;
    short what = (short)((events & POLLIN ? EV_READ : 0) |
                         (events & POLLOUT ? EV_WRITE : 0));
    int ready = coro_pause(me, fd, what, deadline_ns);
    if (ready < 0)
        return ready;
    return (ready & EV_READ ? POLLIN : 0) | (ready & EV_WRITE ? POLLOUT : 0);
}

/* Does epoll_ctl(2) take it? A file or /dev/null is always ready, and refused: but the
   loop asks only after we have paused, and nobody would wake us. */
static int try_epoll(int fd)
{
    struct epoll_event none = {0};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int error = epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &none) < 0 ? -errno : 0;
    if (epoll >= 0)
        close(epoll);
    return error;
}

int coro_wait_fd(struct coro *me, int fd, int events, int64_t deadline_ns)
{
    struct stat status;
    int error = coro_may_wait(me, deadline_ns);
    if (!error && fstat(fd, &status) < 0)
        error = -errno;
    if (!error && !S_ISSOCK(status.st_mode) && !S_ISFIFO(status.st_mode))
        error = try_epoll(fd);
    if (error)
        return error;
    return events & (POLLIN | POLLOUT) ? await(me, fd, events, deadline_ns) : -EINVAL;
}

/* connect(2): writable means that the attempt is over, and SO_ERROR how it went. */
static int finish_connect(struct coro *me, int fd, int64_t deadline_ns)
{
    int ready = await(me, fd, POLLOUT, deadline_ns);
    if (ready < 0)
        return ready;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

int coro_connect(struct coro *me, const struct endpoint *server, int64_t deadline_ns)
{
    int error = coro_may_wait(me, deadline_ns);
    if (error)
        return error;
    int fd = net_socket_nonblocking(server);
    if (fd < 0)
        return fd;
    if (connect(fd, (const struct sockaddr *)&server->address,
                server->address_length) < 0)
        error = errno == EINTR || errno == EINPROGRESS
                    ? finish_connect(me, fd, deadline_ns)
                    : -errno;
    if (!error)
        return fd;
    close(fd);
    return error;
}

int coro_send_all(struct coro *me, int fd, const void *buf, size_t len,
                  int64_t deadline_ns)
{
    const char *next = buf;
    while (len > 0) {
        int error = coro_may_wait(me, deadline_ns);
        if (error)
            return error;
        ssize_t sent = send(fd, next, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            next += sent;
            len -= (size_t)sent;
        } else if (errno == EAGAIN) {
            int ready = await(me, fd, POLLOUT, deadline_ns);
            if (ready < 0)
                return ready;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

ssize_t coro_recv(struct coro *me, int fd, void *buf, size_t size, int64_t deadline_ns)
{
    for (;;) {
        int error = coro_may_wait(me, deadline_ns);
        if (error)
            return error;
        ssize_t received = recv(fd, buf, size, MSG_DONTWAIT);
        if (received >= 0)
            return received;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        if (errno == EAGAIN) {
            int ready = await(me, fd, POLLIN, deadline_ns);
            if (ready < 0)
                return ready;
        }
    }
}
