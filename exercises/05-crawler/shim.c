/* One thread at a time has the turn; who waits for the server gives it up. */
#include "../../tests/turns.c"

#include "kit/net.h"

int __real_net_connect(const struct endpoint *, int64_t);
int __real_net_send_all(int, const void *, size_t, int64_t);
ssize_t __real_net_recv(int, void *, size_t, int64_t);
int __wrap_net_connect(const struct endpoint *, int64_t);
int __wrap_net_send_all(int, const void *, size_t, int64_t);
ssize_t __wrap_net_recv(int, void *, size_t, int64_t);

int __wrap_net_connect(const struct endpoint *server, int64_t deadline_ns)
{
    step_out();
    int fd = __real_net_connect(server, deadline_ns);
    step_in();
    return fd;
}

int __wrap_net_send_all(int fd, const void *buf, size_t len, int64_t deadline_ns)
{
    step_out();
    int error = __real_net_send_all(fd, buf, len, deadline_ns);
    step_in();
    return error;
}

ssize_t __wrap_net_recv(int fd, void *buf, size_t size, int64_t deadline_ns)
{
    step_out();
    ssize_t received = __real_net_recv(fd, buf, size, deadline_ns);
    step_in();
    return received;
}
