#include "server/visit.h"

#include "kit/clock.h"

#include <inttypes.h>
#include <linux/tcp.h>    /* tcp_info of <netinet/tcp.h> ends before tcpi_bytes_sent */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http_struct.h>

enum { AHEAD_MOST = 65536 };    /* bytes taken from a client that waits for its reply */

static struct bufferevent *bufferevent_of(const struct visit *visit)
{
    return evhttp_connection_get_bufferevent(visit->connection);
}

int visit_fd(const struct visit *visit)
{
    return bufferevent_getfd(bufferevent_of(visit));
}

static void settle(struct visit *visit, int64_t *outcome)
{
    if (visit->in_flight)
        tally_settle(&visit->service->tally, outcome);
    visit->in_flight = false;
}

static void visit_free(struct visit *visit)
{
    free(visit->path);
    evhttp_clear_headers(&visit->query);
    free(visit);
}

/* --- The client's leaving ----------------------------------------------------------- */

/* evhttp's close callback, and end_lingering's: the client has left, or
   the service ends. */
static void on_close(struct evhttp_connection *connection, void *arg)
{
    (void)connection;
    struct visit *visit = arg;
    settle(visit, &visit->service->tally.gone);
    if (!visit->request)
        LIST_REMOVE(visit, link);    /* lingering: evhttp has freed the request itself */
    else if (!evhttp_request_get_connection(visit->request))
        evhttp_request_free(visit->request);    /* else evhttp still owns it and will */
    visit->on_left(visit->arg);
    visit_free(visit);
}

/* While a request waits for its reply, evhttp reads nothing, and would not learn that the
   client has left. So reading goes on, with two precautions. evhttp's own read callback
   must not see what arrives: it takes bytes in this state for a bug of its own and ends
   the program. And what arrives is kept for later, so it must not become too much; a
   client that sends more than that while it waits is not seen to leave.
   None of this is documented. It holds for libevent 2.1.12, and the tests hold it. */
void visit_watch(struct visit *visit, void (*on_left)(void *arg), void *arg)
{
    struct bufferevent *bufferevent = bufferevent_of(visit);
    bufferevent_data_cb on_written;
    bufferevent_event_cb on_event;
    void *context;
    bufferevent_getcb(bufferevent, NULL, &on_written, &on_event, &context);
    bufferevent_setcb(bufferevent, NULL, on_written, on_event, context);
    bufferevent_setwatermark(bufferevent, EV_READ, 0, AHEAD_MOST);
    bufferevent_enable(bufferevent, EV_READ);
    evhttp_connection_set_closecb(visit->connection, on_close, visit);
    visit->on_left = on_left;
    visit->arg = arg;
}

/* Enough for evhttp to go on: it sets its callbacks anew when it sends a reply. */
static void unwatch(struct visit *visit)
{
    if (!visit->on_left)
        return;
    evhttp_connection_set_closecb(visit->connection, NULL, NULL);
    bufferevent_setwatermark(bufferevent_of(visit), EV_READ, 0, 0);
}

/* --- Replies ------------------------------------------------------------------------ */

/* evhttp would read on while it sends, without a bound, and drop what it has not yet sent
   to a client that has closed its half. It starts again by itself when it
   has sent all. */
static void stop_reading(const struct visit *visit)
{
    bufferevent_disable(bufferevent_of(visit), EV_READ);
}

void visit_add_field(struct visit *visit, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(visit->request), name, value);
}

static void describe_body(struct visit *visit, const char *type, size_t length)
{
    char text[64];
    if (type)
        visit_add_field(visit, "Content-Type", type);
    snprintf(text, sizeof text, "%zu", length);
    visit_add_field(visit, "Content-Length", text);    /* evhttp spares HTTP/1.0 this */
}

/* How long the client has waited: taken as late as can be, and never rounded up. */
static void add_timing(struct visit *visit)
{
    char text[64];
    int64_t us = (clock_ns() - visit->arrived_ns) / CLOCK_US;
    snprintf(text, sizeof text, "wait;dur=%" PRId64 ".%03d", us / 1000, (int)(us % 1000));
    visit_add_field(visit, "Server-Timing", text);
}

/* Hands the reply to evhttp, which sends it from the loop and then owns the request. */
static void send_reply(struct visit *visit, int status, const char *type,
                       const char *body)
{
    size_t length = strlen(body);
    /* RFC 9110 section 15. */
    bool bodiless = status == 204 || status == 205 || status == 304;
    if (!bodiless) {
        describe_body(visit, type, length);
        if (visit->method != EVHTTP_REQ_HEAD)    /* evhttp would send it all the same */
            evbuffer_add(evhttp_request_get_output_buffer(visit->request), body, length);
    }
    add_timing(visit);
    settle(visit, &visit->service->tally.answered);
    evhttp_send_reply(visit->request, status, NULL, NULL);
    visit->request = NULL;
    stop_reading(visit);
}

void visit_reply(struct visit *visit, int status, const char *type, const char *body)
{
    unwatch(visit);
    send_reply(visit, status, type, body);
    visit_free(visit);
}

void visit_say(struct visit *visit, int status, const char *format, ...)
{
    char sentence[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    visit_reply(visit, status, NULL, sentence);
}

static bool wants_close(struct evhttp_request *request)
{
    const char *wish =
        evhttp_find_header(evhttp_request_get_input_headers(request), "Connection");
    if (request->major == 1 && request->minor == 0)    /* there is no function to ask */
        return !wish || evutil_ascii_strcasecmp(wish, "keep-alive") != 0;
    return wish && evutil_ascii_strcasecmp(wish, "close") == 0;
}

/* A client that asked for the connection's end gets our half of it, to read up to. */
static void on_lingering_sent(struct evhttp_request *request, void *arg)
{
    (void)request;
    shutdown(visit_fd(arg), SHUT_WR);
}

void visit_say_and_linger(struct visit *visit, void (*on_closed)(void *arg), void *arg,
                          const char *sentence)
{
    visit->on_left = on_closed;    /* by the close callback that is in place already */
    visit->arg = arg;
    bufferevent_setwatermark(bufferevent_of(visit), EV_READ, 0, 0);
    if (wants_close(visit->request)) {    /* evhttp is told that it does not */
        struct evkeyvalq *wishes = evhttp_request_get_input_headers(visit->request);
        evhttp_remove_header(wishes, "Connection");
        evhttp_add_header(wishes, "Connection", "keep-alive");
        evhttp_request_set_on_complete_cb(visit->request, on_lingering_sent, visit);
    }
    send_reply(visit, 200, NULL, sentence);
    LIST_INSERT_HEAD(&visit->service->lingering, visit, link);
}

/* A client that asks for more on its connection is through with what it was answered. */
static void end_lingering(struct service *service, struct evhttp_connection *connection)
{
    struct visit *visit;
    LIST_FOREACH (visit, &service->lingering, link)
        if (visit->connection == connection) {
            unwatch(visit);
            on_close(connection, visit);
            return;
        }
}

void visit_begin_body(struct visit *visit, size_t length)
{
    describe_body(visit, "application/octet-stream", length);
    add_timing(visit);
    evhttp_send_reply_start(visit->request, 200, NULL);
}

void visit_send_body(struct visit *visit, const char *bytes, size_t length)
{
    struct evbuffer *chunk = evbuffer_new();
    if (!chunk)
        return;    /* the reply will be too short, and its reader will notice */
    evbuffer_add(chunk, bytes, length);
    evhttp_send_reply_chunk(visit->request, chunk);
    evbuffer_free(chunk);
}

void visit_end_body(struct visit *visit)
{
    unwatch(visit);
    settle(visit, &visit->service->tally.answered);
    stop_reading(visit);
    evhttp_send_reply_end(visit->request);    /* may free the connection at once */
    visit_free(visit);
}

/* --- Faults ------------------------------------------------------------------------- */

void visit_drop(struct visit *visit)
{
    unwatch(visit);
    settle(visit, &visit->service->tally.faults);
    evhttp_connection_free(visit->connection);    /* and the request with it */
    visit_free(visit);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

void visit_stall(struct visit *visit)
{
    settle(visit, &visit->service->tally.faults);
    visit_watch(visit, do_nothing, NULL);
}

/* --- Arrivals ----------------------------------------------------------------------- */

const char *visit_parameter(const struct visit *visit, const char *name)
{
    return evhttp_find_header(&visit->query, name);
}

void visit_count(struct visit *visit)
{
    tally_arrive(&visit->service->tally);
    visit->in_flight = true;
}

void visit_hide(struct visit *visit)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    getsockopt(visit_fd(visit), IPPROTO_TCP, TCP_INFO, &info, &size);
    /* Unless something was answered on it before, or the count was reset meanwhile. */
    if (info.tcpi_bytes_sent == 0 && visit->service->tally.connections > 0)
        visit->service->tally.connections--;
}

/* Decodes path and query. */
static void read_target(struct visit *visit)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(visit->request);
    const char *query = evhttp_uri_get_query(uri);
    size_t length = 0;
    TAILQ_INIT(&visit->query);
    visit->bad_query = query && evhttp_parse_query_str(query, &visit->query) != 0;
    visit->path = evhttp_uridecode(evhttp_uri_get_path(uri), 0, &length);
    if (visit->path && strlen(visit->path) != length)
        *visit->path = '\0';    /* a %00 in it: it names nothing */
}

void visit_arrive(struct evhttp_request *request, void *arg)
{
    struct service *service = arg;
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    end_lingering(service, connection);
    struct visit *visit = calloc(1, sizeof *visit);
    if (!visit) {
        evhttp_connection_free(connection);
        return;
    }
    visit->service = service;
    visit->arrived_ns = clock_ns();
    visit->method = (int)evhttp_request_get_command(request);
    visit->request = request;
    visit->connection = connection;
    read_target(visit);
    service->serve(visit);
}
