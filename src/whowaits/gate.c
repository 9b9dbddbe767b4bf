#include "whowaits/gate.h"

#include "kit/clock.h"
#include "kit/get.h"
#include "kit/http.h"
#include "kit/process.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_S = 30, REPLY = 1024 };    /* for what takes no time on an idle machine */

static int64_t patience(void)
{
    return clock_ns() + (int64_t)PATIENCE_S * CLOCK_S;
}

/* --- Requests of our own ------------------------------------------------------------ */

/* Sends a GET. Returns the connection, which the caller closes, or -errno. */
static int ask(const struct gate *gate, const char *path)
{
    return get_ask(&gate->endpoint, path, patience());
}

int gate_count(const struct gate *gate, struct gate_count *count)
{
    char reply[REPLY];
    int fd = ask(gate, "/stats");
    int status = fd < 0 ? fd : get_reply(fd, patience(), reply, sizeof reply);
    if (status != 200)
        return status < 0 ? status : -EPROTO;
    int own = 1 + gate->fillers;
    *count = (struct gate_count){
        .connections = get_number(reply, "connections") - own,
        .requests = get_number(reply, "requests") - own,
        .waiting = get_number(reply, "in_flight") - 1,
        .answered = get_number(reply, "answered") - gate->fillers,
    };
    return 0;
}

int gate_release(struct gate *gate, int waiting)
{
    char reply[REPLY];
    int missing = gate->places + 1 - waiting;
    int *fds = calloc((size_t)missing, sizeof *fds);
    int asked = 0, error = fds ? 0 : -ENOMEM;
    while (!error && asked < missing) {
        int fd = ask(gate, gate->path);
        error = fd < 0 ? fd : 0;
        if (!error)
            fds[asked++] = fd;
    }
    gate->fillers += asked;
    while (asked > 0) {    /* the last first: until one is closed, no other is answered */
        int fd = fds[--asked];
        int status = error ? close(fd) : get_reply(fd, patience(), reply, sizeof reply);
        error = status < 0 && !error ? status : error;
    }
    free(fds);
    return error;
}

/* --- The server --------------------------------------------------------------------- */

/* Starts latency-server, which lies beside this program. */
static int start_server(struct gate *gate)
{
    char path[PROCESS_PATH];
    char *argv[] = {path, "-p", "0", NULL};
    struct process_spec spec = {.argv = argv, .err = -1};
    int error = process_sibling("latency-server", path);
    pid_t pid = error ? error : process_open(&spec, &gate->out);
    if (pid < 0)
        return (int)pid;
    gate->server = pid;
    return 0;
}

/* Until it stands there: whoever comes from then on comes later. */
static int await_first(const struct gate *gate)
{
    struct gate_count count = {.waiting = -1};
    int64_t deadline_ns = patience();
    int error = gate_count(gate, &count);
    while (!error && count.waiting < 0) {
        clock_sleep(CLOCK_MS);
        error = clock_ns() < deadline_ns ? gate_count(gate, &count) : -ETIMEDOUT;
    }
    return error;
}

/* Learns where the server listens, and stands at its gate. */
static int attach(struct gate *gate)
{
    static const char greeting[] = "listening on ";
    char line[NET_NAME + 32], path[96];
    struct http_url url;
    int error = process_read_line(gate->out, patience(), line, sizeof line);
    if (!error && (strncmp(line, greeting, strlen(greeting)) != 0 ||
                   http_parse_url(line + strlen(greeting), &url) != NULL))
        error = -EPROTO;
    if (error)
        return error;
    if (net_resolve(url.host, url.port, &gate->endpoint) != 0)
        return -EADDRNOTAVAIL;
    gate->port = url.port;
    snprintf(gate->path, sizeof gate->path, "/gate/%d", gate->places + 2);
    snprintf(gate->url, sizeof gate->url, "http://%s%s", gate->endpoint.name, gate->path);
    snprintf(path, sizeof path, "%s?timeout=60m&order=last-first", gate->path);
    gate->first = ask(gate, path);
    return gate->first < 0 ? gate->first : await_first(gate);
}

const char *gate_open(struct gate *gate, int places, char why[GATE_WHY])
{
    *gate = (struct gate){.out = -1, .first = -1, .places = places};
    int error = start_server(gate);
    if (!error)
        error = attach(gate);
    if (!error)
        return NULL;
    snprintf(why, GATE_WHY, "latency-server: %s", strerror(-error));
    return why;
}

void gate_close(struct gate *gate)
{
    if (gate->first >= 0)
        close(gate->first);
    if (gate->out >= 0)
        close(gate->out);
    if (gate->server > 0)
        process_end(gate->server, (int64_t)PATIENCE_S * CLOCK_S);
    gate->server = 0;
}
