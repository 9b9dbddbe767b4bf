#include "whowaits/report.h"

#include "kit/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Threads of one name that do the same: a row of the table. */
struct row {
    const struct roll_thread *like;
    int                       threads;
    int64_t                   woke, cpu_ns;    /* over the pause, together */
};

struct table {
    struct row *rows;
    int         count;
    int64_t     woke, cpu_ns;
};

static const char *format_call(const struct roll_thread *thread)
{
    if (thread->call.kind == CALL_HIDDEN)
        return "?";
    if (roll_asleep(thread))
        return thread->call.name;
    return thread->state == 'T' ? "(stopped)" : "(runs)";
}

static bool is_like(const struct roll_thread *a, const struct roll_thread *b)
{
    return strcmp(a->name, b->name) == 0 && a->watched == b->watched &&
           strcmp(format_call(a), format_call(b)) == 0;
}

static void count_thread(struct table *table, const struct roll_thread *before,
                         const struct roll_thread *thread)
{
    int i = 0;
    while (i < table->count && !is_like(table->rows[i].like, thread))
        i++;
    if (i == table->count)
        table->rows[table->count++] = (struct row){.like = thread};
    struct row *row = &table->rows[i];
    row->threads++;
    if (before) {
        row->woke += thread->woke - before->woke;
        row->cpu_ns += thread->cpu_ns - before->cpu_ns;
        table->woke += thread->woke - before->woke;
        table->cpu_ns += thread->cpu_ns - before->cpu_ns;
    }
}

/* Those that wait for the gate first. */
static int compare(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    int watched = right->like->watched - left->like->watched;
    return watched ? watched : right->threads - left->threads;
}

/* The caller frees the rows; there are none where there is no memory. */
static void make_table(struct table *table, const struct watch *watch)
{
    const struct roll *roll = &watch->after;
    *table = (struct table){.rows = calloc((size_t)roll->count + 1, sizeof *table->rows)};
    for (int i = 0; i < roll->count && table->rows; i++)
        count_thread(table, roll_find(&watch->before, roll->threads[i].tid),
                     &roll->threads[i]);
    if (table->rows)
        qsort(table->rows, (size_t)table->count, sizeof *table->rows, compare);
}

static void print_row(FILE *out, const struct row *row)
{
    char sockets[32] = "-";
    int watched = row->like->watched;
    if (watched > 0)
        snprintf(sockets, sizeof sockets, row->threads > 1 ? "%d each" : "%d", watched);
    fprintf(out, "  %7d  %-15s  %-15s  %-11s  %5" PRId64 "  %5" PRId64 " ms\n",
            row->threads, row->like->name, format_call(row->like), sockets, row->woke,
            row->cpu_ns / CLOCK_MS);
}

void report_text(FILE *out, const struct watch *watch, const struct verdict *verdict)
{
    const struct evidence *e = &watch->evidence;
    const struct roll *roll = &watch->after;
    struct table table;
    make_table(&table, watch);
    fprintf(out,
            "%d of %d requests stood at the gate. What /proc told over %" PRId64
            " ms:\n\n",
            e->at_gate, e->asked, watch->pause_ns / CLOCK_MS);
    fprintf(out, "  %7s  %-15s  %-15s  %-11s  %5s  %8s\n", "threads", "named",
            "asleep in", "for sockets", "woke", "CPU");
    for (int i = 0; i < table.count; i++)
        print_row(out, &table.rows[i]);
    fprintf(out, "\n  processes %d, threads %d, sockets to the gate %d, resident %" PRId64
            " KiB\n", e->processes, e->threads, e->sockets, roll->rss_kib);
    if (e->order == ORDER_READ)
        fputs("  the last to come was answered first, and that answer was read first\n",
              out);
    if (e->order == ORDER_UNREAD)
        fputs("  the last to come was answered first, and that answer was left unread\n",
              out);
    fprintf(out, "\nwho waits: %s\nhow many at once: %s\n", verdict->who_words,
            verdict->how_many_words);
    free(table.rows);
}

/* Writes text in quotes: a thread may have any name. */
static void print_string(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
            fprintf(out, "\\u%04x", (unsigned char)*text);
        else
            putc(*text, out);
    putc('"', out);
}

static void print_pair(FILE *out, const char *key, const char *text)
{
    fprintf(out, ",\"%s\":", key);
    print_string(out, text);
}

static void print_rows(FILE *out, const struct table *table)
{
    fputs(",\"rows\":[", out);
    for (int i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        fprintf(out, "%s{\"threads\":%d", i ? "," : "", row->threads);
        print_pair(out, "named", row->like->name);
        print_pair(out, "call", format_call(row->like));
        fprintf(out, ",\"sockets\":%d,\"woke\":%" PRId64 ",\"cpu_us\":%" PRId64 "}",
                row->like->watched, row->woke, row->cpu_ns / CLOCK_US);
    }
    putc(']', out);
}

void report_json(FILE *out, const struct watch *watch, const struct verdict *verdict)
{
    static const char *const orders[] = {"not tried", "read", "unread"};
    static const char *const nexts[] = {"none", "somehow", "same", "threads",
                                        "processes"};
    const struct evidence *e = &watch->evidence;
    struct table table;
    make_table(&table, watch);
    fprintf(out,
            "{\"asked\":%d,\"at_gate\":%d,\"processes\":%d,\"threads\":%d,"
            "\"sockets\":%d,\"watched\":%d,\"rss_kib\":%" PRId64 ",\"pause_us\":%" PRId64
            ",\"woke\":%" PRId64 ",\"cpu_us\":%" PRId64,
            e->asked, e->at_gate, e->processes, e->threads, e->sockets, e->watched,
            watch->after.rss_kib, watch->pause_ns / CLOCK_US, table.woke,
            table.cpu_ns / CLOCK_US);
    print_rows(out, &table);
    print_pair(out, "last_first", orders[e->order]);
    print_pair(out, "next", nexts[e->next]);
    print_pair(out, "call", e->call);
    print_pair(out, "who", verdict_who_name(verdict->who));
    print_pair(out, "how_many", verdict_how_many_name(verdict->how_many));
    print_pair(out, "who_words", verdict->who_words);
    print_pair(out, "how_many_words", verdict->how_many_words);
    fputs("}\n", out);
    free(table.rows);
}
