/* One request by libevent, and two ways to bound it. The first is a bad example.
   usage: deadline idle|whole LIMIT URL */
#include "kit/clock.h"
#include "kit/http.h"
#include "kit/net.h"
#include "kit/units.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

struct request {
    struct event_base *base;
    struct http_reader reader;
    const char        *fate;    /* what became of it; NULL: it still waits */
};

/* The callback that knows what became of the request says so, and stops the loop. */
static void request_end(struct request *request, const char *fate)
{
    request->fate = fate;
    event_base_loopbreak(request->base);
}

static void on_readable(struct bufferevent *connection, void *arg)
{
    struct request *request = arg;
    char bytes[1024];
    size_t length = bufferevent_read(connection, bytes, sizeof bytes);
    if (http_reader_feed(&request->reader, bytes, length) == HTTP_WHOLE)
        request_end(request, "a whole reply");
}

static void on_change(struct bufferevent *connection, short what, void *arg)
{
    struct request *request = arg;
    if (what & BEV_EVENT_CONNECTED)
        bufferevent_enable(connection, EV_READ);
    else
        request_end(request, what & BEV_EVENT_TIMEOUT ? "given up" : "failed");
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    request_end(arg, "given up");
}

static void fetch(struct request *request, const struct endpoint *server,
                  const char *target, const struct timeval *limit, bool idle)
{
    char text[HTTP_REQUEST];
    int length = http_write_request(text, sizeof text, server->name, target, 0);
    struct bufferevent *connection =
        bufferevent_socket_new(request->base, -1, BEV_OPT_CLOSE_ON_FREE);
    struct event *timer = evtimer_new(request->base, on_deadline, request);
    if (!connection || !timer || length < 0) {
        fprintf(stderr, "deadline: no memory for a request\n");
    } else {
        bufferevent_setcb(connection, on_readable, NULL, on_change, request);
        bufferevent_write(connection, text, (size_t)length);
        if (idle)
            bufferevent_set_timeouts(connection, limit, limit);    /* each silence */
        else
            evtimer_add(timer, limit);                             /* the whole request */
        bufferevent_socket_connect(connection, (const struct sockaddr *)&server->address,
                                   (int)server->address_length);
        event_base_dispatch(request->base);    /* the one place where it waits */
    }
    if (timer)
        event_free(timer);
    if (connection)
        bufferevent_free(connection);
}

int main(int argc, char **argv)
{
    struct http_url url;
    struct endpoint server;
    int64_t limit_ns;
    if (argc != 4 || units_parse_duration(argv[2], &limit_ns) != 0 ||
        http_parse_url(argv[3], &url) || net_resolve(url.host, url.port, &server) != 0) {
        fprintf(stderr, "usage: deadline idle|whole LIMIT URL\n");
        return 2;
    }
    struct request request = {.base = event_base_new()};
    if (!request.base) {
        fprintf(stderr, "deadline: no event base\n");
        return 1;
    }
    struct timeval limit = clock_timeval(limit_ns);
    http_reader_init(&request.reader);
    int64_t start_ns = clock_ns();
    fetch(&request, &server, url.target, &limit, strcmp(argv[1], "idle") == 0);
    printf("%s: %s, %d bytes of the body, after %.1f s\n", argv[1],
           request.fate ? request.fate : "failed", (int)request.reader.body_bytes,
           (double)(clock_ns() - start_ns) / CLOCK_S);
    event_base_free(request.base);
    return 0;
}
