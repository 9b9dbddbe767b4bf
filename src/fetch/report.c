#include "fetch/report.h"

#include "kit/clock.h"
#include "kit/stats.h"
#include "kit/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* The most requests that were in flight at one moment: starts and ends, each sorted, are
   walked together. An end at the very moment of a start comes first. */
static int find_peak(const int64_t *starts, const int64_t *ends, size_t count)
{
    size_t peak = 0, ended = 0;
    for (size_t started = 0; started < count; started++) {
        while (ended < started && ends[ended] <= starts[started])
            ended++;
        if (started + 1 - ended > peak)
            peak = started + 1 - ended;
    }
    return (int)peak;
}

int summarise(const struct workload *workload, const struct result *results,
              struct summary *summary)
{
    size_t count = (size_t)workload->count;
    int64_t *starts = malloc(3 * count * sizeof *starts);
    if (!starts)
        return -ENOMEM;
    int64_t *ends = starts + count;
    int64_t *latencies = ends + count;
    size_t started = 0, ok = 0;
    *summary = (struct summary){0};
    for (size_t i = 0; i < count; i++) {
        const struct result *result = &results[i];
        if (result->error == ECANCELED) {
            summary->not_started++;
            continue;
        }
        starts[started] = result->start_ns;
        ends[started++] = result->end_ns;
        if (result_ok(result))
            latencies[ok++] = result->end_ns - result->start_ns;
        else
            summary->failed++;
    }
    summary->ok = (int)ok;
    stats_sort(starts, started);
    stats_sort(ends, started);
    stats_sort(latencies, ok);
    summary->peak_in_flight = find_peak(starts, ends, started);
    if (started > 0)
        summary->wall_ns = ends[started - 1] - starts[0];
    summary->p50_ns = stats_quantile(latencies, ok, 0.50);
    summary->p90_ns = stats_quantile(latencies, ok, 0.90);
    summary->p99_ns = stats_quantile(latencies, ok, 0.99);
    summary->max_ns = stats_quantile(latencies, ok, 1.00);
    free(starts);
    return 0;
}

/* The delay that the target asks for, where it is the same for every request; else 0. */
static int64_t find_delay(const char *target)
{
    static const char path[] = "/delay/";
    char text[UNITS_TEXT];
    int64_t delay_ns;
    if (strncmp(target, path, strlen(path)) != 0)
        return 0;
    target += strlen(path);
    size_t length = strcspn(target, "?");
    if (length >= sizeof text)
        return 0;
    memcpy(text, target, length);
    text[length] = '\0';
    return units_parse_duration(text, &delay_ns) == 0 ? delay_ns : 0;
}

static void print_time(FILE *out, const struct workload *workload,
                       const struct summary *summary)
{
    char text[UNITS_TEXT], ideal_text[UNITS_TEXT], delay_text[UNITS_TEXT];
    units_format_duration(text, summary->wall_ns);
    fprintf(out, "time        %s", text);
    int64_t delay_ns = find_delay(workload->target);
    int rounds = (workload->count + workload->in_flight - 1) / workload->in_flight;
    if (delay_ns > 0 && delay_ns < INT64_MAX / rounds) {
        units_format_duration(ideal_text, rounds * delay_ns);
        units_format_duration(delay_text, delay_ns);
        fprintf(out, "; the ideal is %s = %d x %s", ideal_text, rounds, delay_text);
        if (summary->ok == workload->count)
            fprintf(out, ", so %.1f %% overhead",
                    ((double)summary->wall_ns / (double)(rounds * delay_ns) - 1) * 100);
    }
    putc('\n', out);
}

static void print_latency(FILE *out, const struct summary *summary)
{
    char p50[UNITS_TEXT], p90[UNITS_TEXT], p99[UNITS_TEXT], max[UNITS_TEXT];
    units_format_duration(p50, summary->p50_ns);
    units_format_duration(p90, summary->p90_ns);
    units_format_duration(p99, summary->p99_ns);
    units_format_duration(max, summary->max_ns);
    fprintf(out, "latency     half within %s, 90 %% within %s, 99 %% within %s, "
            "all within %s\n",
            p50, p90, p99, max);
}

/* Peak resident memory of this program image. Not ru_maxrss of getrusage(2), which keeps
   the peak of the process that started us. */
static long read_peak_kib(void)
{
    long peak_kib = 0;
    char line[128];
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmHWM: %ld", &peak_kib) == 1)
            break;
    if (status)
        fclose(status);
    return peak_kib;
}

static int64_t nanoseconds(const struct timeval *time)
{
    return time->tv_sec * (int64_t)CLOCK_S + time->tv_usec * (int64_t)CLOCK_US;
}

static void print_cost(FILE *out, const struct model *model,
                       const struct summary *summary)
{
    struct rusage own, children;
    getrusage(RUSAGE_SELF, &own);    /* cannot fail: the arguments are right */
    getrusage(RUSAGE_CHILDREN, &children);
    char user[UNITS_TEXT], system[UNITS_TEXT];
    units_format_duration(user,
                          nanoseconds(&own.ru_utime) + nanoseconds(&children.ru_utime));
    units_format_duration(system,
                          nanoseconds(&own.ru_stime) + nanoseconds(&children.ru_stime));
    fprintf(out, "cost        %.1f MiB of memory at the peak, ",
            (double)read_peak_kib() / 1024);
    if (model->process_each)
        fprintf(out, "and up to %.1f MiB in each of %d children,\n",
                (double)children.ru_maxrss / 1024, summary->peak_in_flight);
    else if (model->thread_each)
        fprintf(out, "%d threads (main's and one for each in flight),\n",
                summary->peak_in_flight + 1);
    else
        fprintf(out, "1 thread,\n");
    fprintf(out, "            %s of CPU in user mode and %s in the kernel,\n",
            user, system);
    fprintf(out, "            %ld voluntary context switches (to wait) and "
            "%ld involuntary\n",
            own.ru_nvcsw + children.ru_nvcsw, own.ru_nivcsw + children.ru_nivcsw);
}

void report_print(FILE *out, const struct model *model, const struct workload *workload,
                  const struct summary *summary)
{
    fprintf(out, "%s: %s\n", model->name, model->idea);
    fprintf(out, "http://%s%s\n\n", workload->server.name, workload->target);
    fprintf(out, "requests    %d ok, %d failed, %d never started; at most %d in flight\n",
            summary->ok, summary->failed, summary->not_started, summary->peak_in_flight);
    print_time(out, workload, summary);
    if (summary->ok > 0 && summary->wall_ns > 0) {
        double rate = summary->ok * (double)CLOCK_S / (double)summary->wall_ns;
        fprintf(out, "throughput  %.*f requests a second\n", rate < 100 ? 1 : 0, rate);
        print_latency(out, summary);
    }
    print_cost(out, model, summary);
}

static bool same_reason(const struct result *a, const struct result *b)
{
    return a->error == b->error && (a->error || a->status == b->status);
}

void report_reasons(char *text, size_t size, const struct workload *workload,
                    const struct result *results)
{
    enum { REASONS = 16 };
    struct {
        const struct result *first;
        int                  count;
    } reasons[REASONS];
    int known = 0;
    for (int i = 0; i < workload->count; i++) {
        if (result_ok(&results[i]))
            continue;
        int at = 0;
        while (at < known && !same_reason(reasons[at].first, &results[i]))
            at++;
        if (at == REASONS)
            continue;    /* a seventeenth reason: the screen has said enough */
        if (at == known) {
            reasons[known].first = &results[i];
            reasons[known++].count = 0;
        }
        reasons[at].count++;
    }
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < known && used < size; i++) {
        const struct result *result = reasons[i].first;
        const char *comma = i > 0 ? ", " : "";
        int written =
            result->error
                ? snprintf(text + used, size - used, "%s%d %s (%s)", comma,
                           reasons[i].count, result_error_words(result->error),
                           result_error_name(result->error))
                : snprintf(text + used, size - used, "%s%d answered with HTTP status %d",
                           comma, reasons[i].count, result->status);
        used += (size_t)written;
    }
}
