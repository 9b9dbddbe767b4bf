#include "bench/warmup.h"

#include "bench/trial.h"
#include "kit/clock.h"

#include <string.h>

enum { FEW = 3, MANY = 2000, MANY_IN_FLIGHT = 100, TRIES = 3 };

/* Three requests of 50 ms: enough to see whether they overlap. */
static int warm_up(struct bench *bench, struct contender *contender, bool *able)
{
    struct trial trial = {
        .contender = contender,
        .requests = FEW,
        .in_flight = FEW,
        .path = "/delay/50ms",
        .ideal_ns = FEW * 50LL * CLOCK_MS,
    };
    int ran = trial_run(bench, &trial);
    *able = ran == TRIAL_RAN;
    if (ran == TRIAL_UNABLE)
        bench_say(bench, "could not run: %s: %s", contender->name, trial.why);
    if (*able && contender->command && trial.summary.ok == FEW)
        contender->one_at_a_time = trial.summary.peak_in_flight == 1;
    trial_free(&trial);
    return ran < 0 ? ran : 0;
}

int warmup_contenders(struct bench *bench)
{
    struct contenders *contenders = &bench->contenders;
    for (int i = 0; i < contenders->count;) {
        struct contender *contender = &contenders->items[i];
        bool able = contender->unavailable == NULL;
        if (!able) {
            bench_say(bench, "passed over: %s: %s", contender->name,
                      contender->unavailable);
            bench->amiss += contender->named;    /* else nobody has asked for it */
        } else {
            int error = warm_up(bench, contender, &able);
            if (error)
                return error;
            bench->amiss += !able;
        }
        if (able)
            i++;
        else
            contenders_remove(contenders, i);
    }
    return 0;
}

/* The loop of libevent costs the least; else the first who can wait for more than one. */
static const struct contender *choose(const struct contenders *contenders)
{
    const struct contender *chosen = NULL;
    for (int i = contenders->count - 1; i >= 0; i--)
        if (!contenders->items[i].one_at_a_time)
            chosen = &contenders->items[i];
    for (int i = 0; i < contenders->count; i++)
        if (strcmp(contenders->items[i].name, "libevent") == 0)
            chosen = &contenders->items[i];
    return chosen;
}

/* Runs once without any wait. Returns 0 or -errno; takes the rate if it
   is the highest. */
static int try_ceiling(struct bench *bench, const struct contender *contender)
{
    struct trial trial = {
        .contender = contender,
        .requests = MANY,
        .in_flight = MANY_IN_FLIGHT,
        .path = "/delay/0",
    };
    int ran = trial_run(bench, &trial);
    if (ran == TRIAL_RAN && trial.summary.ok == MANY) {
        double per_s = MANY * (double)CLOCK_S / (double)trial.summary.wall_ns;
        if (per_s > bench->ceiling_per_s)
            bench->ceiling_per_s = per_s;
    }
    trial_free(&trial);
    return ran < 0 ? ran : 0;
}

int warmup_ceiling(struct bench *bench)
{
    const struct contender *contender = choose(&bench->contenders);
    if (!contender)
        return 0;    /* one at a time does not come near the server's limit */
    int error = 0;
    int tries = contender->command ? 1 : TRIES;    /* another's program may be slow */
    /* A neighbour can only make it look lower. */
    for (int i = 0; !error && i < tries; i++)
        error = try_ceiling(bench, contender);
    if (!error && bench->ceiling_per_s == 0)
        bench_say(bench, "the server's ceiling could not be measured: %s, %d requests",
                  contender->name, MANY);
    return error;
}
