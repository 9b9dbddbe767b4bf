/* epoll: one thread and one loop, by hand. The kernel says which descriptors are ready;
   the loop calls whoever waits for them, and nothing that it calls waits. Read the
   callbacks from the bottom up; libevent.c is the same with a loop that others wrote. */
#include "models/models.h"

#include "kit/clock.h"
#include "kit/http.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <unistd.h>

enum { BUFFER = 4096, EVENTS = 64 };    /* bytes for one recv; descriptors for one turn */

struct loop {
    const struct workload *workload;
    struct result         *results;
    int                    epoll_fd;
    TAILQ_HEAD(, request)  requests;   /* the oldest first: it is the first to time out */
    int                    next;       /* the number of the request to start next */
    int                    in_flight;
};

/* What a thread would keep on its stack while it waits. */
struct request {
    struct loop         *loop;
    struct result       *result;
    TAILQ_ENTRY(request) link;
    void               (*on_ready)(struct request *);    /* the step that waits for fd */
    int                  fd;
    int                  sent;    /* bytes of the request that are on their way */
    struct http_reader   reader;
};

/* Every request ends here, exactly once, whatever became of it. */
static void request_end(struct request *request, int error)
{
    result_end(request->result, &request->reader, error);
    TAILQ_REMOVE(&request->loop->requests, request, link);
    if (request->fd >= 0)
        close(request->fd);    /* and epoll forgets it: there is no other copy of it */
    request->loop->in_flight--;
    free(request);
}

/* Has the loop call on_ready when fd is ready for `events`. Returns 0 or -errno. */
static int request_await(struct request *request, int operation, uint32_t events,
                         void (*on_ready)(struct request *))
{
    struct epoll_event event = {.events = events, .data.ptr = request};
    request->on_ready = on_ready;
    return epoll_ctl(request->loop->epoll_fd, operation, request->fd, &event) < 0
               ? -errno : 0;
}

static void on_readable(struct request *request)
{
    char buffer[BUFFER];
    ssize_t received = recv(request->fd, buffer, sizeof buffer, 0);
    if (received < 0) {
        if (errno != EAGAIN && errno != EINTR)
            request_end(request, -errno);
        return;    /* it was not ready after all: the loop calls again when it is */
    }
    if (received > 0 && request->result->first_byte_ns == 0)
        request->result->first_byte_ns = clock_ns();
    int progress = received > 0
                       ? http_reader_feed(&request->reader, buffer, (size_t)received)
                       : http_reader_end(&request->reader);
    if (progress != HTTP_MORE)
        request_end(request, progress);
}

/* Sends what is left. The text is written anew each time, so that a request which waits
   for its reply does not keep it. */
static void on_writable(struct request *request)
{
    const struct workload *workload = request->loop->workload;
    char text[HTTP_REQUEST];
    int number = (int)(request->result - request->loop->results);
    int length = http_write_request(text, sizeof text, workload->server.name,
                                    workload->target, number);
    if (length < 0) {
        request_end(request, length);
        return;
    }
    ssize_t sent = send(request->fd, text + request->sent,
                        (size_t)(length - request->sent), MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR)
            request_end(request, -errno);
        return;
    }
    request->sent += (int)sent;
    if (request->sent < length)
        return;    /* the loop calls again when there is room for more */
    request->result->sent_ns = clock_ns();
    int error = request_await(request, EPOLL_CTL_MOD, EPOLLIN, on_readable);
    if (error)
        request_end(request, error);
}

static void on_connected(struct request *request)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(request->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error) {
        request_end(request, -error);
        return;
    }
    request->result->connected_ns = clock_ns();
    request->on_ready = on_writable;    /* it is writable too: no need to wait again */
    on_writable(request);
}

/* Asks the kernel to connect. Returns 0 or -errno; nothing waits. */
static int request_connect(struct request *request)
{
    const struct endpoint *server = &request->loop->workload->server;
    request->fd = net_socket_nonblocking(server);
    if (request->fd < 0)
        return request->fd;
    if (connect(request->fd, (const struct sockaddr *)&server->address,
                server->address_length) < 0 && errno != EINPROGRESS)
        return -errno;
    return request_await(request, EPOLL_CTL_ADD, EPOLLOUT, on_connected);
}

static void request_start(struct loop *loop, int number)
{
    struct result *result = &loop->results[number];
    result->start_ns = clock_ns();
    struct request *request = calloc(1, sizeof *request);
    if (!request) {
        result->error = ENOMEM;
        result->end_ns = clock_ns();
        return;
    }
    request->loop = loop;
    request->result = result;
    http_reader_init(&request->reader);
    TAILQ_INSERT_TAIL(&loop->requests, request, link);
    loop->in_flight++;
    int error = request_connect(request);
    if (error)
        request_end(request, error);
}

/* The one place where requests start: between two turns of the loop, so that a request
   which fails at once does not start the next one from inside its own end. */
static void refill(struct loop *loop)
{
    const struct workload *workload = loop->workload;
    while (loop->in_flight < workload->in_flight && loop->next < workload->count &&
           !*workload->stop)
        request_start(loop, loop->next++);
}

/* Ends the requests whose time is over. All have the same timeout, so they stand in the
   order in which it ends. Returns how long the others have, in ms, rounded up. */
static int expire(struct loop *loop)
{
    struct request *oldest;
    while ((oldest = TAILQ_FIRST(&loop->requests)) != NULL) {
        int64_t left_ns = oldest->result->start_ns + loop->workload->timeout_ns -
                          clock_ns();
        if (left_ns > 0)
            return (int)((left_ns + CLOCK_MS - 1) / CLOCK_MS);
        request_end(oldest, -ETIMEDOUT);
    }
    return 0;
}

/* One turn of the loop: waits, then calls back. Returns 0 or -errno. */
static int turn(struct loop *loop)
{
    struct epoll_event events[EVENTS];
    int timeout_ms = expire(loop);
    if (loop->in_flight == 0)
        return 0;
    int ready = epoll_wait(loop->epoll_fd, events, EVENTS, timeout_ms);
    if (ready < 0 && errno != EINTR)
        return -errno;
    for (int i = 0; i < ready; i++) {
        struct request *request = events[i].data.ptr;    /* one event each in a turn */
        request->on_ready(request);
    }
    return 0;
}

static int run(const struct workload *workload, struct result *results)
{
    struct loop loop = {.workload = workload, .results = results,
                        .epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    if (loop.epoll_fd < 0)
        return -errno;
    TAILQ_INIT(&loop.requests);
    int error = 0;
    refill(&loop);
    while (!error && loop.in_flight > 0) {
        error = turn(&loop);
        if (!error)
            refill(&loop);
    }
    while (!TAILQ_EMPTY(&loop.requests))    /* the loop failed: they fail with it */
        request_end(TAILQ_FIRST(&loop.requests), error);
    close(loop.epoll_fd);
    return error;
}

const struct model model_epoll = {
    .name = "epoll",
    .idea = "one loop over the kernel's list of who is ready; a callback for each step",
    .run = run,
};
