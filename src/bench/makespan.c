/* makespan: N requests, all asked at once. Who waits for them together needs the time of
   one, L; who waits for one after the other needs N·L. */
#include "bench/report.h"
#include "bench/speed.h"

static int measure(struct bench *bench, const struct record *record,
                   const struct cell *cell, FILE *csv, struct outcome *outcome)
{
    (void)record;
    struct trial trial;
    int ran = speed_measure(bench, cell, TRIAL_TIMED, csv, outcome, &trial);
    outcome->figure = trial.summary.wall_ns;
    trial_free(&trial);
    return ran;
}

static void find(const struct record *record, FILE *out)
{
    const struct contenders *contenders = record->contenders;
    int size = report_telling_size(record, 1);
    int measured = 0, missing = 0;
    char text[REPORT_NUMBER], latency[REPORT_NUMBER];
    int64_t median;
    for (int i = 0; i < contenders->count; i++)
        measured += report_median(record, i, size, false, &median);
    report_format_count(size, text);
    report_format_latency(record->bench->settings.latency_ns, latency);
    fprintf(out, "%s request%s of %s, all asked at once: ", text, size == 1 ? "" : "s",
            latency);
    for (int i = 0, told = 0; i < contenders->count; i++) {
        if (!report_median(record, i, size, false, &median))
            continue;
        report_format_time(median, text);
        report_join(out, told, measured);
        fprintf(out, told == 0 ? "%s took %s" : "%s %s", contenders->items[i].name, text);
        told++;
    }
    report_format_time(speed_one_by_one(record->bench, size), text);
    for (int i = 0; i < contenders->count; i++)
        if (contenders->items[i].one_at_a_time &&
            !report_median(record, i, size, false, &median))
            fprintf(out, "%s %s", missing++ ? "," : ";", contenders->items[i].name);
    if (missing > 0)
        fprintf(out, " would need %s%s", text, missing > 1 ? " each" : "");
    fputs(".\n", out);
}

const struct experiment experiment_makespan = {
    .name = "makespan",
    .question = "how long do N requests take, all asked at once?",
    .csv_header = speed_csv_header,
    .sizes = speed_sizes,
    .size_words = "requests",
    .table_words = "median time from the first start to the last end",
    .wants_ceiling = true,
    .theory = {{"L", false, speed_together}, {"N·L", true, speed_one_by_one}},
    .plan = speed_plan_at_once,
    .measure = measure,
    .format = report_format_time,
    .find = find,
};
