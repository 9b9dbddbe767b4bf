/* The real fetch, judged from outside: its screen, its sentences, its exit
   status, its CSV. */
#include "fetch/preflight.h"
#include "fetch/report.h"
#include "kit/array.h"
#include "models/models.h"
#include "tests/models_support.h"
#include "tests/support.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FETCH BUILD_DIR "/fetch"

static struct server server;
static struct output output;
static char          csv[64];

static void begin(void)
{
    folder_make();
    snprintf(csv, sizeof csv, "%s", folder_path("requests.csv"));
    server_start(&server, NULL);
}

static void finish(void)
{
    unlink(csv);
    folder_remove();    /* nothing else was left there */
    output_free(&output);
    if (server.program.pid)
        server_stop(&server);
}

static const char *url(const char *target)
{
    static char text[256];
    snprintf(text, sizeof text, "http://127.0.0.1:%d%s", server.port, target);
    return text;
}

/* Reads requests.csv; returns its rows, and counts those that have this error. */
static int count_rows(const char *error, int *having)
{
    char line[512];
    int rows = 0;
    FILE *file = fopen(csv, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    line[strcspn(line, "\n")] = '\0';
    ck_assert_str_eq(line, result_csv_header);
    for (*having = 0; fgets(line, sizeof line, file); rows++) {
        struct result result;
        int request;
        ck_assert_int_eq(result_read(line, &request, &result), 0);
        ck_assert_int_eq(request, rows);
        *having += strcmp(result_error_name(result.error), error) == 0;
    }
    fclose(file);
    return rows;
}

START_TEST(fetch_reports_a_clean_run)
{
    const struct model *model = able[_i];
    const char *argv[] = {FETCH, "-m", model->name, "-n",  "12", "-c",
                          "4",   "-o", csv,        url("/delay/3ms?i={i}"), NULL};
    ck_assert_msg(program_run(argv, &output) == 0, "%s", output.err);
    ck_assert_str_eq(output.err, "");
    assert_says(output.out, "requests    12 ok, 0 failed, 0 never started");
    assert_says(output.out, model->one_at_a_time ? "the ideal is 36ms = 12 x 3ms"
                                                 : "the ideal is 9ms = 3 x 3ms");
    int fine;
    ck_assert_int_eq(count_rows("", &fine), 12);
    ck_assert_int_eq(fine, 12);
}
END_TEST

START_TEST(fetch_puts_all_in_flight_unless_told_otherwise)
{
    const char *argv[] = {FETCH, "-m", "libevent", "-n", "30",
                          url("/gate/30?timeout=60m"), NULL};
    ck_assert_int_eq(program_run(argv, &output), 0);
    assert_says(output.out, "at most 30 in flight");
}
END_TEST

/* Every start, seen as another program's clock sees it. */
START_TEST(fetch_writes_the_times_of_the_clock_if_asked)
{
    const char *argv[] = {FETCH, "-m", "libevent", "-n", "3", "--monotonic", "-o", csv,
                          url("/delay/1ms"), NULL};
    int64_t before_ns = clock_ns();
    ck_assert_int_eq(program_run(argv, &output), 0);
    char *text = folder_read("requests.csv");
    char *rest = strchr(text, '\n') + 1;
    for (char *line; (line = strtok_r(rest, "\n", &rest)) != NULL;) {
        struct result result;
        int request;
        ck_assert_int_eq(result_read(line, &request, &result), 0);
        ck_assert_int_gt(result.start_ns, before_ns);
        ck_assert_int_lt(result.end_ns, clock_ns());
    }
    free(text);
}
END_TEST

START_TEST(fetch_lists_its_models)
{
    const char *argv[] = {FETCH, "--list", NULL};
    ck_assert_int_eq(program_run(argv, &output), 0);
    ck_assert_msg(strncmp(output.out, "blocking ", 9) == 0, "%s", output.out);
    assert_says(output.out, "\nthreads ");
    assert_says(output.out, "\nlibevent ");
}
END_TEST

START_TEST(fetch_says_why_a_model_is_unavailable)
{
    refuse_system_call(SYS_io_uring_setup, EPERM);
    const char *list[] = {FETCH, "--list", NULL};
    ck_assert_int_eq(program_run(list, &output), 0);
    assert_says(output.out, "\nuring       unavailable: ");
    output_free(&output);
    const char *run[] = {FETCH, "-m", "uring", url("/"), NULL};
    ck_assert_int_eq(program_run(run, &output), 1);
    assert_says(output.err, "fetch: uring: ");
    assert_one_sentence(output.err);
    ck_assert_int_eq(server_stat(&server, "requests"), 0);
}
END_TEST

/* A shell may pass that on, and then waitpid(2) finds no child, ever. */
START_TEST(fetch_awaits_its_processes_though_sigchld_was_ignored)
{
    signal(SIGCHLD, SIG_IGN);
    struct program program;
    const char *argv[] = {FETCH, "-m", "processes", "-n", "3", url("/delay/1ms"), NULL};
    program_start(&program, argv);
    signal(SIGCHLD, SIG_DFL);
    ck_assert_int_eq(program_end(&program, 0, &output), 0);
    assert_says(output.out, "3 ok, 0 failed");
}
END_TEST

START_TEST(fetch_prints_its_help)
{
    const char *argv[] = {FETCH, "--help", NULL};
    ck_assert_int_eq(program_run(argv, &output), 0);
    assert_says(output.out, "--in-flight COUNT");
}
END_TEST

static const struct {
    const char *words[4];
    const char *sentence;
} usages[] = {
    {{"-x", "http://127.0.0.1:1/"}, "fetch: -x: no such option"},
    {{"--colour", "http://127.0.0.1:1/"}, "fetch: --colour: no such option"},
    {{"-n", "12x", "http://127.0.0.1:1/"}, "fetch: -n: '12x' is not a whole number"},
    {{"-n", "0", "http://127.0.0.1:1/"},
     "fetch: -n: 0 is out of range; it goes from 1 to 1000000"},
    {{"-c", "-3", "http://127.0.0.1:1/"}, "fetch: -c: '-3' is not a whole number"},
    {{"--timeout", "5 s", "http://127.0.0.1:1/"},
     "fetch: --timeout: '5 s' is not a duration"},
    {{"--stack=1K", "http://127.0.0.1:1/"}, "fetch: --stack: 1K is out of range"},
    {{"-m", "fibers", "http://127.0.0.1:1/"},
     "fetch: -m: there is no model 'fibers'; there are blocking processes threads"},
    {{"http://127.0.0.1:1/", "http://127.0.0.1:2/"},
     "fetch: 'http://127.0.0.1:2/': one argument"},
    {{"-n"}, "fetch: -n: needs an argument"},
    {{NULL}, "fetch: URL: missing"},
    {{"http://127.0.0.1/"}, "fetch: http://127.0.0.1/: the URL names no port"},
    {{"ftp://127.0.0.1:1/"}, "fetch: ftp://127.0.0.1:1/: a URL starts with http://"},
    {{"http://127.0.0.1:99999/"}, "fetch: http://127.0.0.1:99999/: the URL's port"},
    {{"http://127.0.0.1:1/a b"}, "fetch: http://127.0.0.1:1/a b: the URL has a space"},
};

START_TEST(fetch_refuses_wrong_usage_in_one_sentence)
{
    const char *argv[6] = {FETCH};
    for (int i = 0; i < 4 && usages[_i].words[i]; i++)
        argv[1 + i] = usages[_i].words[i];
    ck_assert_int_eq(program_run(argv, &output), 2);
    ck_assert_str_eq(output.out, "");
    assert_says(output.err, usages[_i].sentence);
    assert_one_sentence(output.err);
}
END_TEST

static const struct {
    const char *target;
    const char *sentence;
} failures[] = {
    {"/nowhere", "fetch: 4 of 4 requests are not ok: 4 answered with HTTP status 404"},
    {"/fault/reset",
     "fetch: 4 of 4 requests are not ok: 4 reset by the server (ECONNRESET)"},
    {"/fault/close", "4 closed without a reply (ENODATA)"},
    {"/fault/truncate", "4 the reply was cut short (EBADMSG)"},
    {"/fault/garbage", "4 the reply is not HTTP (EPROTO)"},
    {"/fault/stall", "4 no whole reply in time (ETIMEDOUT)"},
};

START_TEST(fetch_says_why_requests_failed)
{
    const char *argv[] = {FETCH, "-m", "libevent", "-n", "4", "--timeout", "300ms",
                          "-o",  csv,  url(failures[_i].target), NULL};
    ck_assert_int_eq(program_run(argv, &output), 3);
    assert_says(output.out, "requests    0 ok, 4 failed, 0 never started");
    assert_says(output.err, failures[_i].sentence);
    assert_one_sentence(output.err);
    int none;
    ck_assert_int_eq(count_rows("ECANCELED", &none), 4);    /* failures have rows too */
    ck_assert_int_eq(none, 0);
}
END_TEST

START_TEST(fetch_says_that_nobody_listens)
{
    server_stop(&server);
    server.program.pid = 0;
    const char *argv[] = {FETCH, "-n", "3", url("/"), NULL};
    ck_assert_int_eq(program_run(argv, &output), 3);
    assert_says(output.err, "3 connection refused: nobody listens there");
    assert_one_sentence(output.err);
}
END_TEST

START_TEST(fetch_refuses_a_host_that_has_no_address)
{
    const char *argv[] = {FETCH, "-n", "3", "http://256.256.256.256:80/", NULL};
    ck_assert_int_eq(program_run(argv, &output), 1);
    assert_says(output.err, "fetch: 256.256.256.256: ");
    assert_one_sentence(output.err);
}
END_TEST

START_TEST(fetch_accounts_for_every_request_when_the_server_dies)
{
    const struct model *model = able[_i];
    const char *argv[] = {FETCH, "-m", model->name, "-n", "20", "-c", "5", "-o", csv,
                          url("/gate/100?timeout=60m"), NULL};
    struct program fetch;
    program_start(&fetch, argv);
    server_await_stat(&server, "in_flight", model->one_at_a_time ? 1 : 5);
    program_end(&server.program, SIGKILL, NULL);
    server.program.pid = 0;
    int status = program_end(&fetch, 0, &output);
    ck_assert_int_eq(status, 3);
    assert_says(output.out, "requests    0 ok, 20 failed, 0 never started");
    int fine, never;
    ck_assert_int_eq(count_rows("", &fine), 20);
    ck_assert_int_eq(fine, 0);
    count_rows("ECANCELED", &never);
    ck_assert_int_eq(never, 0);
}
END_TEST

START_TEST(fetch_ends_in_order_at_the_first_interrupt)
{
    const struct model *model = able[_i];
    const char *argv[] = {FETCH, "-m", model->name, "-n", "10", "-c", "3", "-o", csv,
                          url(model->one_at_a_time ? "/gate/2?timeout=60m"
                                                   : "/gate/4?timeout=60m"), NULL};
    struct program fetch;
    program_start(&fetch, argv);
    int waiting = model->one_at_a_time ? 1 : 3;
    server_await_stat(&server, "in_flight", waiting);
    kill(fetch.pid, SIGINT);
    program_await_taken(&fetch, SIGINT);
    char reply[1024];    /* ours is the last to arrive, and opens the gate for all */
    ck_assert_int_eq(client_get(server.port, model->one_at_a_time ? "/gate/2" : "/gate/4",
                                reply, sizeof reply),
                     200);
    int status = program_end(&fetch, 0, &output);
    ck_assert_int_eq(status, 3);
    assert_says(output.err, "fetch: interrupted; ");
    assert_says(output.err, "never started (ECANCELED)");
    int never;
    ck_assert_int_eq(count_rows("ECANCELED", &never), 10);
    ck_assert_int_eq(never, 10 - waiting);
}
END_TEST

START_TEST(fetch_ends_at_once_at_the_second_interrupt_and_leaves_no_file)
{
    const char *argv[] = {FETCH, "-m", "libevent", "-n", "3", "-o", csv,
                          url("/gate/100?timeout=60m"), NULL};
    struct program fetch;
    program_start(&fetch, argv);
    server_await_stat(&server, "in_flight", 3);
    kill(fetch.pid, SIGINT);
    program_await_taken(&fetch, SIGINT);
    kill(fetch.pid, SIGINT);
    int status = program_end(&fetch, 0, &output);
    ck_assert_int_eq(status, 128 + SIGINT);
    ck_assert_int_eq(access(csv, F_OK), -1);
    server_await_stat(&server, "in_flight", 0);
}
END_TEST

static int run_shell(const char *format, const char *target)
{
    char command[512];
    snprintf(command, sizeof command, format, url(target));
    const char *argv[] = {"sh", "-c", command, NULL};
    return program_run(argv, &output);
}

START_TEST(fetch_refuses_more_in_flight_than_descriptors)
{
    ck_assert_int_eq(run_shell("ulimit -n 60; exec " FETCH " -m libevent -n 100 %s",
                               "/delay/1ms"), 1);
    assert_says(output.err, "fetch: libevent: 100 in flight need 132 descriptors and "
                "the limit is 60");
    assert_says(output.err, "ulimit -Hn 132");
    assert_one_sentence(output.err);
    ck_assert_int_eq(server_stat(&server, "requests"), 0);
}
END_TEST

START_TEST(fetch_raises_the_soft_limit_where_it_may)
{
    ck_assert_int_eq(run_shell("ulimit -Sn 40; exec " FETCH " -m libevent -n 100 %s",
                               "/gate/100?timeout=60m"), 0);
}
END_TEST

START_TEST(fetch_refuses_more_threads_than_the_machine_has)
{
    ck_assert_int_eq(run_shell("exec " FETCH " -m threads -n 1M %s", "/delay/1ms"), 1);
    assert_one_sentence(output.err);
}
END_TEST

START_TEST(preflight_refuses_more_processes_than_memory_holds)
{
    /* 144 TB of them: nobody has that. */
    struct workload workload = {.count = 1000000000, .in_flight = 1000000000};
    char why[PREFLIGHT_WHY] = "";
    ck_assert_int_eq(preflight(model_find("processes"), &workload, why), -EAGAIN);
    assert_says(why, "1000000000 processes take about 140625000 MiB of memory and ");
    const char *most = strstr(why, "; ask for less with -c, at most ");
    ck_assert_msg(most != NULL, "%s", why);
    workload.in_flight = atoi(most + strlen("; ask for less with -c, at most ")) +
                         1000000;
    ck_assert_int_eq(preflight(model_find("processes"), &workload, why), -EAGAIN);
    assert_says(why, " MiB of memory");
    workload.in_flight = 2;    /* for which there is room wherever this test can start */
    ck_assert_int_eq(preflight(model_find("processes"), &workload, why), 0);
}
END_TEST

START_TEST(fetch_lets_each_process_have_its_own_descriptors)
{
    ck_assert_int_eq(run_shell("ulimit -n 60; exec " FETCH " -m processes -n 100 %s",
                               "/gate/100?timeout=60m"), 0);
}
END_TEST

START_TEST(fetch_says_that_the_disk_is_full)
{
    ck_assert_int_eq(run_shell("exec " FETCH " -n 2 -o /dev/full %s", "/delay/1ms"), 1);
    assert_says(output.err, "fetch: /dev/full: No space left on device");
    assert_one_sentence(output.err);
    ck_assert_int_eq(access("/dev/full", F_OK), 0);
}
END_TEST

START_TEST(fetch_leaves_no_half_written_file)
{
    char command[512];
    snprintf(command, sizeof command,
             "trap '' XFSZ; ulimit -f 1; exec " FETCH " -m libevent -n 200 -o %s %s", csv,
             url("/delay/1ms"));
    const char *argv[] = {"sh", "-c", command, NULL};
    ck_assert_int_eq(program_run(argv, &output), 1);
    assert_says(output.err, "File too large");
    ck_assert_int_eq(access(csv, F_OK), -1);
}
END_TEST

START_TEST(fetch_refuses_an_output_that_cannot_be_written_before_it_starts)
{
    ck_assert_int_eq(run_shell("exec " FETCH " -n 2 -o /nowhere/requests.csv %s",
                               "/delay/1ms"), 1);
    assert_says(output.err, "fetch: /nowhere/requests.csv: No such file or directory");
    assert_one_sentence(output.err);
    ck_assert_int_eq(server_stat(&server, "requests"), 0);
}
END_TEST

START_TEST(fetch_says_that_its_screen_could_not_be_printed)
{
    ck_assert_int_eq(run_shell("exec " FETCH " -n 2 %s > /dev/full", "/delay/1ms"), 1);
    assert_says(output.err, "fetch: standard output: No space left on device");
}
END_TEST

START_TEST(fetch_survives_a_reader_that_left)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    char command[512];
    snprintf(command, sizeof command, "exec " FETCH " -n 2 %s >&%d", url("/delay/1ms"),
             ends[1]);
    const char *argv[] = {"sh", "-c", command, NULL};
    ck_assert_int_eq(program_run(argv, &output), 1);
    assert_says(output.err, "fetch: standard output: Broken pipe");
    close(ends[1]);
}
END_TEST

START_TEST(summary_finds_the_peak_and_the_quantiles)
{
    struct workload workload = {.count = 5};
    struct result results[] = {
        {.start_ns = 10, .end_ns = 30, .status = 200},
        {.start_ns = 20, .end_ns = 50, .status = 200},
        {.start_ns = 30, .end_ns = 40, .status = 200},    /* starts as the first ends */
        {.start_ns = 60, .end_ns = 70, .status = 404},
        {.error = ECANCELED},
    };
    struct summary summary;
    ck_assert_int_eq(summarise(&workload, results, &summary), 0);
    ck_assert_int_eq(summary.ok, 3);
    ck_assert_int_eq(summary.failed, 1);
    ck_assert_int_eq(summary.not_started, 1);
    ck_assert_int_eq(summary.peak_in_flight, 2);
    ck_assert_int_eq(summary.wall_ns, 60);
    ck_assert_int_eq(summary.p50_ns, 20);
    ck_assert_int_eq(summary.max_ns, 30);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fetch");
    TCase *tcase = suite_add(suite, "fetch");
    int count = find_able();
    tcase_add_checked_fixture(tcase, begin, finish);
    tcase_add_loop_test(tcase, fetch_reports_a_clean_run, 0, count);
    tcase_add_test(tcase, fetch_puts_all_in_flight_unless_told_otherwise);
    tcase_add_test(tcase, fetch_lists_its_models);
    tcase_add_test(tcase, fetch_writes_the_times_of_the_clock_if_asked);
    tcase_add_test(tcase, fetch_says_why_a_model_is_unavailable);
    tcase_add_test(tcase, fetch_awaits_its_processes_though_sigchld_was_ignored);
    tcase_add_test(tcase, fetch_prints_its_help);
    tcase_add_loop_test(tcase, fetch_refuses_wrong_usage_in_one_sentence, 0,
                        (int)LENGTH(usages));
    tcase_add_loop_test(tcase, fetch_says_why_requests_failed, 0, (int)LENGTH(failures));
    tcase_add_test(tcase, fetch_says_that_nobody_listens);
    tcase_add_test(tcase, fetch_refuses_a_host_that_has_no_address);
    tcase_add_loop_test(tcase, fetch_accounts_for_every_request_when_the_server_dies, 0,
                        count);
    tcase_add_loop_test(tcase, fetch_ends_in_order_at_the_first_interrupt, 0, count);
    tcase_add_test(tcase, fetch_ends_at_once_at_the_second_interrupt_and_leaves_no_file);
    tcase_add_test(tcase, fetch_refuses_more_in_flight_than_descriptors);
    tcase_add_test(tcase, fetch_raises_the_soft_limit_where_it_may);
    tcase_add_test(tcase, fetch_refuses_more_threads_than_the_machine_has);
    tcase_add_test(tcase, preflight_refuses_more_processes_than_memory_holds);
    tcase_add_test(tcase, fetch_lets_each_process_have_its_own_descriptors);
    tcase_add_test(tcase, fetch_says_that_the_disk_is_full);
    tcase_add_test(tcase, fetch_leaves_no_half_written_file);
    tcase_add_test(tcase,
                   fetch_refuses_an_output_that_cannot_be_written_before_it_starts);
    tcase_add_test(tcase, fetch_says_that_its_screen_could_not_be_printed);
    tcase_add_test(tcase, fetch_survives_a_reader_that_left);
    tcase_add_test(tcase, summary_finds_the_peak_and_the_quantiles);
    return suite_end(suite);
}
