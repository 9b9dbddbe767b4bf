/* BAD, and lesson 07 shows why: asks three times at once, then reads the replies in the
   order of asking. usage: in-order FILE URL, where {i} stands for 0, 1 and 2. */
#include "kit/clock.h"
#include "kit/csv.h"
#include "kit/http.h"
#include "kit/net.h"
#include "kit/result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { COUNT = 3 };

static const int64_t for_ever_ns = INT64_MAX;

/* Returns a connection on which the request has been sent, or -errno. */
static int ask(const struct endpoint *server, const char *target, int number,
               struct result *result)
{
    char request[HTTP_REQUEST];
    result->start_ns = clock_ns();
    int length = http_write_request(request, sizeof request, server->name, target,
                                    number);
    int fd = length < 0 ? length : net_connect(server, for_ever_ns);
    if (fd < 0)
        return fd;
    result->connected_ns = clock_ns();
    int error = net_send_all(fd, request, (size_t)length, for_ever_ns);
    result->sent_ns = clock_ns();
    if (!error)
        return fd;
    close(fd);
    return error;
}

/* Reads the reply to its end, and waits for it: BAD, for the other two wait as well. */
static void read_reply(int fd, struct result *result)
{
    char buffer[1024];
    struct http_reader reader;
    http_reader_init(&reader);
    int progress = HTTP_MORE;
    while (progress == HTTP_MORE) {
        ssize_t received = net_recv(fd, buffer, sizeof buffer, for_ever_ns);
        if (received < 0)
            progress = (int)received;
        else if (received == 0)
            progress = http_reader_end(&reader);
        else
            progress = http_reader_feed(&reader, buffer, (size_t)received);
        if (result->first_byte_ns == 0)
            result->first_byte_ns = clock_ns();
    }
    result_end(result, &reader, progress);
}

/* Returns 0 or -errno. */
static int write_results(const char *path, const struct result results[COUNT])
{
    FILE *csv = csv_create(path, result_csv_header);
    if (!csv)
        return -errno;
    for (int i = 0; i < COUNT; i++)
        result_write(csv, "in order", 0, i, results[0].start_ns - 1, &results[i]);
    return csv_finish(csv, path);
}

int main(int argc, char **argv)
{
    struct http_url url;
    struct endpoint server;
    struct result results[COUNT] = {0};
    int fds[COUNT];
    if (argc != 3 || http_parse_url(argv[2], &url) ||
        net_resolve(url.host, url.port, &server) != 0) {
        fprintf(stderr, "in-order: usage: in-order FILE URL, where a server listens\n");
        return 2;
    }
    for (int i = 0; i < COUNT; i++)
        fds[i] = ask(&server, url.target, i, &results[i]);
    for (int i = 0; i < COUNT; i++) {
        if (fds[i] < 0) {
            fprintf(stderr, "in-order: %s\n", strerror(-fds[i]));
            return 1;
        }
        read_reply(fds[i], &results[i]);
        close(fds[i]);
        printf("reply %d is read\n", i);
        fflush(stdout);
    }
    int error = write_results(argv[1], results);
    if (error)
        fprintf(stderr, "in-order: %s: %s\n", argv[1], strerror(-error));
    return error ? 1 : 0;
}
