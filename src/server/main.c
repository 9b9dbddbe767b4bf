/* latency-server: the one slow service that everything else waits for. */
#include "kit/array.h"
#include "kit/clock.h"
#include "kit/net.h"
#include "kit/options.h"
#include "server/paths.h"
#include "server/service.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <event2/event.h>

/* A whole class may connect at once. The kernel caps it at net.core.somaxconn. */
enum { BACKLOG = 4096 };

struct options {
    const char *address;
    int64_t     port;
    int64_t     seed;
    int64_t     max_delay_ns;
};

#define MEMBER(name) offsetof(struct options, name)

static const struct option_spec specs[] = {
    {'a', "address", "ADDRESS", OPTION_TEXT, MEMBER(address), 0, 0,
     "where to listen (default 127.0.0.1)"},
    {'p', "port", "PORT", OPTION_COUNT, MEMBER(port), 0, 65535,
     "... and on which port; 0 takes any free one (default 8080)"},
    {0, "seed", "N", OPTION_COUNT, MEMBER(seed), 0, INT64_MAX,
     "of all that is drawn at random (default 1)"},
    {0, "max-delay", "T", OPTION_DURATION, MEMBER(max_delay_ns), 0, 3600LL * CLOCK_S,
     "the longest delay, up to an hour (default 60s)"},
};

static const struct option_program program = {
    .name = "latency-server",
    .operands = "",
    .about = "An HTTP server that answers as late as it is asked to. / lists its paths.",
    .specs = specs,
    .count = LENGTH(specs),
};

/* Each connection takes a descriptor, so as many as the administrator allows. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);    /* if not, there are fewer; that is all */
    }
}

static void format_place(char place[NET_NAME], const char *address, int port)
{
    const char *form = strchr(address, ':') ? "[%s]:%d" : "%s:%d";
    snprintf(place, NET_NAME, form, address, port);
}

/* Returns the listening socket, or exits after a sentence. */
static int listen_or_exit(const struct options *options)
{
    int fd = net_listen(options->address, (int)options->port, BACKLOG);
    if (fd >= 0)
        return fd;
    char place[NET_NAME];
    format_place(place, options->address, (int)options->port);
    if (fd == -EDESTADDRREQ) {
        fprintf(stderr, "%s: --address: '%s' is not an IPv4 or IPv6 address\n",
                program.name, options->address);
        exit(2);
    }
    const char *advice = "; choose another with -p, or -p 0 for any free one";
    fprintf(stderr, "%s: %s: %s%s\n", program.name, place, strerror(-fd),
            fd == -EADDRINUSE ? advice : "");
    exit(1);
}

static void on_signal(evutil_socket_t number, short what, void *base)
{
    (void)number;
    (void)what;
    event_base_loopbreak(base);
}

/* Says where it listens, and serves until SIGINT or SIGTERM. Returns the exit status. */
static int run(struct service *service, const char *place)
{
    int status = 1;
    struct event_base *base = service->base;
    struct event *interrupt = evsignal_new(base, SIGINT, on_signal, base);
    struct event *terminate = evsignal_new(base, SIGTERM, on_signal, base);
    if (interrupt && terminate && evsignal_add(interrupt, NULL) == 0 &&
        evsignal_add(terminate, NULL) == 0) {
        /* Only now that signals are watched: who reads this may send one at once. */
        printf("listening on http://%s\n", place);
        status = options_exit_status(&program, 0);
        if (status == 0 &&    /* else whoever waits for that line waits in vain */
            event_base_dispatch(base) < 0) {
            fprintf(stderr, "%s: the event loop failed\n", program.name);
            status = 1;
        }
    } else {
        fprintf(stderr, "%s: signals cannot be watched: %s\n", program.name,
                strerror(ENOMEM));
    }
    if (interrupt)
        event_free(interrupt);
    if (terminate)
        event_free(terminate);
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {
        .address = "127.0.0.1", .port = 8080, .seed = 1, .max_delay_ns = 60LL * CLOCK_S
    };
    options_or_exit(&program, argc, argv, &options);
    raise_descriptor_limit();
    signal(SIGPIPE, SIG_IGN);    /* a client that has left is no reason to end */
    int listen_fd = listen_or_exit(&options);
    char place[NET_NAME];
    format_place(place, options.address, net_port(listen_fd));

    struct service service = {.seed = (uint64_t)options.seed,
                              .max_delay_ns = options.max_delay_ns,
                              .serve = paths_serve};
    int error = service_open(&service, listen_fd);
    if (error) {
        fprintf(stderr, "%s: %s\n", program.name, strerror(-error));
        return 1;
    }
    int status = run(&service, place);
    service_close(&service);
    return status;
}
