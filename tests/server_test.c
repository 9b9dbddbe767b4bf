/* The pieces of the server that can be had without one. */
#include "kit/array.h"
#include "kit/clock.h"
#include "kit/random.h"
#include "kit/stats.h"
#include "server/distribution.h"
#include "server/tally.h"
#include "server/wakeup.h"
#include "tests/support.h"

#include <math.h>

enum { DRAWS = 10000 };

static void parse(const char *text, struct distribution *distribution)
{
    const char *wrong = distribution_parse(text, distribution);
    ck_assert_msg(wrong == NULL, "%s %s", text, wrong);
}

/* Draws for the items 0 to DRAWS - 1, smallest first. */
static void draw_sorted(const char *text, int64_t draws[DRAWS])
{
    struct distribution distribution;
    parse(text, &distribution);
    for (uint64_t i = 0; i < DRAWS; i++) {
        uint64_t stream = random_stream(5, 1, i);
        draws[i] = distribution_draw(&distribution, &stream);
    }
    stats_sort(draws, DRAWS);
}

/* The seed is fixed, so this is no matter of luck. */
static void assert_quantile(const int64_t *draws, double q, double expected_ms,
                            double tolerance)
{
    double found_ms = (double)stats_quantile(draws, DRAWS, q) / CLOCK_MS;
    ck_assert_msg(fabs(found_ms / expected_ms - 1) < tolerance,
                  "the %g-quantile is %g ms, not about %g", q, found_ms, expected_ms);
}

START_TEST(a_constant_is_always_the_same)
{
    int64_t draws[DRAWS];
    draw_sorted("50ms", draws);
    ck_assert_int_eq(draws[0], 50 * CLOCK_MS);
    ck_assert_int_eq(draws[DRAWS - 1], 50 * CLOCK_MS);
}
END_TEST

START_TEST(uniform_draws_fill_their_range_evenly)
{
    int64_t draws[DRAWS];
    draw_sorted("uniform:10ms,90ms", draws);
    ck_assert_int_ge(draws[0], 10 * CLOCK_MS);
    ck_assert_int_le(draws[DRAWS - 1], 90 * CLOCK_MS);
    assert_quantile(draws, 0.1, 18, 0.04);
    assert_quantile(draws, 0.5, 50, 0.04);
    assert_quantile(draws, 0.9, 82, 0.04);
}
END_TEST

START_TEST(exponential_draws_have_the_quantiles_of_their_mean)
{
    int64_t draws[DRAWS];
    draw_sorted("exponential:50ms", draws);
    ck_assert_int_ge(draws[0], 0);
    assert_quantile(draws, 0.1, -50 * log(0.9), 0.06);
    assert_quantile(draws, 0.5, -50 * log(0.5), 0.06);
    assert_quantile(draws, 0.99, -50 * log(0.01), 0.06);
}
END_TEST

START_TEST(lognormal_draws_have_the_median_and_p99_asked_for)
{
    int64_t draws[DRAWS];
    draw_sorted("lognormal:50ms,p99=400ms", draws);
    ck_assert_int_gt(draws[0], 0);
    assert_quantile(draws, 0.5, 50, 0.06);
    assert_quantile(draws, 0.99, 400, 0.1);
    assert_quantile(draws, 0.01, 50.0 * 50 / 400, 0.1);    /* as far below as p99 above */
}
END_TEST

START_TEST(a_draw_depends_on_seed_and_item_alone)
{
    struct distribution distribution;
    parse("exponential:50ms", &distribution);
    uint64_t stream = random_stream(1, 1, 17);
    int64_t draw = distribution_draw(&distribution, &stream);
    uint64_t same = random_stream(1, 1, 17);
    uint64_t other_seed = random_stream(2, 1, 17);
    uint64_t other_item = random_stream(1, 1, 18);
    ck_assert_int_eq(distribution_draw(&distribution, &same), draw);
    ck_assert_int_ne(distribution_draw(&distribution, &other_seed), draw);
    ck_assert_int_ne(distribution_draw(&distribution, &other_item), draw);
}
END_TEST

START_TEST(malformed_distributions_are_refused)
{
    static const char *const texts[] = {
        "", "50 ms", "50msx", "-1ms", "nan", "uniform:", "uniform:10ms",
        "uniform:90ms,10ms", "uniform:10ms,90ms,1ms", "exponential:",
        "exponential:1ms,2ms", "lognormal:50ms", "lognormal:50ms,400ms",
        "lognormal:0ms,p99=1ms", "lognormal:50ms,p99=1ms", "normal:50ms",
        "uniform:00000000000000000000000000000000000000001ms,2ms",
    };
    for (size_t i = 0; i < LENGTH(texts); i++) {
        struct distribution distribution;
        const char *wrong = distribution_parse(texts[i], &distribution);
        ck_assert_msg(wrong != NULL, "%s", texts[i]);
    }
}
END_TEST

START_TEST(the_largest_parameter_bounds_what_was_asked_for)
{
    struct distribution distribution;
    parse("50ms", &distribution);
    ck_assert_int_eq(distribution_largest(&distribution), 50 * CLOCK_MS);
    parse("uniform:10ms,90ms", &distribution);
    ck_assert_int_eq(distribution_largest(&distribution), 90 * CLOCK_MS);
    parse("lognormal:50ms,p99=400ms", &distribution);
    ck_assert_int_eq(distribution_largest(&distribution), 400 * CLOCK_MS);
}
END_TEST

START_TEST(the_tally_always_adds_up)
{
    struct tally tally = {0};
    for (int i = 0; i < 5; i++)
        tally_arrive(&tally);
    tally_settle(&tally, &tally.answered);
    tally_settle(&tally, &tally.faults);
    tally_settle(&tally, &tally.gone);
    tally_arrive(&tally);
    ck_assert_int_eq(tally.requests, 6);
    ck_assert_int_eq(tally.in_flight, 3);
    ck_assert_int_eq(tally.peak_in_flight, 5);
    tally_reset(&tally);
    ck_assert_int_eq(tally.requests, tally.in_flight);
    ck_assert_int_eq(tally.in_flight, 3);
    ck_assert_int_eq(tally.peak_in_flight, 3);
    ck_assert_int_eq(tally.answered + tally.faults + tally.gone, 0);
}
END_TEST

struct alarm {
    struct wakeup wakeup;
    int64_t       woken_ns;
};

static void on_due(void *arg)
{
    struct alarm *alarm = arg;
    alarm->woken_ns = clock_ns();
}

struct alarms {
    struct event_base *base;
    struct alarm       each[200];
};

/* Inside the loop libevent's idea of the time grows old: the busy waits see to it. The
   last one is due at once, so that the loop looks at the others with a fresh idea. */
static void set_alarms(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct alarms *alarms = arg;
    for (size_t i = 0; i < LENGTH(alarms->each); i++) {
        struct alarm *alarm = &alarms->each[i];
        int64_t busy_until_ns = clock_ns() + 20 * CLOCK_US;
        while (clock_ns() < busy_until_ns)
            continue;
        int64_t delay_ns = i + 1 < LENGTH(alarms->each) ? 2 * CLOCK_MS : 0;
        wakeup_set(&alarm->wakeup, alarms->base, clock_ns() + delay_ns, on_due, alarm);
    }
}

START_TEST(a_wakeup_is_never_early)
{
    struct alarms alarms = {.base = event_base_new()};
    struct timeval at_once = {0};
    event_base_once(alarms.base, -1, EV_TIMEOUT, set_alarms, &alarms, &at_once);
    event_base_dispatch(alarms.base);
    for (size_t i = 0; i < LENGTH(alarms.each); i++)
        ck_assert_int_ge(alarms.each[i].woken_ns, alarms.each[i].wakeup.due_ns);
    event_base_free(alarms.base);
}
END_TEST

START_TEST(a_cleared_wakeup_never_comes)
{
    struct event_base *base = event_base_new();
    struct alarm alarm = {.woken_ns = 0};
    wakeup_clear(&alarm.wakeup);    /* never set: nothing to clear */
    wakeup_set(&alarm.wakeup, base, clock_ns(), on_due, &alarm);
    wakeup_clear(&alarm.wakeup);
    event_base_dispatch(base);      /* has nothing to wait for */
    ck_assert_int_eq(alarm.woken_ns, 0);
    event_base_free(base);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_constant_is_always_the_same,
        uniform_draws_fill_their_range_evenly,
        exponential_draws_have_the_quantiles_of_their_mean,
        lognormal_draws_have_the_median_and_p99_asked_for,
        a_draw_depends_on_seed_and_item_alone,
        malformed_distributions_are_refused,
        the_largest_parameter_bounds_what_was_asked_for,
        the_tally_always_adds_up,
        a_wakeup_is_never_early,
        a_cleared_wakeup_never_comes,
    };
    return suite_run("server", tests, LENGTH(tests), NULL, NULL);
}
