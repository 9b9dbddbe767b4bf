#include "bench/campaign.h"

#include "bench/report.h"
#include "kit/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SIZES_MOST = 16, REQUEST_US = 50 };    /* what a request costs beside its wait */

/* Tries each contender at each size; the sizes outside, so that of cells that take the
   same time all of one size are taken before the next. */
static int plan_cells(const struct bench *bench, struct part *part)
{
    const struct contenders *contenders = &bench->contenders;
    size_t most = (size_t)contenders->count * SIZES_MOST;
    part->cells = calloc(most + 1, sizeof *part->cells);
    if (!part->cells)
        return -ENOMEM;
    for (const int *size = part->experiment->sizes; *size; size++) {
        for (int i = 0; i < contenders->count && part->planned < (int)most; i++) {
            const struct contender *contender = &contenders->items[i];
            struct cell *cell = &part->cells[part->planned];
            *cell = (struct cell){.contender = i, .size = *size};
            if (!part->experiment->plan(bench, contender, cell))
                continue;
            cell->cost_ns = cell->ideal_ns + contender->start_cost_ns +
                            (int64_t)cell->requests * REQUEST_US * CLOCK_US;
            part->planned++;
        }
    }
    return 0;
}

/* Says that cell `first` and those after it of the same size and ideal time are not run.
   Returns the number of the first one that is another. */
static int say_not_run(struct bench *bench, const struct part *part, int first,
                       const char *why)
{
    const struct cell *cell = &part->cells[first];
    char size[REPORT_NUMBER], ideal[REPORT_NUMBER], names[256] = "";
    int next = first;
    for (; next < part->planned && part->cells[next].size == cell->size &&
           part->cells[next].ideal_ns == cell->ideal_ns; next++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                 bench->contenders.items[part->cells[next].contender].name);
    }
    report_format_size(part->experiment, cell->size, size);
    report_format_time(cell->ideal_ns, ideal);
    bench_say(bench, "not run: %s, %s, %s: %s by %s, %s", part->experiment->name, size,
              names, ideal, cell->formula, why);
    return next;
}

/* Takes out the cells that this machine can't run, and says so. An obstacle is a matter
   of size, and cells of one size stand together still. */
static void drop_obstructed(struct bench *bench, struct part *part)
{
    int kept = 0;
    for (int i = 0; i < part->planned; i++) {
        if (!part->cells[i].obstacle)
            part->cells[kept++] = part->cells[i];
        else if (i == 0 || part->cells[i - 1].size != part->cells[i].size)
            say_not_run(bench, part, i, part->cells[i].obstacle);
    }
    part->planned = kept;
}

/* An even share for each, but what one does not want goes to the others: those that want
   least are served first. */
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
        least->share_ns = budget_ns / left + 1;    /* 0 would be "not served yet" */
        least->taken = schedule_choose(least->cells, least->planned, least->trials,
                                       least->share_ns);
        budget_ns -= schedule_cost(least->cells, least->taken, least->trials);
    }
}

int campaign_plan(struct bench *bench, struct campaign *campaign)
{
    for (int i = 0; i < campaign->count; i++) {
        struct part *part = &campaign->parts[i];
        int most = part->experiment->trials_most;
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
        char share[REPORT_NUMBER], why[96];
        report_format_time(part->share_ns, share);
        snprintf(why, sizeof why, "%d trial%s beyond its %s of the budget",
                 (int)part->trials, part->trials == 1 ? " is" : "s are", share);
        for (int cell = part->taken; cell < part->planned;)
            cell = say_not_run(bench, part, cell, why);
        bench->planned += part->taken * (int)part->trials;
    }
    return 0;
}
