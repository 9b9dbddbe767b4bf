#include "server/service.h"

#include "server/visit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>

enum {
    HEAD_MOST = 65536,        /* bytes of a request's head; evhttp sets itself no limit */
    BODY_MOST = 65536,
    ACCEPT_PAUSE_US = 20000,
    EVERY_METHOD = 0xffff     /* evhttp says 501 to others, and has a bit for unknown */
};

/* evhttp asks for a bufferevent for each connection that it has accepted: the one moment
   at which it lets us know of one. It is as evhttp would have made it itself. */
static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
    struct service *service = arg;
    service->tally.connections++;
    return bufferevent_socket_new(base, -1, 0);
}

static void on_pause_over(evutil_socket_t fd, short what, void *listener)
{
    (void)fd;
    (void)what;
    evconnlistener_enable(listener);
}

/* accept(2) failed, for want of descriptors as a rule. The connection that could not be
   accepted keeps the listening socket readable, and the loop would spin. */
static void on_accept_error(struct evconnlistener *listener, void *http)
{
    static bool told;
    if (!told)
        fprintf(stderr, "latency-server: clients have to wait for a connection: %s%s\n",
                strerror(errno),
                errno == EMFILE ? "; ulimit -n says how many descriptors there may be"
                                : "");
    told = true;
    (void)http;
    struct timeval pause = {.tv_usec = ACCEPT_PAUSE_US};
    evconnlistener_disable(listener);
    if (event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT, on_pause_over,
                        listener, &pause) < 0)
        evconnlistener_enable(listener);    /* no memory: better spin than be deaf */
}

/* libevent warns of what clients do wrong, a line each; that is their business. */
static void on_log(int severity, const char *message)
{
    if (severity >= EVENT_LOG_ERR)
        fprintf(stderr, "latency-server: libevent: %s\n", message);
}

/* Precise timers, since others may be off by the clock's tick of up to 4 ms. The
   changelist saves system calls; it must not be used with descriptors made by dup(2), and
   we have none: event.h. */
static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();
    if (!config)
        return NULL;
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER |
                          EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

int service_open(struct service *service, int listen_fd)
{
    event_set_log_callback(on_log);
    LIST_INIT(&service->rounds);
    LIST_INIT(&service->lingering);
    service->base = new_base();
    service->http = service->base ? evhttp_new(service->base) : NULL;
    struct evhttp_bound_socket *bound = NULL;
    if (service->http)
        bound = evhttp_accept_socket_with_handle(service->http, listen_fd);
    if (!bound) {
        close(listen_fd);
        service_close(service);
        return -ENOMEM;
    }
    evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(bound), on_accept_error);
    evhttp_set_bevcb(service->http, on_accept, service);
    evhttp_set_gencb(service->http, visit_arrive, service);
    evhttp_set_allowed_methods(service->http, EVERY_METHOD);
    evhttp_set_max_headers_size(service->http, HEAD_MOST);
    evhttp_set_max_body_size(service->http, BODY_MOST);
    evhttp_set_default_content_type(service->http, "text/plain; charset=utf-8");
    /* No evhttp_set_timeout: it would end the waits that we are here for. */
    return 0;
}

void service_close(struct service *service)
{
    if (service->http)
        evhttp_free(service->http);    /* closes all connections, so ends all visits;
                                          http.h promises it for no visits, 2.1.12 does
                                          it for all */
    if (service->base)
        event_base_free(service->base);
}
