/* bench with models from outside: programs that take what fetch takes, good and bad. */
#include "bench/speed.h"
#include "kit/array.h"
#include "tests/bench_support.h"
#include "tests/support.h"

#include <check.h>
#include <string.h>

enum { MS = CLOCK_MS };

START_TEST(an_external_program_is_a_model_like_the_others)
{
    struct output output;
    struct table table;
    int status = bench_run("makespan timeline -m own,blocking --latency 5ms --trials 1 "
                           "--budget 2s", external_tell(external_fine, 0), &output);
    assert_ran(status, &output);
    table_read(&table, "timeline.csv", result_csv_header);
    ck_assert_int_eq(table.rows, 20);
    int own = 0;
    for (int i = 0; i < table.rows; i++)
        own += strcmp(table_get(&table, i, "model"), "own") == 0;
    ck_assert_int_eq(own, 10);
    assert_finds(&output, "own waited for 10 at once: 50.0 ms");
    table_free(&table);
    table_read(&table, "makespan.csv", speed_csv_header);
    for (int i = 0; i < table.rows; i++)
        if (strcmp(table_get(&table, i, "model"), "own") == 0)
            ck_assert_int_eq(table_number(&table, i, "wall_ns"), 50 * MS);
    table_free(&table);
    output_free(&output);
}
END_TEST

START_TEST(an_external_program_that_waits_for_one_at_a_time_is_found_out)
{
    struct output output;
    struct table table;
    /* $i ms after the start, for a millisecond each: one begins as another ends. */
    int status = bench_run("throughput -m own --latency 5ms --trials 1 --budget 2s",
                           external_tell("${i}000000,,,,$((i + 1))000000,1,200,17,", 0),
                           &output);
    assert_ran(status, &output);
    table_read(&table, "throughput.csv", speed_csv_header);
    ck_assert_int_eq(table.rows, 1);
    ck_assert_str_eq(table_get(&table, 0, "in_flight"), "1");
    table_free(&table);
    output_free(&output);
}
END_TEST

START_TEST(failed_requests_make_a_row_that_does_not_count)
{
    struct output output;
    struct table table;
    const char *external =
        external_tell("0,,,,9000000,0,0,0,$([ $i = 2 ] && echo ECONNRESET || "
                      "echo EPROTO)", 3);
    ck_assert_int_eq(bench_run("makespan -m own --latency 5ms --trials 1 --budget 1s",
                               external, &output), 3);
    assert_says(output.out, "invalid: makespan, 1 request, own: 1 of 1 trials: 1 of");
    assert_says(output.out, "Of makespan, no trial counts.");
    table_read(&table, "makespan.csv", speed_csv_header);
    ck_assert_int_ge(table.rows, 1);
    for (int i = 0; i < table.rows; i++) {
        ck_assert_str_eq(table_get(&table, i, "valid"), "0");
        ck_assert_str_eq(table_get(&table, i, "ok"), "0");
        ck_assert_str_eq(table_get(&table, i, "p50_ns"), "");
        if (strcmp(table_get(&table, i, "requests"), "3") == 0)
            assert_says(table_get(&table, i, "why"),
                        "3 of 3 failed: EPROTO 2, ECONNRESET 1");
    }
    table_free(&table);
    output_free(&output);
}
END_TEST

START_TEST(an_external_program_that_cannot_run_makes_no_row)
{
    struct output output;
    struct table table;
    ck_assert_int_eq(bench_run("timeline -m own,blocking --latency 1ms",
                               external_tell(external_fine, 1), &output), 3);
    assert_says(output.out, "could not run: own: it: a sentence of its own\n");
    table_read(&table, "timeline.csv", result_csv_header);
    ck_assert_int_eq(table.rows, 10);    /* blocking's */
    table_free(&table);
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
                               external_tell("$([ $i = 2 ] || echo 0,,,,9,0,200,0,)", 0),
                               &output), 3);
    assert_says(output.out, "could not run: own: line 4 of its -o is not a row");
    output_free(&output);
}
END_TEST

START_TEST(a_program_that_has_no_end_is_ended)
{
    struct output output;
    /* What it starts ends with it; --timeout and the slack bound the whole. */
    const char *external =
        external_write("sleep 1000 &\ntrap '' TERM\nwhile :; do sleep 1; done\n");
    ck_assert_int_eq(bench_run("timeline -m own,blocking --latency 1ms --timeout 1ms",
                               external, &output), 3);
    assert_says(output.out, "could not run: own: no end after 10 s\n");
    output_free(&output);
}
END_TEST

START_TEST(what_a_program_leaves_running_is_ended)
{
    struct output output;
    ck_assert_int_eq(bench_run("timeline -m own",
                               external_write("sleep 1000 &\nexit 1\n"), &output), 1);
    assert_says(output.out, "could not run: own: ended with status 1\n");
    output_free(&output);    /* bench_finish awaits that nobody is left */
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_external_program_is_a_model_like_the_others,
        an_external_program_that_waits_for_one_at_a_time_is_found_out,
        failed_requests_make_a_row_that_does_not_count,
        an_external_program_that_cannot_run_makes_no_row,
        an_external_program_that_tells_half_makes_no_row,
        a_program_that_has_no_end_is_ended,
        what_a_program_leaves_running_is_ended,
    };
    return suite_run("bench: external models", tests, LENGTH(tests), bench_begin,
                     bench_finish);
}
