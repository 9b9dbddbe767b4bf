/* switch: what does one switch cost? Two players pass a ball, in each way that pingpong
   has, on one core or across two. No server takes part, and no model. */
#include "bench/procfs.h"
#include "bench/report.h"

#include "kit/clock.h"
#include "kit/csv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ONE = 1, TWO = 2,    /* sizes: cores */
    RUN_MS = 200,        /* what pingpong takes, its warm-up included */
    OUT_OF_TURN = 3      /* its exit status where a switch was missed */
};

static const int sizes[] = {ONE, TWO, 0};

/* Each runs as a program beside this one: the file's name, and which way. */
static const struct contenders ways = {
    .items = {
        {"system call", .command = "pingpong system-call", .size_most = ONE},
        {"coroutine switch (assembly)", .command = "pingpong-assembly coroutine-switch",
         .size_most = ONE},
        {"coroutine switch (ucontext)", .command = "pingpong coroutine-switch",
         .size_most = ONE},
        {"coroutine yield (assembly)", .command = "pingpong-assembly coroutine-yield",
         .size_most = ONE},
        {"coroutine yield (ucontext)", .command = "pingpong coroutine-yield",
         .size_most = ONE},
        {"coroutine pipe (assembly)", .command = "pingpong-assembly coroutine-pipe"},
        {"coroutine pipe (ucontext)", .command = "pingpong coroutine-pipe"},
        {"thread futex", .command = "pingpong thread-futex"},
        {"thread condition", .command = "pingpong thread-condition"},
        {"thread pipe", .command = "pingpong thread-pipe"},
        {"process pipe", .command = "pingpong process-pipe"},
    },
    .count = 11,
};

/* What pingpong writes, in the order of its columns. */
enum column { WHO, HOW, BY, CORES, SWITCHES, WALL_NS, SWITCH_PS, COLUMNS };

struct row {
    char  line[256];
    char *fields[COLUMNS];
};

/* The path of a contender's program. Returns where in command its way is named, or NULL
   if there is no such program. */
static const char *find_program(const char *command, char path[PROCESS_PATH])
{
    char name[64];
    int length = (int)strcspn(command, " ");
    snprintf(name, sizeof name, "%.*s", length, command);
    if (process_sibling(name, path) != 0 || access(path, X_OK) != 0)
        return NULL;
    return command + length + 1;
}

static bool plan(const struct bench *bench, const struct contender *contender,
                 struct cell *cell)
{
    char path[PROCESS_PATH];
    cell->ideal_ns = (int64_t)RUN_MS * CLOCK_MS;
    cell->formula = "one run";
    if (cell->size == TWO && !bench->bound)
        cell->obstacle = "bench may use only one core here";
    else if (!find_program(contender->command, path))
        cell->obstacle = "its program is not beside bench, for this processor or at all";
    return true;
}

/* Reads the one row. Returns 0 or -EINVAL. */
static int read_row(const char *path, struct row *row)
{
    FILE *csv = fopen(path, "re");
    bool whole = csv && fgets(row->line, sizeof row->line, csv) &&
                 fgets(row->line, sizeof row->line, csv) &&
                 csv_split(row->line, row->fields, COLUMNS) == COLUMNS;
    if (csv)
        fclose(csv);
    return whole ? 0 : -EINVAL;
}

static int64_t number(const struct row *row, enum column column)
{
    return strtoll(row->fields[column], NULL, 10);
}

/* How often the kernel switched, warm-up included: rusage counts those who waited and
   those who were made to. */
static int64_t kernel_switches(const struct trial *trial)
{
    return trial->end.usage.ru_nvcsw + trial->end.usage.ru_nivcsw;
}

/* On one core another thread runs only if the kernel switches to it, so it has to have
   counted them all. Across two, who is quick may be there before the other sleeps. */
static bool judge(const struct bench *bench, const struct row *row, struct trial *trial)
{
    bool by_kernel = strcmp(row->fields[WHO], "thread") == 0 ||
                     strcmp(row->fields[WHO], "process") == 0;
    if (WEXITSTATUS(trial->end.status) == OUT_OF_TURN)
        procfs_line(bench->launcher.complaints, trial->why, sizeof trial->why);
    else if (by_kernel && number(row, CORES) == ONE &&
             kernel_switches(trial) < number(row, SWITCHES))
        snprintf(trial->why, sizeof trial->why, "the kernel counted %" PRId64
                 " switches, fewer than there were", kernel_switches(trial));
    return trial->why[0] == '\0';
}

static void write_row(FILE *csv, const struct row *row, const struct trial *trial,
                      const struct outcome *outcome)
{
    char *const *fields = row->fields;
    fprintf(csv, "%s,%s,%s,%s,%d,%d,%s,%" PRId64 ",%s,%s,%d,", fields[WHO], fields[HOW],
            fields[BY], fields[CORES], outcome->trial, outcome->position,
            fields[SWITCHES], kernel_switches(trial), fields[WALL_NS], fields[SWITCH_PS],
            outcome->valid);
    csv_text(csv, outcome->why);
    putc('\n', csv);
}

static int measure(struct bench *bench, const struct record *record,
                   const struct cell *cell, FILE *csv, struct outcome *outcome)
{
    char path[PROCESS_PATH], cores[] = {(char)('0' + cell->size), '\0'};
    const struct contender *contender = &record->contenders->items[cell->contender];
    const char *way = find_program(contender->command, path);
    char *argv[] = {path, "-c", cores, "-o", bench->launcher.requests_csv, (char *)way,
                    NULL};
    struct trial trial = {
        .contender = contender,
        .ideal_ns = cell->ideal_ns,
        .argv = argv,
        .unbound = cell->size == TWO,
    };
    struct row row;
    pid_t pid = trial_start(bench, &trial);
    int ran = pid < 0 ? (int)pid : trial_end(bench, &trial);
    if (ran == TRIAL_RAN && read_row(bench->launcher.requests_csv, &row) != 0) {
        snprintf(trial.why, sizeof trial.why, "its -o is not a row of pingpong's");
        ran = TRIAL_UNABLE;
    }
    if (ran == TRIAL_RAN) {
        outcome->valid = judge(bench, &row, &trial);
        outcome->figure = number(&row, SWITCH_PS);
    }
    memcpy(outcome->why, trial.why, sizeof outcome->why);
    if (ran == TRIAL_RAN)
        write_row(csv, &row, &trial, outcome);
    return ran;
}

static void format(int64_t figure, char text[EXPERIMENT_TEXT])
{
    report_format_decimal((double)figure / 1000, text);
}

static void put(FILE *out, const char *before, int64_t ps, const char *name)
{
    char text[EXPERIMENT_TEXT];
    bool small = ps < 1000 * 1000;
    format(small ? ps : ps / 1000, text);
    fprintf(out, "%s%s %s for %s", before, text, small ? "ns" : "us", name);
}

/* Writes "on one core, 7.02 ns for coroutine switch (assembly) to 4.10 us for process
   pipe", of all that switch. Returns what is to stand before the next words: `before`
   again if there was nothing to tell. */
static const char *tell(const struct record *record, int size, const char *before,
                        const char *words, FILE *out)
{
    const struct contender *items = record->contenders->items;
    int least = 0, most = 0;    /* 0 is the system call, which switches nothing */
    int64_t least_ps = 0, most_ps = 0, median;
    for (int i = 1; i < record->contenders->count; i++) {
        if (!report_median(record, i, size, false, &median))
            continue;
        if (!least || median < least_ps) {
            least = i;
            least_ps = median;
        }
        if (!most || median > most_ps) {
            most = i;
            most_ps = median;
        }
    }
    if (!least)
        return before;
    fprintf(out, "%s%s, ", before, words);
    put(out, "", least_ps, items[least].name);
    if (most != least)
        put(out, " to ", most_ps, items[most].name);
    return "; ";
}

static void find(const struct record *record, FILE *out)
{
    int64_t median;
    fputs("One switch, in the median", out);
    const char *before = tell(record, ONE, ": ", "on one core", out);
    before = tell(record, TWO, before, "across two", out);
    if (report_median(record, 0, ONE, false, &median))
        put(out, before, median, "a system call that switches nothing");
    fputs(".\n", out);
}

const struct experiment experiment_switch = {
    .name = "switch",
    .question = "what does one switch cost?",
    .csv_header = "who,how,by,cores,trial,position,switches,kernel_switches,wall_ns,"
                  "switch_ps,valid,why",
    .sizes = sizes,
    .size_words = "cores",
    .table_words = "median time of one switch, in ns",
    .contenders = &ways,
    .plan = plan,
    .measure = measure,
    .format = format,
    .find = find,
};
