/* rejected: a reply that comes byte by byte: says */
/* A stopwatch for requests: makes N of them, one after the other, or takes a requests.csv
   that fetch -o wrote; and sums up what became of them.
   usage: broken_stopwatch N URL | broken_stopwatch FILE */
#include "kit/clock.h"
#include "kit/net.h"
#include "kit/result.h"
#include "kit/stats.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COUNT_MOST = 10000 };    /* requests in one run */

static const int64_t timeout_ns = 30LL * CLOCK_S;    /* of a request, connect included */

struct summary {
    int64_t ok, failed, not_started;    /* together: how many there are */
    int64_t makespan_ns;                /* from the first start to the last end */
    int64_t ok_per_s;                   /* rounded down */
    int64_t p50_ns, p99_ns, max_ns;     /* of the latencies of those that are ok */
};

/* Asks, and receives to the reply's last byte. Returns 0, or -errno if no whole reply
   came until the deadline (of clock_ns). */
static int converse(int fd, int64_t *first_byte_ns, const char *host, const char *target,
                    int number, int64_t deadline_ns, struct http_reader *reader)
{
    char buffer[HTTP_REQUEST];
    int length = http_write_request(buffer, sizeof buffer, host, target, number);
    if (length < 0)
        return length;
    int progress = net_send_all(fd, buffer, (size_t)length, deadline_ns);
    if (progress < 0)
        return progress;
    do {
        ssize_t received = net_recv(fd, buffer, sizeof buffer, deadline_ns);
        if (received < 0)
            return (int)received;
        if (received == 0)
            return http_reader_end(reader);
        if (*first_byte_ns == 0)
            *first_byte_ns = clock_ns();
        progress = http_reader_feed(reader, buffer, (size_t)received);
    } while (progress == HTTP_MORE);
    return progress;
}

/* Makes one request, from connect to close. Fills start_ns, end_ns, status and error. */
static void timed_request(const struct endpoint *server, const char *target, int number,
                          struct result *result)
{
    struct http_reader reader;
    http_reader_init(&reader);
    result->start_ns = clock_ns();    /* the connect is part of what a client waits for */
    int64_t deadline_ns = result->start_ns + timeout_ns;
    int error;
    int fd = net_connect(server, deadline_ns);
    if (fd < 0)
        error = fd;
    else
        error = converse(fd, &result->end_ns, server->name, target, number, deadline_ns,
                         &reader);
    if (result->end_ns == 0)
        result->end_ns = clock_ns();
    result->status = reader.status;
    result->error = -error;
    if (fd >= 0)
        close(fd);
}

/* Sums up count results; latencies has room for as many. A request that was never started
   has no times, and says ECANCELED. */
static void summarise(const struct result *results, int count, int64_t *latencies,
                      struct summary *summary)
{
    int64_t first_ns = INT64_MAX, last_ns = 0;
    *summary = (struct summary){0};
    for (int i = 0; i < count; i++) {
        const struct result *result = &results[i];
        if (result->error == ECANCELED) {
            summary->not_started++;
            continue;
        }
        if (result->start_ns < first_ns)
            first_ns = result->start_ns;
        if (result->end_ns > last_ns)
            last_ns = result->end_ns;
        if (result_ok(result))
            latencies[summary->ok++] = result->end_ns - result->start_ns;
        else
            summary->failed++;
    }
    if (last_ns > first_ns) {    /* else none was started: nothing to divide by */
        summary->makespan_ns = last_ns - first_ns;
        summary->ok_per_s = summary->ok * CLOCK_S / summary->makespan_ns;
    }
    size_t ok = (size_t)summary->ok;
    stats_sort(latencies, ok);
    summary->p50_ns = stats_quantile(latencies, ok, 0.50);
    summary->p99_ns = stats_quantile(latencies, ok, 0.99);
    summary->max_ns = stats_quantile(latencies, ok, 1.00);
}

static void print_summary(const struct summary *summary)
{
    printf("ok %" PRId64 "\nfailed %" PRId64 "\nnot_started %" PRId64 "\n", summary->ok,
           summary->failed, summary->not_started);
    printf("makespan_ns %" PRId64 "\nok_per_s %" PRId64 "\n", summary->makespan_ns,
           summary->ok_per_s);
    printf("p50_ns %" PRId64 "\np99_ns %" PRId64 "\nmax_ns %" PRId64 "\n",
           summary->p50_ns, summary->p99_ns, summary->max_ns);
}

/* Returns how many requests it has made, or -errno. */
static int make_requests(const char *number, const char *text, struct result *results)
{
    struct http_url url;
    struct endpoint server;
    int count = atoi(number);
    if (count < 0 || count > COUNT_MOST || http_parse_url(text, &url) ||
        net_resolve(url.host, url.port, &server) != 0)
        return -EINVAL;
    for (int i = 0; i < count; i++)
        timed_request(&server, url.target, i, &results[i]);
    return count;
}

/* Returns how many rows there are, or -errno. */
static int read_requests(const char *path, struct result *results)
{
    char line[1024];
    FILE *file = fopen(path, "r");
    if (!file)
        return -errno;
    int count = 0, request;
    bool header = true;
    while (count >= 0 && fgets(line, sizeof line, file)) {
        if (!header && count < COUNT_MOST)
            count = result_read(line, &request, &results[count]) ? -EINVAL : count + 1;
        header = false;
    }
    fclose(file);
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: broken_stopwatch N URL | broken_stopwatch FILE\n");
        return 2;
    }
    struct result *results = calloc(COUNT_MOST, sizeof *results);
    int64_t *latencies = calloc(COUNT_MOST, sizeof *latencies);
    int count = -ENOMEM;
    if (results && latencies)
        count = argc == 3 ? make_requests(argv[1], argv[2], results)
                          : read_requests(argv[1], results);
    if (count >= 0) {
        struct summary summary;
        summarise(results, count, latencies, &summary);
        print_summary(&summary);
    } else {
        fprintf(stderr, "broken_stopwatch: %s: %s\n", argv[1], strerror(-count));
    }
    free(latencies);
    free(results);
    return count >= 0 ? 0 : 1;
}
