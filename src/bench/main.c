/* bench: experiments made of many runs, each a fresh process, all against one server. */
#include "bench/bench.h"
#include "bench/campaign.h"
#include "bench/experiments.h"
#include "bench/machine.h"
#include "bench/report.h"
#include "bench/warmup.h"

#include "kit/http.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { CANNOT_RUN = 1, USAGE = 2, AMISS = 3 };    /* exit statuses beside 0 */

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

/* The first Ctrl-C ends bench in order; the handler is gone by then, so that the second
   ends it at once. The launcher and the server see to it that nothing stays behind even
   then. */
static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);    /* a reader of our output that left is an error, later */
}

static int list_experiments(void)
{
    for (const struct experiment *const *each = experiments; *each; each++)
        printf("%-12s%s\n", (*each)->name, (*each)->question);
    return options_exit_status(&settings_program, 0);
}

static int fail(int status, const char *why)
{
    fprintf(stderr, "bench: %s\n", why);
    return status;
}

static void choose(struct campaign *campaign, const struct experiment *experiment)
{
    for (int i = 0; i < campaign->count; i++)
        if (campaign->parts[i].experiment == experiment)
            return;
    if (campaign->count < CAMPAIGN_MOST)
        campaign->parts[campaign->count++].experiment = experiment;
}

/* Takes the experiments that are named, or all, once each. Returns 0 or USAGE, said. */
static int choose_named(struct campaign *campaign, char **names, int count)
{
    for (int i = 0; i < count; i++) {
        const struct experiment *named = experiment_find(names[i]);
        if (named) {
            choose(campaign, named);
            continue;
        }
        fprintf(stderr, "bench: there is no experiment '%.60s'; there are", names[i]);
        for (const struct experiment *const *each = experiments; *each; each++)
            fprintf(stderr, " %s", (*each)->name);
        fputc('\n', stderr);
        return USAGE;
    }
    for (const struct experiment *const *each = experiments; count == 0 && *each; each++)
        choose(campaign, *each);
    return 0;
}

/* A URL that is wrong in itself is wrong usage, whoever listens. */
static int check_url(const char *url)
{
    struct http_url parts;
    const char *wrong = url ? http_parse_url(url, &parts) : NULL;
    if (wrong)
        fprintf(stderr, "bench: --url: %s\n", wrong);
    return wrong ? USAGE : 0;
}

/* Finds the server that was named, or starts one. Returns 0, or -1 with why set. */
static int open_target(struct bench *bench)
{
    char why[TARGET_WHY], program[PROCESS_PATH], seed[32];
    bench->bound = cpus_divide(&bench->server_cpus, &bench->client_cpus);
    const char *wrong = NULL;
    if (bench->settings.url) {
        wrong = target_attach(&bench->target, bench->settings.url, why);
        return wrong ? bench_fail(bench, -1, "--url: %s", wrong) : 0;
    }
    int error = process_sibling("latency-server", program);
    snprintf(seed, sizeof seed, "%" PRId64, bench->settings.seed);
    char *argv[] = {program, "-p", "0", "--seed", seed, NULL};
    if (!error)
        wrong = target_start(&bench->target, argv,
                             bench->bound ? &bench->server_cpus : NULL, why);
    if (error)
        wrong = strerror(-error);
    return wrong ? bench_fail(bench, -1, "no server: %s", wrong) : 0;
}

static int measure(struct bench *bench, struct campaign *campaign)
{
    bool models = false, ceiling = false;
    for (int i = 0; i < campaign->count; i++) {
        models = models || !campaign->parts[i].experiment->contenders;
        ceiling = ceiling || campaign->parts[i].experiment->wants_ceiling;
    }
    int error = models ? warmup_contenders(bench) : 0;
    if (!error && models && bench->contenders.count == 0)
        return bench_fail(bench, -ENOENT, "there is nobody left to measure");
    if (!error && ceiling)
        error = warmup_ceiling(bench);
    if (!error)
        error = campaign_plan(bench, campaign);
    return error ? error : campaign_run(bench, campaign);
}

/* Says how it ended. Returns the exit status. */
static int conclude(struct bench *bench, const struct campaign *campaign, int error)
{
    const char *directory = bench->settings.directory;
    if (error && bench->kept == 0 && error != -EINTR)
        return fail(CANNOT_RUN, bench->why);
    if (error == -EINTR)
        fprintf(stderr, "bench: interrupted: %d of %d trials kept in %s\n", bench->kept,
                bench->planned, directory);
    else if (error)
        fprintf(stderr, "bench: %s; %d of %d trials kept in %s\n", bench->why,
                bench->kept, bench->planned, directory);
    if (error)
        return error == -EINTR || error == -EHOSTDOWN ? AMISS : CANNOT_RUN;
    campaign_report(campaign);
    printf("\nThe rows are in %s: ", directory);
    for (int i = 0; i < campaign->count; i++) {
        report_join(stdout, i, campaign->count);
        printf("%s.csv", campaign->parts[i].experiment->name);
    }
    printf("; machine.csv tells where they were measured.\n");
    return bench->amiss > 0 ? AMISS : 0;
}

int main(int argc, char **argv)
{
    static struct bench bench;    /* too large for a stack to be sure of */
    static struct campaign campaign;
    char load[MACHINE_LOAD], why[CONTENDERS_WHY];
    int first = settings_or_exit(&bench.settings, argc, argv);
    if (bench.settings.list)
        return list_experiments();
    int status = choose_named(&campaign, argv + first, argc - first);
    if (!status)
        status = check_url(bench.settings.url);
    if (status)
        return status;
    int error = launcher_open(&bench.launcher);    /* first, while bench is small */
    if (error) {
        fprintf(stderr, "bench: launcher: %s\n", strerror(-error));
        return CANNOT_RUN;
    }
    bench.stop = &stop;
    watch_signals();
    machine_load(load);
    status = contenders_open(&bench.contenders, &bench.settings, why);
    if (status)
        fail(status, why);
    else if (open_target(&bench) != 0 || campaign_check_output(&bench, &campaign) != 0)
        status = fail(CANNOT_RUN, bench.why);
    if (!status) {
        error = measure(&bench, &campaign);
        status = conclude(&bench, &campaign, error);
        if (status != CANNOT_RUN && machine_write(&bench, load) != 0)
            status = fail(CANNOT_RUN, bench.why);
    }
    const char *wrong = target_stop(&bench.target, why);
    if (wrong)
        status = fail(status ? status : AMISS, wrong);
    launcher_close(&bench.launcher);
    campaign_free(&campaign);
    return options_exit_status(&settings_program, status);
}
