/* libevent: one thread and one loop, the event base. No callback waits; the loop does,
   for all requests at once, and calls back whoever has something to do. A bufferevent is
   a socket with its buffers and callbacks. Read from run, at the bottom, upwards. */
#include "models/models.h"

#include "kit/clock.h"
#include "kit/http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <sys/queue.h>

struct loop {
    const struct workload *workload;
    struct result         *results;
    struct event_base     *base;
    const struct timeval  *timeout;    /* common to all: cheaper than one each */
    LIST_HEAD(, request)   requests;   /* those in flight */
    int                    next;       /* the number of the request to start next */
    int                    in_flight;
};

/* What a thread would keep on its stack while it waits. */
struct request {
    struct loop        *loop;
    struct result      *result;
    LIST_ENTRY(request) link;
    struct bufferevent *connection;    /* the descriptor is ours to close */
    struct event        timer;
    struct http_reader  reader;
};

/* Every request ends here, exactly once, whatever became of it. */
static void request_end(struct request *request, int error)
{
    result_end(request->result, &request->reader, error);
    event_del(&request->timer);
    LIST_REMOVE(request, link);
    if (request->connection) {
        evutil_socket_t fd = bufferevent_getfd(request->connection);
        bufferevent_free(request->connection);    /* calls back no more */
        evutil_closesocket(fd);    /* now; libevent would do so in its next turn */
    }
    request->loop->in_flight--;
    free(request);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct request *request = arg;
    (void)fd;
    (void)what;
    request_end(request, -ETIMEDOUT);
}

static void on_readable(struct bufferevent *connection, void *arg)
{
    struct request *request = arg;
    struct evbuffer *input = bufferevent_get_input(connection);
    if (request->result->first_byte_ns == 0)
        request->result->first_byte_ns = clock_ns();
    int progress = HTTP_MORE;
    struct evbuffer_iovec piece;
    while (progress == HTTP_MORE && evbuffer_peek(input, -1, NULL, &piece, 1) > 0) {
        progress = http_reader_feed(&request->reader, piece.iov_base, piece.iov_len);
        evbuffer_drain(input, piece.iov_len);
    }
    if (progress != HTTP_MORE)
        request_end(request, progress);
}

static void on_sent(struct bufferevent *connection, void *arg)
{
    struct request *request = arg;
    (void)connection;
    request->result->sent_ns = clock_ns();
}

static void on_change(struct bufferevent *connection, short what, void *arg)
{
    struct request *request = arg;
    int error = -EVUTIL_SOCKET_ERROR();    /* first of all: the next call may change it */
    if (what & BEV_EVENT_CONNECTED) {
        request->result->connected_ns = clock_ns();    /* libevent sends now */
        bufferevent_enable(connection, EV_READ);
    } else if (what & BEV_EVENT_EOF) {
        request_end(request, http_reader_end(&request->reader));
    } else {
        request_end(request, error);
    }
}

/* Asks libevent to connect and then to send. Returns 0 or -errno; nothing waits. */
static int request_connect(struct request *request, int number)
{
    const struct workload *workload = request->loop->workload;
    char text[HTTP_REQUEST];
    int length = http_write_request(text, sizeof text, workload->server.name,
                                    workload->target, number);
    if (length < 0)
        return length;
    int fd = net_socket_nonblocking(&workload->server);
    if (fd < 0)
        return fd;
    request->connection = bufferevent_socket_new(request->loop->base, fd, 0);
    if (!request->connection) {
        evutil_closesocket(fd);
        return -ENOMEM;
    }
    bufferevent_setcb(request->connection, on_readable, on_sent, on_change, request);
    if (bufferevent_write(request->connection, text, (size_t)length) < 0)
        return -ENOMEM;
    return bufferevent_socket_connect(request->connection,
                                      (const struct sockaddr *)&workload->server.address,
                                      (int)workload->server.address_length) < 0
               ? -EVUTIL_SOCKET_ERROR()
               : 0;
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
    evtimer_assign(&request->timer, loop->base, on_timeout, request);
    LIST_INSERT_HEAD(&loop->requests, request, link);
    loop->in_flight++;
    int error = request_connect(request, number);
    if (!error && evtimer_add(&request->timer, loop->timeout) < 0)
        error = -ENOMEM;
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

static int run(const struct workload *workload, struct result *results)
{
    struct event_config *config = event_config_new();
    if (!config)
        return -ENOMEM;
    /* Changes to what epoll watches are collected and merged until the loop waits; and no
       timeout comes early, as it would by a clock that moves every 4 ms. */
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST |
                          EVENT_BASE_FLAG_PRECISE_TIMER);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    if (!base)
        return -ENOMEM;
    struct timeval timeout = clock_timeval(workload->timeout_ns);
    struct loop loop = {.workload = workload, .results = results, .base = base,
                        .timeout = event_base_init_common_timeout(base, &timeout)};
    LIST_INIT(&loop.requests);
    int error = loop.timeout ? 0 : -ENOMEM;
    if (!error)
        refill(&loop);
    while (!error && loop.in_flight > 0) {
        if (event_base_loop(base, EVLOOP_ONCE) < 0)    /* waits, then calls back */
            error = -EIO;
        else
            refill(&loop);
    }
    while (!LIST_EMPTY(&loop.requests))    /* the loop itself failed: they fail with it */
        request_end(LIST_FIRST(&loop.requests), error);
    event_base_free(base);
    return error;
}

const struct model model_libevent = {
    .name = "libevent",
    .idea = "one loop; a callback for each thing that becomes ready",
    .run = run,
};
