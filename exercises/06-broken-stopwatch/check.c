/* The check of "the broken stopwatch": the list of README.md, point by point. What is due
   is counted here from the script alone, in whole numbers. */
#include "tests/judge.h"

#include "kit/array.h"
#include "kit/random.h"
#include "kit/result.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST = 300,             /* requests in one case */
    SCRIPT = 64 * MOST,     /* bytes of a script or a table that hold them */
    TIMEOUT_S = 30,
    SEND_NS = 4 * CLOCK_MS,    /* a whole tick of a coarse clock */
    FIGURES = 8
};

static const char *const names[FIGURES] = {
    "ok", "failed", "not_started", "makespan_ns", "ok_per_s", "p50_ns", "p99_ns",
    "max_ns",
};

/* What becomes of a request that was asked well. */
enum fate { WHOLE, REFUSED, NO_CONNECT, RESET, CLOSED, CUT, UNAVAILABLE, STALLED, FATES };

struct planned {
    int64_t start_ns, end_ns;
    bool    ok, started;
};

struct scene {
    struct judge   judge;
    const char    *circumstance;    /* "a connect of 3 s": what the fact begins with */
    struct planned planned[MOST];
    int            count;
    int64_t        now_ns;
    char           text[SCRIPT];    /* the script, or the table */
};

static void begin(struct scene *scene, const char *circumstance, const char *look)
{
    memset(scene, 0, sizeof *scene);
    scene->judge.look = look;
    scene->circumstance = circumstance;
}

__attribute__((format(printf, 2, 3)))
static void add(struct scene *scene, const char *form, ...)
{
    size_t used = strlen(scene->text);
    va_list arguments;
    va_start(arguments, form);
    int length = vsnprintf(scene->text + used, SCRIPT - used, form, arguments);
    va_end(arguments);
    ck_assert_uint_lt(used + (size_t)length, SCRIPT);
}

static struct planned *plan(struct scene *scene)
{
    ck_assert_int_lt(scene->count, MOST);
    return &scene->planned[scene->count++];
}

/* --- What is due -------------------------------------------------------------------- */

static int64_t latency(const struct planned *planned)
{
    return planned->end_ns - planned->start_ns;
}

/* The smallest latency that at least so many per cent of the ok ones do not exceed. */
static int64_t quantile(const struct scene *scene, int64_t ok, int percent)
{
    int64_t least_ns = 0;
    for (int i = 0; i < scene->count; i++) {
        const struct planned *one = &scene->planned[i];
        int64_t within = 0;
        for (int j = 0; j < scene->count; j++)
            within += scene->planned[j].ok && latency(&scene->planned[j]) <= latency(one);
        if (one->ok && 100 * within >= percent * ok &&
            (least_ns == 0 || latency(one) < least_ns))
            least_ns = latency(one);
    }
    return least_ns;
}

static void count_due(const struct scene *scene, int64_t due[FIGURES])
{
    int64_t first_ns = 0, last_ns = 0, ok = 0, started = 0;
    for (int i = 0; i < scene->count; i++) {
        const struct planned *one = &scene->planned[i];
        if (!one->started)
            continue;
        if (started++ == 0 || one->start_ns < first_ns)
            first_ns = one->start_ns;
        if (one->end_ns > last_ns)
            last_ns = one->end_ns;
        ok += one->ok;
    }
    int64_t makespan_ns = last_ns - first_ns;
    int64_t all[FIGURES] = {
        ok, started - ok, scene->count - started, makespan_ns,
        makespan_ns > 0 ? ok * CLOCK_S / makespan_ns : 0,
        quantile(scene, ok, 50), quantile(scene, ok, 99), quantile(scene, ok, 100),
    };
    memcpy(due, all, sizeof all);
}

/* --- What it says ------------------------------------------------------------------- */

/* Awaits its end. Takes its figures, a line for each, in their order. */
static void read_figures(struct scene *scene, int64_t said[FIGURES])
{
    struct judge *judge = &scene->judge;
    int status = judge_await_end(judge);
    if (status != 0)
        judge_reject(judge, "%s: ended with status %d, not 0", scene->circumstance,
                     status);
    char *output = judge_output(judge);
    const char *at = output;
    for (int i = 0; i < FIGURES; i++) {
        size_t length = strlen(names[i]);
        char *end = NULL;
        if (strncmp(at, names[i], length) == 0 && at[length] == ' ')
            said[i] = strtoll(at + length + 1, &end, 10);
        if (!end || *end != '\n')
            judge_reject(judge, "%s: line %d is not \"%s\" and a number",
                         scene->circumstance, i + 1, names[i]);
        at = end + 1;
    }
    free(output);
}

static void expect_due(struct scene *scene)
{
    int64_t said[FIGURES], due[FIGURES];
    read_figures(scene, said);
    count_due(scene, due);
    for (int i = 0; i < FIGURES; i++)
        if (said[i] != due[i])
            judge_reject(&scene->judge,
                         "%s: says %s %" PRId64 ", where %" PRId64 " is due",
                         scene->circumstance, names[i], said[i], due[i]);
}

/* --- Requests that it makes itself -------------------------------------------------- */

/* Adds a request to the script: so long to connect, and then to the first thing from the
   server. */
static void ask(struct scene *scene, enum fate fate, int64_t connect_ns, int64_t wait_ns)
{
    struct planned *one = plan(scene);
    int64_t timeout_ns = TIMEOUT_S * (int64_t)CLOCK_S;
    int64_t sent_ns = connect_ns + SEND_NS;
    int64_t took_ns = sent_ns + wait_ns;
    if (fate == REFUSED)
        add(scene, "c%" PRId64 " %d ", connect_ns, ECONNREFUSED);
    else if (fate != NO_CONNECT)
        add(scene, "C%" PRId64 " 0 S%d 0 ", connect_ns, SEND_NS);
    switch (fate) {
    case REFUSED:
        took_ns = connect_ns;
        break;
    case NO_CONNECT:
    case STALLED:
        add(scene, "T0 0 ");
        took_ns = timeout_ns;
        break;
    case RESET:
        add(scene, "R%" PRId64 " %d ", wait_ns, ECONNRESET);
        break;
    case CLOSED:
        add(scene, "E%" PRId64 " 0 ", wait_ns);
        break;
    case CUT:
        add(scene, "H%" PRId64 " 200 B0 2 E0 0 ", wait_ns);
        break;
    default:
        add(scene, "H%" PRId64 " %d B0 5 ", wait_ns, fate == WHOLE ? 200 : 503);
    }
    *one = (struct planned){.start_ns = scene->now_ns, .end_ns = scene->now_ns + took_ns,
                            .ok = fate == WHOLE, .started = true};
    scene->now_ns += took_ns;
}

/* Has it make what is in the script. */
static void make_them(struct scene *scene)
{
    char number[16];
    snprintf(number, sizeof number, "%d", scene->count);
    setenv("STOPWATCH_SCRIPT", scene->text, 1);
    judge_start(&scene->judge, "program-shim",
                (const char *const[]){number, "http://127.0.0.1:9/delay/1s?i={i}", NULL});
    expect_due(scene);
}

START_TEST(the_connect_is_part_of_the_request)
{
    struct scene scene;
    begin(&scene, "a connect of 3 s",
          "timed_request: what a client has waited for when the clock is started");
    ask(&scene, WHOLE, 4 * CLOCK_MS, 60 * CLOCK_MS);
    ask(&scene, WHOLE, 8 * CLOCK_MS, 80 * CLOCK_MS);
    ask(&scene, WHOLE, 3LL * CLOCK_S, 40 * CLOCK_MS);
    make_them(&scene);
}
END_TEST

START_TEST(no_clock_that_can_be_set)
{
    struct scene scene;
    begin(&scene, "the time of day is set back by an hour",
          "timed_request: which clock never steps; src/kit/clock.h");
    ask(&scene, WHOLE, 4 * CLOCK_MS, 48 * CLOCK_MS);
    add(&scene, "W-3600000000000 0 ");
    ask(&scene, WHOLE, 4 * CLOCK_MS, 48 * CLOCK_MS);
    add(&scene, "W7200000000000 0 ");
    ask(&scene, WHOLE, 4 * CLOCK_MS, 48 * CLOCK_MS);
    make_them(&scene);
}
END_TEST

START_TEST(a_clock_of_nanoseconds)
{
    struct scene scene;
    begin(&scene, "latencies that differ by 11 ns",
          "timed_request: how fine the clock is; src/kit/clock.h");
    for (int i = 0; i < 9; i++)
        ask(&scene, WHOLE, CLOCK_MS + i, 10 * CLOCK_MS + 10 * i);
    make_them(&scene);
}
END_TEST

/* A step of the script for each byte: the head's time, then five times the body's. */
START_TEST(to_the_last_byte)
{
    struct scene scene;
    begin(&scene, "a reply that comes byte by byte",
          "timed_request: where in a reply the clock is stopped");
    for (int i = 0; i < 3; i++) {
        struct planned *one = plan(&scene);
        int64_t byte_ns = (1 + i) * 100 * (int64_t)CLOCK_MS;
        add(&scene, "C1000 0 S2000 0 H%" PRId64 " 200 ", byte_ns);
        for (int j = 0; j < 5; j++)
            add(&scene, "B%" PRId64 " 1 ", byte_ns);
        *one = (struct planned){.start_ns = scene.now_ns, .ok = true, .started = true,
                                .end_ns = scene.now_ns + 3000 + 6 * byte_ns};
        scene.now_ns = one->end_ns;
    }
    make_them(&scene);
}
END_TEST

/* One fate among good replies, so that the fact tells which. */
static void expect_failures(enum fate fate, const char *circumstance)
{
    struct scene scene;
    begin(&scene, circumstance,
          "what net_connect and converse return; result_ok in src/kit/result.h");
    for (int i = 0; i < 6; i++)
        ask(&scene, i % 3 == 1 ? fate : WHOLE, CLOCK_MS, (10 + i) * CLOCK_MS);
    make_them(&scene);
}

START_TEST(a_refused_connection)
{
    expect_failures(REFUSED, "2 of 6 connections are refused");
}
END_TEST

START_TEST(a_reset)
{
    expect_failures(RESET, "2 of 6 connections are reset");
}
END_TEST

START_TEST(no_reply_at_all)
{
    expect_failures(CLOSED, "2 of 6 connections are closed without a reply");
}
END_TEST

START_TEST(a_reply_cut_short)
{
    expect_failures(CUT, "2 of 6 replies are cut short");
}
END_TEST

START_TEST(an_answer_that_is_no)
{
    expect_failures(UNAVAILABLE, "2 of 6 replies have status 503");
}
END_TEST

START_TEST(the_deadline_is_one)
{
    struct scene scene;
    begin(&scene, "a connect of 20 s, and then silence",
          "timed_request: from when on the 30 s are counted");
    ask(&scene, WHOLE, CLOCK_MS, 10 * CLOCK_MS);
    ask(&scene, STALLED, 20LL * CLOCK_S, 0);
    ask(&scene, NO_CONNECT, 0, 0);
    make_them(&scene);
}
END_TEST

/* What is not closed is missing here from the next request on, and not only after a
   thousand of them. */
START_TEST(what_is_opened_is_closed)
{
    static const enum fate fates[] = {WHOLE, RESET, WHOLE, CUT, UNAVAILABLE, WHOLE};
    struct scene scene;
    begin(&scene, "room for one open connection",
          "timed_request: what was opened is closed, also after a failure");
    setenv("STOPWATCH_ONE_OPEN", "1", 1);
    for (size_t i = 0; i < LENGTH(fates); i++)
        ask(&scene, fates[i], CLOCK_MS, (10 + (int)i) * CLOCK_MS);
    make_them(&scene);
}
END_TEST

/* --- Requests of others ------------------------------------------------------------- */

static void row(struct scene *scene, int64_t start_ns, int64_t end_ns, int status,
                const char *error)
{
    struct planned *one = plan(scene);
    *one = (struct planned){.start_ns = start_ns, .end_ns = end_ns, .started = true,
                            .ok = !*error && status >= 200 && status < 300};
    add(scene, "threads,0,%d,%" PRId64 ",,,,%" PRId64 ",0,%d,5,%s\n", scene->count - 1,
        start_ns, end_ns, status, error);
}

static void row_never_started(struct scene *scene)
{
    *plan(scene) = (struct planned){0};
    add(scene, "threads,0,%d,,,,,,0,0,0,ECANCELED\n", scene->count - 1);
}

/* Has it sum up the table, which stays in the folder to be looked at. */
static void sum_up(struct scene *scene)
{
    char path[512];
    snprintf(path, sizeof path, "%s/requests.csv", judge_folder());
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "%s\n%s", result_csv_header, scene->text);
    ck_assert_int_eq(fclose(file), 0);
    judge_start(&scene->judge, "program", (const char *const[]){path, NULL});
    expect_due(scene);
}

START_TEST(waits_that_overlap)
{
    struct scene scene;
    begin(&scene, "20 in flight at once",
          "summarise: a second in which 20 wait is one second");
    for (int i = 0; i < 40; i++) {
        int64_t start_ns = i / 20 * 101LL * CLOCK_MS;
        row(&scene, start_ns, start_ns + 100 * CLOCK_MS, 200, "");
    }
    sum_up(&scene);
}
END_TEST

/* Neither the first to start nor the last to end stands where one may expect it. */
START_TEST(from_the_first_start_to_the_last_end)
{
    struct scene scene;
    begin(&scene, "rows in no order of time",
          "summarise: what is ok, what has failed, and the makespan of both");
    row(&scene, 5 * CLOCK_MS, 90 * CLOCK_MS, 200, "");
    row(&scene, 1 * CLOCK_MS, 40 * CLOCK_MS, 200, "");
    row(&scene, 2 * CLOCK_MS, 950 * CLOCK_MS, 0, "ETIMEDOUT");
    row(&scene, 7 * CLOCK_MS, 60 * CLOCK_MS, 200, "");
    sum_up(&scene);
}
END_TEST

START_TEST(every_request_is_accounted_for)
{
    struct scene scene;
    begin(&scene, "3 of 8 never started",
          "summarise: which requests have no times, and what their error is");
    row_never_started(&scene);
    for (int i = 0; i < 4; i++)
        row(&scene, (10 + i) * CLOCK_MS, 100 * CLOCK_MS, 200, "");
    row(&scene, 12 * CLOCK_MS, 13 * CLOCK_MS, 0, "ECONNRESET");
    row_never_started(&scene);
    row_never_started(&scene);
    sum_up(&scene);
}
END_TEST

/* 100 are ok: an index that is not made by nearest rank is off by one. */
START_TEST(a_latency_is_a_reply_s)
{
    struct scene scene;
    begin(&scene, "failures quick and slow",
          "summarise: whose latencies are counted, and in what order");
    for (int i = 0; i < 99; i++) {
        row(&scene, i * CLOCK_MS, i * CLOCK_MS + (200 - i) * CLOCK_US + 1, 200, "");
        row(&scene, i * CLOCK_MS, i * CLOCK_MS + 9, 0, "ECONNREFUSED");
        row(&scene, i * CLOCK_MS, i * CLOCK_MS + 70 * CLOCK_MS, 503, "");
    }
    row(&scene, 99 * CLOCK_MS, 102 * CLOCK_MS, 204, "");
    row(&scene, 99 * CLOCK_MS, 100 * CLOCK_MS, 301, "");
    row(&scene, 99 * CLOCK_MS, 101 * CLOCK_MS, 200, "EBADMSG");
    sum_up(&scene);
}
END_TEST

START_TEST(nothing_came)
{
    struct scene scene;
    begin(&scene, "all have failed", "summarise: what there is to divide by");
    row(&scene, 5, 5 + CLOCK_MS, 500, "");
    row(&scene, 5, 6 + CLOCK_MS, 0, "ETIMEDOUT");
    sum_up(&scene);
}
END_TEST

START_TEST(nothing_was_started)
{
    struct scene scene;
    begin(&scene, "none was started", "summarise: what there is to divide by");
    row_never_started(&scene);
    row_never_started(&scene);
    sum_up(&scene);
}
END_TEST

/* --- All of it ---------------------------------------------------------------------- */

static uint64_t any_seed(void)
{
    char token[JUDGE_TOKEN];
    uint64_t seed;
    judge_token(token);
    memcpy(&seed, token, sizeof seed);
    return seed;
}

static int64_t below(uint64_t *state, int64_t most)
{
    return (int64_t)(random_unit(state) * (double)most);
}

START_TEST(any_requests_of_its_own)
{
    struct scene scene;
    uint64_t state = any_seed();
    begin(&scene, "requests of any kind", "README.md, The check");
    int count = 5 + (int)below(&state, 50);
    for (int i = 0; i < count; i++) {
        if (below(&state, 4) == 0)
            add(&scene, "W%" PRId64 " 0 ", below(&state, CLOCK_S) - CLOCK_S / 2);
        enum fate fate = below(&state, 2) ? WHOLE : (enum fate)below(&state, FATES);
        ask(&scene, fate, below(&state, CLOCK_S), below(&state, CLOCK_S));
    }
    make_them(&scene);
}
END_TEST

START_TEST(any_requests_of_others)
{
    static const struct {
        int         status;
        const char *error;
    } kinds[] = {{200, ""}, {200, ""}, {204, ""}, {302, ""}, {404, ""},
                 {0, "ECONNRESET"}, {200, "EBADMSG"}, {200, "ETIMEDOUT"}};
    struct scene scene;
    uint64_t state = any_seed();
    begin(&scene, "rows of any kind", "README.md, The check");
    int count = 5 + (int)below(&state, MOST - 5);
    for (int i = 0; i < count; i++) {
        size_t kind = (size_t)below(&state, LENGTH(kinds) + 1);
        int64_t start_ns = below(&state, CLOCK_S);
        if (kind == LENGTH(kinds))
            row_never_started(&scene);
        else
            row(&scene, start_ns, start_ns + 1 + below(&state, CLOCK_S),
                kinds[kind].status, kinds[kind].error);
    }
    sum_up(&scene);
}
END_TEST

/* With a clock, sockets and a server as they are: what must hold for any times. */
START_TEST(it_works_in_the_world)
{
    enum { COUNT = 5 };
    struct scene scene;
    struct server server;
    char url[128];
    int64_t said[FIGURES];
    begin(&scene, "5 requests to a server", "README.md, The check");
    judge_serve(&scene.judge, &server);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/delay/4ms", server.port);
    judge_start(&scene.judge, "program", (const char *const[]){"5", url, NULL});
    read_figures(&scene, said);
    int64_t least_ns = 4 * CLOCK_MS;
    if (said[0] != COUNT || said[1] != 0 || said[2] != 0)
        judge_reject(&scene.judge, "%s: says ok %" PRId64 ", failed %" PRId64,
                     scene.circumstance, said[0], said[1]);
    if (said[5] < least_ns || said[6] < said[5] || said[7] < said[6] ||
        said[3] < said[7] + (COUNT - 1) * least_ns)
        judge_reject(&scene.judge, "%s: its times don't fit each other, or 4 ms each",
                     scene.circumstance);
    if (server_stat(&server, "requests") != COUNT)
        judge_reject(&scene.judge, "%s: the server saw another number of them",
                     scene.circumstance);
    server_stop(&server);
}
END_TEST

int main(int argc, char **argv)
{
    /* The rows of others first: what is wrong there is wrong in summarise alone. */
    const TTest *const cases[] = {
        waits_that_overlap,
        from_the_first_start_to_the_last_end,
        every_request_is_accounted_for,
        a_latency_is_a_reply_s,
        nothing_came,
        nothing_was_started,
        the_connect_is_part_of_the_request,
        no_clock_that_can_be_set,
        a_clock_of_nanoseconds,
        to_the_last_byte,
        a_refused_connection,
        a_reset,
        no_reply_at_all,
        a_reply_cut_short,
        an_answer_that_is_no,
        the_deadline_is_one,
        what_is_opened_is_closed,
        any_requests_of_its_own,
        any_requests_of_others,
        it_works_in_the_world,
    };
    return judge_run(argc, argv, cases, LENGTH(cases));
}
