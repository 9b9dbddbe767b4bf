/* The real bench, judged from outside: its screen, its sentences, its CSV, and what is
   left when it ends. */
#define _GNU_SOURCE    /* sched_setaffinity */
#include "bench/speed.h"
#include "kit/array.h"
#include "tests/bench_support.h"
#include "tests/support.h"

#include <check.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MS = CLOCK_MS };

/* --- Experiments -------------------------------------------------------------------- */

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
        const char *model = table_get(&table, i, "model");
        int64_t requests = table_number(&table, i, "requests");
        int64_t in_flight = table_number(&table, i, "in_flight");
        bool alone = strcmp(model, "blocking") == 0;
        ck_assert_int_eq(in_flight, alone ? 1 : requests);
        ck_assert_int_eq(table_number(&table, i, "latency_ns"), 5 * MS);
        ck_assert_int_eq(table_number(&table, i, "position"), i);
        ck_assert_int_eq(table_number(&table, i, "ok"), requests);
        /* Never shorter than asked: one after the other, or all at once. */
        ck_assert_int_ge(table_number(&table, i, "wall_ns"),
                         5 * MS * (alone ? requests : 1));
        ck_assert_int_ge(table_number(&table, i, "p50_ns"), 5 * MS);
        ck_assert_int_gt(table_number(&table, i, "peak_rss_kib"), 0);
        ck_assert_str_ne(table_get(&table, i, "server_cpu_us"), "");
        blocking += alone;
        threads += !alone;
    }
    ck_assert_int_eq(blocking % 2, 0);    /* each cell twice */
    ck_assert_int_eq(threads % 2, 0);
    ck_assert_int_ge(blocking, 2);
    ck_assert_int_ge(threads, 2);
    assert_finds(&output, " of 5 ms, all asked at once: ");
    table_free(&table);
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
            strcat(strcat(orders[run], " "), table_get(&table, i, "in_flight"));
            ck_assert_int_ge(table_number(&table, i, "requests"),
                             3 * table_number(&table, i, "in_flight"));
            ck_assert_int_eq(table_number(&table, i, "trial"), i / 7);
        }
        table_free(&table);
        output_free(&output);
    }
    ck_assert_str_eq(orders[0], orders[1]);
    free(orders[0]);
    free(orders[1]);
}
END_TEST

static const char footprint_header[] =
    "model,waiting,trial,rss_kib,base_rss_kib,per_request_bytes,threads,descriptors,"
    "pss_kib,page_tables_kib,kernel_stacks_kib,slab_kib,each_pss_bytes,"
    "each_page_tables_bytes,each_kernel_stacks_bytes,each_slab_bytes,each_whole_bytes,"
    "valid,why";

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
        int64_t waiting = table_number(&table, i, "waiting");
        const char *model = table_get(&table, i, "model");
        bool alone = strcmp(model, "blocking") == 0;
        ck_assert(!alone || waiting == 1);
        ck_assert_int_ge(table_number(&table, i, "threads"), alone ? 1 : waiting + 1);
        ck_assert_int_gt(table_number(&table, i, "descriptors"), waiting);
        ck_assert_int_gt(table_number(&table, i, "rss_kib"), 0);
        ck_assert_int_gt(table_number(&table, i, "pss_kib"), 0);
        ck_assert_int_le(table_number(&table, i, "pss_kib"),
                         table_number(&table, i, "rss_kib"));
        ck_assert_int_gt(table_number(&table, i, "page_tables_kib"), 0);
        const char *each = table_get(&table, i, "per_request_bytes");
        ck_assert_int_eq(each[0] == '\0', waiting == 1);
        each = table_get(&table, i, "each_whole_bytes");
        ck_assert_int_eq(each[0] == '\0', waiting == 1);
        ck_assert_int_eq(table_number(&table, i, "each_whole_bytes"),
                         table_number(&table, i, "each_pss_bytes") +
                         table_number(&table, i, "each_page_tables_bytes") +
                         table_number(&table, i, "each_kernel_stacks_bytes") +
                         table_number(&table, i, "each_slab_bytes"));
    }
    table_free(&table);
    output_free(&output);
}
END_TEST

START_TEST(footprint_asks_no_machine_for_ten_thousand_processes)
{
    struct output output;
    struct table table;
    int status = bench_run("footprint -m processes --trials 1 --budget 700ms", NULL,
                           &output);
    assert_ran(status, &output);
    assert_says(output.out, "not run: footprint, processes, 10,000 waiting: 1,000 "
                "processes are enough to ask of a machine\n");
    table_read(&table, "footprint.csv", footprint_header);
    ck_assert_int_ge(table.rows, 2);
    for (int i = 0; i < table.rows; i++)
        ck_assert_int_le(table_number(&table, i, "waiting"), 1000);
    table_free(&table);
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
        ck_assert_int_eq(table_number(&table, i, "request"), i % 10);
        ck_assert_int_ge(table_number(&table, i, "end_ns"),
                         table_number(&table, i, "start_ns") + 20 * MS);
    }
    assert_finds(&output, "blocking waited for 1 at a time");
    assert_finds(&output, " waited for 10 at once");
    table_free(&table);
    output_free(&output);
}
END_TEST

START_TEST(experiments_are_run_in_the_order_in_which_they_are_named)
{
    struct output output;
    int status = bench_run("timeline footprint -m blocking --latency 1ms --trials 1",
                           NULL, &output);
    assert_ran(status, &output);
    const char *first = strstr(output.out, "\ntimeline: who waited when?\n");
    ck_assert_msg(first != NULL, "no timeline: %s", output.out);
    assert_says(first, "\nfootprint: what does one waiting request cost?\n");
    assert_says(first, ": timeline.csv and footprint.csv; machine.csv tells");
    output_free(&output);
}
END_TEST

START_TEST(an_experiment_that_is_named_twice_is_run_once)
{
    struct output output;
    struct table table;
    int status = bench_run("timeline timeline -m blocking --latency 1ms", NULL, &output);
    assert_ran(status, &output);
    static const char question[] = "\ntimeline: who waited when?\n";
    const char *first = strstr(output.out, question);
    ck_assert_msg(first != NULL, "no timeline: %s", output.out);
    ck_assert_ptr_null(strstr(first + 1, question));
    assert_says(first, ": timeline.csv; machine.csv tells");
    table_read(&table, "timeline.csv", result_csv_header);
    ck_assert_int_eq(table.rows, 10);
    table_free(&table);
    output_free(&output);
}
END_TEST

START_TEST(a_model_that_cannot_run_here_is_passed_over)
{
    struct output output;
    struct table table;
    refuse_system_call(SYS_io_uring_setup, EPERM);
    int status = bench_run("timeline --latency 1ms", NULL, &output);
    assert_ran(status, &output);
    assert_says(output.out, "passed over: uring: ");
    table_read(&table, "timeline.csv", result_csv_header);
    ck_assert_int_ge(table.rows, 70);    /* all the others */
    for (int i = 0; i < table.rows; i++)
        ck_assert_str_ne(table_get(&table, i, "model"), "uring");
    table_free(&table);
    output_free(&output);

    ck_assert_int_eq(bench_run("timeline -m uring --latency 1ms", NULL, &output), 1);
    assert_says(output.out, "passed over: uring: ");
    assert_says(output.err, "there is nobody left to measure");
    output_free(&output);
}
END_TEST

/* --- Ways of switching -------------------------------------------------------------- */

static const char switch_header[] =
    "who,how,by,cores,trial,position,switches,kernel_switches,wall_ns,switch_ps,valid,"
    "why";

/* Of its own 11 ways six can cross to another core; three need the assembly. */
static int count_switch_rows(void)
{
    cpu_set_t allowed;
    ck_assert_int_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    bool two = CPU_COUNT(&allowed) > 1;
    bool assembly = access(BUILD_DIR "/pingpong-assembly", X_OK) == 0;
    return (assembly ? 11 : 8) + (two ? assembly ? 6 : 5 : 0);
}

START_TEST(switch_has_a_row_for_each_way_and_runs_no_model)
{
    struct output output;
    struct table table;
    int status = bench_run("switch --trials 1 -m own", external_tell(external_fine, 0),
                           &output);
    assert_ran(status, &output);
    ck_assert_ptr_null(folder_read("runs"));    /* of the model: no warm-up */
    table_read(&table, "switch.csv", switch_header);
    ck_assert_int_eq(table.rows, count_switch_rows());
    for (int i = 0; i < table.rows; i++) {
        int64_t switches = table_number(&table, i, "switches");
        ck_assert_int_eq(table_number(&table, i, "position"), i);
        ck_assert_int_gt(switches, 0);
        ck_assert_int_gt(table_number(&table, i, "switch_ps"), 0);
        ck_assert_str_eq(table_get(&table, i, "valid"), "1");
        if (table_number(&table, i, "cores") == 1 &&
            strcmp(table_get(&table, i, "by"), "kernel") == 0 &&
            strcmp(table_get(&table, i, "who"), "nobody") != 0)
            ck_assert_int_ge(table_number(&table, i, "kernel_switches"), switches);
        for (int j = 0; j < i; j++)    /* each way once */
            ck_assert(strcmp(table_get(&table, i, "who"), table_get(&table, j, "who")) ||
                      strcmp(table_get(&table, i, "how"), table_get(&table, j, "how")) ||
                      strcmp(table_get(&table, i, "by"), table_get(&table, j, "by")) ||
                      strcmp(table_get(&table, i, "cores"),
                             table_get(&table, j, "cores")));
    }
    assert_says(output.out, "\nOne switch, in the median: on one core, ");
    assert_says(output.out, " for a system call that switches nothing.\n");
    table_free(&table);
    output_free(&output);
}
END_TEST

START_TEST(where_bench_has_one_core_nothing_crosses_to_another)
{
    struct output output;
    struct table table;
    cpu_set_t allowed, one;
    ck_assert_int_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    size_t first = 0;
    while (!CPU_ISSET(first, &allowed))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    int status = bench_run("switch --trials 1 --budget 1ms", NULL, &output);
    ck_assert_int_eq(status, 0);
    assert_says(output.out, "not run: switch, thread futex, 2 cores: bench may use only "
                "one core here\n");
    assert_says(output.out, "not run: switch, thread futex, 1 core: 0.200 s by one run, "
                "and the budget of 1 ms is spent\n");
    table_read(&table, "switch.csv", switch_header);
    ck_assert_int_eq(table.rows, 0);
    ck_assert_int_eq(sched_setaffinity(0, sizeof allowed, &allowed), 0);
    table_free(&table);
    output_free(&output);
}
END_TEST

/* --- machine.csv -------------------------------------------------------------------- */

START_TEST(machine_csv_tells_where_it_was_measured)
{
    struct output output;
    bench_run("timeline -m blocking --latency 1ms --seed 42", NULL, &output);
    char *text = folder_read("machine.csv");
    ck_assert_ptr_nonnull(text);
    static const char *const lines[] = {
        "key,value\n", "\nlatency_ns,1000000\n", "\nseed,42\n", "\nkernel,",
        "\ncpu_model,", "\ncpu_count,", "\nnofile_soft,", "\nnofile_hard,",
        "\nnproc_soft,", "\ncompiler,", "\nflags,", "\nglibc,", "\nlibevent,",
        "\ncongestion_control,", "\nsomaxconn,", "\nport_range,", "\nload_before,",
        "\nload_after,", "\ncommit,", "\nserver_cpus,", "\nclient_cpus,",
        "\nceiling_per_s,", "\nmemory_kib,", "\ngovernor,"
    };
    for (size_t i = 0; i < LENGTH(lines); i++)
        assert_says(text, lines[i]);
    free(text);
    output_free(&output);
}
END_TEST

START_TEST(machine_csv_knows_what_the_build_knows)
{
    static const char *const keys[] = {"flags", "libevent"};
    struct output output;
    struct table table;
    bench_run("timeline -m blocking --latency 1ms", NULL, &output);
    table_read(&table, "machine.csv", "key,value");
    for (size_t i = 0; i < LENGTH(keys); i++) {
        int row = 0;
        while (row < table.rows && strcmp(table_get(&table, row, "key"), keys[i]) != 0)
            row++;
        ck_assert_msg(row < table.rows, "no %s", keys[i]);
        ck_assert_str_ne(table_get(&table, row, "value"), "");
        ck_assert_str_ne(table_get(&table, row, "value"), "unknown");
    }
    table_free(&table);
    output_free(&output);
}
END_TEST

/* --- The budget --------------------------------------------------------------------- */

START_TEST(a_cell_beyond_the_budget_is_told_with_its_ideal_time)
{
    struct output output;
    struct table table;
    int status = bench_run("makespan -m blocking --latency 20ms --trials 1 "
                           "--budget 500ms", NULL, &output);
    assert_ran(status, &output);
    assert_says(output.out, "not run: makespan, blocking, 30, 100, 300, 1,000 requests: "
                "0.600 s, 2.00 s, 6.00 s, 20.0 s by N·L, and the budget of 500 ms is "
                "spent\n");
    table_read(&table, "makespan.csv", speed_csv_header);
    ck_assert_int_eq(table.rows, 3);
    table_free(&table);
    output_free(&output);
}
END_TEST

START_TEST(nothing_within_the_budget_is_said_too)
{
    struct output output;
    struct table table;
    ck_assert_int_eq(bench_run("timeline -m blocking --budget 1ms", NULL, &output), 0);
    assert_says(output.out, "not run: timeline, blocking, 10 requests: 1.00 s by N·L, "
                "and the budget of 1 ms is spent\n");
    assert_says(output.out, "Of timeline, no trial counts.");
    table_read(&table, "timeline.csv", result_csv_header);
    ck_assert_int_eq(table.rows, 0);
    table_free(&table);
    output_free(&output);
}
END_TEST

START_TEST(what_the_budget_leaves_out_is_one_line_for_each_contender)
{
    struct output output;
    ck_assert_int_eq(bench_run("makespan -m blocking,libevent --latency 20ms "
                               "--budget 1ms", NULL, &output), 0);
    assert_says(output.out,
                "not run: makespan, blocking, 1, 3, 10, 30, 100, 300, 1,000 ");
    const char *line = strstr(output.out, "not run: makespan, libevent, ");
    ck_assert_msg(line != NULL, "nothing of libevent: %s", output.out);
    /* The time is the same for all sizes, and is said once. */
    assert_says(line, " requests: 20.0 ms by L, and the budget of 1 ms is spent\n");
    int lines = 0;
    for (line = output.out; (line = strstr(line, "not run: ")) != NULL; line++)
        lines++;
    ck_assert_int_eq(lines, 2);
    output_free(&output);
}
END_TEST

/* --- Wrong usage -------------------------------------------------------------------- */

static const struct {
    const char *words, *says;
} usages[] = {
    {"nonsense", "there is no experiment 'nonsense'; there are footprint makespan"},
    {"-m threads,nobody", "-m: there is no model 'nobody'; there are blocking processes"},
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

/* --- Files and servers that fail ---------------------------------------------------- */

START_TEST(a_full_disk_is_said_before_anything_is_measured)
{
    struct output output;
    char link[512];
    snprintf(link, sizeof link, "%s", folder_path("timeline.csv"));
    ck_assert_int_eq(symlink("/dev/full", link), 0);
    ck_assert_int_eq(bench_run("timeline -m own", external_tell(external_fine, 0),
                               &output), 1);
    assert_says(output.err, "timeline.csv: No space left on device");
    assert_one_sentence(output.err);
    char *runs = folder_read("runs");
    ck_assert_str_eq(runs, "3\n");    /* the one that is thrown away */
    free(runs);
    ck_assert_ptr_null(folder_read("machine.csv"));
    output_free(&output);
}
END_TEST

START_TEST(an_output_that_is_no_directory_is_refused)
{
    struct output output;
    char path[600];
    folder_write("file", "");
    snprintf(path, sizeof path, "%s/below", folder_path("file"));
    const char *argv[] = {BENCH, "timeline", "-m", "blocking", "-o", path, NULL};
    ck_assert_int_eq(program_run(argv, &output), 1);
    assert_says(output.err, "bench: -o: ");
    assert_says(output.err, "Not a directory");
    assert_one_sentence(output.err);
    output_free(&output);
}
END_TEST

START_TEST(a_directory_that_is_missing_is_made)
{
    struct output output;
    char path[512];
    snprintf(path, sizeof path, "%s", folder_path("new"));
    const char *argv[] = {BENCH, "timeline", "-m", "blocking", "--latency", "1ms",
                          "-o", path, NULL};
    int status = program_run(argv, &output);
    assert_ran(status, &output);
    ck_assert_int_eq(unlink(folder_path("new/timeline.csv")), 0);
    ck_assert_int_eq(unlink(folder_path("new/machine.csv")), 0);
    unlink(folder_path("new/threads.csv"));    /* of so short a run there may be none */
    output_free(&output);
}
END_TEST

START_TEST(a_server_that_is_not_there_is_said)
{
    struct output output;
    ck_assert_int_eq(bench_run("timeline --url http://127.0.0.1:1", NULL, &output), 1);
    ck_assert_str_eq(output.err,
                     "bench: --url: http://127.0.0.1:1/stats: Connection refused\n");
    ck_assert_ptr_null(folder_read("timeline.csv"));
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
    int status = bench_run(words, NULL, &output);
    assert_ran(status, &output);
    table_read(&table, "makespan.csv", speed_csv_header);
    ck_assert_int_ge(table.rows, 1);
    ck_assert_str_eq(table_get(&table, 0, "server_cpu_us"), "");
    ck_assert_int_gt(server_stat(&server, "requests"),
                     3 * 2000);    /* the ceiling's alone */
    server_stop(&server);
    table_free(&table);
    output_free(&output);
}
END_TEST

/* --- Signals, and other ends -------------------------------------------------------- */

/* Awaits a row in that file, a second line with its end. */
static void await_row(const char *name)
{
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    for (bool there = false; !there; clock_sleep(MS)) {
        ck_assert_msg(clock_ns() < deadline_ns, "no row comes in %s", name);
        char *text = folder_read(name);
        char *header = text ? strchr(text, '\n') : NULL;
        there = header && strchr(header + 1, '\n');
        free(text);
    }
}

/* A run long enough to do something to it: each trial of blocking takes 0.2 s. */
static void start_long(struct program *program)
{
    bench_start(program, "makespan -m blocking --latency 20ms --trials 1000 --budget 60m",
                NULL);
    await_row("makespan.csv");
}

START_TEST(an_interrupt_keeps_what_was_measured)
{
    struct program program;
    struct output output;
    struct table table;
    start_long(&program);
    ck_assert_int_eq(program_end(&program, _i == 0 ? SIGINT : SIGTERM, &output), 3);
    assert_says(output.err, "bench: interrupted: ");
    assert_says(output.err, " trials kept in ");
    assert_one_sentence(output.err);
    table_read(&table, "makespan.csv", speed_csv_header);
    ck_assert_int_ge(table.rows, 1);
    int kept = atoi(strstr(output.err, "interrupted: ") + strlen("interrupted: "));
    ck_assert_int_eq(kept, table.rows);
    table_free(&table);
    char *machine = folder_read("machine.csv");
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
    /* bench_finish looks for processes and files */
}
END_TEST

START_TEST(the_second_interrupt_ends_it_at_once)
{
    struct program program;
    /* A run that does not want to go, so that the first interrupt takes a while. */
    bench_start(&program, "timeline -m own",
                external_write("trap '' TERM\n: >\"$TMPDIR/runs\"\n"
                               "while :; do sleep 1; done\n"));
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    while (access(folder_path("runs"), F_OK) < 0) {
        ck_assert_int_lt(clock_ns(), deadline_ns);
        clock_sleep(MS);
    }
    kill(program.pid, SIGINT);
    program_await_taken(&program, SIGINT);    /* two that wait together count as one */
    ck_assert_int_eq(program_end(&program, SIGINT, NULL), 128 + SIGINT);
}
END_TEST

START_TEST(a_server_that_dies_is_said_and_the_rows_are_kept)
{
    struct program program;
    struct output output;
    struct table table;
    start_long(&program);
    pid_t server = find_started("latency-server");
    ck_assert_int_gt(server, 0);
    ck_assert_int_eq(kill(server, SIGKILL), 0);
    ck_assert_int_eq(program_end(&program, 0, &output), 3);
    assert_says(output.err, "bench: latency-server was killed by signal 9 (Killed); ");
    assert_one_sentence(output.err);
    table_read(&table, "makespan.csv", speed_csv_header);
    ck_assert_int_ge(table.rows, 1);
    int last = table.rows - 1;
    assert_says(table_get(&table, last, "why"), "failed: ");
    table_free(&table);
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
             "exec " BENCH " timeline -m blocking --latency 1ms -o %s >&%d",
             folder_path(""), ends[1]);
    struct output output;
    const char *argv[] = {"sh", "-c", command, NULL};
    ck_assert_int_eq(program_run(argv, &output), 1);
    close(ends[1]);
    assert_says(output.err, "bench: standard output: Broken pipe");
    output_free(&output);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bench");
    TCase *tcase = suite_add(suite, "bench");
    tcase_add_checked_fixture(tcase, bench_begin, bench_finish);
    tcase_add_test(tcase, bench_lists_its_experiments);
    tcase_add_test(tcase, makespan_has_a_row_for_each_model_size_and_trial);
    tcase_add_test(tcase, the_same_seed_gives_the_same_order);
    tcase_add_test(tcase, footprint_holds_them_all_at_the_gate);
    tcase_add_test(tcase, footprint_asks_no_machine_for_ten_thousand_processes);
    tcase_add_test(tcase, timeline_has_a_row_for_each_request);
    tcase_add_test(tcase, experiments_are_run_in_the_order_in_which_they_are_named);
    tcase_add_test(tcase, an_experiment_that_is_named_twice_is_run_once);
    tcase_add_test(tcase, a_model_that_cannot_run_here_is_passed_over);
    tcase_add_test(tcase, switch_has_a_row_for_each_way_and_runs_no_model);
    tcase_add_test(tcase, where_bench_has_one_core_nothing_crosses_to_another);
    tcase_add_test(tcase, machine_csv_tells_where_it_was_measured);
    tcase_add_test(tcase, machine_csv_knows_what_the_build_knows);
    tcase_add_test(tcase, a_cell_beyond_the_budget_is_told_with_its_ideal_time);
    tcase_add_test(tcase, nothing_within_the_budget_is_said_too);
    tcase_add_test(tcase, what_the_budget_leaves_out_is_one_line_for_each_contender);
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
    return suite_end(suite);
}
