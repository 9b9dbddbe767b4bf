/* The calls of kit/net.h for coroutines: each tries, pauses where that would block. */
#include "coro/scheduler.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* connect(2): writable means that the attempt is over, and SO_ERROR how it went. */
static int finish_connect(struct coro *me, int fd, int64_t deadline_ns)
{
    int ready = coro_wait_fd(me, fd, POLLOUT, deadline_ns);
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
            int ready = coro_wait_fd(me, fd, POLLOUT, deadline_ns);
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
            int ready = coro_wait_fd(me, fd, POLLIN, deadline_ns);
            if (ready < 0)
                return ready;
        }
    }
}
