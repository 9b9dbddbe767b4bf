/* whowaits: watches any client program wait, and says who waits, and how many at once. */
#include "kit/array.h"
#include "kit/options.h"
#include "kit/process.h"
#include "whowaits/client.h"
#include "whowaits/gate.h"
#include "whowaits/report.h"
#include "whowaits/verdict.h"
#include "whowaits/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { CANNOT_RUN = 1, NOT_KNOWN = 3 };    /* exit statuses beside 0, and 2 for usage */

struct options {
    int64_t places;
    bool    json;
};

static const struct option_spec specs[] = {
    {'k', "places", "K", OPTION_COUNT, offsetof(struct options, places), 1, GATE_MOST,
     "how many requests to let gather (default 8)"},
    {0, "json", NULL, OPTION_FLAG, offsetof(struct options, json), 0, 0,
     "print one JSON object instead of the screen"},
};

static const struct option_program program = {
    .name = "whowaits",
    .operands = "-- COMMAND...",
    .about = "Runs a client, holds its requests at a gate, and says who waits for them,\n"
             "and how many at once. {url} in COMMAND stands for the gate's URL.",
    .specs = specs,
    .count = LENGTH(specs),
    .operands_min = 1,
    .operands_max = 1 << 20,
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = true;
}

/* The first Ctrl-C ends the client in order; the second ends whowaits at once. */
static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal,
                               .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);    /* where ignored, nobody learns how a child ended */
}

/* Each place that the client leaves free will take a descriptor of ours. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);    /* if not, a connection will fail and say so */
}

static int refuse(int status, const char *what, const char *why)
{
    fprintf(stderr, "whowaits: %s: %s\n", what, why);
    return status;
}

/* --- The command -------------------------------------------------------------------- */

static const char placeholder[] = "{url}";

/* Returns text with the URL where it is to stand, which the caller frees; NULL: no
   memory. */
static char *fill_in(const char *text, const char *url)
{
    size_t size = 0;
    char *filled = NULL;
    FILE *out = open_memstream(&filled, &size);
    if (!out)
        return NULL;
    const char *found;
    while ((found = strstr(text, placeholder)) != NULL) {
        fprintf(out, "%.*s%s", (int)(found - text), text, url);
        text = found + strlen(placeholder);
    }
    fputs(text, out);
    if (fclose(out) == 0)
        return filled;
    free(filled);
    return NULL;
}

static void free_command(char **command)
{
    for (int i = 0; command && command[i]; i++)
        free(command[i]);
    free(command);
}

/* The command of `count` words with the URL in them; NULL: no memory. */
static char **make_command(char **words, int count, const char *url)
{
    char **command = calloc((size_t)count + 1, sizeof *command);
    for (int i = 0; i < count && command; i++) {
        command[i] = fill_in(words[i], url);
        if (!command[i]) {
            free_command(command);
            return NULL;
        }
    }
    return command;
}

static bool has_placeholder(char **words, int count)
{
    bool has = false;
    for (int i = 0; i < count; i++)
        has = has || strstr(words[i], placeholder);
    return has;
}

/* --- The run ------------------------------------------------------------------------ */

/* Says why there is nothing to show. */
static void complain(const char *name, const struct watch *watch, int error)
{
    const struct evidence *e = &watch->evidence;
    char end[96];
    process_format_status(watch->client->status, end, sizeof end);
    if (error == -EINTR)
        refuse(0, name, "interrupted");
    else if (error != -ECHILD && error)
        refuse(0, name, strerror(-error));
    else if (e->overflowed)
        fprintf(stderr,
                "whowaits: %s: more than %d requests came at once, and opened the gate "
                "too soon; -k takes a larger number\n",
                name, e->asked);
    else if (error == -ECHILD && e->at_gate > 0)
        fprintf(stderr, "whowaits: %s: %s, with %d of %d requests at the gate, while "
                "more might have come; if it gives up after some time, let it wait "
                "longer\n",
                name, end, e->at_gate, e->asked);
    else if (error == -ECHILD)
        fprintf(stderr, "whowaits: %s: %s before it was seen to wait\n", name, end);
    else if (*e->call)
        fprintf(stderr,
                "whowaits: %s: no request came to the gate; most of its %d thread%s "
                "sleep in %s\n",
                name, e->threads, e->threads == 1 ? "" : "s", e->call);
    else
        refuse(0, name, "no request came to the gate; it runs, and does not wait");
}

/* Prints what was seen. Returns the exit status. */
static int conclude(const struct options *options, const char *name, struct watch *watch,
                    int error)
{
    struct verdict verdict;
    watch->evidence.asked = (int)options->places;
    verdict_reach(&watch->evidence, &verdict);
    bool seen = !error && !watch->evidence.overflowed && watch->evidence.at_gate > 0;
    if (options->json)
        report_json(stdout, watch, &verdict);
    else if (seen)
        report_text(stdout, watch, &verdict);
    if (!seen)
        complain(name, watch, error);
    bool known = verdict.who != WHO_UNKNOWN && verdict.how_many != MANY_UNKNOWN;
    return seen && known ? 0 : NOT_KNOWN;
}

/* Runs the command and watches it. Returns the exit status. */
static int run(const struct options *options, char **command, struct gate *gate)
{
    struct client client;
    int error = client_start(&client, command, gate->server);
    if (error)
        return refuse(CANNOT_RUN, command[0], strerror(-error));
    raise_descriptor_limit();
    struct watch watch = {.client = &client, .gate = gate, .stop = &stop};
    error = watch_client(&watch);
    int ended = client_end(&client);
    int status = conclude(options, command[0], &watch, error);
    watch_free(&watch);
    return ended == 0 ? status : refuse(NOT_KNOWN, command[0], "it could not be ended");
}

int main(int argc, char **argv)
{
    struct options options = {.places = 8};
    int first = options_or_exit(&program, argc, argv, &options);
    if (!has_placeholder(argv + first, argc - first))
        return refuse(2, "COMMAND",
                      "{url} stands nowhere in it; --help tells what it is for");
    watch_signals();
    struct gate gate;
    char why[GATE_WHY];
    const char *wrong = gate_open(&gate, (int)options.places, why);
    char **command = wrong ? NULL : make_command(argv + first, argc - first, gate.url);
    int status = CANNOT_RUN;
    if (stop)
        status = refuse(NOT_KNOWN, argv[first], "interrupted");
    else if (wrong)
        refuse(status, "no server", wrong);
    else if (!command)
        refuse(status, "COMMAND", strerror(ENOMEM));
    else
        status = run(&options, command, &gate);
    free_command(command);
    gate_close(&gate);
    return options_exit_status(&program, status);
}
