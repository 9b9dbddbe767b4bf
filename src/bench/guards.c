#include "bench/guards.h"

#include "kit/clock.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double BUSY = 0.7;         /* of a core, or of the server's ceiling */
static const double LITTLE = 0.05;      /* how far Little's law may be missed */
enum {
    SATURATED = 3,      /* requests for each place in flight, at the least */
    REASONS_MOST = 6
};

/* Adds to why, as much as there is room for. */
__attribute__((format(printf, 2, 3)))
static void append(char why[GUARDS_WHY], const char *form, ...)
{
    size_t used = strlen(why);
    va_list arguments;
    va_start(arguments, form);
    vsnprintf(why + used, GUARDS_WHY - used, form, arguments);
    va_end(arguments);
}

/* What parts a new complaint from the one before, if there is one. */
static const char *parted(const char *why)
{
    return why[0] ? "; " : "";
}

/* One way to fail, and how many did. */
struct reason {
    int error, status, count;
};

/* Counts the failures by reason, the first kind to come first. Returns how many kinds. */
static int count_reasons(const struct evidence *evidence,
                         struct reason reasons[REASONS_MOST])
{
    int kinds = 0;
    for (int i = 0; i < evidence->count; i++) {
        const struct result *result = &evidence->results[i];
        if (result_ok(result) || result->start_ns < 0)
            continue;
        int status = result->error ? 0 : result->status;
        int kind = 0;
        while (kind < kinds && (reasons[kind].error != result->error ||
                                reasons[kind].status != status))
            kind++;
        if (kind == REASONS_MOST)
            continue;    /* the sentence is long enough without it */
        if (kind == kinds)
            reasons[kinds++] = (struct reason){.error = result->error, .status = status};
        reasons[kind].count++;
    }
    return kinds;
}

static void check_failures(const struct evidence *evidence, char why[GUARDS_WHY])
{
    const struct summary *summary = evidence->summary;
    if (summary->failed > 0) {
        struct reason reasons[REASONS_MOST];
        int kinds = count_reasons(evidence, reasons);
        append(why, "%s%d of %d failed: ", parted(why), summary->failed, evidence->count);
        for (int i = 0; i < kinds; i++) {
            const char *comma = i > 0 ? ", " : "";
            if (reasons[i].error)
                append(why, "%s%s %d", comma, result_error_name(reasons[i].error),
                       reasons[i].count);
            else
                append(why, "%sHTTP-%d %d", comma, reasons[i].status, reasons[i].count);
        }
    }
    if (summary->not_started > 0)
        append(why, "%s%d of %d never started", parted(why), summary->not_started,
               evidence->count);
}

/* The counters are the whole machine's, so a neighbour's loss spoils our trial too. */
static void check_listen_queue(const struct evidence *evidence, char why[GUARDS_WHY])
{
    int64_t overflows = evidence->after.overflows - evidence->before.overflows;
    int64_t drops = evidence->after.drops - evidence->before.drops;
    int64_t cookies = evidence->after.cookies - evidence->before.cookies;
    if (overflows || drops || cookies)
        append(why,
               "%sa listen queue of this machine was full: %" PRId64 " overflows, "
               "%" PRId64 " drops, %" PRId64 " SYN cookies",
               parted(why), overflows, drops, cookies);
}

static void check_server(const struct evidence *evidence, char why[GUARDS_WHY])
{
    const struct summary *summary = evidence->summary;
    if (summary->wall_ns <= 0)
        return;
    double wall_ns = (double)summary->wall_ns;
    double busy = (double)evidence->server_cpu_ns / wall_ns;
    double per_s = summary->ok * (double)CLOCK_S / wall_ns;
    if (busy > BUSY)
        append(why, "%sserver-bound: the server's CPU was busy for %.0f %% of the time",
               parted(why), 100 * busy);
    else if (evidence->ceiling_per_s > 0 && per_s > BUSY * evidence->ceiling_per_s)
        append(why, "%sserver-bound: %.0f requests a second, more than 70 %% of the %.0f "
               "that it can do",
               parted(why), per_s, evidence->ceiling_per_s);
}

/* Little's law (1961): the mean number in flight is the rate times the mean time that
   each stays. In a closed loop that is saturated it can only be the number asked for. */
static void check_little(const struct evidence *evidence, char why[GUARDS_WHY])
{
    int in_flight = evidence->in_flight;
    if (!evidence->closed_loop || evidence->count < SATURATED * in_flight)
        return;
    int64_t *starts = malloc((size_t)evidence->count * sizeof *starts);
    if (!starts) {
        append(why, "%sno memory to check Little's law", parted(why));
        return;
    }
    int started = summary_starts(evidence->results, evidence->count, starts);
    if (started > in_flight) {
        double mean = summary_mean_in_flight(evidence->results, evidence->count,
                                             starts[in_flight - 1], starts[started - 1]);
        if (fabs(mean - in_flight) > LITTLE * in_flight)
            append(why,
                   "%sLittle's law: the client kept %.2f of %d in flight, on average",
                   parted(why), mean, in_flight);
    }
    free(starts);
}

bool guards_pass(const struct evidence *evidence, char why[GUARDS_WHY])
{
    why[0] = '\0';
    check_failures(evidence, why);
    check_listen_queue(evidence, why);
    check_server(evidence, why);
    if (evidence->summary->peak_in_flight > evidence->in_flight)
        append(why, "%s%d in flight at once, where %d were asked", parted(why),
               evidence->summary->peak_in_flight, evidence->in_flight);
    check_little(evidence, why);
    return why[0] == '\0';
}

int guards_forty_ms(const struct result *results, int count)
{
    enum { CENTRE_MS = 40, HALF_MS = 3, ENOUGH = 10 };
    int below = 0, among = 0, above = 0, ok = 0;
    for (int i = 0; i < count; i++) {
        const struct result *result = &results[i];
        if (!result_ok(result))
            continue;
        int64_t excess_ns = result->end_ns - result->start_ns - result->server_wait_ns;
        double off = (double)excess_ns / CLOCK_MS - CENTRE_MS;
        below += off >= -3 * HALF_MS && off < -HALF_MS;
        among += off >= -HALF_MS && off <= HALF_MS;
        above += off > HALF_MS && off <= 3 * HALF_MS;
        ok++;
    }
    return ok >= ENOUGH && among * 10 > ok && among > below + above ? among : 0;
}
