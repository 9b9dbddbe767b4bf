#include "bench/campaign.h"

#include "bench/report.h"
#include "kit/csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A part in progress. */
struct run_of {
    struct bench *bench;
    struct part  *part;
    FILE         *csv;
    char          path[BENCH_PATH];
};

static void announce(struct run_of *run, const struct cell *cell)
{
    char label[PROGRESS_LABEL], size[REPORT_NUMBER];
    report_format_count(cell->size, size);
    snprintf(label, sizeof label, "%.12s  %.14s  %.14s", run->part->experiment->name,
             run->part->record.contenders->items[cell->contender].name, size);
    progress_step(&run->bench->progress, label, cell->cost_ns);
}

/* After a trial with failures: if the server is gone, there is no use in going on. */
static int check_server(struct bench *bench)
{
    char why[TARGET_WHY];
    const char *wrong = target_check(&bench->target, why);
    return wrong ? bench_fail(bench, -EHOSTDOWN, "%s", wrong) : 0;
}

/* The cell could not run: says so once, and does not try it again. */
static int give_up(struct run_of *run, struct cell *cell, const struct outcome *outcome)
{
    char size[REPORT_NUMBER];
    report_format_size(run->part->experiment, cell->size, size);
    cell->unable = true;
    run->bench->amiss++;
    bench_say(run->bench, "could not run: %s, %s, %s: %s", run->part->experiment->name,
              size, run->part->record.contenders->items[cell->contender].name,
              outcome->why);
    return check_server(run->bench);
}

/* Sees to it that what was measured is in the file. Returns 0 or -errno. */
static int flush(struct run_of *run)
{
    if (fflush(run->csv) == 0)
        return 0;
    int error = -errno;
    return bench_fail(run->bench, error, "%.400s: %s", run->path, strerror(-error));
}

static int run_cell(struct run_of *run, struct cell *cell, int trial)
{
    struct bench *bench = run->bench;
    struct record *record = &run->part->record;
    struct outcome *outcome = &record->outcomes[record->count];
    *outcome = (struct outcome){.contender = cell->contender, .size = cell->size,
                                .trial = trial, .position = record->count};
    announce(run, cell);
    int ran = run->part->experiment->measure(bench, record, cell, run->csv, outcome);
    if (ran == TRIAL_UNABLE)
        return give_up(run, cell, outcome);
    if (ran != TRIAL_RAN)
        return ran;
    int error = flush(run);
    if (error)
        return error;
    record->count++;
    bench->kept++;
    bench->amiss += !outcome->valid;
    return outcome->valid ? 0 : check_server(bench);
}

/* Trial by trial, all cells of one before the next, in a new order each time: what
   changes in the machine meanwhile then touches all alike. */
static int run_trials(struct run_of *run)
{
    struct part *part = run->part;
    uint64_t seed = (uint64_t)run->bench->settings.seed;
    int *order = malloc((size_t)(part->taken + 1) * sizeof *order);
    if (!order)
        return bench_fail(run->bench, -ENOMEM, "order: %s", strerror(ENOMEM));
    int error = 0;
    for (int trial = 0; !error && trial < (int)part->trials; trial++) {
        schedule_shuffle(part->cells, order, part->taken, seed, trial);
        for (int i = 0; !error && i < part->taken; i++)
            if (!part->cells[order[i]].unable)
                error = run_cell(run, &part->cells[order[i]], trial);
    }
    free(order);
    return error;
}

/* One line for each cell that has trials which do not count. */
static void say_invalid(struct bench *bench, const struct part *part)
{
    for (int i = 0; i < part->taken; i++) {
        const struct cell *cell = &part->cells[i];
        const struct outcome *first = NULL;
        int invalid = 0, all = 0;
        for (int j = 0; j < part->record.count; j++) {
            const struct outcome *outcome = &part->record.outcomes[j];
            if (outcome->contender != cell->contender || outcome->size != cell->size)
                continue;
            all++;
            invalid += !outcome->valid;
            first = outcome->valid || first ? first : outcome;
        }
        const char *name = part->record.contenders->items[cell->contender].name;
        char size[REPORT_NUMBER];
        report_format_size(part->experiment, cell->size, size);
        if (first)
            bench_say(bench, "invalid: %s, %s, %s: %d of %d trials: %s",
                      part->experiment->name, size, name, invalid, all, first->why);
    }
}

static int run_part(struct bench *bench, struct part *part)
{
    struct run_of run = {.bench = bench, .part = part};
    size_t most = (size_t)part->taken * (size_t)part->trials + 1;
    part->record.outcomes = calloc(most, sizeof *part->record.outcomes);
    if (!part->record.outcomes)
        return bench_fail(bench, -ENOMEM, "outcomes: %s", strerror(ENOMEM));
    bench_csv_path(bench, part->experiment->name, run.path);
    run.csv = csv_create(run.path, part->experiment->csv_header);
    if (!run.csv)
        return bench_fail(bench, -errno, "%s: %s", run.path, strerror(errno));
    int error = flush(&run);    /* the header: a full disk shows at once */
    if (!error)
        error = run_trials(&run);
    int written = csv_finish(run.csv, run.path);
    if (written && !error)
        error = bench_fail(bench, written, "%.400s: %s", run.path, strerror(-written));
    progress_clear(&bench->progress);
    if (!error)
        report_table(&part->record);
    say_invalid(bench, part);
    return error;
}

int campaign_run(struct bench *bench, struct campaign *campaign)
{
    int64_t cost_ns = 0;
    for (int i = 0; i < campaign->count; i++)
        cost_ns += schedule_cost(campaign->parts[i].cells, campaign->parts[i].taken,
                                 campaign->parts[i].trials);
    progress_begin(&bench->progress, cost_ns);
    int error = 0;
    for (int i = 0; !error && i < campaign->count; i++)
        error = run_part(bench, &campaign->parts[i]);
    progress_clear(&bench->progress);
    return error;
}

void campaign_report(const struct campaign *campaign)
{
    printf("\nWhat was found:\n\n");
    for (int i = 0; i < campaign->count; i++) {
        const struct record *record = &campaign->parts[i].record;
        if (record->count > 0 && report_telling_size(record, 1) > 0)
            record->experiment->find(record, stdout);
        else
            printf("Of %s, no trial counts.\n", record->experiment->name);
    }
}

void campaign_free(struct campaign *campaign)
{
    for (int i = 0; i < campaign->count; i++) {
        free(campaign->parts[i].cells);
        free(campaign->parts[i].record.outcomes);
    }
}
