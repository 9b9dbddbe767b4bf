/* The check of "price board": the list of README.md, point by point. */
#define _GNU_SOURCE    /* accept4 */
#include "tests/judge.h"

#include "kit/array.h"
#include "kit/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    SHOPS = 20,
    PRICE_MOST = 9999,    /* cents, and bytes of a reply */
    REQUEST = 1024
};

/* All shops, behind one door; their prices; the board; and the rows that are due. */
struct scene {
    struct judge judge;
    struct peer  door;
    const char  *when;             /* what is special, as a fact begins */
    int          caller[SHOPS];    /* a connection each, in the order of their coming */
    int          callers;
    int          shop[SHOPS];      /* the connection on which it was asked, -1: none */
    int          price[SHOPS];
    char         due[1024];
};

/* One of the board's builds asks so many shops; how its threads fare, SHIM says. */
static void begin(struct scene *scene, const char *build, const char *shim,
                  const char *count)
{
    char url[64];
    memset(scene, 0, sizeof *scene);
    scene->when = "";
    scene->judge.look = "README.md: all shops are asked before anyone is waited for";
    peer_open(&scene->door, &scene->judge);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/price/{i}", scene->door.port);
    for (int i = 0; i < SHOPS; i++) {
        unsigned draw;
        ck_assert_int_eq(getrandom(&draw, sizeof draw, 0), sizeof draw);
        scene->price[i] = (int)(draw % PRICE_MOST) + 1;
        scene->shop[i] = -1;
    }
    setenv("SHIM", shim, 1);
    judge_start(&scene->judge, build, (const char *const[]){url, count, "60m", NULL});
}

static void take_callers(struct scene *scene)
{
    int fd;
    while (scene->callers < SHOPS &&
           (fd = accept4(scene->door.listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        scene->caller[scene->callers++] = fd;
}

/* Awaits so many at the door, none of whom is answered before all are there. */
static void gather(struct scene *scene, int wanted)
{
    enum { LOOKS = 100, SETTLINGS = 10 };
    struct judge *judge = &scene->judge;
    for (int i = 0; i < LOOKS && scene->callers < wanted; i++) {
        clock_sleep(CLOCK_MS);
        take_callers(scene);
    }
    for (int i = 0; i < SETTLINGS && scene->callers < wanted; i++) {
        judge_settle(judge, NULL);
        take_callers(scene);
    }
    if (scene->callers < wanted && judge->ended)
        judge_reject(judge, "%sended with status %d with %d of %d in flight", scene->when,
                     judge->status, scene->callers, wanted);
    if (scene->callers < wanted)
        judge_reject(judge, "%sstalled with %d of %d in flight", scene->when,
                     scene->callers, wanted);
    judge_settle(judge, NULL);
    take_callers(scene);    /* are there more? */
}

/* Reads the head of one request. Returns the shop that is meant. */
static int hear(struct scene *scene, int fd)
{
    char head[REQUEST + 1] = "";
    size_t length = 0;
    int shop = -1;
    for (int silences = 0; !strstr(head, "\r\n\r\n") && length < REQUEST;) {
        ssize_t received = recv(fd, head + length, REQUEST - length, MSG_DONTWAIT);
        if (received > 0) {
            length += (size_t)received;
        } else if (received == 0 || ++silences == 10) {
            judge_reject(&scene->judge, "%sit connected, and asked for nothing",
                         scene->when);
        } else {
            judge_settle(&scene->judge, NULL);
        }
    }
    ck_assert_int_eq(sscanf(head, "GET /price/%d ", &shop), 1);
    return shop;
}

/* Who was asked? Each shop but `none`, -1 for all, and each once. */
static void hear_all(struct scene *scene, int none)
{
    struct judge *judge = &scene->judge;
    judge->look = "what a thread is given: something that is its own until the join";
    for (int i = 0; i < scene->callers; i++) {
        int shop = hear(scene, scene->caller[i]);
        if (shop < 0 || shop >= SHOPS)
            judge_reject(judge, "%sit asked shop %d, and there are shops 0 to %d",
                         scene->when, shop, SHOPS - 1);
        if (shop == none) {
            judge->look = "README.md: a thread that can't be had is a row, and no more";
            judge_reject(judge, "%sit asked shop %d all the same", scene->when, shop);
        }
        if (scene->shop[shop] >= 0)
            judge_reject(judge, "%sit asked shop %d twice", scene->when, shop);
        scene->shop[shop] = scene->caller[i];
    }
}

/* Rejects a board that does not wait in this many threads of one process. */
static void call_roll(struct judge *judge, int threads)
{
    struct roll roll;
    judge_settle(judge, &roll);
    judge->look = "README.md: a thread for each shop";
    if (roll.processes != 1)
        judge_reject(judge, "the requests wait in %d processes", roll.processes);
    if (roll.threads != threads)
        judge_reject(judge, "%d threads, where main and %d others were due", roll.threads,
                     threads - 1);
}

/* A reply as long as the shop's price, and the connection's end. */
static void answer(struct scene *scene, int shop)
{
    static char strokes[PRICE_MOST];
    char head[64];
    int fd = scene->shop[shop], price = scene->price[shop];
    memset(strokes, '|', sizeof strokes);
    int length = snprintf(head, sizeof head,
                          "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", price);
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    int error = net_send_all(fd, head, (size_t)length, deadline_ns);
    if (!error)
        error = net_send_all(fd, strokes, (size_t)price, deadline_ns);
    ck_assert_int_ne(error, -ETIMEDOUT);
    if (error)
        judge_reject(&scene->judge, "%sit hung up on shop %d, which had a price",
                     scene->when, shop);
    close(fd);
}

/* From now on this row is due: a price, or these words. */
static void expect(struct scene *scene, int shop, const char *words)
{
    size_t used = strlen(scene->due);
    int price = words ? 0 : scene->price[shop];
    char text[16];
    snprintf(text, sizeof text, "%3d.%02d", price / 100, price % 100);
    int length = snprintf(scene->due + used, sizeof scene->due - used, "shop %2d  %s\n",
                          shop, words ? words : text);
    ck_assert_uint_lt(used + (size_t)length, sizeof scene->due);
}

/* Who was asked last is answered first; the first, who stands on top of the board, last.
   `none` was not asked, and `mute` hangs up instead; -1 for nobody. */
static void answer_all(struct scene *scene, int none, int mute)
{
    struct judge *judge = &scene->judge;
    judge->look = "when rows are printed, and in whose order: that of asking";
    for (int shop = SHOPS - 1; shop > 0; shop--) {
        if (shop == mute)
            close(scene->shop[shop]);
        else if (shop != none)
            answer(scene, shop);
        if (shop == SHOPS - 1 || shop == 1)
            judge_no_more_output(judge, "");
    }
    answer(scene, 0);
    for (int shop = 0; shop < SHOPS; shop++)
        expect(scene, shop, shop == none ? "not asked"
                            : shop == mute ? "no price" : NULL);
    judge_await_output(judge, scene->due);
    bool all = none < 0 && mute < 0;
    int status = judge_await_end(judge);
    if (status != (all ? 0 : 1))
        judge_reject(judge, "%sended with status %d", scene->when, status);
}

/* What the shim has counted: each thread that was created is joined, and no other. */
static void count_joins(struct scene *scene, int threads)
{
    struct judge *judge = &scene->judge;
    static char said[JUDGE_OUTPUT];
    int created, joined, nothing;
    judge->look = "pthread_join: once for each thread that there is";
    ssize_t length = pread(judge->err_fd, said, sizeof said - 1, 0);
    said[length > 0 ? length : 0] = '\0';
    const char *count = strstr(said, "shim: ");
    if (!count || sscanf(count, "shim: %d created, %d joined, %d joins", &created,
                         &joined, &nothing) != 3)
        judge_reject(judge, "%sended without coming to the end of main", scene->when);
    if (created != threads || joined != created)
        judge_reject(judge, "%s%d threads were created, and %d joined", scene->when,
                     created, joined);
    if (nothing > 0)
        judge_reject(judge, "%s%d joins of no thread", scene->when, nothing);
}

/* No thread starts before main joins one: what a thread was given must still be so. */
START_TEST(threads_may_start_late)
{
    struct scene scene;
    begin(&scene, "program-shim", "late", "20");
    gather(&scene, SHOPS);
    hear_all(&scene, -1);
    call_roll(&scene.judge, SHOPS + 1);
    answer_all(&scene, -1, -1);
    count_joins(&scene, SHOPS);
}
END_TEST

/* Twenty stand at a gate of 21, whose last place is the judge's own. */
START_TEST(twenty_threads_wait_at_a_gate)
{
    struct judge judge = JUDGE_NEW;
    struct server server;
    char url[64], reply[1024], due[1024] = "";
    judge_serve(&judge, &server);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/gate/21?timeout=60m", server.port);
    judge_start(&judge, "program", (const char *const[]){url, "20", "60m", NULL});
    judge_await_in_flight(&judge, &server, SHOPS);
    call_roll(&judge, SHOPS + 1);
    int opened = client_get(server.port, "/gate/21?timeout=60m", reply, sizeof reply);
    ck_assert_int_eq(opened, 200);
    for (int i = 0; i < SHOPS; i++)
        sprintf(due + strlen(due), "shop %2d    0.%02d\n", i,
                (int)strlen(reply_body(reply)));
    judge.look = "README.md: a row for each shop";
    judge_await_output(&judge, due);
    ck_assert_int_eq(judge_await_end(&judge), 0);
}
END_TEST

/* Each answer waits until the client has closed the connection answered before. */
static void answer_last_first(const char *build)
{
    struct judge judge = JUDGE_NEW;
    struct server server;
    char url[96];
    judge_serve(&judge, &server);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/gate/20?timeout=60m&order=last-first",
             server.port);
    judge_start(&judge, build, (const char *const[]){url, "20", "60m", NULL});
    judge.look = "each thread closes its own connection: the next answer waits for that";
    int status = judge_await_end(&judge);
    if (status != 0)
        judge_reject(&judge, "with the last answered first it ended with status %d",
                     status);
    judge_reject_reported(&judge);
}

START_TEST(the_last_may_be_answered_first)
{
    answer_last_first("program");
}
END_TEST

START_TEST(a_thread_that_cannot_be_had_is_a_row)
{
    struct scene scene;
    begin(&scene, "program-shim", "fail=13", "20");
    scene.when = "the 13th thread could not be had: ";
    scene.judge.look = "what pthread_create returns, and who goes on: all others";
    gather(&scene, SHOPS - 1);
    hear_all(&scene, 12);
    call_roll(&scene.judge, SHOPS);
    answer_all(&scene, 12, -1);
    count_joins(&scene, SHOPS - 1);
}
END_TEST

/* And more of them than the other cases have. */
START_TEST(no_thread_at_all_is_a_board_of_rows)
{
    struct scene scene;
    begin(&scene, "program-shim", "fail=all", "30");
    scene.when = "no thread could be had: ";
    scene.judge.look = "what pthread_create returns, and who goes on: all others";
    for (int shop = 0; shop < 30; shop++)
        expect(&scene, shop, "not asked");
    judge_await_output(&scene.judge, scene.due);
    if (judge_await_end(&scene.judge) != 1)
        judge_reject(&scene.judge, "%sended with status %d", scene.when,
                     scene.judge.status);
    count_joins(&scene, 0);
}
END_TEST

START_TEST(a_shop_without_a_price_is_a_row)
{
    struct scene scene;
    begin(&scene, "program", "", "20");
    gather(&scene, SHOPS);
    hear_all(&scene, -1);
    answer_all(&scene, -1, 5);
}
END_TEST

START_TEST(no_data_race)
{
    if (judge_can_tsan())
        answer_last_first("program-tsan");
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const cases[] = {
        threads_may_start_late, twenty_threads_wait_at_a_gate,
        the_last_may_be_answered_first, a_thread_that_cannot_be_had_is_a_row,
        no_thread_at_all_is_a_board_of_rows, a_shop_without_a_price_is_a_row,
        no_data_race,
    };
    return judge_run(argc, argv, cases, LENGTH(cases));
}
