#include "bench/campaign.h"

#include "bench/report.h"
#include "kit/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIZES_MOST = 16,
    /* What a run costs beside its waits, roughly: a guess rather than a
       measurement, so that the plan follows from the settings alone, on any machine
       and under any load. */
    START_MS = 20,
    REQUEST_US = 50,
    WORDS = 256         /* a list of numbers, in a message */
};

/* Tries each contender at each size; the sizes outside, so that of cells that take the
   same time all of one size are taken before the next. */
static int plan_cells(const struct bench *bench, struct part *part)
{
    const struct contenders *contenders = part->record.contenders;
    size_t most = (size_t)contenders->count * SIZES_MOST;
    part->cells = calloc(most + 1, sizeof *part->cells);
    if (!part->cells)
        return -ENOMEM;
    for (const int *size = part->experiment->sizes; *size; size++) {
        for (int i = 0; i < contenders->count && part->planned < (int)most; i++) {
            const struct contender *contender = &contenders->items[i];
            struct cell *cell = &part->cells[part->planned];
            *cell = (struct cell){.contender = i, .size = *size};
            bool beyond = contender->size_most > 0 && *size > contender->size_most;
            if (beyond || !part->experiment->plan(bench, contender, cell))
                continue;
            cell->cost_ns = cell->ideal_ns + (int64_t)START_MS * CLOCK_MS +
                            (int64_t)cell->requests * REQUEST_US * CLOCK_US;
            part->planned++;
        }
    }
    return 0;
}

static void append(char list[WORDS], const char *word)
{
    size_t used = strlen(list);
    snprintf(list + used, WORDS - used, "%s%s", used ? ", " : "", word);
}

/* Says that none of one contender's cells from `first` on is run, in one line. */
static void say_not_run(struct bench *bench, const struct part *part, int first,
                        int contender)
{
    char sizes[WORDS] = "", ideals[WORDS] = "", budget[REPORT_NUMBER];
    const struct cell *last = NULL;
    for (int i = first; i < part->planned; i++) {
        const struct cell *cell = &part->cells[i];
        char size[REPORT_NUMBER], ideal[REPORT_NUMBER];
        if (cell->contender != contender)
            continue;
        report_format_time(cell->ideal_ns, ideal);
        if (last) {
            report_format_count(last->size, size);
            append(sizes, size);
        }
        if (!last || last->ideal_ns != cell->ideal_ns)
            append(ideals, ideal);
        last = cell;
    }
    if (!last)
        return;
    char size[REPORT_NUMBER];
    report_format_size(part->experiment, last->size, size);
    append(sizes, size);
    report_format_latency(bench->settings.budget_ns, budget);
    bench_say(bench, "not run: %s, %s, %s: %s by %s, and the budget of %s is spent",
              part->experiment->name, part->record.contenders->items[contender].name,
              sizes, ideals, last->formula, budget);
}

/* Takes out the cells that this machine can't run, and says so. */
static void drop_obstructed(struct bench *bench, struct part *part)
{
    int kept = 0;
    for (int i = 0; i < part->planned; i++) {
        struct cell *cell = &part->cells[i];
        if (!cell->obstacle) {
            part->cells[kept++] = *cell;
            continue;
        }
        char size[REPORT_NUMBER];
        report_format_size(part->experiment, cell->size, size);
        bench_say(bench, "not run: %s, %s, %s: %s", part->experiment->name,
                  part->record.contenders->items[cell->contender].name, size,
                  cell->obstacle);
    }
    part->planned = kept;
}

/* Takes as many of the part's cells as its share allows. Returns what that leaves. */
static int64_t spend(struct part *part, int64_t share_ns)
{
    part->share_ns = share_ns;
    part->taken = schedule_choose(part->cells, part->planned, part->trials, share_ns);
    return share_ns - schedule_cost(part->cells, part->taken, part->trials);
}

/* An even share for each, but what one does not want goes to the others: those that want
   least are served first. What the last cell of each then leaves is offered once more. */
static void share_budget(struct campaign *campaign, int64_t budget_ns)
{
    for (int left = campaign->count; left > 0; left--) {
        struct part *least = NULL;
        int64_t least_ns = 0;
        for (int i = 0; i < campaign->count; i++) {
            struct part *part = &campaign->parts[i];
            int64_t wants_ns = schedule_cost(part->cells, part->planned, part->trials);
            if (part->share_ns == 0 && (!least || wants_ns < least_ns)) {
                least = part;
                least_ns = wants_ns;
            }
        }
        int64_t share_ns = budget_ns / left + 1;    /* 0 would be "not served yet" */
        budget_ns += spend(least, share_ns) - share_ns;
    }
    for (int i = 0; i < campaign->count; i++) {
        struct part *part = &campaign->parts[i];
        int64_t spent_ns = schedule_cost(part->cells, part->taken, part->trials);
        budget_ns = spend(part, spent_ns + budget_ns);
    }
}

int campaign_plan(struct bench *bench, struct campaign *campaign)
{
    for (int i = 0; i < campaign->count; i++) {
        struct part *part = &campaign->parts[i];
        int most = part->experiment->trials_most;
        const struct contenders *own = part->experiment->contenders;
        part->record = (struct record){.bench = bench, .experiment = part->experiment,
                                       .contenders = own ? own : &bench->contenders};
        part->trials = bench->settings.trials;
        if (most > 0 && part->trials > most)
            part->trials = most;
        int error = plan_cells(bench, part);
        if (error)
            return bench_fail(bench, error, "plan: %s", strerror(-error));
        drop_obstructed(bench, part);
    }
    share_budget(campaign, bench->settings.budget_ns);
    for (int i = 0; i < campaign->count; i++) {
        struct part *part = &campaign->parts[i];
        for (int contender = 0; contender < part->record.contenders->count; contender++)
            say_not_run(bench, part, part->taken, contender);
        bench->planned += part->taken * (int)part->trials;
    }
    return 0;
}
