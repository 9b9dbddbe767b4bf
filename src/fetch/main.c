/* fetch: one run of one model, every request reported. */
#include "fetch/preflight.h"
#include "fetch/report.h"
#include "models/models.h"

#include "kit/array.h"
#include "kit/clock.h"
#include "kit/csv.h"
#include "kit/http.h"
#include "kit/options.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { CANNOT_RUN = 1, USAGE = 2, NOT_ALL_OK = 3 };    /* exit statuses beside 0 */

struct options {
    const char *model;
    int64_t     count, in_flight;    /* in_flight 0: as many as the model can */
    int64_t     timeout_ns, stack_bytes;
    const char *output;
    bool        monotonic, list;
};

static const struct option_spec specs[] = {
    {'m', "model", "MODEL", OPTION_TEXT, offsetof(struct options, model), 0, 0,
     "the way to wait (default blocking)"},
    {'n', "count", "COUNT", OPTION_COUNT, offsetof(struct options, count), 1, 1000000,
     "how many requests (default 100)"},
    {'c', "in-flight", "COUNT", OPTION_COUNT, offsetof(struct options, in_flight), 1,
     1000000, "how many of them at once (default: all, where the model can)"},
    {0, "timeout", "T", OPTION_DURATION, offsetof(struct options, timeout_ns), CLOCK_MS,
     86400LL * CLOCK_S, "the longest that one request may take (default 30s)"},
    {0, "stack", "SIZE", OPTION_SIZE, offsetof(struct options, stack_bytes), 16384,
     1 << 30, "stack of each thread, as in 64K (default: the system's)"},
    {'o', "output", "FILE", OPTION_TEXT, offsetof(struct options, output), 0, 0,
     "write requests.csv, a row for each request, to FILE"},
    {0, "monotonic", NULL, OPTION_FLAG, offsetof(struct options, monotonic), 0, 0,
     "its times are CLOCK_MONOTONIC's own, not since the run's start"},
    {0, "list", NULL, OPTION_FLAG, offsetof(struct options, list), 0, 0,
     "list the models and exit"},
};

static const struct option_program program = {
    .name = "fetch",
    .operands = "URL",
    .about = "Asks for URL many times, waiting in the way of one model. "
             "{i} in URL is each request's number.",
    .specs = specs,
    .count = LENGTH(specs),
    .operands_max = 1,
};

static atomic_bool stop;    /* threads look at it too: volatile would not be enough */

static void on_signal(int number)
{
    (void)number;
    stop = true;
}

/* The first Ctrl-C ends the run in order; the handler is gone by then, so that the second
   ends the program at once. */
static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal,
                               .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);    /* a peer or a reader that left is an error code to us */
    signal(SIGCHLD, SIG_DFL);    /* where ignored, nobody learns how a child ended */
}

static int refuse(int status, const char *what, const char *why)
{
    fprintf(stderr, "fetch: %s: %s\n", what, why);
    return status;
}

static int list_models(void)
{
    for (const struct model *const *model = models; *model; model++) {
        const char *why = (*model)->unavailable ? (*model)->unavailable() : NULL;
        printf("%-12s%s%s\n", (*model)->name, why ? "unavailable: " : "",
               why ? why : (*model)->idea);
    }
    return options_exit_status(&program, 0);
}

/* Finds the model, or returns NULL after saying which there are. */
static const struct model *choose_model(const char *name, int *status)
{
    const struct model *model = model_find(name);
    if (!model) {
        fprintf(stderr, "fetch: -m: there is no model '%s'; there are", name);
        for (const struct model *const *each = models; *each; each++)
            fprintf(stderr, " %s", (*each)->name);
        fprintf(stderr, "\n");
        *status = USAGE;
        return NULL;
    }
    const char *why = model->unavailable ? model->unavailable() : NULL;
    if (why) {
        *status = refuse(CANNOT_RUN, name, why);
        return NULL;
    }
    return model;
}

/* Fills the workload from the options and the URL. Returns 0 or an exit status, said. */
static int prepare(const struct options *options, const char *text, struct http_url *url,
                   const struct model *model, struct workload *workload)
{
    const char *wrong = text ? http_parse_url(text, url)
                             : "missing; --help shows what is taken";
    if (wrong)
        return refuse(USAGE, text ? text : "URL", wrong);
    int64_t in_flight = options->in_flight ? options->in_flight : options->count;
    if (in_flight > options->count)
        in_flight = options->count;
    *workload = (struct workload){
        .target = url->target,
        .count = (int)options->count,
        .in_flight = model->one_at_a_time ? 1 : (int)in_flight,
        .timeout_ns = options->timeout_ns,
        .stack_bytes = (size_t)options->stack_bytes,
        .stop = &stop,
    };
    int error = net_resolve(url->host, url->port, &workload->server);
    if (error)
        return refuse(CANNOT_RUN, url->host, gai_strerror(error));
    char why[PREFLIGHT_WHY] = "could not be checked";
    if (preflight(model, workload, why) != 0)
        return refuse(CANNOT_RUN, model->name, why);
    error = options->output ? csv_writable(options->output) : 0;
    return error ? refuse(CANNOT_RUN, options->output, strerror(-error)) : 0;
}

static int write_requests(const char *path, const struct model *model,
                          const struct workload *workload, const struct result *results,
                          int64_t zero_ns)
{
    FILE *csv = csv_create(path, result_csv_header);
    if (!csv)
        return refuse(CANNOT_RUN, path, strerror(errno));
    for (int i = 0; i < workload->count; i++)
        result_write(csv, model->name, 0, i, zero_ns, &results[i]);
    int error = csv_finish(csv, path);
    return error ? refuse(CANNOT_RUN, path, strerror(-error)) : 0;
}

/* Says in one sentence what was not ok. Returns the exit status. */
static int conclude(const struct model *model, const struct workload *workload,
                    const struct summary *summary, const struct result *results,
                    int error)
{
    char reasons[512];
    report_reasons(reasons, sizeof reasons, workload, results);
    if (error)
        fprintf(stderr, "fetch: %s: the model could not go on: %s; %s\n", model->name,
                strerror(-error), reasons);
    else if (summary->ok < workload->count)
        fprintf(stderr, "fetch: %s%d of %d requests are not ok: %s\n",
                stop ? "interrupted; " : "", workload->count - summary->ok,
                workload->count, reasons);
    if (error)
        return CANNOT_RUN;
    return summary->ok < workload->count ? NOT_ALL_OK : 0;
}

int main(int argc, char **argv)
{
    struct options options = {.model = "blocking", .count = 100,
                              .timeout_ns = 30LL * CLOCK_S};
    int first = options_or_exit(&program, argc, argv, &options);
    if (options.list)
        return list_models();
    int status = 0;
    const struct model *model = choose_model(options.model, &status);
    if (!model)
        return status;
    struct http_url url;
    struct workload workload;
    watch_signals();
    status = prepare(&options, first < argc ? argv[first] : NULL, &url, model, &workload);
    if (status)
        return status;
    struct result *results = calloc((size_t)workload.count, sizeof *results);
    if (!results)
        return refuse(CANNOT_RUN, "-n", strerror(ENOMEM));
    for (int i = 0; i < workload.count; i++)
        results[i].error = ECANCELED;

    int64_t zero_ns = options.monotonic ? 0 : clock_ns();
    int error = model->run(&workload, results);

    struct summary summary;
    if (summarise(&workload, results, &summary) != 0)
        status = refuse(CANNOT_RUN, "report", strerror(ENOMEM));
    if (!status) {
        report_print(stdout, model, &workload, &summary);
        status = conclude(model, &workload, &summary, results, error);
    }
    if (options.output) {
        int written = write_requests(options.output, model, &workload, results, zero_ns);
        if (written)
            status = written;
    }
    free(results);
    return options_exit_status(&program, status);
}
