/* throughput: how many requests a second, with C in flight at any time. Theory says C/L
   until something else than waiting sets the pace, and 1/L for one at a time. */
#include "bench/report.h"
#include "bench/speed.h"

#include "kit/clock.h"

enum {
    ROUNDS = 5,      /* requests for each place in flight */
    MILLI = 1000     /* figures are in thousandths of a request a second */
};

static int64_t rate(int64_t requests, int64_t ns)
{
    return ns > 0 ? (int64_t)((double)requests * MILLI * CLOCK_S / (double)ns) : 0;
}

static int64_t together(const struct bench *bench, int size)
{
    return rate(size, bench->settings.latency_ns);
}

static int64_t one_by_one(const struct bench *bench, int size)
{
    (void)size;
    return rate(1, bench->settings.latency_ns);
}

static bool plan(const struct bench *bench, const struct contender *contender,
                 struct cell *cell)
{
    cell->requests = ROUNDS * cell->size;
    cell->in_flight = cell->size;
    cell->ideal_ns = ROUNDS * bench->settings.latency_ns;
    cell->formula = "5·L";
    return cell->size == 1 || !contender->one_at_a_time;
}

static int measure(struct bench *bench, const struct record *record,
                   const struct cell *cell, FILE *csv, struct outcome *outcome)
{
    (void)record;
    struct trial trial;
    int ran = speed_measure(bench, cell, TRIAL_CLOSED_LOOP, csv, outcome, &trial);
    outcome->figure = rate(trial.summary.ok, trial.summary.wall_ns);
    trial_free(&trial);
    return ran;
}

static void format(int64_t figure, char text[EXPERIMENT_TEXT])
{
    report_format_decimal((double)figure / MILLI, text);
}

static void find(const struct record *record, FILE *out)
{
    const struct contenders *contenders = record->contenders;
    int size = report_telling_size(record, 1);
    int measured = 0;
    char text[REPORT_NUMBER];
    int64_t median;
    for (int i = 0; i < contenders->count; i++)
        measured += report_median(record, i, size, false, &median);
    report_format_count(size, text);
    fprintf(out, "With %s in flight, ", text);
    for (int i = 0, told = 0; i < contenders->count; i++) {
        if (!report_median(record, i, size, false, &median))
            continue;
        format(median, text);
        report_join(out, told, measured);
        fprintf(out, told == 0 ? "%s answered %s requests a second" : "%s %s",
                contenders->items[i].name, text);
        told++;
    }
    for (int i = 0; i < contenders->count; i++) {
        if (size == 1 || !contenders->items[i].one_at_a_time ||
            !report_median(record, i, 1, false, &median))
            continue;
        format(median, text);
        fprintf(out, "; %s, one at a time, %s", contenders->items[i].name, text);
    }
    fputs(".\n", out);
}

const struct experiment experiment_throughput = {
    .name = "throughput",
    .question = "how many requests a second, with C in flight?",
    .csv_header = speed_csv_header,
    .sizes = speed_sizes,
    .size_words = "in flight",
    .table_words = "median requests a second",
    .wants_ceiling = true,
    .theory = {{"C/L", false, together}, {"1/L", true, one_by_one}},
    .plan = plan,
    .measure = measure,
    .format = format,
    .find = find,
};
