#include "bench/report.h"

#include "kit/clock.h"
#include "kit/stats.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void report_format_count(int64_t count, char text[REPORT_NUMBER])
{
    char digits[REPORT_NUMBER];
    int length = snprintf(digits, sizeof digits, "%" PRId64, count);
    int used = 0;
    for (int i = 0; i < length && used < REPORT_NUMBER - 2; i++) {
        text[used++] = digits[i];
        int after = length - 1 - i;
        if (after > 0 && after % 3 == 0)
            text[used++] = ',';
    }
    text[used] = '\0';
}

void report_format_size(const struct experiment *experiment, int size,
                        char text[REPORT_NUMBER])
{
    const char *words = experiment->size_words;
    size_t length = strlen(words);
    if (size == 1 && words[length - 1] == 's')
        length--;
    report_format_count(size, text);
    size_t used = strlen(text);
    snprintf(text + used, REPORT_NUMBER - used, " %.*s", (int)length, words);
}

void report_format_decimal(double value, char text[REPORT_NUMBER])
{
    if (value >= 99.95)
        report_format_count(llround(value), text);
    else
        snprintf(text, REPORT_NUMBER, "%.*f",
                 value >= 9.995 ? 1 : value >= 0.9995 ? 2 : 3, value);
}

void report_format_time(int64_t ns, char text[REPORT_NUMBER])
{
    bool small = ns < CLOCK_S / 10;
    report_format_decimal((double)ns / (small ? CLOCK_MS : CLOCK_S), text);
    strcat(text, small ? " ms" : " s");    /* a number leaves room enough */
}

void report_format_latency(int64_t ns, char text[REPORT_NUMBER])
{
    bool small = ns < CLOCK_S;
    snprintf(text, REPORT_NUMBER, "%g %s", (double)ns / (small ? CLOCK_MS : CLOCK_S),
             small ? "ms" : "s");
}

bool report_median(const struct record *record, int contender, int size, bool detail,
                   int64_t *median)
{
    int64_t *values = malloc((size_t)(record->count + 1) * sizeof *values);
    size_t valid = 0, all = 0;
    for (int i = 0; values && i < record->count; i++) {
        const struct outcome *outcome = &record->outcomes[i];
        if (outcome->contender != contender || outcome->size != size)
            continue;
        all++;
        if (outcome->valid)
            values[valid++] = detail ? outcome->detail : outcome->figure;
    }
    if (values)
        stats_sort(values, valid);
    *median = stats_median(values, valid);
    free(values);
    return valid * 2 > all;
}

/* How much a size tells: contenders of many in flight count, the others break no tie. */
static int count_telling(const struct record *record, int size)
{
    const struct contenders *contenders = record->contenders;
    int score = 0;
    int64_t median;
    for (int i = 0; i < contenders->count; i++)
        if (report_median(record, i, size, false, &median))
            score += contenders->items[i].one_at_a_time ? 0 : CONTENDERS_MOST;
    for (int i = 0; score == 0 && i < contenders->count; i++)
        score = report_median(record, i, size, false, &median);
    return score;
}

int report_telling_size(const struct record *record, int least)
{
    int best = 0;
    int best_score = 0;
    for (const int *size = record->experiment->sizes; *size; size++) {
        int score = *size >= least ? count_telling(record, *size) : 0;
        if (score > best_score || (score > 0 && score == best_score && *size > best)) {
            best = *size;
            best_score = score;
        }
    }
    return best;
}

void report_join(FILE *out, int i, int count)
{
    fputs(i == 0 ? "" : i == count - 1 ? " and " : ", ", out);
}
