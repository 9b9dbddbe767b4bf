#define _GNU_SOURCE    /* ppoll */
#include "kit/net.h"

#include "kit/clock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int net_resolve(const char *host, int port, struct endpoint *endpoint)
{
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int error = getaddrinfo(host, service, &hints, &found);
    if (error)
        return error;
    memcpy(&endpoint->address, found->ai_addr, found->ai_addrlen);
    endpoint->address_length = found->ai_addrlen;
    freeaddrinfo(found);
    const char *form = strchr(host, ':') ? "[%s]:%d" : "%s:%d";
    snprintf(endpoint->name, sizeof endpoint->name, form, host, port);
    return 0;
}

/* Our messages are written in one piece, so Nagle's algorithm could only delay them:
   40 ms where the peer delays its acknowledgements (RFC 896, RFC 1122
   section 4.2.3.2). */
static int set_nodelay(int fd)
{
    int on = 1;
    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ? -errno : 0;
}

/* Lets the next blocking call on fd wait until the deadline: SO_RCVTIMEO or SO_SNDTIMEO,
   socket(7). Set again before each call, since it bounds one call, not a conversation. */
static int set_timeout(int fd, int option, int64_t deadline_ns)
{
    int64_t left_ns = deadline_ns - clock_ns();
    if (left_ns <= 0)
        return -ETIMEDOUT;    /* and zero would mean "for ever" */
    struct timeval left = clock_timeval(left_ns);
    return setsockopt(fd, SOL_SOCKET, option, &left, sizeof left) < 0 ? -errno : 0;
}

/* A blocking call may end too soon: a signal ends it with EINTR; and where signals come,
   its timeout, which the kernel counts in ticks, may end a tick early (EAGAIN, or
   EINPROGRESS from connect). Both mean "again"; the clock says when the time is over. */

/* connect(2) was given up, but the attempt goes on by itself. Waits for its end. */
static int finish_connect(int fd, int64_t deadline_ns)
{
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    int ready;
    do {
        struct timespec left = clock_timespec(deadline_ns - clock_ns());
        ready = ppoll(&writable, 1, &left, NULL);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return ready < 0 ? -errno : -ETIMEDOUT;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

int net_connect(const struct endpoint *server, int64_t deadline_ns)
{
    int fd = socket(server->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int error = set_nodelay(fd);
    if (!error)
        error = set_timeout(fd, SO_SNDTIMEO, deadline_ns);    /* connect obeys it too */
    if (!error && connect(fd, (const struct sockaddr *)&server->address,
                          server->address_length) < 0)
        error = errno == EINTR || errno == EINPROGRESS ? finish_connect(fd, deadline_ns)
                                                       : -errno;
    if (!error)
        return fd;
    close(fd);
    return error;
}

int net_send_all(int fd, const void *buf, size_t len, int64_t deadline_ns)
{
    const char *next = buf;
    while (len > 0) {
        int error = set_timeout(fd, SO_SNDTIMEO, deadline_ns);
        if (error)
            return error;
        ssize_t sent = send(fd, next, len, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        if (sent > 0) {
            next += sent;
            len -= (size_t)sent;
        }
    }
    return 0;
}

ssize_t net_recv(int fd, void *buf, size_t size, int64_t deadline_ns)
{
    for (;;) {
        int error = set_timeout(fd, SO_RCVTIMEO, deadline_ns);
        if (error)
            return error;
        ssize_t received = recv(fd, buf, size, 0);
        if (received >= 0)
            return received;
        if (errno != EINTR && errno != EAGAIN)
            return -errno;
    }
}

int net_socket_nonblocking(const struct endpoint *server)
{
    int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    int fd = socket(server->address.ss_family, type, 0);
    if (fd < 0)
        return -errno;
    int error = set_nodelay(fd);
    if (!error)
        return fd;
    close(fd);
    return error;
}

int net_listen(const char *address, int port, int backlog)
{
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found;
    if (getaddrinfo(address, service, &hints, &found) != 0)
        return -EDESTADDRREQ;
    int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    int on = 1;
    int error = 0;
    int fd = socket(found->ai_family, type, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, backlog) < 0)
        error = -errno;
    if (!error)
        error = set_nodelay(fd);
    freeaddrinfo(found);
    if (!error)
        return fd;
    if (fd >= 0)
        close(fd);
    return error;
}

int net_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return -errno;
    return ntohs(address.ss_family == AF_INET6
                     ? ((struct sockaddr_in6 *)&address)->sin6_port
                     : ((struct sockaddr_in *)&address)->sin_port);
}
