/* Connect, send, receive to the end, close. Each call waits until it can go on, so the
   steps stand here in the order in which they happen. */
#include "models/exchange.h"

#include "kit/clock.h"
#include "kit/http.h"

#include <unistd.h>

enum { BUFFER = HTTP_REQUEST };    /* 1 KiB: a waiting thread's stack stays at 2 pages */

static int receive_reply(int fd, char *buffer, int64_t deadline_ns,
                         struct http_reader *reader, struct result *result)
{
    int progress = HTTP_MORE;
    while (progress == HTTP_MORE) {
        ssize_t received = net_recv(fd, buffer, BUFFER, deadline_ns);
        if (received < 0)
            return (int)received;
        if (received == 0)
            return http_reader_end(reader);
        if (result->first_byte_ns == 0)
            result->first_byte_ns = clock_ns();
        progress = http_reader_feed(reader, buffer, (size_t)received);
    }
    return progress;
}

/* Leaves the connection open, in *fd. */
static int converse(const struct workload *workload, int number,
                    struct http_reader *reader, struct result *result, int *fd)
{
    int64_t deadline_ns = result->start_ns + workload->timeout_ns;
    char buffer[BUFFER];
    int length = http_write_request(buffer, sizeof buffer, workload->server.name,
                                    workload->target, number);
    if (length < 0)
        return length;

    *fd = net_connect(&workload->server, deadline_ns);
    if (*fd < 0)
        return *fd;
    result->connected_ns = clock_ns();

    int error = net_send_all(*fd, buffer, (size_t)length, deadline_ns);
    if (error)
        return error;
    result->sent_ns = clock_ns();
    return receive_reply(*fd, buffer, deadline_ns, reader, result);
}

void exchange(const struct workload *workload, int number, struct result *result)
{
    struct http_reader reader;
    http_reader_init(&reader);
    int fd = -1;
    result->start_ns = clock_ns();
    int error = converse(workload, number, &reader, result, &fd);
    result_end(result, &reader, error);
    if (fd >= 0)
        close(fd);
}
