/* bench: its pieces on made-up runs, and the real program judged from outside. */
#include "bench/guards.h"
#include "bench/progress.h"
#include "bench/report.h"
#include "bench/schedule.h"
#include "bench/speed.h"
#include "bench/summary.h"
#include "kit/array.h"
#include "kit/csv.h"
#include "tests/support.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BENCH BUILD_DIR "/bench"

enum { MS = CLOCK_MS };

static void assert_says(const char *text, const char *words)
{
    ck_assert_msg(strstr(text, words) != NULL, "it says '%s', not '%s'", text, words);
}

/* Exactly one line: what is wrong, and why. */
static void assert_one_sentence(const char *text)
{
    const char *end = strchr(text, '\n');
    ck_assert_msg(end != NULL && end[1] == '\0', "not one line: '%s'", text);
}

/* --- A folder for each test, which also is its TMPDIR ------------------------------- */

static char folder[] = "/tmp/bench_test_XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void begin(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("TMPDIR", folder, 1);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* Reads a file of the folder, which the caller frees; NULL if it is not there. */
static char *read_file(const char *name)
{
    FILE *file = fopen(in_folder(name), "r");
    if (!file)
        return NULL;
    enum { MOST = 1 << 20 };
    char *text = calloc(1, MOST);
    ck_assert_ptr_nonnull(text);
    fread(text, 1, MOST - 1, file);
    fclose(file);
    return text;
}

/* Empties the folder; no run may have left its temporary files there. */
static void finish(void)
{
    DIR *directory = opendir(folder);
    ck_assert_ptr_nonnull(directory);
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        ck_assert_msg(strncmp(entry->d_name, "ways-to-wait", 12) != 0,
                      "%s was left behind", entry->d_name);
        if (entry->d_name[0] != '.' && unlink(in_folder(entry->d_name)) < 0)
            rmdir(in_folder(entry->d_name));
    }
    closedir(directory);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* Finds a process that was started from this test, by the TMPDIR in its environment, and
   has `words` in its command line. Returns 0 if there is none. */
static pid_t find_process(const char *words)
{
    DIR *proc = opendir("/proc");
    ck_assert_ptr_nonnull(proc);
    struct dirent *entry;
    pid_t found = 0;
    while (!found && (entry = readdir(proc)) != NULL) {
        static const char *const names[] = {"environ", "cmdline"};
        bool all = strspn(entry->d_name, "0123456789") == strlen(entry->d_name);
        for (size_t i = 0; all && i < LENGTH(names); i++) {
            char path[300], text[16384];
            snprintf(path, sizeof path, "/proc/%s/%s", entry->d_name, names[i]);
            FILE *file = fopen(path, "r");
            size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
            if (file)
                fclose(file);
            for (size_t c = 0; c < length; c++)
                text[c] = text[c] ? text[c] : ' ';
            text[length] = '\0';
            all = strstr(text, i == 0 ? folder : words) != NULL;
        }
        if (all)
            found = (pid_t)atoi(entry->d_name);
    }
    closedir(proc);
    return found;
}

/* Awaits the end of everything that was started from this test. */
static void await_nobody(void)
{
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    pid_t left;
    while ((left = find_process("")) != 0) {
        ck_assert_msg(clock_ns() < deadline_ns, "process %d was left behind", (int)left);
        clock_sleep(5 * MS);
    }
}

/* Awaits a row in that file, a second line with its end. */
static void await_row(const char *name)
{
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    for (bool there = false; !there; clock_sleep(MS)) {
        ck_assert_msg(clock_ns() < deadline_ns, "no row comes in %s", name);
        char *text = read_file(name);
        char *header = text ? strchr(text, '\n') : NULL;
        there = header && strchr(header + 1, '\n');
        free(text);
    }
}

/* --- CSV ---------------------------------------------------------------------------- */

enum { COLUMNS = 22, ROWS = 400 };

/* A table, taken apart. */
struct table {
    char *text;
    char *fields[ROWS][COLUMNS];
    int   rows;    /* without the header */
};

/* Reads a table and asserts its header, and that each row is whole. */
static void table_read(struct table *table, const char *name, const char *header)
{
    table->text = read_file(name);
    ck_assert_msg(table->text != NULL, "%s is not there", name);
    table->rows = -1;
    char *rest = table->text;
    for (char *end; (end = strchr(rest, '\n')) != NULL; rest = end + 1) {
        *end = '\0';
        if (table->rows < 0) {
            ck_assert_str_eq(rest, header);
        } else {
            char copy[1024];
            snprintf(copy, sizeof copy, "%s", header);
            int columns = csv_split(copy, NULL, 0);
            ck_assert_int_lt(table->rows, ROWS);
            ck_assert_int_eq(csv_split(rest, table->fields[table->rows], COLUMNS),
                             columns);
        }
        table->rows++;
    }
    ck_assert_msg(*rest == '\0', "%s ends with half a row: '%s'", name, rest);
}

static const char *table_get(const struct table *table, int row, const char *header,
                             const char *column)
{
    char copy[1024];
    char *names[COLUMNS];
    snprintf(copy, sizeof copy, "%s", header);
    int columns = csv_split(copy, names, COLUMNS);
    for (int i = 0; i < columns; i++)
        if (strcmp(names[i], column) == 0)
            return table->fields[row][i];
    ck_abort_msg("there is no column %s", column);
    return NULL;
}

static int64_t table_number(const struct table *table, int row, const char *header,
                            const char *column)
{
    return strtoll(table_get(table, row, header, column), NULL, 10);
}

static const char footprint_header[] =
    "model,waiting,trial,rss_kib,base_rss_kib,per_request_bytes,threads,descriptors,"
    "valid,why";

/* --- Made-up runs ------------------------------------------------------------------- */

enum { FEW = 100 };

/* A run in waves: `count` requests of 10 ms, `in_flight` at a time, all of them ok. */
static struct evidence make_waves(struct result *results, struct summary *summary,
                                  int count, int in_flight)
{
    for (int i = 0; i < count; i++) {
        int64_t start = (int64_t)(i / in_flight) * 10 * MS;
        results[i] = (struct result){.start_ns = start, .connected_ns = start,
                                     .sent_ns = start, .first_byte_ns = start,
                                     .end_ns = start + 10 * MS, .status = 200,
                                     .server_wait_ns = 10 * MS};
    }
    ck_assert_int_eq(summary_make(results, count, summary), 0);
    return (struct evidence){.results = results, .count = count, .summary = summary,
                             .in_flight = in_flight, .closed_loop = true,
                             .server_cpu_ns = MS, .ceiling_per_s = 1e6};
}

/* Sums up once more, judges, and asserts that it is refused in these words. */
static void assert_refused(struct evidence *evidence, const char *words)
{
    char why[GUARDS_WHY];
    ck_assert(!guards_pass(evidence, why));
    ck_assert_str_eq(why, words);
}

START_TEST(summary_tells_what_became_of_every_request)
{
    struct result results[] = {
        {.start_ns = 5 * MS, .end_ns = 15 * MS, .status = 200},
        {.start_ns = 0, .end_ns = 30 * MS, .status = 200},
        {.start_ns = 1 * MS, .end_ns = 40 * MS, .status = 503},
        {.start_ns = 2 * MS, .end_ns = 3 * MS, .error = ECONNRESET},
        {.start_ns = -1, .end_ns = -1, .error = ECANCELED},
    };
    struct summary summary;
    ck_assert_int_eq(summary_make(results, LENGTH(results), &summary), 0);
    ck_assert_int_eq(summary.ok, 2);
    ck_assert_int_eq(summary.failed, 2);
    ck_assert_int_eq(summary.not_started, 1);
    ck_assert_int_eq(summary.wall_ns, 40 * MS);
    ck_assert_int_eq(summary.p50_ns, 10 * MS);
    ck_assert_int_eq(summary.max_ns, 30 * MS);
    ck_assert_int_eq(summary.peak_in_flight, 3);
}
END_TEST

START_TEST(summary_of_a_run_without_a_start_is_zero)
{
    struct result results[] = {{.start_ns = -1, .end_ns = -1, .error = ECANCELED}};
    struct summary summary;
    ck_assert_int_eq(summary_make(results, 1, &summary), 0);
    ck_assert_int_eq(summary.not_started, 1);
    ck_assert_int_eq(summary.wall_ns, 0);
    ck_assert_int_eq(summary.peak_in_flight, 0);
}
END_TEST

START_TEST(summary_takes_one_that_starts_as_another_ends_for_the_next)
{
    struct result results[FEW];
    struct summary summary;
    make_waves(results, &summary, FEW, 1);
    ck_assert_int_eq(summary.peak_in_flight, 1);
    make_waves(results, &summary, FEW, 7);
    ck_assert_int_eq(summary.peak_in_flight, 7);
}
END_TEST

START_TEST(summary_averages_over_the_time_that_is_asked_for)
{
    struct result results[] = {{.start_ns = 0, .end_ns = 10},
                               {.start_ns = 5, .end_ns = 25},
                               {.start_ns = -1, .end_ns = -1}};
    ck_assert(summary_mean_in_flight(results, 3, 0, 10) == 1.5);
    ck_assert(summary_mean_in_flight(results, 3, 5, 25) == 1.25);
    ck_assert(summary_mean_in_flight(results, 3, 5, 5) == 0);
}
END_TEST

#define ROW(number) "m,0," number ",0,1,2,3,4,1,200,17,\n"

static const struct {
    const char *rows, *why;
} refusals[] = {
    {ROW("0"), "in its -o, request 1 of 2 has no row"},
    {ROW("0") ROW("1") ROW("0"), "in its -o, request 0 has two rows"},
    {ROW("0") ROW("2"), "in its -o, request 2 was never asked for"},
    {ROW("0") "m,0,1,0,1\n", "line 3 of its -o is not a row of requests.csv"},
    {ROW("0") "m,0,1,9,1,2,3,4,1,200,17,\n",
     "in its -o, request 1 started, but has no end after that"},
    {ROW("0") "m,0,1,9,,,,,1,0,0,ETIMEDOUT\n",
     "in its -o, request 1 started, but has no end after that"},
    {ROW("0") "m,0,1,,,,,,0,0,0,\n",
     "in its -o, request 1 never started, and has no error"},
};

START_TEST(summary_reads_exactly_one_row_for_each_request)
{
    struct result results[2];
    char why[SUMMARY_WHY], text[512];
    snprintf(text, sizeof text, "%s\n%s", result_csv_header, ROW("1") ROW("0"));
    write_file("requests.csv", text);
    ck_assert_int_eq(summary_read(in_folder("requests.csv"), results, 2, why), 0);
    ck_assert_int_eq(results[1].end_ns, 4);

    snprintf(text, sizeof text, "%s\n%s", result_csv_header, refusals[_i].rows);
    write_file("requests.csv", text);
    ck_assert_int_eq(summary_read(in_folder("requests.csv"), results, 2, why), -EINVAL);
    ck_assert_str_eq(why, refusals[_i].why);
}
END_TEST

START_TEST(summary_refuses_what_is_not_requests_csv)
{
    struct result results[1];
    char why[SUMMARY_WHY];
    ck_assert_int_eq(summary_read(in_folder("absent"), results, 1, why), -EINVAL);
    assert_says(why, "it wrote no requests.csv");
    write_file("requests.csv", "");
    ck_assert_int_eq(summary_read(in_folder("requests.csv"), results, 1, why), -EINVAL);
    write_file("requests.csv", "a,b\n" ROW("0"));
    ck_assert_int_eq(summary_read(in_folder("requests.csv"), results, 1, why), -EINVAL);
    ck_assert_str_eq(why, "its -o has not the header of requests.csv");
}
END_TEST

START_TEST(guards_pass_a_trial_in_which_all_is_well)
{
    struct result results[FEW];
    struct summary summary;
    struct evidence evidence = make_waves(results, &summary, FEW, 10);
    char why[GUARDS_WHY];
    ck_assert_msg(guards_pass(&evidence, why), "%s", why);
    ck_assert_str_eq(why, "");
    evidence.server_cpu_ns = -1;    /* what is unknown accuses nobody */
    evidence.ceiling_per_s = 0;
    ck_assert_msg(guards_pass(&evidence, why), "%s", why);
}
END_TEST

START_TEST(guards_count_failures_by_reason)
{
    struct result results[FEW];
    struct summary summary;
    struct evidence evidence = make_waves(results, &summary, FEW, FEW);
    results[3].error = results[4].error = results[5].error = ECONNRESET;
    results[7].status = 503;
    results[9] = (struct result){.start_ns = -1, .end_ns = -1, .error = ECANCELED};
    ck_assert_int_eq(summary_make(results, FEW, &summary), 0);
    assert_refused(&evidence,
                   "4 of 100 failed: ECONNRESET 3, HTTP-503 1; 1 of 100 never started");
}
END_TEST

START_TEST(guards_notice_a_full_listen_queue)
{
    struct result results[FEW];
    struct summary summary;
    struct evidence evidence = make_waves(results, &summary, FEW, FEW);
    evidence.before = (struct procfs_listen){.overflows = 10, .drops = 20, .cookies = 5};
    evidence.after = (struct procfs_listen){.overflows = 12, .drops = 23, .cookies = 5};
    assert_refused(&evidence, "a listen queue of this machine was full: 2 overflows, "
                              "3 drops, 0 SYN cookies");
}
END_TEST

START_TEST(guards_notice_that_the_server_sets_the_pace)
{
    struct result results[FEW];
    struct summary summary;
    struct evidence evidence = make_waves(results, &summary, FEW, FEW);    /* in 10 ms */
    evidence.server_cpu_ns = 69 * MS / 10;
    evidence.ceiling_per_s = 14300;
    char why[GUARDS_WHY];
    ck_assert_msg(guards_pass(&evidence, why), "%s", why);
    evidence.ceiling_per_s = 14200;
    assert_refused(&evidence,
                   "server-bound: 10000 requests a second, of the 14200 that it can do");
    evidence.server_cpu_ns = 71 * MS / 10;
    assert_refused(&evidence,
                   "server-bound: the server's CPU was busy for 71 % of the time");
}
END_TEST

START_TEST(guards_notice_more_in_flight_than_was_asked)
{
    struct result results[FEW];
    struct summary summary;
    struct evidence evidence = make_waves(results, &summary, FEW, FEW);
    evidence.in_flight = FEW - 1;
    assert_refused(&evidence, "100 in flight at once, where 99 were asked");
}
END_TEST

START_TEST(guards_hold_a_closed_loop_to_littles_law)
{
    struct result results[FEW];
    struct summary summary;
    struct evidence evidence = make_waves(results, &summary, FEW, 10);
    for (int i = 0; i < FEW; i += 10)    /* in each wave one that ends after 6 of 10 ms */
        results[i].end_ns -= 4 * MS;
    char why[GUARDS_WHY];
    ck_assert_msg(guards_pass(&evidence, why), "%s", why);    /* 9.6: within 5 % */
    for (int i = 1; i < FEW; i += 10)
        results[i].end_ns -= 4 * MS;
    assert_refused(&evidence,
                   "Little's law: 9.20 in flight on average, where 10 were asked");
    evidence.closed_loop = false;
    ck_assert_msg(guards_pass(&evidence, why), "%s", why);
    evidence.closed_loop = true;
    evidence.count = 20;    /* not three for each: it never was saturated */
    ck_assert_msg(guards_pass(&evidence, why), "%s", why);
}
END_TEST

START_TEST(guards_see_steps_of_forty_ms_but_no_slope)
{
    struct result results[FEW];
    struct summary summary;
    make_waves(results, &summary, FEW, FEW);
    ck_assert_int_eq(guards_forty_ms(results, FEW), 0);
    for (int i = 0; i < 20; i++)
        results[i].end_ns += 40 * MS;
    ck_assert_int_eq(guards_forty_ms(results, FEW), 20);
    for (int i = 0; i < FEW; i++)    /* 10 to 60 ms: as many near 40 ms as anywhere */
        results[i].end_ns = results[i].start_ns + (20 + i / 2) * (int64_t)MS;
    ck_assert_int_eq(guards_forty_ms(results, FEW), 0);
}
END_TEST

/* --- The schedule ------------------------------------------------------------------- */

enum { CELLS = 24 };

START_TEST(schedule_runs_every_cell_once_in_each_trial)
{
    struct cell cells[CELLS] = {{0}};
    int order[CELLS];
    for (int trial = 0; trial < 20; trial++) {
        int seen[CELLS] = {0};
        schedule_shuffle(cells, order, CELLS, 1, trial);
        for (int i = 0; i < CELLS; i++)
            seen[order[i]]++;
        for (int i = 0; i < CELLS; i++)
            ck_assert_int_eq(seen[i], 1);
    }
}
END_TEST

START_TEST(schedule_follows_from_the_seed_and_the_trial)
{
    struct cell cells[CELLS] = {{0}};
    int order[CELLS], again[CELLS];
    schedule_shuffle(cells, order, CELLS, 7, 3);
    schedule_shuffle(cells, again, CELLS, 7, 3);
    ck_assert_mem_eq(order, again, sizeof order);
    schedule_shuffle(cells, again, CELLS, 8, 3);
    ck_assert_mem_ne(order, again, sizeof order);
    schedule_shuffle(cells, again, CELLS, 7, 4);
    ck_assert_mem_ne(order, again, sizeof order);
}
END_TEST

START_TEST(schedule_gives_each_cell_a_fair_place)
{
    struct cell cells[4] = {{0}};
    int order[4], first[4] = {0};
    for (int trial = 0; trial < 4000; trial++) {
        schedule_shuffle(cells, order, 4, 1, trial);
        first[order[0]]++;
    }
    for (int i = 0; i < 4; i++)    /* 1,000 expected; six standard deviations are 164 */
        ck_assert_msg(abs(first[i] - 1000) < 164, "cell %d came first %d times", i,
                      first[i]);
}
END_TEST

START_TEST(schedule_runs_a_base_before_what_is_compared_with_it)
{
    struct cell cells[CELLS] = {{0}};
    int order[CELLS];
    cells[5].base = cells[17].base = true;
    for (int trial = 0; trial < 20; trial++) {
        schedule_shuffle(cells, order, CELLS, 1, trial);
        ck_assert(cells[order[0]].base && cells[order[1]].base);
    }
}
END_TEST

START_TEST(schedule_takes_the_shortest_cells_that_the_budget_has_room_for)
{
    struct cell cells[] = {
        {.size = 1, .ideal_ns = 30, .cost_ns = 31},
        {.size = 2, .ideal_ns = 10, .cost_ns = 11},
        {.size = 3, .ideal_ns = 20, .cost_ns = 21},
        {.size = 4, .ideal_ns = 10, .cost_ns = 11},
    };
    ck_assert_int_eq(schedule_choose(cells, 4, 2, 2 * (11 + 11 + 21)), 3);
    ck_assert_int_eq(cells[0].size, 2);    /* of the same length: in their order */
    ck_assert_int_eq(cells[1].size, 4);
    ck_assert_int_eq(cells[2].size, 3);
    ck_assert_int_eq(schedule_choose(cells, 4, 2, 2 * (11 + 11 + 21) - 1), 2);
    ck_assert_int_eq(schedule_choose(cells, 4, 2, 0), 0);
    ck_assert_int_eq(schedule_choose(cells, 4, 2, 1000), 4);
}
END_TEST

START_TEST(progress_stretches_the_plan_as_the_past_was_stretched)
{
    struct progress progress = {.begun_ns = 0, .step_begun_ns = 300, .step_ns = 100,
                                .done_ns = 200, .all_ns = 400};
    ck_assert_int_eq(progress_left_ns(&progress, 300), 300);    /* half as slow */
    ck_assert_int_eq(progress_left_ns(&progress, 350), 250);
    ck_assert_int_eq(progress_left_ns(&progress, 9000), 0);
}
END_TEST

START_TEST(numbers_are_written_for_people)
{
    char text[REPORT_NUMBER];
    static const struct {
        double      value;
        const char *text;
    } numbers[] = {{0.1524, "0.152"},  {9.93, "9.93"},         {9.996, "10.0"},
                   {99.6, "99.6"},     {99.96, "100"},         {2930.4, "2,930"},
                   {999999, "999,999"}, {1234567, "1,234,567"}, {0, "0.000"}};
    for (size_t i = 0; i < LENGTH(numbers); i++) {
        report_format_decimal(numbers[i].value, text);
        ck_assert_str_eq(text, numbers[i].text);
    }
    report_format_time(52LL * MS, text);
    ck_assert_str_eq(text, "52.0 ms");
    report_format_time(100LL * CLOCK_S, text);
    ck_assert_str_eq(text, "100 s");
    report_format_latency(1500LL * MS, text);
    ck_assert_str_eq(text, "1.5 s");
}
END_TEST

/* --- The real program --------------------------------------------------------------- */

/* Runs bench with these words (parted by spaces) and -o folder. Returns its status. */
static int bench_run(const char *words, const char *external, struct output *output)
{
    static char text[512];
    const char *argv[40] = {BENCH, "-o", folder};
    int count = 3;
    snprintf(text, sizeof text, "%s", words);
    char *rest = text;
    for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;)
        argv[count++] = word;
    if (external) {
        argv[count++] = "--external";
        argv[count++] = external;
    }
    int status = program_run(argv, output);
    await_nobody();
    return status;
}

/* Says so, unless a neighbour on this machine has spoiled a trial. */
static void assert_finds(const struct output *output, const char *words)
{
    if (!strstr(output->out, "invalid: "))
        assert_says(output->out, words);
}

/* A clean run, but for what the neighbours of a busy machine may do to a trial. */
static void assert_ran(int status, const struct output *output)
{
    bool guarded = status == 3 && strstr(output->out, "invalid: ");
    ck_assert_msg(status == 0 || guarded, "status %d: %s%s", status, output->out,
                  output->err);
    ck_assert_str_eq(output->err, "");
    assert_says(output->out, "What was found:");
}

START_TEST(bench_lists_its_experiments)
{
    struct output output;
    ck_assert_int_eq(program_run((const char *[]){BENCH, "--list", NULL}, &output), 0);
    assert_says(output.out, "makespan    how long do N requests take");
    assert_says(output.out, "timeline    who waited when?");
    output_free(&output);
}
END_TEST

START_TEST(makespan_has_a_row_for_each_model_size_and_trial)
{
    struct output output;
    struct table table;
    int status = bench_run("makespan -m threads,blocking --latency 5ms --trials 2 "
                           "--seed 3 --budget 1s", NULL, &output);
    assert_ran(status, &output);
    table_read(&table, "makespan.csv", speed_csv_header);
    ck_assert_int_ge(table.rows, 2);
    int64_t blocking = 0, threads = 0;
    for (int i = 0; i < table.rows; i++) {
        const char *model = table_get(&table, i, speed_csv_header, "model");
        int64_t requests = table_number(&table, i, speed_csv_header, "requests");
        int64_t in_flight = table_number(&table, i, speed_csv_header, "in_flight");
        bool alone = strcmp(model, "blocking") == 0;
        ck_assert_int_eq(in_flight, alone ? 1 : requests);
        ck_assert_int_eq(table_number(&table, i, speed_csv_header, "latency_ns"), 5 * MS);
        ck_assert_int_eq(table_number(&table, i, speed_csv_header, "position"), i);
        ck_assert_int_eq(table_number(&table, i, speed_csv_header, "ok"), requests);
        /* Never shorter than asked: one after the other, or all at once. */
        ck_assert_int_ge(table_number(&table, i, speed_csv_header, "wall_ns"),
                         5 * MS * (alone ? requests : 1));
        ck_assert_int_ge(table_number(&table, i, speed_csv_header, "p50_ns"), 5 * MS);
        ck_assert_int_gt(table_number(&table, i, speed_csv_header, "peak_rss_kib"), 0);
        ck_assert_str_ne(table_get(&table, i, speed_csv_header, "server_cpu_us"), "");
        blocking += alone;
        threads += !alone;
    }
    ck_assert_int_eq(blocking % 2, 0);    /* each cell twice */
    ck_assert_int_eq(threads % 2, 0);
    ck_assert_int_ge(blocking, 2);
    ck_assert_int_ge(threads, 2);
    assert_finds(&output, " of 5 ms, all asked at once: ");
    free(table.text);
    output_free(&output);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_order)
{
    char *orders[2];
    for (int run = 0; run < 2; run++) {
        struct output output;
        struct table table;
        bench_run("throughput -m libevent --latency 1ms --trials 3 --seed 5 --budget 20s",
                  NULL, &output);
        table_read(&table, "throughput.csv", speed_csv_header);
        ck_assert_int_eq(table.rows, 3 * 7);
        orders[run] = calloc(1, 1024);
        ck_assert_ptr_nonnull(orders[run]);
        for (int i = 0; i < table.rows; i++) {
            strcat(strcat(orders[run], " "),
                   table_get(&table, i, speed_csv_header, "in_flight"));
            ck_assert_int_ge(table_number(&table, i, speed_csv_header, "requests"),
                             3 * table_number(&table, i, speed_csv_header, "in_flight"));
            ck_assert_int_eq(table_number(&table, i, speed_csv_header, "trial"), i / 7);
        }
        free(table.text);
        output_free(&output);
    }
    ck_assert_str_eq(orders[0], orders[1]);
    free(orders[0]);
    free(orders[1]);
}
END_TEST

START_TEST(footprint_holds_them_all_at_the_gate)
{
    struct output output;
    struct table table;
    int status = bench_run("footprint -m threads,blocking --trials 1 --budget 1500ms",
                           NULL, &output);
    assert_ran(status, &output);
    table_read(&table, "footprint.csv", footprint_header);
    ck_assert_int_ge(table.rows, 3);
    for (int i = 0; i < table.rows; i++) {
        int64_t waiting = table_number(&table, i, footprint_header, "waiting");
        const char *model = table_get(&table, i, footprint_header, "model");
        bool alone = strcmp(model, "blocking") == 0;
        ck_assert(!alone || waiting == 1);
        ck_assert_int_ge(table_number(&table, i, footprint_header, "threads"),
                         alone ? 1 : waiting + 1);
        ck_assert_int_gt(table_number(&table, i, footprint_header, "descriptors"),
                         waiting);
        ck_assert_int_gt(table_number(&table, i, footprint_header, "rss_kib"), 0);
        const char *each = table_get(&table, i, footprint_header, "per_request_bytes");
        ck_assert_int_eq(each[0] == '\0', waiting == 1);
    }
    free(table.text);
    output_free(&output);
}
END_TEST

START_TEST(timeline_has_a_row_for_each_request)
{
    struct output output;
    struct table table;
    int status = bench_run("timeline --latency 20ms", NULL, &output);
    assert_ran(status, &output);
    table_read(&table, "timeline.csv", result_csv_header);
    ck_assert_int_eq(table.rows % 10, 0);
    ck_assert_int_ge(table.rows, 30);
    for (int i = 0; i < table.rows; i++) {
        ck_assert_int_eq(table_number(&table, i, result_csv_header, "request"), i % 10);
        ck_assert_int_ge(table_number(&table, i, result_csv_header, "end_ns") -
                             table_number(&table, i, result_csv_header, "start_ns"),
                         20 * MS);
    }
    assert_finds(&output, "blocking waited for 1 at a time");
    assert_finds(&output, " waited for 10 at once");
    free(table.text);
    output_free(&output);
}
END_TEST

START_TEST(machine_csv_tells_where_it_was_measured)
{
    struct output output;
    bench_run("timeline -m blocking --latency 1ms --seed 42", NULL, &output);
    char *text = read_file("machine.csv");
    ck_assert_ptr_nonnull(text);
    static const char *const lines[] = {
        "key,value\n", "\nlatency_ns,1000000\n", "\nseed,42\n", "\nkernel,",
        "\ncpu_model,", "\ncpu_count,", "\nnofile_soft,", "\nnofile_hard,", "\nnproc_soft,",
        "\ncompiler,",
        "\nflags,", "\nglibc,", "\nlibevent,", "\ncongestion_control,", "\nsomaxconn,",
        "\nport_range,", "\nload_before,", "\nload_after,", "\ncommit,", "\nserver_cpus,",
        "\nclient_cpus,", "\nceiling_per_s,", "\nmemory_kib,", "\ngovernor,"};
    for (size_t i = 0; i < LENGTH(lines); i++)
        assert_says(text, lines[i]);
    free(text);
    output_free(&output);
}
END_TEST

START_TEST(a_cell_beyond_the_budget_is_told_with_its_ideal_time)
{
    struct output output;
    int status = bench_run("makespan -m blocking --latency 20ms --trials 1 --budget 500ms",
                           NULL, &output);
    assert_ran(status, &output);
    assert_says(output.out, "not run: makespan, 1,000 requests, blocking: 20.0 s by N·L, 1 "
                            "trial is beyond its 0.500 s of the budget\n");
    output_free(&output);
}
END_TEST

START_TEST(nothing_within_the_budget_is_said_too)
{
    struct output output;
    struct table table;
    ck_assert_int_eq(bench_run("timeline -m blocking --budget 1ms", NULL, &output), 0);
    assert_says(output.out, "not run: timeline, 10 requests, blocking");
    assert_says(output.out, "Of timeline, no trial counts.");
    table_read(&table, "timeline.csv", result_csv_header);
    ck_assert_int_eq(table.rows, 0);
    free(table.text);
    output_free(&output);
}
END_TEST

/* --- External models ---------------------------------------------------------------- */

/* A program that takes what fetch takes, and tells of requests that it never made. */
static const char *write_external(const char *row, int status)
{
    static char command[600];
    char text[1024];
    snprintf(text, sizeof text,
             "while [ $# -gt 1 ]; do\n"
             "    case $1 in\n"
             "    -n) n=$2 ;; -c) c=$2 ;; --timeout) t=$2 ;; -o) o=$2 ;;\n"
             "    esac\n"
             "    shift 2\n"
             "done\n"
             ": ${n:?} ${c:?} ${t:?} ${1:?}\n"
             "echo $n >>\"$TMPDIR/runs\"\n"
             "echo '%s' >\"$o\"\n"
             "i=0\n"
             "while [ $i -lt $n ]; do\n"
             "    echo \"anyone,0,$i,%s\" >>\"$o\"\n"
             "    i=$((i + 1))\n"
             "done\n"
             "echo 'it: a sentence of its own' >&2\n"
             "exit %d\n",
             result_csv_header, row, status);
    write_file("external", text);
    snprintf(command, sizeof command, "own=sh %s", in_folder("external"));
    return command;
}

static const char fine[] = "0,1000,2000,50000000,50000000,5000000,200,17,";

START_TEST(an_external_program_is_a_model_like_the_others)
{
    struct output output;
    struct table table;
    int status = bench_run("makespan timeline -m own,blocking --latency 5ms --trials 1 "
                           "--budget 2s", write_external(fine, 0), &output);
    assert_ran(status, &output);
    table_read(&table, "timeline.csv", result_csv_header);
    ck_assert_int_eq(table.rows, 20);
    int own = 0;
    for (int i = 0; i < table.rows; i++)
        own += strcmp(table_get(&table, i, result_csv_header, "model"), "own") == 0;
    ck_assert_int_eq(own, 10);
    assert_finds(&output, "own waited for 10 at once: 50.0 ms");
    free(table.text);
    table_read(&table, "makespan.csv", speed_csv_header);
    for (int i = 0; i < table.rows; i++)
        if (strcmp(table_get(&table, i, speed_csv_header, "model"), "own") == 0)
            ck_assert_int_eq(table_number(&table, i, speed_csv_header, "wall_ns"),
                             50 * MS);
    free(table.text);
    output_free(&output);
}
END_TEST

START_TEST(an_external_program_that_waits_for_one_at_a_time_is_found_out)
{
    struct output output;
    struct table table;
    /* $i ms after the start, for a millisecond each: one begins as another ends. */
    int status = bench_run("throughput -m own --latency 5ms --trials 1 --budget 2s",
                           write_external("${i}000000,,,,$((i + 1))000000,1,200,17,", 0),
                           &output);
    assert_ran(status, &output);
    table_read(&table, "throughput.csv", speed_csv_header);
    ck_assert_int_eq(table.rows, 1);
    ck_assert_str_eq(table_get(&table, 0, speed_csv_header, "in_flight"), "1");
    free(table.text);
    output_free(&output);
}
END_TEST

START_TEST(failed_requests_make_a_row_that_does_not_count)
{
    struct output output;
    struct table table;
    const char *external =
        write_external("0,,,,9000000,0,0,0,$([ $i = 2 ] && echo ECONNRESET || "
                       "echo EPROTO)", 3);
    ck_assert_int_eq(bench_run("makespan -m own --latency 5ms --trials 1 --budget 1s",
                               external, &output), 3);
    assert_says(output.out, "invalid: makespan, 1 request, own: 1 of 1 trials: 1 of");
    assert_says(output.out, "Of makespan, no trial counts.");
    table_read(&table, "makespan.csv", speed_csv_header);
    ck_assert_int_ge(table.rows, 1);
    for (int i = 0; i < table.rows; i++) {
        ck_assert_str_eq(table_get(&table, i, speed_csv_header, "valid"), "0");
        ck_assert_str_eq(table_get(&table, i, speed_csv_header, "ok"), "0");
        ck_assert_str_eq(table_get(&table, i, speed_csv_header, "p50_ns"), "");
        if (strcmp(table_get(&table, i, speed_csv_header, "requests"), "3") == 0)
            assert_says(table_get(&table, i, speed_csv_header, "why"),
                        "3 of 3 failed: EPROTO 2, ECONNRESET 1");
    }
    free(table.text);
    output_free(&output);
}
END_TEST

START_TEST(an_external_program_that_cannot_run_makes_no_row)
{
    struct output output;
    struct table table;
    ck_assert_int_eq(bench_run("timeline -m own,blocking --latency 1ms",
                               write_external(fine, 1), &output), 3);
    assert_says(output.out, "could not run: own: it: a sentence of its own\n");
    table_read(&table, "timeline.csv", result_csv_header);
    ck_assert_int_eq(table.rows, 10);    /* blocking's */
    free(table.text);
    output_free(&output);

    ck_assert_int_eq(bench_run("timeline -m own", "own=/nonexistent/program", &output),
                     1);
    assert_says(output.out, "could not run: own: ");
    ck_assert_str_eq(output.err, "bench: there is nobody left to measure\n");
    output_free(&output);
}
END_TEST

START_TEST(an_external_program_that_tells_half_makes_no_row)
{
    struct output output;
    /* It leaves out the row of request 2, but tells of 0 and 1 as it should. */
    ck_assert_int_eq(bench_run("timeline -m own,blocking --latency 1ms",
                               write_external("$([ $i = 2 ] || echo 0,,,,9,0,200,0,)", 0),
                               &output), 3);
    assert_says(output.out, "could not run: own: line 4 of its -o is not a row");
    output_free(&output);
}
END_TEST

START_TEST(a_program_that_has_no_end_is_ended)
{
    struct output output;
    /* What it starts ends with it; --timeout and the slack bound the whole. */
    write_file("external", "sleep 1000 &\ntrap '' TERM\nwhile :; do sleep 1; done\n");
    char external[600];
    snprintf(external, sizeof external, "own=sh %s", in_folder("external"));
    ck_assert_int_eq(bench_run("timeline -m own,blocking --latency 1ms --timeout 1ms",
                               external, &output), 3);
    assert_says(output.out, "could not run: own: no end after 10 s\n");
    output_free(&output);
}
END_TEST

START_TEST(what_a_program_leaves_running_is_ended)
{
    struct output output;
    write_file("external", "sleep 1000 &\nexit 1\n");
    char external[600];
    snprintf(external, sizeof external, "own=sh %s", in_folder("external"));
    ck_assert_int_eq(bench_run("timeline -m own", external, &output), 1);
    assert_says(output.out, "could not run: own: ended with status 1\n");
    output_free(&output);    /* and bench_run has awaited that nobody is left */
}
END_TEST

/* --- Wrong usage -------------------------------------------------------------------- */

static const struct {
    const char *words, *says;
} usages[] = {
    {"nonsense", "there is no experiment 'nonsense'; there are footprint makespan"},
    {"-m threads,nobody", "-m: there is no model 'nobody'; there are blocking threads"},
    {"-m ,", "-m: there is no model ''"},
    {"--trials 0", "--trials: 0 is out of range"},
    {"--latency 2m", "--latency: 2m is out of range"},
    {"--budget soon", "--budget: 'soon' is not a duration"},
    {"--seed -1", "--seed: "},
    {"--external nameless", "--external: 'nameless' is not NAME=COMMAND"},
    {"--external =true", "--external: '=true' is not NAME=COMMAND"},
    {"--external threads=true", "has a name that another model has"},
    {"--external a,b=true", "has a name with a comma"},
    {"--url 127.0.0.1:80", "--url: a URL starts with http://"},
    {"--url http://127.0.0.1", "--url: the URL names no port"},
    {"--no-such-option", "--no-such-option: "},
};

START_TEST(wrong_usage_is_refused_in_one_sentence)
{
    struct output output;
    ck_assert_int_eq(bench_run(usages[_i].words, NULL, &output), 2);
    assert_says(output.err, "bench: ");
    assert_says(output.err, usages[_i].says);
    assert_one_sentence(output.err);
    ck_assert_str_eq(output.out, "");
    output_free(&output);
}
END_TEST

/* --- What can go wrong -------------------------------------------------------------- */

START_TEST(a_full_disk_is_said_before_anything_is_measured)
{
    struct output output;
    char link[512];
    snprintf(link, sizeof link, "%s", in_folder("timeline.csv"));
    ck_assert_int_eq(symlink("/dev/full", link), 0);
    ck_assert_int_eq(bench_run("timeline -m own", write_external(fine, 0), &output), 1);
    assert_says(output.err, "timeline.csv: No space left on device");
    assert_one_sentence(output.err);
    char *runs = read_file("runs");
    ck_assert_str_eq(runs, "3\n");    /* the one that is thrown away */
    free(runs);
    ck_assert_ptr_null(read_file("machine.csv"));
    output_free(&output);
}
END_TEST

START_TEST(an_output_that_is_no_directory_is_refused)
{
    struct output output;
    char path[600];
    write_file("file", "");
    snprintf(path, sizeof path, "%s/below", in_folder("file"));
    const char *argv[] = {BENCH, "timeline", "-m", "blocking", "-o", path, NULL};
    ck_assert_int_eq(program_run(argv, &output), 1);
    assert_says(output.err, "bench: -o: ");
    assert_says(output.err, "Not a directory");
    assert_one_sentence(output.err);
    output_free(&output);
    await_nobody();
}
END_TEST

START_TEST(a_directory_that_is_missing_is_made)
{
    struct output output;
    char path[512];
    snprintf(path, sizeof path, "%s", in_folder("new"));
    const char *argv[] = {BENCH, "timeline", "-m", "blocking", "--latency", "1ms",
                          "-o", path, NULL};
    int status = program_run(argv, &output);
    assert_ran(status, &output);
    ck_assert_int_eq(unlink(in_folder("new/timeline.csv")), 0);
    ck_assert_int_eq(unlink(in_folder("new/machine.csv")), 0);
    output_free(&output);
    await_nobody();
}
END_TEST

START_TEST(a_server_that_is_not_there_is_said)
{
    struct output output;
    ck_assert_int_eq(bench_run("timeline --url http://127.0.0.1:1", NULL, &output), 1);
    ck_assert_str_eq(output.err,
                     "bench: --url: http://127.0.0.1:1/stats: Connection refused\n");
    ck_assert_ptr_null(read_file("timeline.csv"));
    output_free(&output);
}
END_TEST

START_TEST(a_server_of_ones_own_is_used_and_left_alone)
{
    struct server server;
    struct output output;
    struct table table;
    char words[128];
    server_start(&server, NULL);
    snprintf(words, sizeof words,
             "makespan -m libevent --latency 2ms --trials 1 --budget 300ms "
             "--url http://127.0.0.1:%d", server.port);
    const char *argv[40] = {BENCH, "-o", folder};
    int count = 3;
    char *rest = words;
    for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;)
        argv[count++] = word;
    assert_ran(program_run(argv, &output), &output);
    table_read(&table, "makespan.csv", speed_csv_header);
    ck_assert_int_ge(table.rows, 1);
    ck_assert_str_eq(table_get(&table, 0, speed_csv_header, "server_cpu_us"), "");
    ck_assert_int_gt(server_stat(&server, "requests"), 5000);    /* the ceiling's alone */
    server_stop(&server);
    free(table.text);
    output_free(&output);
    await_nobody();
}
END_TEST

/* A run long enough to do something to it: each trial of blocking takes 0.2 s. */
static void start_long(struct program *program)
{
    const char *argv[] = {BENCH, "makespan", "-m", "blocking", "--latency", "20ms",
                          "--trials", "1000", "--budget", "60m", "-o", folder, NULL};
    program_start(program, argv);
    await_row("makespan.csv");
}

START_TEST(an_interrupt_keeps_what_was_measured)
{
    struct program program;
    struct output output;
    struct table table;
    start_long(&program);
    ck_assert_int_eq(program_end(&program, _i == 0 ? SIGINT : SIGTERM, &output), 3);
    await_nobody();
    assert_says(output.err, "bench: interrupted: ");
    assert_says(output.err, " trials kept in ");
    assert_one_sentence(output.err);
    table_read(&table, "makespan.csv", speed_csv_header);
    ck_assert_int_ge(table.rows, 1);
    int kept = atoi(strstr(output.err, "interrupted: ") + strlen("interrupted: "));
    ck_assert_int_eq(kept, table.rows);
    free(table.text);
    char *machine = read_file("machine.csv");
    ck_assert_ptr_nonnull(machine);
    free(machine);
    output_free(&output);
}
END_TEST

START_TEST(however_bench_ends_nothing_is_left_behind)
{
    struct program program;
    start_long(&program);
    ck_assert_int_eq(program_end(&program, SIGKILL, NULL), 128 + SIGKILL);
    await_nobody();    /* finish looks for the files */
}
END_TEST

START_TEST(the_second_interrupt_ends_it_at_once)
{
    struct program program;
    /* A run that does not want to go, so that the first interrupt takes a while. */
    write_file("external",
               "trap '' TERM\n: >\"$TMPDIR/runs\"\nwhile :; do sleep 1; done\n");
    char external[600];
    snprintf(external, sizeof external, "own=sh %s", in_folder("external"));
    const char *argv[] = {BENCH, "timeline", "--external", external, "-m", "own",
                          "-o", folder, NULL};
    program_start(&program, argv);
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    while (access(in_folder("runs"), F_OK) < 0) {
        ck_assert_int_lt(clock_ns(), deadline_ns);
        clock_sleep(MS);
    }
    kill(program.pid, SIGINT);
    int status;
    /* Sent again until it is dead: two signals that wait together count as one. */
    do
        clock_sleep(MS);
    while (kill(program.pid, SIGINT) == 0 && find_process(BENCH) == program.pid);
    status = program_end(&program, 0, NULL);
    ck_assert_int_eq(status, 128 + SIGINT);
    await_nobody();
}
END_TEST

START_TEST(a_server_that_dies_is_said_and_the_rows_are_kept)
{
    struct program program;
    struct output output;
    struct table table;
    start_long(&program);
    pid_t server = find_process("latency-server");
    ck_assert_int_gt(server, 0);
    ck_assert_int_eq(kill(server, SIGKILL), 0);
    ck_assert_int_eq(program_end(&program, 0, &output), 3);
    await_nobody();
    assert_says(output.err, "bench: latency-server was killed by signal 9 (Killed); ");
    assert_one_sentence(output.err);
    table_read(&table, "makespan.csv", speed_csv_header);
    ck_assert_int_ge(table.rows, 1);
    int last = table.rows - 1;
    assert_says(table_get(&table, last, speed_csv_header, "why"), "failed: ");
    free(table.text);
    output_free(&output);
}
END_TEST

START_TEST(a_reader_that_left_is_an_error_and_not_a_crash)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    char command[900];
    snprintf(command, sizeof command,
             "exec " BENCH " timeline -m blocking --latency 1ms -o %s >&%d", folder,
             ends[1]);
    struct output output;
    const char *argv[] = {"sh", "-c", command, NULL};
    ck_assert_int_eq(program_run(argv, &output), 1);
    close(ends[1]);
    assert_says(output.err, "bench: standard output: Broken pipe");
    output_free(&output);
    await_nobody();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bench");
    TCase *tcase = tcase_create("bench");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, begin, finish);
    tcase_add_test(tcase, summary_tells_what_became_of_every_request);
    tcase_add_test(tcase, summary_of_a_run_without_a_start_is_zero);
    tcase_add_test(tcase, summary_takes_one_that_starts_as_another_ends_for_the_next);
    tcase_add_test(tcase, summary_averages_over_the_time_that_is_asked_for);
    tcase_add_loop_test(tcase, summary_reads_exactly_one_row_for_each_request, 0,
                        (int)LENGTH(refusals));
    tcase_add_test(tcase, summary_refuses_what_is_not_requests_csv);
    tcase_add_test(tcase, guards_pass_a_trial_in_which_all_is_well);
    tcase_add_test(tcase, guards_count_failures_by_reason);
    tcase_add_test(tcase, guards_notice_a_full_listen_queue);
    tcase_add_test(tcase, guards_notice_that_the_server_sets_the_pace);
    tcase_add_test(tcase, guards_notice_more_in_flight_than_was_asked);
    tcase_add_test(tcase, guards_hold_a_closed_loop_to_littles_law);
    tcase_add_test(tcase, guards_see_steps_of_forty_ms_but_no_slope);
    tcase_add_test(tcase, schedule_runs_every_cell_once_in_each_trial);
    tcase_add_test(tcase, schedule_follows_from_the_seed_and_the_trial);
    tcase_add_test(tcase, schedule_gives_each_cell_a_fair_place);
    tcase_add_test(tcase, schedule_runs_a_base_before_what_is_compared_with_it);
    tcase_add_test(tcase, schedule_takes_the_shortest_cells_that_the_budget_has_room_for);
    tcase_add_test(tcase, progress_stretches_the_plan_as_the_past_was_stretched);
    tcase_add_test(tcase, numbers_are_written_for_people);
    tcase_add_test(tcase, bench_lists_its_experiments);
    tcase_add_test(tcase, makespan_has_a_row_for_each_model_size_and_trial);
    tcase_add_test(tcase, the_same_seed_gives_the_same_order);
    tcase_add_test(tcase, footprint_holds_them_all_at_the_gate);
    tcase_add_test(tcase, timeline_has_a_row_for_each_request);
    tcase_add_test(tcase, machine_csv_tells_where_it_was_measured);
    tcase_add_test(tcase, a_cell_beyond_the_budget_is_told_with_its_ideal_time);
    tcase_add_test(tcase, nothing_within_the_budget_is_said_too);
    tcase_add_test(tcase, an_external_program_is_a_model_like_the_others);
    tcase_add_test(tcase, an_external_program_that_waits_for_one_at_a_time_is_found_out);
    tcase_add_test(tcase, failed_requests_make_a_row_that_does_not_count);
    tcase_add_test(tcase, an_external_program_that_cannot_run_makes_no_row);
    tcase_add_test(tcase, an_external_program_that_tells_half_makes_no_row);
    tcase_add_test(tcase, a_program_that_has_no_end_is_ended);
    tcase_add_test(tcase, what_a_program_leaves_running_is_ended);
    tcase_add_loop_test(tcase, wrong_usage_is_refused_in_one_sentence, 0,
                        (int)LENGTH(usages));
    tcase_add_test(tcase, a_full_disk_is_said_before_anything_is_measured);
    tcase_add_test(tcase, an_output_that_is_no_directory_is_refused);
    tcase_add_test(tcase, a_directory_that_is_missing_is_made);
    tcase_add_test(tcase, a_server_that_is_not_there_is_said);
    tcase_add_test(tcase, a_server_of_ones_own_is_used_and_left_alone);
    tcase_add_loop_test(tcase, an_interrupt_keeps_what_was_measured, 0, 2);
    tcase_add_test(tcase, however_bench_ends_nothing_is_left_behind);
    tcase_add_test(tcase, the_second_interrupt_ends_it_at_once);
    tcase_add_test(tcase, a_server_that_dies_is_said_and_the_rows_are_kept);
    tcase_add_test(tcase, a_reader_that_left_is_an_error_and_not_a_crash);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
