/* Units, statistics, random numbers. */
#include "kit/array.h"
#include "kit/clock.h"
#include "kit/random.h"
#include "kit/stats.h"
#include "kit/units.h"
#include "tests/support.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* --- units ------------------------------------------------------------------------ */

struct reading {
    const char *text;
    int         error;
    int64_t     value;
};

static void check_readings(int (*parse)(const char *, int64_t *),
                           const struct reading *readings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t value = -77;
        int error = parse(readings[i].text, &value);
        int64_t expected = readings[i].error ? -77 : readings[i].value;
        ck_assert_msg(error == readings[i].error && value == expected,
                      "'%s': %d, %lld", readings[i].text, error, (long long)value);
    }
}

START_TEST(durations_are_read_whole_or_not_at_all)
{
    static const struct reading readings[] = {
        {"250us", 0, 250 * CLOCK_US},
        {"50ms", 0, 50 * CLOCK_MS},
        {"2s", 0, 2LL * CLOCK_S},
        {"1m", 0, 60LL * CLOCK_S},
        {"0.05", 0, 50 * CLOCK_MS},
        {".5s", 0, CLOCK_S / 2},
        {"1.s", 0, CLOCK_S},
        {"0", 0, 0},
        {"0.0000000014", 0, 1},
        {"0.0000000016", 0, 2},
        {"8000000000s", 0, 8000000000LL * CLOCK_S},
        {"9000000000s", -ERANGE, 0},
        {"99999999999999999999999999m", -ERANGE, 0},
        {"", -EINVAL, 0},
        {".", -EINVAL, 0},
        {"ms", -EINVAL, 0},
        {"1.2.3", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ms", -EINVAL, 0},
        {"1ms ", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"inf", -EINVAL, 0},
        {"nan", -EINVAL, 0},
        {"50MS", -EINVAL, 0},
        {"50msx", -EINVAL, 0},
        {"5h", -EINVAL, 0},
    };
    check_readings(units_parse_duration, readings, LENGTH(readings));
}
END_TEST

START_TEST(counts_are_read_whole_or_not_at_all)
{
    static const struct reading readings[] = {
        {"0", 0, 0},
        {"100", 0, 100},
        {"10k", 0, 10000},
        {"2M", 0, 2000000},
        {"007", 0, 7},
        {"9223372036854775807", 0, INT64_MAX},
        {"9223372036854775808", -ERANGE, 0},
        {"9223372036854775k", 0, 9223372036854775000},
        {"9223372036854776k", -ERANGE, 0},
        {"99999999999999999999x", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"k", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"1.5k", -EINVAL, 0},
        {"10K", -EINVAL, 0},
        {"10kk", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
    };
    check_readings(units_parse_count, readings, LENGTH(readings));
}
END_TEST

START_TEST(sizes_are_read_whole_or_not_at_all)
{
    static const struct reading readings[] = {
        {"65536", 0, 65536},
        {"64K", 0, 65536},
        {"8M", 0, 8388608},
        {"9007199254740991K", 0, 9007199254740991 * 1024},
        {"9007199254740992K", -ERANGE, 0},
        {"64k", -EINVAL, 0},
        {"64KB", -EINVAL, 0},
        {"", -EINVAL, 0},
    };
    check_readings(units_parse_size, readings, LENGTH(readings));
}
END_TEST

START_TEST(durations_are_written_with_three_digits_and_a_unit_that_suits)
{
    static const struct {
        int64_t     ns;
        const char *text;
    } cases[] = {
        {0, "0us"},
        {1, "0us"},
        {1234, "1.23us"},
        {50 * CLOCK_US, "50us"},
        {999499, "999us"},
        {999500, "1ms"},
        {999999, "1ms"},
        {CLOCK_MS, "1ms"},
        {1500000, "1.5ms"},
        {9994999, "9.99ms"},
        {9995000, "10ms"},
        {12340000, "12.3ms"},
        {50 * CLOCK_MS, "50ms"},
        {100 * CLOCK_MS, "100ms"},
        {123456789, "123ms"},
        {999499999, "999ms"},
        {999500000, "1s"},
        {CLOCK_S, "1s"},
        {60LL * CLOCK_S, "60s"},
        {3600LL * CLOCK_S, "3600s"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char text[UNITS_TEXT];
        units_format_duration(text, cases[i].ns);
        ck_assert_str_eq(text, cases[i].text);
    }
    char *text = malloc(UNITS_TEXT);    /* on the heap, guarded */
    ck_assert_ptr_nonnull(text);
    units_format_duration(text, INT64_MAX);
    units_format_duration(text, INT64_MIN);
    free(text);
}
END_TEST

/* --- stats ------------------------------------------------------------------------ */

START_TEST(sorting_orders_the_whole_range_of_values)
{
    int64_t values[] = {3, INT64_MAX, -1, INT64_MIN, 0, 3, -1};
    static const int64_t sorted[] = {INT64_MIN, -1, -1, 0, 3, 3, INT64_MAX};
    stats_sort(values, LENGTH(values));
    ck_assert_mem_eq(values, sorted, sizeof sorted);
    stats_sort(NULL, 0);
}
END_TEST

START_TEST(a_median_is_in_the_middle_or_halfway_between_the_two_there)
{
    static const int64_t values[] = {-10, 2, 9, 20, 21, INT64_MAX - 2, INT64_MAX};
    ck_assert_int_eq(stats_median(NULL, 0), 0);
    ck_assert_int_eq(stats_median(values, 1), -10);
    ck_assert_int_eq(stats_median(values, 2), -4);
    ck_assert_int_eq(stats_median(values, 3), 2);
    ck_assert_int_eq(stats_median(values + 1, 4), 14);    /* 14.5, cut */
    ck_assert_int_eq(stats_median(values, 5), 9);
    ck_assert_int_eq(stats_median(values + 5, 2), INT64_MAX - 1);    /* no overflow */
}
END_TEST

START_TEST(a_quantile_is_the_smallest_value_that_covers_its_share)
{
    enum { MOST = 1200 };
    static const int64_t thousandths[] = {1, 500, 900, 950, 990, 999, 1000};
    int64_t values[MOST];
    for (int64_t i = 0; i < MOST; i++)
        values[i] = 10 * (i + 1);
    for (size_t q = 0; q < LENGTH(thousandths); q++) {
        for (int64_t count = 1; count <= MOST; count++) {
            int64_t rank = (count * thousandths[q] + 999) / 1000;
            double share = (double)thousandths[q] / 1000;
            int64_t got = stats_quantile(values, (size_t)count, share);
            if (got != 10 * rank)
                ck_abort_msg("%f of %d: %d", share, (int)count, (int)got);
        }
    }
    ck_assert_int_eq(stats_quantile(values, 0, 0.5), 0);
    ck_assert_int_eq(stats_quantile(NULL, 0, 1), 0);
}
END_TEST

/* --- random ----------------------------------------------------------------------- */

START_TEST(the_generator_is_splitmix64)
{
    static const uint64_t published[] = {6457827717110365317u, 3203168211198807973u,
                                         9817491932198370423u, 4593380528125082431u,
                                         16408922859458223821u};
    uint64_t state = 1234567;
    for (size_t i = 0; i < LENGTH(published); i++)
        ck_assert_uint_eq(random_next(&state), published[i]);
}
END_TEST

START_TEST(a_stream_depends_on_each_of_its_numbers_and_on_nothing_else)
{
    ck_assert_uint_eq(random_stream(1, 2, 3), random_stream(1, 2, 3));
    const uint64_t streams[] = {random_stream(1, 2, 3), random_stream(2, 2, 3),
                                random_stream(1, 3, 3), random_stream(1, 2, 4),
                                random_stream(3, 2, 1), random_stream(0, 0, 0)};
    for (size_t i = 0; i < LENGTH(streams); i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(streams[i], streams[j]);
}
END_TEST

START_TEST(a_unit_draw_lies_from_0_to_below_1_and_fills_it)
{
    enum { DRAWS = 100000, BINS = 10 };
    int bins[BINS] = {0};
    uint64_t state = 1;
    for (int i = 0; i < DRAWS; i++) {
        double draw = random_unit(&state);
        if (!(draw >= 0 && draw < 1))
            ck_abort_msg("%f", draw);
        bins[(int)(draw * BINS)]++;
    }
    for (int i = 0; i < BINS; i++)    /* one seed: always the same, about 10,000 each */
        ck_assert(bins[i] > 9500 && bins[i] < 10500);
}
END_TEST

/* --- the suite -------------------------------------------------------------------- */

static void add_numbers(Suite *suite)
{
    TCase *units = suite_add(suite, "units");
    tcase_add_test(units, durations_are_read_whole_or_not_at_all);
    tcase_add_test(units, counts_are_read_whole_or_not_at_all);
    tcase_add_test(units, sizes_are_read_whole_or_not_at_all);
    tcase_add_test(units, durations_are_written_with_three_digits_and_a_unit_that_suits);
    TCase *stats = suite_add(suite, "stats");
    tcase_add_test(stats, sorting_orders_the_whole_range_of_values);
    tcase_add_test(stats, a_median_is_in_the_middle_or_halfway_between_the_two_there);
    tcase_add_test(stats, a_quantile_is_the_smallest_value_that_covers_its_share);
    TCase *random = suite_add(suite, "random");
    tcase_add_test(random, the_generator_is_splitmix64);
    tcase_add_test(random, a_stream_depends_on_each_of_its_numbers_and_on_nothing_else);
    tcase_add_test(random, a_unit_draw_lies_from_0_to_below_1_and_fills_it);
}

int main(void)
{
    Suite *suite = suite_create("kit: numbers");
    add_numbers(suite);
    return suite_end(suite);
}
