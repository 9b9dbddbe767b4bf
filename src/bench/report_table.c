#include "bench/report.h"

#include "kit/array.h"

#include <string.h>

enum { SIZES_MOST = 16, CELL = 64, GAP = 2 };

/* Row 0 has the heads, then comes one for each contender, then theory. */
struct table {
    const struct record *record;
    int                  sizes[SIZES_MOST];    /* that were measured, smallest first */
    int                  columns;
    const struct theory *theory[LENGTH(((struct experiment *)0)->theory)];
    int                  rows;
};

static void find_sizes(struct table *table)
{
    int last = 0;
    do {
        int next = 0;
        for (int i = 0; i < table->record->count; i++) {
            int size = table->record->outcomes[i].size;
            if (size > last && (next == 0 || size < next))
                next = size;
        }
        if (next == 0)
            return;
        table->sizes[table->columns++] = last = next;
    } while (table->columns < SIZES_MOST);
}

/* Those that are of interest beside these contenders. */
static int find_theory(struct table *table)
{
    const struct contenders *contenders = table->record->contenders;
    bool alone = false;
    for (int i = 0; i < contenders->count; i++)
        alone = alone || contenders->items[i].one_at_a_time;
    int found = 0;
    for (size_t i = 0; i < LENGTH(table->theory); i++) {
        const struct theory *theory = &table->record->experiment->theory[i];
        if (theory->label && (alone || !theory->one_at_a_time))
            table->theory[found++] = theory;
    }
    return found;
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

static void write_name(const struct table *table, int row, char text[CELL])
{
    const struct contenders *contenders = table->record->contenders;
    const char *name = table->record->experiment->size_words;
    if (row > contenders->count)
        name = table->theory[row - contenders->count - 1]->label;
    else if (row > 0)
        name = contenders->items[row - 1].name;
    snprintf(text, CELL, "%s", name);
}

static void write_figure(const struct table *table, int row, int size, char text[CELL])
{
    const struct record *record = table->record;
    int contenders = record->contenders->count;
    int64_t figure;
    if (row == 0)
        report_format_count(size, text);
    else if (row > contenders)
        record->experiment->format(
            table->theory[row - contenders - 1]->at(record->bench, size), text);
    else if (report_median(record, row - 1, size, false, &figure))
        record->experiment->format(figure, text);
    else
        snprintf(text, CELL, "%s", find_reason(record, row - 1, size));
}

/* Column -1 has the names. */
static void write_cell(const struct table *table, int row, int column, char text[CELL])
{
    if (column < 0)
        write_name(table, row, text);
    else
        write_figure(table, row, table->sizes[column], text);
}

/* In characters. printf(3) would count bytes: "N·L" has four. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}

static int find_width(const struct table *table, int column)
{
    char text[CELL];
    int widest = 0;
    for (int row = 0; row < table->rows; row++) {
        write_cell(table, row, column, text);
        int width = width_of(text);
        widest = width > widest ? width : widest;
    }
    return widest;
}

void report_table(const struct record *record)
{
    const struct experiment *experiment = record->experiment;
    struct table table = {.record = record};
    char text[CELL];
    find_sizes(&table);
    table.rows = 1 + record->contenders->count + find_theory(&table);
    printf("\n%s: %s\n%s, valid trials only\n\n", experiment->name, experiment->question,
           experiment->table_words);
    int names = find_width(&table, -1);
    for (int row = 0; row < table.rows; row++) {
        write_cell(&table, row, -1, text);
        printf("%s%*s", text, names - width_of(text), "");
        for (int column = 0; column < table.columns; column++) {
            write_cell(&table, row, column, text);
            int before = GAP + find_width(&table, column) - width_of(text);
            printf("%*s%s", before, "", text);
        }
        putchar('\n');
    }
    fflush(stdout);
}
