#include "bench/speed.h"

#include "kit/clock.h"
#include "kit/csv.h"

#include <inttypes.h>
#include <string.h>

const char speed_csv_header[] =
    "model,requests,in_flight,latency_ns,trial,position,ok,failed,not_started,wall_ns,"
    "p50_ns,p90_ns,p99_ns,max_ns,user_us,system_us,peak_rss_kib,voluntary_switches,"
    "involuntary_switches,server_cpu_us,valid,why";

enum { FEW = 100 };    /* in flight: with more, 40 ms may go by in the server's queue */

const int speed_sizes[] = {300, 1, 30, 100, 10, 3, 1000, 0};

int64_t speed_together(const struct bench *bench, int size)
{
    (void)size;
    return bench->settings.latency_ns;
}

int64_t speed_one_by_one(const struct bench *bench, int size)
{
    return bench->settings.latency_ns * size;
}

bool speed_plan_at_once(const struct bench *bench, const struct contender *contender,
                        struct cell *cell)
{
    bool alone = contender->one_at_a_time;
    cell->requests = cell->size;
    cell->in_flight = alone ? 1 : cell->size;
    cell->ideal_ns =
        alone ? speed_one_by_one(bench, cell->size) : speed_together(bench, cell->size);
    cell->formula = alone ? "N·L" : "L";
    return true;
}

void speed_path(const struct bench *bench, char path[SPEED_PATH])
{
    snprintf(path, SPEED_PATH, "/delay/%" PRId64 "us?i={i}",
             bench->settings.latency_ns / CLOCK_US);
}

/* A number, or nothing where there is none to tell. */
static void put(FILE *csv, bool known, int64_t value)
{
    if (known)
        fprintf(csv, "%" PRId64, value);
    putc(',', csv);
}

static int64_t microseconds(const struct timeval *time)
{
    return (int64_t)time->tv_sec * 1000000 + time->tv_usec;
}

static void write_row(const struct bench *bench, const struct trial *trial,
                      const struct outcome *outcome, FILE *csv)
{
    const struct summary *summary = &trial->summary;
    const struct rusage *usage = &trial->end.usage;
    bool any_ok = summary->ok > 0;
    csv_text(csv, trial->contender->name);
    fprintf(csv, ",%d,%d,%" PRId64 ",%d,%d,%d,%d,%d,", trial->requests, trial->in_flight,
            bench->settings.latency_ns, outcome->trial, outcome->position, summary->ok,
            summary->failed, summary->not_started);
    put(csv, summary->ok + summary->failed > 0, summary->wall_ns);
    put(csv, any_ok, summary->p50_ns);
    put(csv, any_ok, summary->p90_ns);
    put(csv, any_ok, summary->p99_ns);
    put(csv, any_ok, summary->max_ns);
    fprintf(csv, "%" PRId64 ",%" PRId64 ",%ld,%ld,%ld,", microseconds(&usage->ru_utime),
            microseconds(&usage->ru_stime), usage->ru_maxrss, usage->ru_nvcsw,
            usage->ru_nivcsw);
    put(csv, trial->server_cpu_ns >= 0, trial->server_cpu_ns / CLOCK_US);
    fprintf(csv, "%d,", outcome->valid);
    csv_text(csv, trial->why);
    putc('\n', csv);
}

int speed_measure(struct bench *bench, const struct cell *cell, enum trial_claim claim,
                  FILE *csv, struct outcome *outcome, struct trial *trial)
{
    char path[SPEED_PATH];
    speed_path(bench, path);
    *trial = (struct trial){
        .contender = &bench->contenders.items[cell->contender],
        .requests = cell->requests,
        .in_flight = cell->in_flight,
        .path = path,
        .ideal_ns = cell->ideal_ns,
    };
    int ran = trial_run(bench, trial);
    outcome->valid = ran == TRIAL_RAN && trial_judge(bench, trial, claim);
    memcpy(outcome->why, trial->why, sizeof outcome->why);
    if (ran != TRIAL_RAN)
        return ran;
    write_row(bench, trial, outcome, csv);
    int steps = guards_forty_ms(trial->results, trial->requests);
    if (steps > 0 && trial->in_flight <= FEW)
        bench_say(bench,
                  "warning: %s, %d requests: %d took 40 ms more than the server waited: "
                  "Nagle's algorithm against delayed acknowledgements?",
                  trial->contender->name, trial->requests, steps);
    return ran;
}
