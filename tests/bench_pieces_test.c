/* The pieces of bench, on made-up runs: no program is started, and nothing is timed. */
#include "bench/campaign.h"
#include "bench/cost.h"
#include "bench/guards.h"
#include "bench/progress.h"
#include "bench/report.h"
#include "bench/schedule.h"
#include "bench/summary.h"
#include "kit/array.h"
#include "tests/support.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MS = CLOCK_MS };

/* --- The summary, and the guards ---------------------------------------------------- */

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
    folder_write("requests.csv", text);
    ck_assert_int_eq(summary_read(folder_path("requests.csv"), results, 2, why), 0);
    ck_assert_int_eq(results[1].end_ns, 4);

    snprintf(text, sizeof text, "%s\n%s", result_csv_header, refusals[_i].rows);
    folder_write("requests.csv", text);
    ck_assert_int_eq(summary_read(folder_path("requests.csv"), results, 2, why), -EINVAL);
    ck_assert_str_eq(why, refusals[_i].why);
}
END_TEST

START_TEST(summary_refuses_what_is_not_requests_csv)
{
    struct result results[1];
    char why[SUMMARY_WHY];
    ck_assert_int_eq(summary_read(folder_path("absent"), results, 1, why), -EINVAL);
    assert_says(why, "it wrote no requests.csv");
    folder_write("requests.csv", "");
    ck_assert_int_eq(summary_read(folder_path("requests.csv"), results, 1, why), -EINVAL);
    folder_write("requests.csv", "a,b\n" ROW("0"));
    ck_assert_int_eq(summary_read(folder_path("requests.csv"), results, 1, why), -EINVAL);
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
                   "server-bound: 10000 requests a second, more than 70 % of the 14200 "
                   "that it can do");
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
                   "Little's law: the client kept 9.20 of 10 in flight, on average");
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

/* --- The budget --------------------------------------------------------------------- */

/* A cell that takes as many seconds as its size says, and a little more to start. */
static bool plan_size(const struct bench *bench, const struct contender *contender,
                      struct cell *cell)
{
    (void)bench;
    (void)contender;
    cell->ideal_ns = cell->size * (int64_t)CLOCK_S;
    cell->formula = "size";
    return true;
}

/* Plans two experiments with cells of these sizes, for one contender and one trial. */
static void plan_two(struct campaign *campaign, const int *sizes, const int *others,
                     int budget_s)
{
    static struct bench bench;
    static struct experiment experiments[2];
    bench.settings.trials = 1;
    bench.settings.budget_ns = budget_s * (int64_t)CLOCK_S +
                               CLOCK_S / 10;    /* to start */
    bench.contenders.count = 1;
    bench.contenders.items[0] = (struct contender){.name = "anyone"};
    *campaign = (struct campaign){.count = 2};
    for (int i = 0; i < 2; i++) {
        experiments[i] = (struct experiment){.name = i == 0 ? "one" : "other",
                                             .sizes = i == 0 ? sizes : others,
                                             .size_words = "s", .plan = plan_size};
        campaign->parts[i].experiment = &experiments[i];
    }
    ck_assert_int_eq(campaign_plan(&bench, campaign), 0);
}

START_TEST(what_one_does_not_want_of_the_budget_goes_to_the_others)
{
    static struct campaign campaign;
    static const int little[] = {10, 0}, much[] = {44, 46, 0};
    plan_two(&campaign, little, much, 100);
    ck_assert_int_eq(campaign.parts[0].taken, 1);
    ck_assert_int_eq(campaign.parts[1].taken, 2);
    campaign_free(&campaign);
    plan_two(&campaign, much, little, 100);    /* whoever is named first */
    ck_assert_int_eq(campaign.parts[0].taken, 2);
    ck_assert_int_eq(campaign.parts[1].taken, 1);
    campaign_free(&campaign);
}
END_TEST

START_TEST(what_the_last_cells_leave_of_the_budget_is_offered_once_more)
{
    static struct campaign campaign;
    /* In their halves, 20 and 45 fit. What they leave is enough for 34, not for 60. */
    static const int less[] = {20, 34, 0}, more[] = {45, 60, 0};
    plan_two(&campaign, less, more, 100);
    ck_assert_int_eq(campaign.parts[0].taken, 2);
    ck_assert_int_eq(campaign.parts[1].taken, 1);
    campaign_free(&campaign);
}
END_TEST

/* One that brings its own contenders, of whom one goes up to size 2. */
static const struct contenders own = {
    .items = {{.name = "any"}, {.name = "small", .size_most = 2}},
    .count = 2,
};

START_TEST(an_experiment_may_bring_contenders_of_its_own)
{
    static struct campaign campaign;
    static struct bench bench;
    static const int few[] = {1, 2, 3, 0};
    struct experiment experiment = {.name = "own", .sizes = few, .size_words = "s",
                                    .plan = plan_size, .contenders = &own};
    bench.settings.trials = 1;
    bench.settings.budget_ns = 100LL * CLOCK_S;
    bench.contenders.count = 1;
    bench.contenders.items[0] = (struct contender){.name = "model"};
    campaign = (struct campaign){.count = 1, .parts = {{.experiment = &experiment}}};
    ck_assert_int_eq(campaign_plan(&bench, &campaign), 0);
    ck_assert_ptr_eq(campaign.parts[0].record.contenders, &own);
    ck_assert_int_eq(campaign.parts[0].taken, 5);    /* not 3 for small */
    campaign_free(&campaign);
    experiment.contenders = NULL;
    campaign = (struct campaign){.count = 1, .parts = {{.experiment = &experiment}}};
    ck_assert_int_eq(campaign_plan(&bench, &campaign), 0);
    ck_assert_ptr_eq(campaign.parts[0].record.contenders, &bench.contenders);
    ck_assert_int_eq(campaign.parts[0].taken, 3);
    campaign_free(&campaign);
}
END_TEST

/* --- What /proc tells, and what is made of it --------------------------------------- */

enum { FAMILY = 3, SHARED_KIB = 32768 };

static void tell_and_wait(int fd)
{
    if (write(fd, ".", 1) == 1)
        pause();
    _exit(1);
}

/* Starts a process group: a parent that has touched SHARED_KIB, and its children, who
   share that. Returns the group when all are there. */
static pid_t start_family(void)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t parent = fork();
    ck_assert_int_ge(parent, 0);
    if (parent == 0) {
        setpgid(0, 0);
        void *memory = mmap(NULL, SHARED_KIB * 1024, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            _exit(1);
        memset(memory, 1, SHARED_KIB * 1024);
        for (int i = 1; i < FAMILY; i++)
            if (fork() == 0)
                tell_and_wait(ready[1]);
        tell_and_wait(ready[1]);
    }
    close(ready[1]);
    for (int i = 0; i < FAMILY; i++)
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return parent;
}

START_TEST(procfs_sums_over_a_tree_of_processes)
{
    struct procfs_group sum;
    pid_t group = start_family();
    int error = procfs_group(group, &sum);
    kill(-group, SIGKILL);    /* before anything can fail: they would wait for ever */
    ck_assert_int_eq(waitpid(group, NULL, 0), group);
    ck_assert_int_eq(error, 0);
    ck_assert_int_ge(sum.threads, FAMILY);
    ck_assert_int_ge(sum.descriptors, FAMILY);
    ck_assert_int_ge(sum.rss_kib, FAMILY * SHARED_KIB);
    ck_assert_int_ge(sum.pss_kib, SHARED_KIB);    /* what is shared counts once */
    ck_assert_int_le(sum.pss_kib, sum.rss_kib - (FAMILY - 1) * SHARED_KIB);
    int each_kib = SHARED_KIB / 512;    /* 8 bytes for each page of 4 KiB */
    ck_assert_int_ge(sum.page_tables_kib, FAMILY * each_kib);
}
END_TEST

START_TEST(procfs_knows_no_group_that_is_gone)
{
    struct procfs_group sum;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(setpgid(0, 0));
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_int_eq(procfs_group(child, &sum), -ESRCH);
    ck_assert_int_eq(sum.pss_kib, 0);
}
END_TEST

START_TEST(procfs_tells_what_the_kernel_holds)
{
    struct procfs_kernel kernel = procfs_kernel();
    ck_assert_int_ge(kernel.stacks_kib, 8);    /* that of this test, at least */
    ck_assert_int_gt(kernel.slab_kib, 0);
}
END_TEST

START_TEST(the_kernels_share_is_what_it_holds_more_than_before)
{
    struct procfs_group held = {.rss_kib = 50, .pss_kib = 40, .page_tables_kib = 30};
    struct procfs_kernel before = {.stacks_kib = 1000, .slab_kib = 5000};
    struct procfs_kernel now = {.stacks_kib = 1016, .slab_kib = 4900};
    int64_t kib[COST_PARTS];
    cost_split(&held, &before, &now, kib);
    ck_assert_int_eq(kib[COST_RESIDENT], 50);
    ck_assert_int_eq(kib[COST_PSS], 40);
    ck_assert_int_eq(kib[COST_PAGE_TABLES], 30);
    ck_assert_int_eq(kib[COST_KERNEL_STACKS], 16);
    ck_assert_int_eq(kib[COST_SLAB], -100);    /* less than nothing stays what it is */
}
END_TEST

START_TEST(each_request_costs_what_it_adds_to_the_first)
{
    const int64_t base_kib[COST_PARTS] = {2000, 400, 40, 16, 100};
    const int64_t kib[COST_PARTS] = {2000 + 99 * 8, 400 + 99 * 7, 40 + 99 * 4,
                                     16 + 99 * 16, 100 - 99};
    int64_t bytes[COST_PARTS];
    cost_each(kib, base_kib, 100, bytes);
    ck_assert_int_eq(bytes[COST_RESIDENT], 8 * 1024);
    ck_assert_int_eq(bytes[COST_PSS], 7 * 1024);
    ck_assert_int_eq(bytes[COST_PAGE_TABLES], 4 * 1024);
    ck_assert_int_eq(bytes[COST_KERNEL_STACKS], 16 * 1024);
    ck_assert_int_eq(bytes[COST_SLAB], -1024);
    ck_assert_int_eq(cost_whole(bytes), 26 * 1024);    /* resident memory is not added */
}
END_TEST

/* --- Progress, and the report ------------------------------------------------------- */

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

START_TEST(a_median_is_of_the_valid_trials_of_one_cell)
{
    struct outcome outcomes[] = {
        {.contender = 1, .size = 10, .valid = true, .figure = 40, .detail = -4},
        {.contender = 1, .size = 10, .valid = false, .figure = 1, .detail = 1},
        {.contender = 0, .size = 10, .valid = true, .figure = 2, .detail = 2},
        {.contender = 1, .size = 30, .valid = true, .figure = 3, .detail = 3},
        {.contender = 1, .size = 10, .valid = true, .figure = 20, .detail = -2},
        {.contender = 1, .size = 10, .valid = true, .figure = 90, .detail = -9},
    };
    struct record record = {.outcomes = outcomes, .count = LENGTH(outcomes)};
    int64_t median;
    ck_assert(report_median(&record, 1, 10, false, &median));
    ck_assert_int_eq(median, 40);
    ck_assert(report_median(&record, 1, 10, true, &median));
    ck_assert_int_eq(median, -4);
    record.count--;    /* of an even number: halfway between the two in the middle */
    ck_assert(report_median(&record, 1, 10, false, &median));
    ck_assert_int_eq(median, 30);
    ck_assert(!report_median(&record, 0, 30, false, &median));
}
END_TEST

static void format_count(int64_t figure, char text[EXPERIMENT_TEXT])
{
    report_format_count(figure, text);
}

static int64_t twice(const struct bench *bench, int size)
{
    (void)bench;
    return 2 * size;
}

START_TEST(a_table_has_a_row_for_each_contender_and_columns_that_fit)
{
    static const struct contenders contenders = {
        .items = {{.name = "blocking", .one_at_a_time = true}, {.name = "own"}},
        .count = 2,
    };
    struct experiment experiment = {
        .name = "sample", .question = "how?", .size_words = "N", .table_words = "median",
        .format = format_count, .theory = {{"L", false, twice}, {"N·L", true, twice}}
    };
    struct outcome outcomes[] = {
        {.contender = 1, .size = 1000, .valid = true, .figure = 1234567},
        {.contender = 0, .size = 1, .valid = true, .figure = 7},
        {.contender = 1, .size = 1, .valid = false, .figure = 8},
    };
    struct record record = {.experiment = &experiment, .contenders = &contenders,
                            .outcomes = outcomes, .count = LENGTH(outcomes)};
    ck_assert_ptr_nonnull(freopen(folder_path("screen"), "w", stdout));
    report_table(&record);
    char *screen = folder_read("screen");
    ck_assert_str_eq(screen, "\nsample: how?\nmedian, valid trials only\n\n"
                     "N               1      1,000\n"
                     "blocking        7          -\n"
                     "own       invalid  1,234,567\n"
                     "L               2      2,000\n"
                     "N·L             2      2,000\n");
    free(screen);
}
END_TEST

static void finish(void)
{
    folder_empty();
    folder_remove();
}

static void add_runs(Suite *suite)
{
    TCase *summary = suite_add(suite, "summary");
    tcase_add_checked_fixture(summary, folder_make, finish);
    tcase_add_test(summary, summary_tells_what_became_of_every_request);
    tcase_add_test(summary, summary_of_a_run_without_a_start_is_zero);
    tcase_add_test(summary, summary_takes_one_that_starts_as_another_ends_for_the_next);
    tcase_add_test(summary, summary_averages_over_the_time_that_is_asked_for);
    tcase_add_loop_test(summary, summary_reads_exactly_one_row_for_each_request, 0,
                        (int)LENGTH(refusals));
    tcase_add_test(summary, summary_refuses_what_is_not_requests_csv);
    TCase *guards = suite_add(suite, "guards");
    tcase_add_test(guards, guards_pass_a_trial_in_which_all_is_well);
    tcase_add_test(guards, guards_count_failures_by_reason);
    tcase_add_test(guards, guards_notice_a_full_listen_queue);
    tcase_add_test(guards, guards_notice_that_the_server_sets_the_pace);
    tcase_add_test(guards, guards_notice_more_in_flight_than_was_asked);
    tcase_add_test(guards, guards_hold_a_closed_loop_to_littles_law);
    tcase_add_test(guards, guards_see_steps_of_forty_ms_but_no_slope);
}

static void add_cost(Suite *suite)
{
    TCase *cost = suite_add(suite, "cost");
    tcase_add_test(cost, procfs_sums_over_a_tree_of_processes);
    tcase_add_test(cost, procfs_knows_no_group_that_is_gone);
    tcase_add_test(cost, procfs_tells_what_the_kernel_holds);
    tcase_add_test(cost, the_kernels_share_is_what_it_holds_more_than_before);
    tcase_add_test(cost, each_request_costs_what_it_adds_to_the_first);
}

static void add_campaign(Suite *suite)
{
    TCase *plan = suite_add(suite, "plan");
    tcase_add_test(plan, schedule_runs_every_cell_once_in_each_trial);
    tcase_add_test(plan, schedule_follows_from_the_seed_and_the_trial);
    tcase_add_test(plan, schedule_gives_each_cell_a_fair_place);
    tcase_add_test(plan, schedule_runs_a_base_before_what_is_compared_with_it);
    tcase_add_test(plan, schedule_takes_the_shortest_cells_that_the_budget_has_room_for);
    tcase_add_test(plan, what_one_does_not_want_of_the_budget_goes_to_the_others);
    tcase_add_test(plan, what_the_last_cells_leave_of_the_budget_is_offered_once_more);
    tcase_add_test(plan, an_experiment_may_bring_contenders_of_its_own);
    TCase *report = suite_add(suite, "report");
    tcase_add_checked_fixture(report, folder_make, finish);
    tcase_add_test(report, progress_stretches_the_plan_as_the_past_was_stretched);
    tcase_add_test(report, numbers_are_written_for_people);
    tcase_add_test(report, a_median_is_of_the_valid_trials_of_one_cell);
    tcase_add_test(report, a_table_has_a_row_for_each_contender_and_columns_that_fit);
}

int main(void)
{
    Suite *suite = suite_create("bench: pieces");
    add_runs(suite);
    add_cost(suite);
    add_campaign(suite);
    return suite_end(suite);
}
