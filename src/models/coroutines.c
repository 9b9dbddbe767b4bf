/* Coroutines: exchange.c once more, in functions that pause. Where a call there has the
   thread wait, here it hands over to the loop, which comes back in time. */
#include "models/models.h"

#include "coro/coro.h"
#include "kit/clock.h"
#include "kit/http.h"

#include <unistd.h>

enum { BUFFER = HTTP_REQUEST };    /* 1 KiB: a coroutine's stack stays at one page */

/* What a request needs to know, and who is told of its end. */
struct crew {
    const struct workload *workload;
    struct result         *results;
    struct coro_semaphore  free;    /* counts the requests that may still be in flight */
    int                    next;    /* the number of the request to start next */
};

static int receive_reply(struct coro *me, int fd, char *buffer, int64_t deadline_ns,
                         struct http_reader *reader, struct result *result)
{
    int progress = HTTP_MORE;
    while (progress == HTTP_MORE) {
        ssize_t received = coro_recv(me, fd, buffer, BUFFER, deadline_ns);
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
static int converse(struct coro *me, const struct workload *workload, int number,
                    struct http_reader *reader, struct result *result, int *fd)
{
    int64_t deadline_ns = result->start_ns + workload->timeout_ns;
    char buffer[BUFFER];
    int length = http_write_request(buffer, sizeof buffer, workload->server.name,
                                    workload->target, number);
    if (length < 0)
        return length;

    *fd = coro_connect(me, &workload->server, deadline_ns);
    if (*fd < 0)
        return *fd;
    result->connected_ns = clock_ns();

    int error = coro_send_all(me, *fd, buffer, (size_t)length, deadline_ns);
    if (error)
        return error;
    result->sent_ns = clock_ns();
    return receive_reply(me, *fd, buffer, deadline_ns, reader, result);
}

static void exchange(struct coro *me, const struct workload *workload, int number,
                     struct result *result)
{
    struct http_reader reader;
    http_reader_init(&reader);
    int fd = -1;
    result->start_ns = clock_ns();
    int error = converse(me, workload, number, &reader, result, &fd);
    result_end(result, &reader, error);
    if (fd >= 0)
        close(fd);
}

static int exchange_in_coroutine(struct coro *me, void *arg)
{
    struct crew *crew = arg;
    if (!*crew->workload->stop) {
        int number = crew->next++;    /* no lock: nobody else runs until a pause */
        exchange(me, crew->workload, number, &crew->results[number]);
    }
    coro_semaphore_release(&crew->free);
    return 0;    /* a failed request is a result, and cancels nothing */
}

static int start_coroutines(struct coro *me, void *arg)
{
    struct crew *crew = arg;
    struct coro_group group = {0};
    int error = 0;
    for (int i = 0; i < crew->workload->count && !error; i++) {
        error = coro_semaphore_acquire(me, &crew->free, CORO_NEVER);
        if (*crew->workload->stop)
            break;
        if (!error)    /* -EAGAIN, -ENOMEM: no more stacks; the rest never start */
            error = coro_spawn(me, &group, exchange_in_coroutine, crew);
    }
    int gathered = coro_gather(me, &group, CORO_NEVER);
    return error ? error : gathered;
}

static int run(const struct workload *workload, struct result *results)
{
    struct crew crew = {.workload = workload, .results = results,
                        .free = {.count = workload->in_flight}};
    struct coro_options options = {.stack_bytes = workload->stack_bytes};
    return coro_run(&options, start_coroutines, &crew);
}

const struct model model_coroutines = {
    .name = "coroutines",
    .idea = "functions that pause; one loop resumes them",
    .run = run,
};
