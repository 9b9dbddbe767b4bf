/* pingpong, judged from outside, and the rule by which it sees that a switch happened. */
#define _GNU_SOURCE    /* sched_setaffinity */
#include "kit/array.h"
#include "kit/csv.h"
#include "pingpong/game.h"
#include "pingpong/pair.h"
#include "tests/support.h"

#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PINGPONG BUILD_DIR "/pingpong"
#define ASSEMBLY BUILD_DIR "/pingpong-assembly"

static void finish(void)
{
    folder_empty();
    folder_remove();
}

/* --- The rule ----------------------------------------------------------------------- */

/* Plays three rounds in this order of players, "0101010101" if all goes well. */
static bool play(struct game *game, const char *order)
{
    int64_t turns[2] = {0, 0};
    *game = (struct game){.rounds = 3};
    for (; *order; order++) {
        int player = *order - '0';
        game_turn(game, player, turns[player]++);
    }
    return game_is_fair(game);
}

/* What each player ends with, and what is told of both. */
static const int ends[][3] = {
    {0, 0, 0},           {0, -EIO, -EIO},        {-EIO, 0, -EIO},
    {-EIO, -EPIPE, -EIO}, {-EPIPE, -EIO, -EIO},   {0, -EPIPE, -EPIPE},
};

static int end_as_told(struct player *me)
{
    return ((const int *)me->table)[me->number];
}

START_TEST(the_cause_of_a_broken_pipe_is_told)
{
    struct game game = {0};
    int table[3], cpu = sched_getcpu();
    memcpy(table, ends[_i], sizeof table);
    ck_assert_int_ge(cpu, 0);
    game.cpus[0] = game.cpus[1] = cpu;
    ck_assert_int_eq(pair_run(&game, end_as_told, table), table[2]);
}
END_TEST

START_TEST(a_game_is_fair_if_the_players_take_turns)
{
    struct game game;
    ck_assert(play(&game, "0101010101"));
    ck_assert_int_gt(game.start_ns, 0);
    ck_assert_int_ge(game.end_ns, game.start_ns);
}
END_TEST

START_TEST(a_switch_that_did_not_happen_is_noticed)
{
    static const char *const orders[] = {
        "1010101010",    /* the wrong one began */
        "0011010101",    /* twice in a row, and made up for */
        "010101010",     /* one turn is missing */
        "0101010110",
        "0000011111",    /* one after the other */
    };
    struct game game;
    for (size_t i = 0; i < LENGTH(orders); i++)
        ck_assert_msg(!play(&game, orders[i]), "%s passes for fair", orders[i]);
}
END_TEST

/* --- Every way ---------------------------------------------------------------------- */

static const struct {
    const char *program, *cores, *way, *row;
} games[] = {
    {PINGPONG, "1", "system-call", "nobody,system call,kernel,1,1000,"},
    {PINGPONG, "1", "coroutine-switch", "coroutine,switch,"},
    {PINGPONG, "1", "coroutine-yield", "coroutine,yield,"},
    {PINGPONG, "1", "coroutine-pipe", "coroutine,pipe,"},
    {PINGPONG, "2", "coroutine-pipe", "coroutine,pipe,"},
    {ASSEMBLY, "1", "coroutine-switch", "coroutine,switch,assembly,1,1000,"},
    {ASSEMBLY, "1", "coroutine-yield", "coroutine,yield,assembly,1,1000,"},
    {ASSEMBLY, "1", "coroutine-pipe", "coroutine,pipe,assembly,1,1000,"},
    {ASSEMBLY, "2", "coroutine-pipe", "coroutine,pipe,assembly,2,1000,"},
    {PINGPONG, "1", "thread-futex", "thread,futex,kernel,1,1000,"},
    {PINGPONG, "2", "thread-futex", "thread,futex,kernel,2,1000,"},
    {PINGPONG, "1", "thread-condition", "thread,condition,kernel,1,1000,"},
    {PINGPONG, "2", "thread-condition", "thread,condition,kernel,2,1000,"},
    {PINGPONG, "1", "thread-pipe", "thread,pipe,kernel,1,1000,"},
    {PINGPONG, "2", "thread-pipe", "thread,pipe,kernel,2,1000,"},
    {PINGPONG, "1", "process-pipe", "process,pipe,kernel,1,1000,"},
    {PINGPONG, "2", "process-pipe", "process,pipe,kernel,2,1000,"},
};

static bool is_able(const char *program, const char *cores)
{
    cpu_set_t allowed;
    ck_assert_int_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    const char *why = access(program, X_OK) != 0 ? "not built for this processor"
                      : *cores == '2' && CPU_COUNT(&allowed) < 2 ? "only one core" : NULL;
    if (why)
        printf("skipped: %s across %s: %s\n", program, cores, why);
    return !why;
}

START_TEST(every_way_plays_fair_and_writes_its_row)
{
    struct output output;
    char path[512];
    if (!is_able(games[_i].program, games[_i].cores))
        return;
    snprintf(path, sizeof path, "%s", folder_path("row.csv"));
    const char *argv[] = {games[_i].program, "-n", "1000", "-c", games[_i].cores,
                          "-o", path, games[_i].way, NULL};
    int status = program_run(argv, &output);
    ck_assert_msg(status == 0, "%s: status %d: %s", games[_i].way, status, output.err);
    assert_says(output.out, games[_i].way);
    assert_says(output.out, "1000 switches in ");
    assert_one_sentence(output.out);
    char *text = folder_read("row.csv");
    ck_assert_ptr_nonnull(text);
    static const char header[] = "who,how,by,cores,switches,wall_ns,switch_ps\n";
    ck_assert_int_eq(strncmp(text, header, strlen(header)), 0);
    char *fields[7], *row = text + strlen(header);
    ck_assert_int_eq(strncmp(row, games[_i].row, strlen(games[_i].row)), 0);
    ck_assert_int_eq(csv_split(row, fields, 7), 7);
    ck_assert_str_eq(fields[3], games[_i].cores);
    ck_assert_str_eq(fields[4], "1000");
    ck_assert_int_gt(atoll(fields[5]), 0);
    ck_assert_int_eq(atoll(fields[6]), atoll(fields[5]));    /* 1,000 of them, and ps */
    free(text);
    output_free(&output);
}
END_TEST

/* How often the kernel switched for a program and its children, from start to end. */
static int64_t count_kernel_switches(const char *way)
{
    struct output output;
    struct rusage usage;
    const char *argv[] = {PINGPONG, "-n", "10000", way, NULL};
    ck_assert_int_eq(program_run(argv, &output), 0);
    output_free(&output);
    ck_assert_int_eq(getrusage(RUSAGE_CHILDREN, &usage), 0);
    return usage.ru_nvcsw + usage.ru_nivcsw;
}

START_TEST(the_kernel_counts_the_switches_of_threads_and_processes)
{
    static const char *const ways[] = {"thread-futex", "thread-condition", "thread-pipe",
                                       "process-pipe"};
    ck_assert_int_ge(count_kernel_switches(ways[_i]), 10000);
}
END_TEST

START_TEST(the_kernel_knows_nothing_of_coroutines)
{
    static const char *const ways[] = {"coroutine-switch", "coroutine-yield"};
    ck_assert_int_lt(count_kernel_switches(ways[_i]), 10000);
}
END_TEST

/* --- What is refused ---------------------------------------------------------------- */

static const struct {
    const char *words[3], *says;
} usages[] = {
    {{"thread-nothing"}, "there is no way 'thread-nothing'; there are system-call"},
    {{NULL}, "WAY: missing; there are system-call"},
    {{"-c", "3", "thread-pipe"}, "-c: 3 is out of range"},
    {{"-n", "0", "thread-pipe"}, "-n: 0 is out of range"},
    {{"-c2", "coroutine-switch"}, "-c: this way stays within one thread, so on one core"},
    {{"-c2", "coroutine-yield"}, "-c: this way stays within one thread"},
    {{"-c2", "system-call"}, "-c: this way stays within one thread"},
};

START_TEST(wrong_usage_is_refused_in_one_sentence)
{
    struct output output;
    const char *argv[5] = {PINGPONG};
    memcpy(argv + 1, usages[_i].words, sizeof usages[_i].words);
    ck_assert_int_eq(program_run(argv, &output), 2);
    assert_says(output.err, "pingpong: ");
    assert_says(output.err, usages[_i].says);
    assert_one_sentence(output.err);
    ck_assert_str_eq(output.out, "");
    output_free(&output);
}
END_TEST

START_TEST(where_there_is_one_core_two_are_refused)
{
    struct output output;
    cpu_set_t allowed, one;
    ck_assert_int_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    size_t first = 0;
    while (!CPU_ISSET(first, &allowed))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    const char *argv[] = {PINGPONG, "-c", "2", "thread-futex", NULL};
    ck_assert_int_eq(program_run(argv, &output), 1);
    ck_assert_str_eq(output.err,
                     "pingpong: -c: there is only one core that may be used here\n");
    ck_assert_int_eq(sched_setaffinity(0, sizeof allowed, &allowed), 0);
    output_free(&output);
}
END_TEST

START_TEST(a_full_disk_is_said)
{
    struct output output;
    const char *argv[] = {PINGPONG, "-n", "10", "-o", "/dev/full", "thread-pipe", NULL};
    ck_assert_int_eq(program_run(argv, &output), 1);
    ck_assert_str_eq(output.err, "pingpong: /dev/full: No space left on device\n");
    output_free(&output);
}
END_TEST

START_TEST(an_odd_count_is_rounded_up_to_whole_rounds)
{
    struct output output;
    const char *argv[] = {PINGPONG, "-n", "3", "thread-pipe", NULL};
    ck_assert_int_eq(program_run(argv, &output), 0);
    assert_says(output.out, ": 4 switches in ");
    output_free(&output);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pingpong");
    TCase *tcase = suite_add(suite, "pingpong");
    tcase_add_checked_fixture(tcase, folder_make, finish);
    tcase_add_loop_test(tcase, the_cause_of_a_broken_pipe_is_told, 0, (int)LENGTH(ends));
    tcase_add_test(tcase, a_game_is_fair_if_the_players_take_turns);
    tcase_add_test(tcase, a_switch_that_did_not_happen_is_noticed);
    tcase_add_loop_test(tcase, every_way_plays_fair_and_writes_its_row, 0,
                        (int)LENGTH(games));
    tcase_add_loop_test(tcase, the_kernel_counts_the_switches_of_threads_and_processes, 0,
                        4);
    tcase_add_loop_test(tcase, the_kernel_knows_nothing_of_coroutines, 0, 2);
    tcase_add_loop_test(tcase, wrong_usage_is_refused_in_one_sentence, 0,
                        (int)LENGTH(usages));
    tcase_add_test(tcase, where_there_is_one_core_two_are_refused);
    tcase_add_test(tcase, a_full_disk_is_said);
    tcase_add_test(tcase, an_odd_count_is_rounded_up_to_whole_rounds);
    return suite_end(suite);
}
