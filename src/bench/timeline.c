/* timeline: who waited when? Ten requests of each model, each with all its moments. */
#include "bench/report.h"
#include "bench/speed.h"

#include <string.h>

enum { REQUESTS = 10 };

static const int sizes[] = {REQUESTS, 0};

/* result_write takes 0 for "never", and here that is -1: every time is moved on by one,
   and the zero that it counts from as well. */
static void write_row(FILE *csv, const char *model, int trial, int request,
                      struct result result)
{
    result.start_ns++;
    result.connected_ns++;
    result.sent_ns++;
    result.first_byte_ns++;
    result.end_ns++;
    result_write(csv, model, trial, request, 1, &result);
}

static int measure(struct bench *bench, const struct record *record,
                   const struct cell *cell, FILE *csv, struct outcome *outcome)
{
    (void)record;
    char path[SPEED_PATH];
    speed_path(bench, path);
    struct trial trial = {
        .contender = &bench->contenders.items[cell->contender],
        .requests = cell->requests,
        .in_flight = cell->in_flight,
        .path = path,
        .ideal_ns = cell->ideal_ns,
    };
    int ran = trial_run(bench, &trial);
    for (int i = 0; ran == TRIAL_RAN && i < trial.requests; i++)
        write_row(csv, trial.contender->name, outcome->trial, i, trial.results[i]);
    outcome->valid = ran == TRIAL_RAN && trial_judge(bench, &trial, TRIAL_TIMED);
    outcome->figure = trial.summary.wall_ns;
    outcome->detail = trial.summary.peak_in_flight;
    memcpy(outcome->why, trial.why, sizeof outcome->why);
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
