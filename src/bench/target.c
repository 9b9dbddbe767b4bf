#include "bench/target.h"

#include "kit/clock.h"
#include "kit/get.h"
#include "kit/http.h"
#include "kit/process.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_S = 30 };    /* for what takes no time on a machine that is idle */

static int64_t patience(void)
{
    return clock_ns() + (int64_t)PATIENCE_S * CLOCK_S;
}

int target_get(const struct target *target, const char *path, int64_t deadline_ns,
               char reply[TARGET_REPLY])
{
    int fd = get_ask(&target->endpoint, path, deadline_ns);
    return fd < 0 ? fd : get_reply(fd, deadline_ns, reply, TARGET_REPLY);
}

int target_in_flight(const struct target *target, int64_t deadline_ns)
{
    char reply[TARGET_REPLY];
    int status = target_get(target, "/stats", deadline_ns, reply);
    if (status < 0)
        return status;
    int64_t in_flight = get_number(reply, "in_flight");
    return status == 200 && in_flight >= 0 ? (int)in_flight : -EPROTO;
}

int64_t target_cpu_ns(const struct target *target)
{
    /* All its threads, to the nanosecond; /proc/PID/stat counts in ticks of 10 ms. */
    clockid_t clock;
    struct timespec used;
    if (target->pid <= 0 || clock_getcpuclockid(target->pid, &clock) != 0 ||
        clock_gettime(clock, &used) < 0)
        return -1;
    return (int64_t)used.tv_sec * CLOCK_S + used.tv_nsec;
}

const char *target_attach(struct target *target, const char *url, char why[TARGET_WHY])
{
    struct http_url parts;
    const char *wrong = http_parse_url(url, &parts);
    if (!wrong && strcmp(parts.target, "/") != 0)
        wrong = "it is the server's alone, without a path, as in http://127.0.0.1:8080";
    if (wrong)
        return wrong;
    int error = net_resolve(parts.host, parts.port, &target->endpoint);
    if (error)
        return gai_strerror(error);
    snprintf(target->url, sizeof target->url, "http://%s", target->endpoint.name);
    int in_flight = target_in_flight(target, patience());
    if (in_flight >= 0)
        return NULL;
    if (in_flight == -EPROTO)
        snprintf(why, TARGET_WHY, "%s/stats: that is not a latency-server", target->url);
    else
        snprintf(why, TARGET_WHY, "%s/stats: %s", target->url, strerror(-in_flight));
    return why;
}

/* Notes how the server ended; its process is no more. Returns why, in words. */
static const char *bury(struct target *target, char why[TARGET_WHY])
{
    char end[TARGET_WHY / 2];
    process_format_status(target->status, end, sizeof end);
    snprintf(why, TARGET_WHY, "latency-server %s", end);
    target->pid = -1;
    close(target->out);
    return why;
}

const char *target_stop(struct target *target, char why[TARGET_WHY])
{
    if (target->pid <= 0)
        return NULL;
    target->status = process_end(target->pid, (int64_t)PATIENCE_S * CLOCK_S);
    bury(target, why);
    bool clean = WIFEXITED(target->status) && WEXITSTATUS(target->status) == 0;
    return clean ? NULL : why;
}

const char *target_start(struct target *target, char *const *argv,
                         const struct cpus *cpus, char why[TARGET_WHY])
{
    static const char greeting[] = "listening on ";
    char line[TARGET_URL];
    struct process_spec spec = {.argv = argv, .cpus = cpus, .err = -1};
    target->pid = process_open(&spec, &target->out);
    if (target->pid < 0)
        return strerror(-target->pid);
    const char *wrong = "did not say where it listens";
    int error = process_read_line(target->out, patience(), line, sizeof line);
    if (!error && strncmp(line, greeting, strlen(greeting)) == 0)
        wrong = target_attach(target, line + strlen(greeting), why);
    if (!wrong)
        return NULL;
    char end[TARGET_WHY];
    if (target_stop(target, end) != NULL)
        snprintf(why, TARGET_WHY, "%s", end);
    else if (wrong != why)
        snprintf(why, TARGET_WHY, "%s %s", argv[0], wrong);
    return why;
}

/* Whether our own server has ended, or does until the deadline. */
static bool has_ended(struct target *target, int64_t deadline_ns)
{
    while (target->pid > 0) {
        if (waitpid(target->pid, &target->status, WNOHANG) > 0)
            return true;
        if (clock_ns() > deadline_ns)
            break;
        clock_sleep(CLOCK_MS);
    }
    return false;
}

const char *target_check(struct target *target, char why[TARGET_WHY])
{
    if (has_ended(target, 0))
        return bury(target, why);
    int in_flight = target_in_flight(target, patience());
    if (in_flight >= 0)
        return NULL;
    /* A process that ends closes its sockets before its parent can wait for it. */
    bool closed = in_flight == -ECONNREFUSED || in_flight == -ECONNRESET;
    if (closed && has_ended(target, patience()))
        return bury(target, why);
    snprintf(why, TARGET_WHY, "%s/stats: %s", target->url, strerror(-in_flight));
    return why;
}
