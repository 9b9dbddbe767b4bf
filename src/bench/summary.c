#include "bench/summary.h"

#include "kit/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { UNREAD = -1 };    /* in `error`, which is never negative in a file */

/* Takes one row. Returns NULL, or what is wrong with it. */
static const char *take_row(char *line, struct result *results, int count, int *request)
{
    struct result row;
    *request = -1;
    if (result_read(line, request, &row) != 0)
        return "is not a row of requests.csv";
    if (*request >= count)
        return "was never asked for";
    if (results[*request].error != UNREAD)
        return "has two rows";
    if (row.start_ns < 0 && row.error == 0)
        return "never started, and has no error";
    if (row.start_ns >= 0 && row.end_ns < row.start_ns)
        return "started, but has no end after that";
    results[*request] = row;
    return NULL;
}

static int read_rows(FILE *file, struct result *results, int count, char why[SUMMARY_WHY])
{
    char *line = NULL;
    size_t size = 0;
    const char *wrong = NULL;
    int request = 0;
    int rows = 0;
    bool headed = getline(&line, &size, file) > 0;
    if (headed) {
        line[strcspn(line, "\r\n")] = '\0';
        headed = strcmp(line, result_csv_header) == 0;
    }
    if (!headed) {
        snprintf(why, SUMMARY_WHY, "its -o has not the header of requests.csv");
        free(line);
        return -EINVAL;
    }
    while (!wrong && getline(&line, &size, file) > 0) {
        wrong = take_row(line, results, count, &request);
        rows++;
    }
    free(line);
    if (wrong && request < 0)
        snprintf(why, SUMMARY_WHY, "line %d of its -o %s", rows + 1, wrong);
    else if (wrong)
        snprintf(why, SUMMARY_WHY, "in its -o, request %d %s", request, wrong);
    return wrong ? -EINVAL : 0;
}

int summary_read(const char *path, struct result *results, int count,
                 char why[SUMMARY_WHY])
{
    for (int i = 0; i < count; i++)
        results[i] = (struct result){.error = UNREAD};
    FILE *file = fopen(path, "re");
    if (!file) {
        snprintf(why, SUMMARY_WHY, "it wrote no requests.csv: %s", strerror(errno));
        return -EINVAL;
    }
    int error = read_rows(file, results, count, why);
    fclose(file);
    for (int i = 0; !error && i < count; i++) {
        if (results[i].error == UNREAD) {
            snprintf(why, SUMMARY_WHY, "in its -o, request %d of %d has no row", i,
                     count);
            error = -EINVAL;
        }
    }
    return error;
}

int summary_starts(const struct result *results, int count, int64_t *starts)
{
    int started = 0;
    for (int i = 0; i < count; i++)
        if (results[i].start_ns >= 0)
            starts[started++] = results[i].start_ns;
    stats_sort(starts, (size_t)started);
    return started;
}

/* Walks along the starts and the ends, both in order of time. Who starts at the moment at
   which another ends comes after it: that is one after the other. */
static int find_peak(const int64_t *starts, const int64_t *ends, int count)
{
    int peak = 0;
    int ended = 0;
    for (int started = 0; started < count; started++) {
        while (ends[ended] <= starts[started] && ended < started)
            ended++;
        if (started + 1 - ended > peak)
            peak = started + 1 - ended;
    }
    return peak;
}

int summary_make(const struct result *results, int count, struct summary *summary)
{
    size_t size = (size_t)count * sizeof(int64_t);
    int64_t *starts = malloc(size);
    int64_t *ends = malloc(size);
    int64_t *times = malloc(size);
    *summary = (struct summary){0};
    int started = 0;
    for (int i = 0; starts && ends && times && i < count; i++) {
        if (result_ok(&results[i]))
            times[summary->ok++] = results[i].end_ns - results[i].start_ns;
        else if (results[i].start_ns >= 0)
            summary->failed++;
        else
            summary->not_started++;
        if (results[i].start_ns >= 0)
            ends[started++] = results[i].end_ns;
    }
    if (started > 0) {
        stats_sort(ends, (size_t)started);
        summary_starts(results, count, starts);
        summary->wall_ns = ends[started - 1] - starts[0];
        summary->peak_in_flight = find_peak(starts, ends, started);
        size_t ok = (size_t)summary->ok;
        stats_sort(times, ok);
        summary->p50_ns = stats_quantile(times, ok, 0.5);
        summary->p90_ns = stats_quantile(times, ok, 0.9);
        summary->p99_ns = stats_quantile(times, ok, 0.99);
        summary->max_ns = stats_quantile(times, ok, 1);
    }
    int error = starts && ends && times ? 0 : -ENOMEM;
    free(starts);
    free(ends);
    free(times);
    return error;
}

double summary_mean_in_flight(const struct result *results, int count, int64_t from_ns,
                              int64_t to_ns)
{
    int64_t together_ns = 0;
    for (int i = 0; i < count; i++) {
        int64_t from = results[i].start_ns > from_ns ? results[i].start_ns : from_ns;
        int64_t to = results[i].end_ns < to_ns ? results[i].end_ns : to_ns;
        if (results[i].start_ns >= 0 && to > from)
            together_ns += to - from;
    }
    return to_ns > from_ns ? (double)together_ns / (double)(to_ns - from_ns) : 0;
}
