/* uring: one thread, one loop, and completion instead of readiness: the kernel does what
   would wait, and reports it done. Read it beside epoll.c: there the loop hears that
   bytes may be received, here that they have been. */
#include "models/models.h"
#include "models/ring.h"

#include <errno.h>

#ifdef WITH_LIBURING

#include "kit/clock.h"
#include "kit/http.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

enum { EVENTS = 256 };    /* completions for one turn */

struct loop {
    const struct workload *workload;
    struct result         *results;
    struct ring            ring;
    TAILQ_HEAD(, request)  requests;   /* the oldest first: it is the first to time out */
    struct request        *oldest;     /* of those that have not; NULL: all have */
    int                    next;       /* the number of the request to start next */
    int                    in_flight;
};

typedef void step(struct request *, const struct io_uring_cqe *);

/* What a thread would keep on its stack while it waits. The kernel has exactly one
   operation of it, and until that is complete may use what it names: fd and text. */
struct request {
    struct loop         *loop;
    struct result       *result;
    TAILQ_ENTRY(request) link;
    step                *on_done;    /* the step after its operation */
    char                *text;       /* the request while it is sent, else NULL */
    int                  length;     /* of text */
    int                  fd;
    bool                 expired;    /* cancelled: ends when its operation is complete */
    struct http_reader   reader;
};

/* Every request ends here, exactly once, when the kernel has no operation of it. */
static void request_end(struct request *request, int error)
{
    result_end(request->result, &request->reader, error);
    if (request->loop->oldest == request)
        request->loop->oldest = TAILQ_NEXT(request, link);
    TAILQ_REMOVE(&request->loop->requests, request, link);
    if (request->fd >= 0)
        close(request->fd);
    request->loop->in_flight--;
    free(request->text);
    free(request);
}

/* Has the loop call on_done when the operation is complete that the caller writes into
   this entry of the ring; io_uring_prep_*(3) leave the entry's data alone. */
static struct io_uring_sqe *request_await(struct request *request, step *on_done)
{
    struct io_uring_sqe *entry = ring_entry(&request->loop->ring);
    io_uring_sqe_set_data(entry, request);
    request->on_done = on_done;
    return entry;
}

static step on_received;

/* Names no buffer: the ring lends one when there are bytes to put into it. */
static void receive(struct request *request)
{
    struct io_uring_sqe *entry = request_await(request, on_received);
    io_uring_prep_recv(entry, request->fd, NULL, RING_BUFFER, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
}

static void on_received(struct request *request, const struct io_uring_cqe *done)
{
    int progress = done->res;    /* an error, unless the next lines know better */
    if (done->res > 0) {
        if (request->result->first_byte_ns == 0)
            request->result->first_byte_ns = clock_ns();
        progress = http_reader_feed(&request->reader,
                                    ring_bytes(&request->loop->ring, done),
                                    (size_t)done->res);
    } else if (done->res == 0) {
        progress = http_reader_end(&request->reader);
    } else if (done->res == -ENOBUFS) {
        progress = HTTP_MORE;    /* all were lent; they come back in this turn */
    }
    if (progress == HTTP_MORE)
        receive(request);
    else
        request_end(request, progress);
}

/* All of it has been sent: the kernel goes on until then. */
static void on_sent(struct request *request, const struct io_uring_cqe *done)
{
    if (done->res < request->length) {    /* less than all: it broke on the way */
        request_end(request, done->res < 0 ? done->res : -ECONNRESET);
        return;
    }
    request->result->sent_ns = clock_ns();
    free(request->text);    /* a request which waits for its reply does not keep it */
    request->text = NULL;
    receive(request);
}

static void on_connected(struct request *request, const struct io_uring_cqe *done)
{
    const struct workload *workload = request->loop->workload;
    int number = (int)(request->result - request->loop->results);
    if (done->res < 0) {
        request_end(request, done->res);
        return;
    }
    request->result->connected_ns = clock_ns();
    request->text = malloc(HTTP_REQUEST);
    request->length =
        request->text
            ? http_write_request(request->text, HTTP_REQUEST, workload->server.name,
                                 workload->target, number)
            : -ENOMEM;
    if (request->length < 0)
        request_end(request, request->length);
    else
        io_uring_prep_send(request_await(request, on_sent), request->fd, request->text,
                           (size_t)request->length, MSG_NOSIGNAL | MSG_WAITALL);
}

/* Asks the kernel to connect. Returns 0 or -errno; nothing waits. */
static int request_connect(struct request *request)
{
    const struct endpoint *server = &request->loop->workload->server;
    request->fd = net_socket_nonblocking(server);
    if (request->fd < 0)
        return request->fd;
    io_uring_prep_connect(request_await(request, on_connected), request->fd,
                          (const struct sockaddr *)&server->address,
                          server->address_length);
    return 0;
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
    if (!loop->oldest)
        loop->oldest = request;
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
           !*workload->stop && !loop->ring.error)
        request_start(loop, loop->next++);
}

/* Cancels the requests whose time is over. All have the same timeout, so they stand in
   the order in which it ends. Returns how long the others have. */
static int64_t expire(struct loop *loop)
{
    for (; loop->oldest; loop->oldest = TAILQ_NEXT(loop->oldest, link)) {
        int64_t end_ns = loop->oldest->result->start_ns + loop->workload->timeout_ns;
        int64_t left_ns = end_ns - clock_ns();
        if (left_ns > 0)
            return left_ns;
        struct io_uring_sqe *entry = ring_entry(&loop->ring);
        io_uring_prep_cancel(entry, loop->oldest, 0);
        io_uring_sqe_set_data(entry, NULL);
        loop->oldest->expired = true;
    }
    return loop->workload->timeout_ns;
}

/* One turn of the loop: submits, waits, then calls back. Returns 0 or -errno. */
static int turn(struct loop *loop)
{
    struct io_uring_cqe *done[EVENTS];
    int64_t left_ns = expire(loop);
    if (loop->in_flight == 0)
        return 0;
    int count = ring_wait(&loop->ring, left_ns, done, EVENTS);
    for (int i = 0; i < count; i++) {
        struct request *request = io_uring_cqe_get_data(done[i]);
        if (!request)
            continue;    /* of a cancel: what it cancelled is complete by itself */
        if (request->expired)    /* be it cancelled, or complete before it could be */
            request_end(request, -ETIMEDOUT);
        else
            request->on_done(request, done[i]);
        ring_lend_again(&loop->ring, done[i]);
    }
    if (count > 0)
        io_uring_cq_advance(&loop->ring.io, (unsigned)count);
    return loop->ring.error;
}

static int run(const struct workload *workload, struct result *results)
{
    struct loop loop = {.workload = workload, .results = results};
    int error = ring_open(&loop.ring);
    if (error)
        return error;
    TAILQ_INIT(&loop.requests);
    for (refill(&loop); !error && loop.in_flight > 0; refill(&loop))
        error = turn(&loop);
    ring_close(&loop.ring);    /* now nothing is the kernel's any more */
    while (!TAILQ_EMPTY(&loop.requests))    /* the ring failed: they fail with it */
        request_end(TAILQ_FIRST(&loop.requests), error);
    return error;
}

#else

static int run(const struct workload *workload, struct result *results)
{
    (void)workload;
    (void)results;
    return -ENOSYS;
}

#endif

const struct model model_uring = {
    .name = "uring",
    .idea = "one loop; the kernel does what would wait, and reports each thing done",
    .unavailable = ring_unavailable,
    .run = run,
};
