/* timeline: who waited when? Ten requests of each model, each with all its moments; and
   in threads.csv what each thread did meanwhile, on the same axis. */
#include "bench/report.h"
#include "bench/sampler.h"
#include "bench/speed.h"

#include "kit/clock.h"
#include "kit/csv.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    REQUESTS = 10,
    LOOK_MS = 1,      /* how often the threads are looked at ... */
    WATCH_S = 60      /* ... for so long at the most */
};

static const int sizes[] = {REQUESTS, 0};

/* --- The requests ------------------------------------------------------------------- */

/* When the first one started; 0 if none did. An external's times have their own zero
   already. */
static int64_t find_zero(const struct trial *trial)
{
    int64_t zero_ns = 0;
    for (int i = 0; trial->monotonic && i < trial->requests; i++) {
        int64_t start_ns = trial->results[i].start_ns;
        if (start_ns >= 0 && (zero_ns == 0 || start_ns < zero_ns))
            zero_ns = start_ns;
    }
    return zero_ns;
}

/* result_write takes 0 for "never", and here that is -1: every time is moved on by one,
   and the zero that it counts from as well. */
static void write_row(FILE *csv, const char *model, int trial, int request,
                      int64_t zero_ns, struct result result)
{
    result.start_ns++;
    result.connected_ns++;
    result.sent_ns++;
    result.first_byte_ns++;
    result.end_ns++;
    result_write(csv, model, trial, request, zero_ns + 1, &result);
}

/* --- The threads -------------------------------------------------------------------- */

/* Bench leaves the clients' cores while it looks: a thread that had to make room for the
   one who looks would be found ready, never running. */
static void stand_aside(const struct bench *bench, bool aside)
{
    struct cpus cpus = bench->server_cpus;
    for (size_t i = 0; !aside && i < sizeof cpus.bits / sizeof *cpus.bits; i++)
        cpus.bits[i] |= bench->client_cpus.bits[i];
    if (bench->bound)
        cpus_bind(&cpus);    /* if it can't, it is found ready, and no number is wrong */
}

/* Looks at the run until it has ended. Returns 0, or -errno with why set. */
static int watch(struct bench *bench, struct trial *trial, pid_t pid,
                 struct sampler *sampler, char why[SAMPLER_WHY])
{
    int64_t deadline_ns = clock_ns() + (int64_t)WATCH_S * CLOCK_S;
    int error = sampler_begin(sampler, pid, why);
    bool begun = !error;
    int over = 0;
    while (!error && over == 0 && !*bench->stop && clock_ns() < deadline_ns) {
        error = sampler_look(sampler);
        if (!error)
            over = trial_wait(bench, trial, (int64_t)LOOK_MS * CLOCK_MS);
    }
    if (!error && over > 0)
        error = sampler_look(sampler);    /* it shows who has gone */
    int ended = sampler_end(sampler);
    error = error && error != -ESRCH ? error : ended;
    if (error && begun)
        snprintf(why, SAMPLER_WHY, "%s", strerror(-error));
    return error;
}

/* Adds the rows of one run. Returns 0, or -errno with bench->why set. */
static int write_threads(struct bench *bench, const struct sampler *sampler,
                         const char *model, int64_t zero_ns)
{
    char path[BENCH_PATH];
    bench_csv_path(bench, "threads", path);
    bool first = access(path, F_OK) < 0;
    FILE *csv = first ? csv_create(path, sampler_csv_header) : fopen(path, "ae");
    int error = csv ? 0 : -errno;
    if (csv) {
        sampler_write(sampler, csv, model, zero_ns);
        error = csv_finish(csv, path);
    }
    return error ? bench_fail(bench, error, "%.400s: %s", path, strerror(-error)) : 0;
}

/* What an earlier run left does not belong to the requests of this one. */
static void remove_threads(const struct bench *bench)
{
    char path[BENCH_PATH];
    bench_csv_path(bench, "threads", path);
    unlink(path);
}

/* --- The whole ---------------------------------------------------------------------- */

static int run(struct bench *bench, struct trial *trial, struct sampler *sampler,
               bool *watched)
{
    char why[SAMPLER_WHY];
    *watched = false;
    stand_aside(bench, true);
    pid_t pid = trial_start(bench, trial);
    if (pid >= 0 && trial->monotonic)
        *watched = watch(bench, trial, pid, sampler, why) == 0;
    stand_aside(bench, false);
    if (pid < 0)
        return (int)pid;
    if (trial->monotonic && !*watched)
        bench_say(bench, "no threads in threads.csv: %s: %s", trial->contender->name,
                  why);
    return trial_finish(bench, trial);
}

static int measure(struct bench *bench, const struct record *record,
                   const struct cell *cell, FILE *csv, struct outcome *outcome)
{
    char path[SPEED_PATH];
    struct sampler sampler = {.span_count = 0};
    bool watched;
    speed_path(bench, path);
    if (record->count == 0)
        remove_threads(bench);
    struct trial trial = {
        .contender = &bench->contenders.items[cell->contender],
        .requests = cell->requests,
        .in_flight = cell->in_flight,
        .path = path,
        .ideal_ns = cell->ideal_ns,
        .monotonic = !bench->contenders.items[cell->contender].command,
    };
    int ran = run(bench, &trial, &sampler, &watched);
    int64_t zero_ns = ran == TRIAL_RAN ? find_zero(&trial) : 0;
    for (int i = 0; ran == TRIAL_RAN && i < trial.requests; i++)
        write_row(csv, trial.contender->name, outcome->trial, i, zero_ns,
                  trial.results[i]);
    if (watched && zero_ns > 0) {
        int error = write_threads(bench, &sampler, trial.contender->name, zero_ns);
        ran = error ? error : ran;
    }
    outcome->valid = ran == TRIAL_RAN && trial_judge(bench, &trial, TRIAL_TIMED);
    outcome->figure = trial.summary.wall_ns;
    outcome->detail = trial.summary.peak_in_flight;
    memcpy(outcome->why, trial.why, sizeof outcome->why);
    sampler_free(&sampler);
    trial_free(&trial);
    return ran;
}

static void find(const struct record *record, FILE *out)
{
    const struct contenders *contenders = record->contenders;
    const char *before = ", ";
    char text[REPORT_NUMBER];
    int64_t wall_ns, peak;
    report_format_latency(record->bench->settings.latency_ns, text);
    fprintf(out, "Of %d requests of %s", REQUESTS, text);
    for (int i = 0; i < contenders->count; i++) {
        if (!report_median(record, i, REQUESTS, false, &wall_ns))
            continue;
        report_median(record, i, REQUESTS, true, &peak);
        report_format_time(wall_ns, text);
        fprintf(out, "%s%s waited for %d at %s: %s", before, contenders->items[i].name,
                (int)peak, peak == 1 ? "a time" : "once", text);
        before = "; ";
    }
    fputs(".\n", out);
}

const struct experiment experiment_timeline = {
    .name = "timeline",
    .question = "who waited when?",
    .csv_header = result_csv_header,
    .sizes = sizes,
    .size_words = "requests",
    .table_words = "time from the first start to the last end",
    .trials_most = 1,
    .theory = {{"L", false, speed_together}, {"N·L", true, speed_one_by_one}},
    .plan = speed_plan_at_once,
    .measure = measure,
    .format = report_format_time,
    .find = find,
};
