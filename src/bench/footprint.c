/* footprint: what does one waiting request cost? K requests stand at a gate that opens
   for K + 1. While they wait, /proc tells what their program holds; then bench itself
   comes as the last one, and the gate opens. */
#include "bench/report.h"

#include "kit/clock.h"
#include "kit/csv.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

enum {
    OTHERS = 100,          /* descriptors that a program has beside its connections */
    POLL_MS = 10,
    PATIENCE_S = 60,       /* for all to stand at the gate, and then for all to be gone */
    GATE_S = 600,          /* the gate's own patience, far longer */
    EACH_US = 100          /* what one request takes to come and to go, roughly */
};

static const int sizes[] = {1, 1000, 10000, 100, 0};

static bool plan(const struct bench *bench, const struct contender *contender,
                 struct cell *cell)
{
    (void)bench;
    struct rlimit descriptors;
    cell->requests = cell->in_flight = cell->size;
    cell->ideal_ns = (int64_t)cell->size * EACH_US * CLOCK_US;
    cell->formula = "K·0.1 ms";
    cell->base = cell->size == 1;
    if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0 &&
        descriptors.rlim_max < (rlim_t)(cell->size + OTHERS))
        cell->obstacle = "more descriptors than the hard limit allows (ulimit -Hn)";
    return cell->size == 1 || !contender->one_at_a_time;
}

/* Waits until all of them stand at the gate. Returns true if they do; if not, the run has
   ended by itself, or is to be ended, or has been given up. */
static bool gather(struct bench *bench, struct trial *trial)
{
    int64_t deadline_ns = clock_ns() + (int64_t)PATIENCE_S * CLOCK_S;
    int waiting = 0;
    do {
        if (trial_wait(bench, trial, (int64_t)POLL_MS * CLOCK_MS) != 0 || *bench->stop)
            return false;
        progress_show(&bench->progress);
        /* A server that has much to do may not answer at once; it is asked again. */
        int now = target_in_flight(&bench->target, clock_ns() + CLOCK_S);
        waiting = now < 0 ? waiting : now;
    } while (waiting < trial->requests && clock_ns() < deadline_ns);
    if (waiting >= trial->requests)
        return true;
    char why[TRIAL_WHY];
    snprintf(why, sizeof why, "only %d of %d waited at the gate after %d s", waiting,
             trial->requests, PATIENCE_S);
    trial_give_up(bench, trial, why);
    return false;
}

/* Lets them gather, looks at them, and opens the gate. */
static int watch(struct bench *bench, struct trial *trial, struct procfs_group *held)
{
    pid_t group = trial_start(bench, trial);
    if (group < 0)
        return (int)group;
    int64_t deadline_ns = clock_ns() + (int64_t)PATIENCE_S * CLOCK_S;
    char reply[TARGET_REPLY];
    if (gather(bench, trial)) {
        procfs_group(group, held);    /* zeros where it has just died, which will show */
        target_get(&bench->target, trial->path, deadline_ns, reply);    /* and this too */
    }
    return trial_finish(bench, trial);
}

/* The memory of the same contender with one request in the same trial; 0: not known. */
static int64_t find_base(const struct record *record, const struct outcome *outcome)
{
    for (int i = 0; i < record->count; i++) {
        const struct outcome *other = &record->outcomes[i];
        if (other->size == 1 && other->contender == outcome->contender &&
            other->trial == outcome->trial && other->valid)
            return other->figure;
    }
    return 0;
}

static void write_row(FILE *csv, const struct trial *trial,
                      const struct procfs_group *held, int64_t base_kib,
                      const struct outcome *outcome)
{
    csv_text(csv, trial->contender->name);
    fprintf(csv, ",%d,%d,%" PRId64 ",", outcome->size, outcome->trial, held->rss_kib);
    if (base_kib > 0)
        fprintf(csv, "%" PRId64, base_kib);
    putc(',', csv);
    if (base_kib > 0 && outcome->size > 1)
        fprintf(csv, "%" PRId64, outcome->detail);
    fprintf(csv, ",%" PRId64 ",%" PRId64 ",%d,", held->threads, held->descriptors,
            outcome->valid);
    csv_text(csv, outcome->why);
    putc('\n', csv);
}

static int measure(struct bench *bench, const struct record *record,
                   const struct cell *cell, FILE *csv, struct outcome *outcome)
{
    char path[64];
    snprintf(path, sizeof path, "/gate/%d?timeout=%ds", cell->size + 1, GATE_S);
    struct trial trial = {
        .contender = &bench->contenders.items[cell->contender],
        .requests = cell->requests,
        .in_flight = cell->in_flight,
        .path = path,
        .ideal_ns = cell->ideal_ns,
        .timeout_ns = (int64_t)GATE_S * CLOCK_S,
        .bound_ns = 2LL * PATIENCE_S * CLOCK_S,
    };
    struct procfs_group held = {0};
    int ran = watch(bench, &trial, &held);
    outcome->valid = ran == TRIAL_RAN && trial_judge(bench, &trial, TRIAL_ALL_REPLIED);
    memcpy(outcome->why, trial.why, sizeof outcome->why);
    if (ran == TRIAL_RAN) {
        int64_t base_kib = cell->size == 1 ? held.rss_kib : find_base(record, outcome);
        outcome->figure = held.rss_kib;
        if (cell->size > 1)
            outcome->detail = (held.rss_kib - base_kib) * 1024 / (cell->size - 1);
        if (outcome->valid && (base_kib == 0 || held.rss_kib == 0)) {
            outcome->valid = false;
            snprintf(outcome->why, sizeof outcome->why, "%s",
                     held.rss_kib == 0 ? "it was gone before it could be looked at"
                                       : "the same with one request was not measured");
        }
        write_row(csv, &trial, &held, base_kib, outcome);
    }
    trial_free(&trial);
    return ran;
}

/* Writes "threads 8.38 KiB and libevent 2.21 KiB" of the figures, or of the details. */
static void list(const struct record *record, int size, bool detail, FILE *out)
{
    const struct contenders *contenders = &record->bench->contenders;
    char text[REPORT_NUMBER];
    int64_t median;
    int measured = 0;
    for (int i = 0; i < contenders->count; i++)
        measured += report_median(record, i, size, detail, &median);
    for (int i = 0, told = 0; i < contenders->count; i++) {
        if (!report_median(record, i, size, detail, &median))
            continue;
        report_format_decimal(detail ? (double)median / 1024 : (double)median, text);
        report_join(out, told++, measured);
        fprintf(out, "%s %s KiB", contenders->items[i].name, text);
    }
}

static void find(const struct record *record, FILE *out)
{
    char text[REPORT_NUMBER];
    int size = report_telling_size(record, 2);
    if (size > 0) {
        report_format_count(size, text);
        fprintf(out, "At %s waiting requests, each costs ", text);
        list(record, size, true, out);
    } else {
        fputs("The whole program, with one waiting request, takes ", out);
        list(record, 1, false, out);
    }
    fputs(" of resident memory.\n", out);
}

static void format(int64_t figure, char text[EXPERIMENT_TEXT])
{
    report_format_count(figure, text);
}

const struct experiment experiment_footprint = {
    .name = "footprint",
    .question = "what does one waiting request cost?",
    .csv_header = "model,waiting,trial,rss_kib,base_rss_kib,per_request_bytes,threads,"
                  "descriptors,valid,why",
    .sizes = sizes,
    .size_words = "waiting",
    .table_words = "median resident memory of the whole program, in KiB",
    .trials_most = 3,
    .plan = plan,
    .measure = measure,
    .format = format,
    .find = find,
};
