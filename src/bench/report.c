#include "bench/report.h"

#include "kit/array.h"
#include "kit/clock.h"
#include "kit/stats.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN = 12 };

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
    const struct contenders *contenders = &record->bench->contenders;
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

/* Prints text at the right of a column. printf(3) would count bytes: "N·L" has four. */
static void put_cell(const char *text)
{
    int width = 0;
    for (const char *byte = text; *byte; byte++)
        width += (*byte & 0xc0) != 0x80;
    printf("%*s%s", width < COLUMN ? COLUMN - width : 1, "", text);
}

/* What stands in the table for a cell with no median: it was refused, or never run. */
static const char *find_reason(const struct record *record, int contender, int size)
{
    for (const struct outcome *each = record->outcomes;
         each < record->outcomes + record->count; each++)
        if (each->contender == contender && each->size == size)
            return "invalid";
    return "-";
}

static bool has_theory(const struct record *record, const struct theory *theory)
{
    const struct contenders *contenders = &record->bench->contenders;
    bool any = false;
    for (int i = 0; i < contenders->count; i++)
        any = any || contenders->items[i].one_at_a_time;
    return theory->label && (any || !theory->one_at_a_time);
}

static void print_row(const struct record *record, int size)
{
    const struct experiment *experiment = record->experiment;
    char text[EXPERIMENT_TEXT];
    report_format_count(size, text);
    put_cell(text);
    for (int i = 0; i < record->bench->contenders.count; i++) {
        int64_t median;
        bool known = report_median(record, i, size, false, &median);
        if (known)
            experiment->format(median, text);
        put_cell(known ? text : find_reason(record, i, size));
    }
    for (size_t i = 0; i < LENGTH(experiment->theory); i++) {
        if (!has_theory(record, &experiment->theory[i]))
            continue;
        experiment->format(experiment->theory[i].at(record->bench, size), text);
        put_cell(text);
    }
    putchar('\n');
}

void report_table(const struct record *record)
{
    const struct experiment *experiment = record->experiment;
    printf("\n%s: %s\n%s, valid trials only\n\n", experiment->name, experiment->question,
           experiment->table_words);
    put_cell(experiment->size_words);
    for (int i = 0; i < record->bench->contenders.count; i++)
        put_cell(record->bench->contenders.items[i].name);
    for (size_t i = 0; i < LENGTH(experiment->theory); i++)
        if (has_theory(record, &experiment->theory[i]))
            put_cell(experiment->theory[i].label);
    putchar('\n');
    int last = 0;
    for (;;) {    /* the sizes in their own order, those that were measured */
        int next = 0;
        for (int i = 0; i < record->count; i++) {
            int size = record->outcomes[i].size;
            if (size > last && (next == 0 || size < next))
                next = size;
        }
        if (next == 0)
            break;
        print_row(record, next);
        last = next;
    }
    fflush(stdout);
}
