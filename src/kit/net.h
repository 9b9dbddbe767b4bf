/* TCP socket chores: the same few calls, made once and checked. */
#ifndef KIT_NET_H
#define KIT_NET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { NET_NAME = 280 };    /* bytes of "host:port"; a DNS name has 253 at most */

/* Where a server listens, resolved. */
struct endpoint {
    struct sockaddr_storage address;
    socklen_t               address_length;
    char                    name[NET_NAME];    /* as written, for the Host header */
};

/* Resolves host (a name, an IPv4 or IPv6 address without brackets) and port.
   Returns 0, or a negative code of gai_strerror(3). May ask the network. */
int net_resolve(const char *host, int port, struct endpoint *endpoint);

/* The blocking calls. Each waits until deadline_ns (of clock_ns) at the longest and then
   returns -ETIMEDOUT; a signal does not end them. Any thread may call them. */

/* Returns a connected socket, which the caller closes, or -errno. */
int net_connect(const struct endpoint *server, int64_t deadline_ns);

/* Sends all of buf. Returns 0, or -errno: -EPIPE or -ECONNRESET if the peer is gone,
   never SIGPIPE. */
int net_send_all(int fd, const void *buf, size_t len, int64_t deadline_ns);

/* Receives what has arrived, 1 to size bytes, and waits while there is nothing.
   Returns how many, 0 at the connection's end, or -errno. */
ssize_t net_recv(int fd, void *buf, size_t size, int64_t deadline_ns);

/* Returns a socket for a connection to server, non-blocking and not yet connected,
   which the caller closes, or -errno. */
int net_socket_nonblocking(const struct endpoint *server);

/* Returns a non-blocking socket that listens at address and port (0: any free one) with
   room for backlog connections not yet accepted, which the caller closes, or -errno;
   -EDESTADDRREQ if address is no IPv4 or IPv6 address. The kernel caps backlog at
   net.core.somaxconn. Accepted sockets inherit TCP_NODELAY. */
int net_listen(const char *address, int port, int backlog);

/* The port that fd is bound to, or -errno. */
int net_port(int fd);

#endif
