/* The check of "bounded queue": the list of README.md, point by point. The judge writes
   the commands, waits until every thread sleeps, and reads what they have said. */
#include "tests/judge.h"

#include "kit/array.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOM = 4, PAGES = 100 };

static const char look_put[] = "queue_put(): what it waits for, and who is told after",
                  look_take[] = "queue_take(): what it waits for, and who is told after",
                  look_rest[] = "queue_take(): when there is a page, and it is closed",
                  look_close[] = "queue_close(): how many it tells; who keeps the lock",
                  look_gap[] = "queue_close(): when it sets closed, and with which lock",
                  look_woken[] = "what is known when pthread_cond_wait() returns",
                  look_whom[] = "who sleeps on which condition, and who is signalled";

/* An answer, and the pages of this case: numbers that nobody can know beforehand. */
struct scene {
    struct judge judge;
    int          commands_fd;
    int          page[PAGES];
};

/* What it has said so far. */
struct said {
    int  put, refused;          /* pages put, and found the queue closed */
    int  taken, ends;           /* pages taken, and writers who found it closed */
    int  closes, counted;       /* counted: -1 if it has said nothing of it */
    int  order[PAGES];          /* the pages taken */
};

static void begin(struct scene *scene, const char *build)
{
    unsigned base;
    char path[512];
    memset(scene, 0, sizeof *scene);
    scene->judge.look = "README.md, The check";
    ck_assert_int_eq(getrandom(&base, sizeof base, 0), sizeof base);
    for (int i = 0; i < PAGES; i++)
        scene->page[i] = (int)(base % 1000000) * 1000 + i;
    snprintf(path, sizeof path, "%s/commands", judge_folder());
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    judge_start(&scene->judge, build, (const char *const[]){path, NULL});
    scene->commands_fd = open(path, O_RDWR | O_CLOEXEC);    /* waits for no reader */
    ck_assert_int_ge(scene->commands_fd, 0);
}

/* One line of commands, made of one word and these numbers. */
static void command(struct scene *scene, const char *word, const int *numbers, int count)
{
    char line[1024];
    int length = snprintf(line, sizeof line, "%s", word);
    for (int i = 0; i < count; i++)
        length += snprintf(line + length, sizeof line - (size_t)length, " %d",
                           numbers[i]);
    ck_assert_int_lt(length, (int)sizeof line - 1);
    line[length++] = '\n';
    ck_assert_int_eq(write(scene->commands_fd, line, (size_t)length), length);
}

/* A fetcher that puts these pages of the scene; a writer that takes so many. */
static void put(struct scene *scene, int first, int count)
{
    command(scene, "put", &scene->page[first], count);
}

static void take(struct scene *scene, int count)
{
    command(scene, "take", &count, 1);
}

static void read_line(struct scene *scene, const char *line, struct said *said)
{
    int page, length = 0;
    if (sscanf(line, "put %d%n", &page, &length) == 1 && line[length] == '\0')
        said->put++;
    else if (sscanf(line, "put %d: closed%n", &page, &length) == 1 && length > 0)
        said->refused++;
    else if (sscanf(line, "take %d", &page) == 1 && said->taken < PAGES)
        said->order[said->taken++] = page;
    else if (strcmp(line, "take: closed") == 0)
        said->ends++;
    else if (strcmp(line, "close") == 0)
        said->closes++;
    else if (sscanf(line, "count %d", &page) == 1)
        said->counted = page;
    else
        judge_reject(&scene->judge, "printed \"%.40s\", which is no thread's to say",
                     line);
}

static void read_said(struct scene *scene, struct said *said)
{
    *said = (struct said){.counted = -1};
    char *output = judge_output(&scene->judge), *rest;
    char *line = strtok_r(output, "\n", &rest);
    for (; line; line = strtok_r(NULL, "\n", &rest))
        read_line(scene, line, said);
    free(output);
}

/* Waits until every thread sleeps. */
static struct said settle(struct scene *scene)
{
    struct said said;
    judge_settle(&scene->judge, NULL);
    if (scene->judge.ended)
        judge_reject(&scene->judge, "ended with status %d in the middle of its work",
                     scene->judge.status);
    read_said(scene, &said);
    return said;
}

/* Rejects other pages than these, in this order, as those taken from `from` on. */
static void expect_taken(struct scene *scene, const struct said *said, int from,
                         int count)
{
    for (int i = from; i < said->taken && i < from + count; i++)
        if (said->order[i] != scene->page[i])
            judge_reject(&scene->judge, "page %d was taken, where page %d was due",
                         said->order[i], scene->page[i]);
    if (said->taken > from + count)
        judge_reject(&scene->judge, "%d pages were put, and %d taken", from + count,
                     said->taken);
    if (said->taken < from + count)
        judge_reject(&scene->judge, "all asleep, with %d of %d pages taken", said->taken,
                     from + count);
}

/* --- The warm-up -------------------------------------------------------------------- */

START_TEST(no_page_goes_uncounted)
{
    struct scene scene;
    const int fetchers = 8;
    begin(&scene, "program-shim");
    scene.judge.look = "tally_page(): what can happen between the look and the act";
    command(&scene, "count", &fetchers, 1);
    struct said said = settle(&scene);
    if (said.counted < 0)
        judge_reject(&scene.judge, "the warm-up: all asleep, and nothing is counted");
    if (said.counted != fetchers)
        judge_reject(&scene.judge, "the warm-up: counted %d of %d pages", said.counted,
                     fetchers);
}
END_TEST

/* --- Waiting ------------------------------------------------------------------------ */

START_TEST(the_fifth_put_sleeps)
{
    struct scene scene;
    begin(&scene, "program");
    scene.judge.look = look_put;
    put(&scene, 0, ROOM + 1);
    struct said said = settle(&scene);
    if (said.refused > 0)
        judge_reject(&scene.judge, "a put gave up; it has to wait for room");
    if (said.put < ROOM)
        judge_reject(&scene.judge, "all asleep, with %d of %d pages put", said.put, ROOM);
    if (said.put > ROOM)
        judge_reject(&scene.judge, "put %d pages where there is room for %d", said.put,
                     ROOM);
    take(&scene, 1);
    said = settle(&scene);
    expect_taken(&scene, &said, 0, 1);
    scene.judge.look = look_take;
    if (said.put <= ROOM)
        judge_reject(&scene.judge, "a page was taken, and the fetcher sleeps on");
    scene.judge.look = look_put;
    take(&scene, ROOM);
    said = settle(&scene);
    expect_taken(&scene, &said, 0, ROOM + 1);
}
END_TEST

START_TEST(take_sleeps_until_a_page_comes)
{
    struct scene scene;
    begin(&scene, "program");
    scene.judge.look = look_take;
    take(&scene, 1);
    struct said said = settle(&scene);
    if (said.taken > 0)
        judge_reject(&scene.judge, "took a page that nobody had put");
    if (said.ends > 0)
        judge_reject(&scene.judge, "a take gave up; it has to wait for a page");
    put(&scene, 0, 1);
    said = settle(&scene);
    expect_taken(&scene, &said, 0, 1);
}
END_TEST

/* Many waits on both sides, and the ring goes round more than once. */
START_TEST(every_page_once_and_in_order)
{
    struct scene scene;
    begin(&scene, "program");
    put(&scene, 0, PAGES / 2);
    take(&scene, 3);
    struct said said = settle(&scene);
    expect_taken(&scene, &said, 0, 3);
    take(&scene, PAGES / 2 - 3);
    said = settle(&scene);
    expect_taken(&scene, &said, 0, PAGES / 2);
}
END_TEST

/* --- The close ---------------------------------------------------------------------- */

START_TEST(close_with_three_takers_asleep)
{
    struct scene scene;
    begin(&scene, "program");
    scene.judge.look = look_close;
    for (int i = 0; i < 3; i++)
        take(&scene, 1);
    settle(&scene);
    command(&scene, "close", NULL, 0);
    struct said said = settle(&scene);
    if (said.ends < 3)
        judge_reject(&scene.judge, "%d of 3 writers sleep on after the close",
                     3 - said.ends);
}
END_TEST

START_TEST(close_with_three_putters_asleep)
{
    struct scene scene;
    begin(&scene, "program");
    scene.judge.look = look_close;
    put(&scene, 0, ROOM);
    settle(&scene);
    for (int i = 0; i < 3; i++)
        put(&scene, ROOM + i, 1);
    settle(&scene);
    command(&scene, "close", NULL, 0);
    struct said said = settle(&scene);
    if (said.put > ROOM)
        judge_reject(&scene.judge, "a page was put when the queue was closed already");
    if (said.refused < 3)
        judge_reject(&scene.judge, "%d of 3 fetchers sleep on after the close",
                     3 - said.refused);
    scene.judge.look = look_rest;
    take(&scene, ROOM + 1);
    said = settle(&scene);
    expect_taken(&scene, &said, 0, ROOM);
    if (said.ends < 1)
        judge_reject(&scene.judge, "closed and empty, and a writer sleeps");
}
END_TEST

START_TEST(close_with_pages_inside)
{
    struct scene scene;
    begin(&scene, "program");
    scene.judge.look = look_rest;
    put(&scene, 0, 3);
    settle(&scene);
    command(&scene, "close", NULL, 0);
    settle(&scene);
    take(&scene, 4);
    struct said said = settle(&scene);
    if (said.taken < 3)
        judge_reject(&scene.judge, "3 pages were inside at the close, and %d were taken",
                     said.taken);
    expect_taken(&scene, &said, 0, 3);
    if (said.ends != 1)
        judge_reject(&scene.judge, "closed and empty, and a writer sleeps");
    scene.judge.look = look_put;
    put(&scene, 3, 1);
    said = settle(&scene);
    if (said.put > 3)
        judge_reject(&scene.judge, "a page was put when the queue was closed already");
    if (said.refused < 1)
        judge_reject(&scene.judge, "a put sleeps in a closed queue");
}
END_TEST

/* Between its look and its sleep a thread still has the lock. Whoever closes without it
   tells nobody: the writer, or the fetcher, has seen "not closed", and goes to sleep. */
START_TEST(close_before_a_writer_sleeps)
{
    struct scene scene;
    setenv("SHIM", "late", 1);
    begin(&scene, "program-shim");
    scene.judge.look = look_gap;
    take(&scene, 1);
    settle(&scene);
    command(&scene, "close", NULL, 0);
    struct said said = settle(&scene);
    if (said.ends < 1)
        judge_reject(&scene.judge, "closed between a writer's look and its sleep: it "
                     "sleeps on after the close");
}
END_TEST

START_TEST(close_before_a_fetcher_sleeps)
{
    struct scene scene;
    setenv("SHIM", "late", 1);
    begin(&scene, "program-shim");
    scene.judge.look = look_gap;
    put(&scene, 0, ROOM + 1);
    settle(&scene);
    command(&scene, "close", NULL, 0);
    struct said said = settle(&scene);
    if (said.refused < 1)
        judge_reject(&scene.judge, "closed between a fetcher's look and its sleep: it "
                     "sleeps on after the close");
}
END_TEST

/* --- What POSIX leaves open --------------------------------------------------------- */

START_TEST(a_writer_wakes_for_nothing)
{
    struct scene scene;
    setenv("SHIM", "spurious", 1);
    begin(&scene, "program-shim");
    scene.judge.look = look_woken;
    take(&scene, 1);
    struct said said = settle(&scene);
    if (said.taken > 0)
        judge_reject(&scene.judge,
                     "a writer woke for nothing, and took a page that nobody had put");
    if (said.ends > 0)
        judge_reject(&scene.judge, "a writer woke for nothing, and gave up");
    put(&scene, 0, 1);
    said = settle(&scene);
    expect_taken(&scene, &said, 0, 1);
}
END_TEST

START_TEST(a_fetcher_wakes_for_nothing)
{
    struct scene scene;
    setenv("SHIM", "spurious", 1);
    begin(&scene, "program-shim");
    scene.judge.look = look_woken;
    put(&scene, 0, ROOM + 1);
    struct said said = settle(&scene);
    if (said.put > ROOM)
        judge_reject(&scene.judge, "a fetcher woke for nothing, and put a page where "
                     "there was no room");
    if (said.refused > 0)
        judge_reject(&scene.judge, "a fetcher woke for nothing, and gave up");
    take(&scene, ROOM + 1);
    said = settle(&scene);
    expect_taken(&scene, &said, 0, ROOM + 1);
}
END_TEST

/* Three sleep, and three can go on: whoever counts on "it was empty" wakes the first. */
START_TEST(each_page_wakes_a_writer)
{
    struct scene scene;
    begin(&scene, "program-shim");
    scene.judge.look = "queue_put(): when it signals; who sleeps though it is not empty";
    for (int i = 0; i < 3; i++)
        take(&scene, 1);
    settle(&scene);
    put(&scene, 0, 3);
    struct said said = settle(&scene);
    if (said.taken < 3)
        judge_reject(&scene.judge, "three writers slept, three pages came, and %d were "
                     "taken", said.taken);
}
END_TEST

START_TEST(each_place_wakes_a_fetcher)
{
    struct scene scene;
    begin(&scene, "program-shim");
    scene.judge.look = "queue_take(): when it signals; who sleeps though there is room";
    put(&scene, 0, ROOM);
    settle(&scene);
    for (int i = 0; i < 3; i++)
        put(&scene, ROOM + i, 1);
    settle(&scene);
    take(&scene, 3);
    struct said said = settle(&scene);
    if (said.put < ROOM + 3)
        judge_reject(&scene.judge, "three fetchers slept, three pages were taken, and %d "
                     "were put", said.put - ROOM);
}
END_TEST

/* Eight writers sleep, of whom each page wakes one, and a fetcher fills the queue before
   any of them runs. If all sleep on one condition, a writer may wake a writer. */
START_TEST(a_signal_wakes_a_writer)
{
    struct scene scene;
    begin(&scene, "program-shim");
    scene.judge.look = look_whom;
    for (int i = 0; i < 8; i++)
        take(&scene, 1);
    settle(&scene);
    put(&scene, 0, 8);
    struct said said = settle(&scene);
    int inside = said.put - said.taken;
    if (said.taken < 8 && inside > 0)
        judge_reject(&scene.judge, "all asleep: %d of 8 writers, and %d pages are in the "
                     "queue", 8 - said.taken, inside);
    if (said.put < 8)
        judge_reject(&scene.judge, "all asleep: a fetcher, and %d of %d places are free",
                     ROOM - inside, ROOM);
}
END_TEST

/* The other way round: twelve fetchers, and a writer who first takes all there is. */
START_TEST(a_signal_wakes_a_fetcher)
{
    struct scene scene;
    begin(&scene, "program-shim");
    scene.judge.look = look_whom;
    for (int i = 0; i < 12; i++)
        put(&scene, i, 1);
    settle(&scene);
    take(&scene, 12);
    struct said said = settle(&scene);
    int inside = said.put - said.taken;
    if (said.taken < 12)
        judge_reject(&scene.judge, "all asleep: a writer, and %d pages are in the queue",
                     inside);
}
END_TEST

/* --- All at once -------------------------------------------------------------------- */

static int by_number(const void *one, const void *other)
{
    return *(const int *)one - *(const int *)other;
}

/* Four fetchers with a quarter of the pages each, four writers, and the warm-up. */
static void begin_all(struct scene *scene, const char *build)
{
    enum { EACH = PAGES / 4 };
    const int counters = 4;
    begin(scene, build);
    for (int i = 0; i < 4; i++) {
        put(scene, i * EACH, EACH);
        take(scene, EACH);
    }
    command(scene, "count", &counters, 1);
}

/* The end of the input. By now the answer reads it, and would miss nothing. */
static void await_end(struct scene *scene, struct said *said)
{
    settle(scene);
    close(scene->commands_fd);
    int status = judge_await_end(&scene->judge);
    if (status != 0)
        judge_reject(&scene->judge, "ended with status %d, not 0", status);
    read_said(scene, said);
}

START_TEST(four_fetchers_and_four_writers)
{
    struct scene scene;
    begin_all(&scene, "program");
    struct said said = settle(&scene);
    qsort(said.order, (size_t)said.taken, sizeof *said.order, by_number);
    expect_taken(&scene, &said, 0, PAGES);
    await_end(&scene, &said);
}
END_TEST

/* The close comes at any moment. What was put until then is taken, and nothing else. */
START_TEST(nobody_looks_without_the_lock)
{
    if (!judge_can_tsan())
        return;
    struct scene scene;
    struct said said;
    begin_all(&scene, "program-tsan");
    command(&scene, "close", NULL, 0);
    scene.judge.look = "who touches the queue, or the tally, without its lock";
    await_end(&scene, &said);
    if (said.put != said.taken)
        judge_reject(&scene.judge, "%d pages were put, and %d taken", said.put,
                     said.taken);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const cases[] = {
        no_page_goes_uncounted,
        the_fifth_put_sleeps,
        take_sleeps_until_a_page_comes,
        every_page_once_and_in_order,
        close_with_three_takers_asleep,
        close_with_three_putters_asleep,
        close_with_pages_inside,
        close_before_a_writer_sleeps,
        close_before_a_fetcher_sleeps,
        a_writer_wakes_for_nothing,
        a_fetcher_wakes_for_nothing,
        each_page_wakes_a_writer,
        each_place_wakes_a_fetcher,
        a_signal_wakes_a_writer,
        a_signal_wakes_a_fetcher,
        four_fetchers_and_four_writers,
        nobody_looks_without_the_lock,
    };
    return judge_run(argc, argv, cases, LENGTH(cases));
}
