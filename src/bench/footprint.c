/* footprint: what does one waiting request cost? K requests stand at a gate that opens
   for K + 1. While they wait, /proc tells what their program holds, and what the kernel
   does for it; then bench itself comes as the last one, and the gate opens. */
#include "bench/cost.h"
#include "bench/report.h"

#include "kit/clock.h"
#include "kit/csv.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

enum {
    OTHERS = 100,          /* descriptors that a program has beside its connections */
    PROCESSES = 1000,      /* as many as a small machine bears, and more tell no more */
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
    if (contender->process_each && cell->size > PROCESSES)
        cell->obstacle = "1,000 processes are enough to ask of a machine";
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

/* What is found while they wait. */
struct look {
    struct procfs_group held;
    int64_t             kib[COST_PARTS];
};

/* Lets them gather, looks at them, and opens the gate. */
static int watch(struct bench *bench, struct trial *trial, struct look *look)
{
    struct procfs_kernel before = cost_begin();
    pid_t group = trial_start(bench, trial);
    if (group < 0)
        return (int)group;
    int64_t deadline_ns = clock_ns() + (int64_t)PATIENCE_S * CLOCK_S;
    char reply[TARGET_REPLY];
    if (gather(bench, trial)) {
        struct procfs_kernel now = procfs_kernel();    /* first: the next makes inodes */
        procfs_group(group, &look->held);    /* zeros where it has just died: will show */
        cost_split(&look->held, &before, &now, look->kib);
        target_get(&bench->target, trial->path, deadline_ns, reply);    /* and this too */
    }
    return trial_finish(bench, trial);
}

/* The outcome of the same contender with one request in the same trial, or NULL. */
static const struct outcome *find_base(const struct record *record,
                                       const struct outcome *outcome)
{
    for (int i = 0; i < record->count; i++) {
        const struct outcome *other = &record->outcomes[i];
        if (other->size == 1 && other->contender == outcome->contender &&
            other->trial == outcome->trial && other->valid)
            return other;
    }
    return NULL;
}

static void refuse(struct outcome *outcome, const char *why)
{
    if (!outcome->valid)
        return;    /* it has a reason already */
    outcome->valid = false;
    snprintf(outcome->why, sizeof outcome->why, "%s", why);
}

/* Figure and detail are the whole and the PSS, in bytes: of the program with one request,
   of each request with more. Fills each with zeros where that is not known. */
static void weigh(struct outcome *outcome, const struct outcome *base,
                  int64_t each[COST_PARTS])
{
    memset(each, 0, COST_PARTS * sizeof *each);
    if (outcome->parts[COST_RESIDENT] == 0)
        refuse(outcome, "it was gone before it could be looked at");
    else if (outcome->parts[COST_PSS] == 0)
        refuse(outcome, "the kernel does not tell its PSS (smaps_rollup)");
    if (outcome->size == 1) {
        outcome->figure = cost_whole(outcome->parts) * 1024;
        outcome->detail = outcome->parts[COST_PSS] * 1024;
    } else if (base) {
        cost_each(outcome->parts, base->parts, outcome->size, each);
        outcome->figure = cost_whole(each);
        outcome->detail = each[COST_PSS];
    } else {
        refuse(outcome, "the same with one request was not measured");
    }
}

static void write_numbers(FILE *csv, const int64_t *numbers, int count, bool known)
{
    for (int i = 0; i < count; i++) {
        putc(',', csv);
        if (known)
            fprintf(csv, "%" PRId64, numbers[i]);
    }
}

static void write_row(FILE *csv, const struct trial *trial, const struct look *look,
                      const struct outcome *base, const int64_t each[COST_PARTS],
                      const struct outcome *outcome)
{
    bool beyond = base && outcome->size > 1;
    csv_text(csv, trial->contender->name);
    fprintf(csv, ",%d,%d", outcome->size, outcome->trial);
    write_numbers(csv, &look->kib[COST_RESIDENT], 1, true);
    write_numbers(csv, base ? &base->parts[COST_RESIDENT] : NULL, 1, base != NULL);
    write_numbers(csv, &each[COST_RESIDENT], 1, beyond);
    write_numbers(csv, &look->held.threads, 1, true);
    write_numbers(csv, &look->held.descriptors, 1, true);
    write_numbers(csv, &look->kib[COST_PSS], COST_PARTS - COST_PSS, true);
    write_numbers(csv, &each[COST_PSS], COST_PARTS - COST_PSS, beyond);
    write_numbers(csv, &outcome->figure, 1, beyond);
    fprintf(csv, ",%d,", outcome->valid);
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
    struct look look = {.kib = {0}};
    int ran = watch(bench, &trial, &look);
    outcome->valid = ran == TRIAL_RAN && trial_judge(bench, &trial, TRIAL_ALL_REPLIED);
    memcpy(outcome->why, trial.why, sizeof outcome->why);
    memcpy(outcome->parts, look.kib, sizeof look.kib);
    if (ran == TRIAL_RAN) {
        bool alone = cell->size == 1;
        const struct outcome *base = alone ? outcome : find_base(record, outcome);
        int64_t each[COST_PARTS];
        weigh(outcome, base, each);
        write_row(csv, &trial, &look, base, each, outcome);
    }
    trial_free(&trial);
    return ran;
}

static void format(int64_t bytes, char text[EXPERIMENT_TEXT])
{
    report_format_decimal((double)bytes / 1024, text);
}

/* Writes "threads 42.0 KiB (8.38 its own) and libevent 10.8 KiB (2.37 its own)". */
static void list(const struct record *record, int size, FILE *out)
{
    const struct contenders *contenders = record->contenders;
    char whole[EXPERIMENT_TEXT], own[EXPERIMENT_TEXT];
    int64_t median;
    int measured = 0;
    for (int i = 0; i < contenders->count; i++)
        measured += report_median(record, i, size, false, &median);
    for (int i = 0, told = 0; i < contenders->count; i++) {
        if (!report_median(record, i, size, false, &median))
            continue;
        format(median, whole);
        report_median(record, i, size, true, &median);
        format(median, own);
        report_join(out, told++, measured);
        fprintf(out, "%s %s KiB (%s its own)", contenders->items[i].name, whole, own);
    }
}

static void find(const struct record *record, FILE *out)
{
    char text[REPORT_NUMBER];
    int size = report_telling_size(record, 2);
    if (size > 0) {
        report_format_count(size, text);
        fprintf(out, "At %s waiting requests, each costs ", text);
    } else {
        fputs("The whole program, with one waiting request, costs ", out);
    }
    list(record, size > 0 ? size : 1, out);
    fputs("; the rest is the kernel's: page tables, stacks, and sockets at both ends.\n",
          out);
}

const struct experiment experiment_footprint = {
    .name = "footprint",
    .question = "what does one waiting request cost?",
    .csv_header = "model,waiting,trial,rss_kib,base_rss_kib,per_request_bytes,threads,"
                  "descriptors,pss_kib,page_tables_kib,kernel_stacks_kib,slab_kib,"
                  "each_pss_bytes,each_page_tables_bytes,each_kernel_stacks_bytes,"
                  "each_slab_bytes,each_whole_bytes,valid,why",
    .sizes = sizes,
    .size_words = "waiting",
    .table_words = "median KiB for each waiting request, the kernel's share included "
                   "(at 1: of the program; at 100: much noise)",
    .trials_most = 3,
    .plan = plan,
    .measure = measure,
    .format = format,
    .find = find,
};
