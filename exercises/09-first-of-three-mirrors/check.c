/* The check of "first of three mirrors": the list of README.md, point by point. */
#include "tests/judge.h"

#include "kit/array.h"
#include "kit/net.h"

#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIRRORS = 3 };

/* The mirrors, and all that is due on standard output so far. */
struct scene {
    struct judge judge;
    struct peer  mirror[MIRRORS];
    int          first;                          /* from 1: those before can't be asked */
    char         token[MIRRORS][JUDGE_TOKEN];    /* what each would say in this round */
    int          round;                          /* from 1 */
    char         due[4096];
};

/* Starts the answer with three mirrors of the judge's own; but the first so many have a
   broadcast address, to which the kernel refuses at once to connect,
   and sends nothing. */
static void begin_without(struct scene *scene, int without, const char *rounds,
                          const char *deadline)
{
    static char urls[MIRRORS][64];
    memset(scene, 0, sizeof *scene);
    scene->first = without + 1;
    scene->judge.look = "round_run: all three are asked before the loop is turned";
    for (int i = 0; i < MIRRORS; i++) {
        const char *host = i < without ? "127.255.255.255" : "127.0.0.1";
        peer_open(&scene->mirror[i], &scene->judge);
        snprintf(urls[i], sizeof urls[i], "http://%s:%d/page", host,
                 scene->mirror[i].port);
    }
    judge_start(&scene->judge, "program-shim", (const char *const[]){
        rounds, deadline, urls[0], urls[1], urls[2], NULL});
}

static void begin(struct scene *scene, const char *rounds, const char *deadline)
{
    begin_without(scene, 0, rounds, deadline);
}

/* A mirror's connection in this round, whatever comes over it. */
static void meet(struct scene *scene, int number)
{
    struct peer *mirror = &scene->mirror[number - 1];
    if (mirror->fd >= 0)
        peer_end(mirror);
    peer_accept(mirror);
    judge_token(scene->token[number - 1]);
}

/* The next round begins: each mirror has been asked. */
static void next_round(struct scene *scene)
{
    scene->round++;
    for (int i = scene->first; i <= MIRRORS; i++) {
        char request[128];
        meet(scene, i);
        snprintf(request, sizeof request,
                 "GET /page HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n",
                 scene->mirror[i - 1].port);
        peer_expect(&scene->mirror[i - 1], request);
    }
}

static void say(struct scene *scene, int number, const char *text)
{
    peer_send(&scene->mirror[number - 1], text);
}

/* A whole reply. The connection stays open: a reply ends by its length. */
static void answer(struct scene *scene, int number, int status)
{
    char reply[256];
    snprintf(reply, sizeof reply, "HTTP/1.1 %d -\r\nContent-Length: 8\r\n\r\n%.8s",
             status, scene->token[number - 1]);
    say(scene, number, reply);
}

__attribute__((format(printf, 2, 3)))
static void due(struct scene *scene, const char *form, ...)
{
    size_t used = strlen(scene->due);
    va_list arguments;
    va_start(arguments, form);
    int length = vsnprintf(scene->due + used, sizeof scene->due - used, form, arguments);
    va_end(arguments);
    ck_assert_uint_lt(used + (size_t)length, sizeof scene->due);
}

/* What is printed when a mirror has won, and when none has. */
static void due_winner(struct scene *scene, int number)
{
    due(scene, "round %d: mirror %d: %s\n", scene->round, number,
        scene->token[number - 1]);
}

static void due_nobody(struct scene *scene)
{
    due(scene, "round %d: nobody\n", scene->round);
}

/* The round is over: those that have not ended are hung up on, and the winner as well. */
static void expect_hung_up(struct scene *scene)
{
    scene->judge.look = "who is hung up on when a round is over, and in which turn";
    for (int i = 0; i < MIRRORS; i++)
        if (scene->mirror[i].fd >= 0)
            peer_expect_end(&scene->mirror[i]);
}

static void expect_winner(struct scene *scene, int number)
{
    due_winner(scene, number);
    judge_await_output(&scene->judge, scene->due);
    expect_hung_up(scene);
}

static void expect_end(struct scene *scene)
{
    scene->judge.look = "what is left when all rounds are over";
    int status = judge_await_end(&scene->judge);
    if (status != 0)
        judge_reject(&scene->judge, "ended with status %d, not 0", status);
    judge_no_more_output(&scene->judge, scene->due);
}

/* --- The cases ---------------------------------------------------------------------- */

/* A gate of 4, whose last place is the judge's own. Of the mirrors it answers one, and
   the next only when that one has been hung up on. */
START_TEST(three_at_once_in_one_thread)
{
    struct scene scene = {.judge = JUDGE_NEW};
    struct server server;
    struct roll roll;
    char url[96], reply[512];
    judge_serve(&scene.judge, &server);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/gate/4?timeout=60m&order=last-first",
             server.port);
    judge_start(&scene.judge, "program-shim",
                (const char *const[]){"2", "60m", url, url, url, NULL});
    scene.judge.look = "round_run: all are asked, and then nothing waits but the loop";
    judge_await_in_flight(&scene.judge, &server, MIRRORS);
    judge_settle(&scene.judge, &roll);
    if (roll.processes != 1 || roll.threads != 1)
        judge_reject(&scene.judge, "%d threads in %d processes for three mirrors",
                     roll.threads, roll.processes);
    if (roll_count(&roll, "poll") + roll_count(&roll, "select") +
        roll_count(&roll, "epoll_wait") != 1)
        judge_reject(&scene.judge, "asleep in %s, not in the loop's epoll_wait",
                     roll_name(&roll.thread[0]));
    scene.judge.look = "what is left of a round when the next begins";
    client_get(server.port, "/gate/4", reply, sizeof reply);
    judge_await_in_flight(&scene.judge, &server, MIRRORS);    /* in round 2 */
    char *output = judge_output(&scene.judge);
    int number = 0, length = 0;
    sscanf(output, "round 1: mirror %d: gate: 4 arrived\n%n", &number, &length);
    if (number < 1 || number > MIRRORS || output[length] != '\0')
        judge_reject(&scene.judge, "one has answered, and it has printed \"%.*s\"",
                     (int)strcspn(output, "\n"), output);
    free(output);
    kill(scene.judge.answer, SIGKILL);
    server_stop(&server);
}
END_TEST

START_TEST(the_first_whole_reply_wins)
{
    struct scene scene;
    begin(&scene, "4", "60m");
    static const int winners[] = {3, 1, 2};
    for (size_t i = 0; i < LENGTH(winners); i++) {
        next_round(&scene);
        scene.judge.look = "mirror_end: whom it calls the winner";
        int slow = winners[i] % MIRRORS + 1;
        say(&scene, slow, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nslow");
        judge_no_more_output(&scene.judge, scene.due);
        answer(&scene, winners[i], 200);
        expect_winner(&scene, winners[i]);
    }
    next_round(&scene);
}
END_TEST

/* How many sockets the answer has. */
static int count_sockets(const struct judge *judge)
{
    char path[64], name[320], link[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)judge->answer);
    DIR *directory = opendir(path);
    ck_assert_ptr_nonnull(directory);
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        ssize_t length = readlink(name, link, sizeof link - 1);
        link[length < 0 ? 0 : length] = '\0';
        count += strncmp(link, "socket:", 7) == 0;
    }
    closedir(directory);
    return count;
}

/* The winner's connection stays open at the mirror's end, so that only the answer's own
   close takes a socket away. */
START_TEST(each_round_has_three_sockets)
{
    struct scene scene;
    int first = 0;
    begin(&scene, "3", "60m");
    for (int round = 1; round <= 3; round++) {
        next_round(&scene);
        judge_settle(&scene.judge, NULL);
        scene.judge.look = "who is hung up on when a round is over";
        int sockets = count_sockets(&scene.judge);
        if (round == 1)
            first = sockets;    /* more than three, where it has inherited some */
        if (sockets != first)
            judge_reject(&scene.judge, "%d sockets in round 1, and %d in round %d", first,
                         sockets, round);
        answer(&scene, 1 + round % MIRRORS, 200);
        due_winner(&scene, 1 + round % MIRRORS);
        judge_await_output(&scene.judge, scene.due);
    }
    expect_end(&scene);
}
END_TEST

/* In each round two fail, in a way of their own, and nothing is printed; then the third
   answers. Whoever sleeps over a failure does not hear it. */
START_TEST(a_failure_does_not_win)
{
    struct scene scene;
    begin(&scene, "2", "60m");
    next_round(&scene);
    scene.judge.look = "mirror_end: what it does with one that is not good";
    peer_reset(&scene.mirror[0]);
    judge_no_more_output(&scene.judge, scene.due);
    answer(&scene, 2, 503);
    judge_no_more_output(&scene.judge, scene.due);
    answer(&scene, 3, 200);
    expect_winner(&scene, 3);

    next_round(&scene);
    scene.judge.look = "mirror_end: what it does with one that is not good";
    say(&scene, 3, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ncut");
    peer_end(&scene.mirror[2]);
    judge_no_more_output(&scene.judge, scene.due);
    say(&scene, 2, "no HTTP at all\r\n\r\n");
    judge_no_more_output(&scene.judge, scene.due);
    answer(&scene, 1, 200);
    due_winner(&scene, 1);
    expect_end(&scene);
}
END_TEST

START_TEST(nobody_is_left)
{
    struct scene scene;
    begin(&scene, "2", "60m");
    for (int round = 1; round <= 2; round++) {
        next_round(&scene);
        scene.judge.look = "mirror_end: how many are still asked";
        answer(&scene, 2, 404);
        judge_no_more_output(&scene.judge, scene.due);
        peer_reset(&scene.mirror[0]);
        judge_no_more_output(&scene.judge, scene.due);
        peer_end(&scene.mirror[2]);
        due_nobody(&scene);
        judge_await_output(&scene.judge, scene.due);
    }
    expect_end(&scene);
}
END_TEST

/* A port where nobody listens. */
START_TEST(nobody_is_there)
{
    struct scene scene = {.judge = JUDGE_NEW};
    int fd = net_listen("127.0.0.1", 0, 1);
    char url[64];
    ck_assert_int_ge(fd, 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", net_port(fd));
    close(fd);
    judge_start(&scene.judge, "program-shim",
                (const char *const[]){"2", "60m", url, url, url, NULL});
    scene.judge.look = "what ends a round in which no connection is made";
    judge_await_output(&scene.judge, "round 1: nobody\nround 2: nobody\n");
    due(&scene, "round 1: nobody\nround 2: nobody\n");
    expect_end(&scene);
}
END_TEST

START_TEST(nobody_can_be_asked)
{
    struct scene scene;
    begin_without(&scene, MIRRORS, "2", "60m");
    scene.judge.look = "what mirror_ask returns, and what is waited for then";
    due(&scene, "round 1: nobody\nround 2: nobody\n");
    judge_await_output(&scene.judge, scene.due);
    expect_end(&scene);
}
END_TEST

/* The other two are asked all the same; and who counts the first waits for it in vain. */
START_TEST(one_cannot_be_asked)
{
    struct scene scene;
    begin_without(&scene, 1, "2", "60m");
    scene.judge.look = "what mirror_ask returns, and who is asked all the same";
    next_round(&scene);
    peer_reset(&scene.mirror[1]);
    judge_no_more_output(&scene.judge, scene.due);
    answer(&scene, 3, 200);
    expect_winner(&scene, 3);

    next_round(&scene);
    scene.judge.look = "what mirror_ask returns, and who is counted in asked";
    answer(&scene, 3, 503);
    judge_no_more_output(&scene.judge, scene.due);
    peer_end(&scene.mirror[1]);
    due_nobody(&scene);
    judge_await_output(&scene.judge, scene.due);
    expect_end(&scene);
}
END_TEST

/* What happens between these two is found by the loop in one turn. */
static void stop(struct scene *scene)
{
    siginfo_t info;
    judge_settle(&scene->judge, NULL);
    kill(scene->judge.answer, SIGSTOP);
    waitid(P_PID, (id_t)scene->judge.answer, &info, WSTOPPED | WEXITED | WNOWAIT);
}

static void go_on(struct scene *scene)
{
    kill(scene->judge.answer, SIGCONT);
}

/* One of these two has won; which, is the loop's affair. */
static void expect_either(struct scene *scene, int one, int other)
{
    struct scene otherwise = *scene;
    due_winner(scene, one);
    due_winner(&otherwise, other);
    judge_settle(&scene->judge, NULL);
    char *output = judge_output(&scene->judge);
    if (strcmp(output, otherwise.due) == 0)
        *scene = otherwise;
    free(output);
    judge_await_output(&scene->judge, scene->due);
}

START_TEST(two_in_one_turn)
{
    struct scene scene;
    static const int pairs[][2] = {{1, 3}, {2, 1}};
    begin(&scene, "6", "60m");
    for (size_t i = 0; i < LENGTH(pairs); i++) {
        next_round(&scene);
        scene.judge.look = "what is left of the second when the first has won";
        stop(&scene);
        answer(&scene, pairs[i][0], 200);
        answer(&scene, pairs[i][1], 200);
        go_on(&scene);
        expect_either(&scene, pairs[i][0], pairs[i][1]);
    }
    for (int first = 0; first < 2; first++) {
        next_round(&scene);
        scene.judge.look = "two have failed and one has won in the same turn";
        stop(&scene);
        if (first == 1)
            answer(&scene, 2, 200);
        peer_reset(&scene.mirror[0]);
        peer_reset(&scene.mirror[2]);
        if (first == 0)
            answer(&scene, 2, 200);
        go_on(&scene);
        expect_winner(&scene, 2);
    }
    next_round(&scene);
    scene.judge.look = "all three have failed in the same turn";
    stop(&scene);
    for (int i = 0; i < MIRRORS; i++)
        peer_reset(&scene.mirror[i]);
    go_on(&scene);
    due_nobody(&scene);
    judge_await_output(&scene.judge, scene.due);
    next_round(&scene);
    judge_no_more_output(&scene.judge, scene.due);
}
END_TEST

/* Round 1 is won late, and nobody answers in round 2: it may not end before a deadline
   of its own has passed. Where this machine was so busy that round 1 ended by its
   deadline, nothing can be said. */
START_TEST(each_round_has_a_deadline_of_its_own)
{
    enum { DEADLINE_MS = 400, LATE_MS = 250 };
    struct scene scene;
    begin(&scene, "2", "400ms");
    for (int i = 1; i <= MIRRORS; i++)
        meet(&scene, i);
    scene.round = 1;
    clock_sleep(LATE_MS * CLOCK_MS);
    int64_t answered_ns = clock_ns();    /* round 2 has not begun */
    char reply[128];
    snprintf(reply, sizeof reply, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n%.8s",
             scene.token[0]);
    net_send_all(scene.mirror[0].fd, reply, strlen(reply), clock_ns() + AWAIT_NS);
    for (int i = 1; i <= MIRRORS; i++)
        meet(&scene, i);
    char *output = judge_output(&scene.judge);
    bool too_late = strncmp(output, "round 1: nobody", 15) == 0;
    free(output);
    scene.judge.look = "when the timer is set, and when it is taken back";
    due(&scene, too_late ? "round 1: nobody\n" : "round 1: mirror 1: ");
    if (!too_late)
        due(&scene, "%s\n", reply + strlen(reply) - JUDGE_TOKEN + 1);
    scene.round = 2;
    due_nobody(&scene);
    judge_await_output(&scene.judge, scene.due);
    int64_t passed_ms = (clock_ns() - answered_ns) / CLOCK_MS;
    if (!too_late && passed_ms < DEADLINE_MS)
        judge_reject(&scene.judge, "round 2 ended after %d ms, with a deadline of %d",
                     (int)passed_ms, DEADLINE_MS);
    expect_end(&scene);
}
END_TEST

/* The reply begins, and then drips for ever. A right answer gives up in the first turn of
   its loop after the deadline, when it has woken for ten bytes; a wrong one goes on
   taking bytes, and it is these that are counted, and the times that it woke for them. */
START_TEST(the_deadline_is_not_an_idle_timeout)
{
    enum { DRIP_NS = 20 * CLOCK_MS, BYTES = 60, WAKES = 50, BYTES_MOST = 10 * BYTES };
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
    struct scene scene;
    struct roll first, roll;
    begin(&scene, "1", "200ms");
    scene.judge.look = "what the deadline bounds: the round, or each silence?";
    for (int i = 1; i <= MIRRORS; i++)
        meet(&scene, i);
    struct peer *mirror = &scene.mirror[1];
    net_send_all(mirror->fd, head, strlen(head), clock_ns() + AWAIT_NS);
    peer_drip(mirror, 'x', DRIP_NS);
    roll_call(scene.judge.answer, &first);
    roll = first;
    char *output = judge_output(&scene.judge);
    while (*output == '\0' && *mirror->dripped < BYTES_MOST && roll.threads > 0) {
        if (*mirror->dripped >= BYTES && roll.voluntary - first.voluntary >= WAKES)
            judge_reject(&scene.judge, "took %d bytes, one each 20 ms, "
                         "with a deadline of 200 ms", (int)*mirror->dripped);
        clock_sleep(CLOCK_MS);
        roll_call(scene.judge.answer, &roll);
        free(output);
        output = judge_output(&scene.judge);
    }
    free(output);
    scene.round = 1;
    due_nobody(&scene);
    judge_await_output(&scene.judge, scene.due);
    peer_end(mirror);
    expect_end(&scene);
}
END_TEST

/* Against a server, with nothing but sanitizers between. */
START_TEST(many_rounds)
{
    enum { ROUNDS = 30 };
    struct scene scene = {.judge = JUDGE_NEW};
    struct server server;
    char urls[MIRRORS][96];
    static const char *const paths[] = {"/delay/2ms", "/delay/1ms", "/fault/reset"};
    judge_serve(&scene.judge, &server);
    for (int i = 0; i < MIRRORS; i++)
        snprintf(urls[i], sizeof urls[i], "http://127.0.0.1:%d%s", server.port, paths[i]);
    judge_start(&scene.judge, "program",
                (const char *const[]){"30", "60m", urls[0], urls[1], urls[2], NULL});
    scene.judge.look = "what is left of a round when the next begins";
    int status = judge_await_end(&scene.judge);
    char *output = judge_output(&scene.judge);
    int lines = 0, number;
    const char *at = output;
    while (sscanf(at, "round %d: mirror %*[12]: waited", &number) == 1 &&
           number == lines + 1) {
        lines++;
        at = strchr(at, '\n') + 1;
    }
    if (status != 0 || lines != ROUNDS)
        judge_reject(&scene.judge, "ended with status %d after %d of %d rounds", status,
                     lines, ROUNDS);
    free(output);
    server_stop(&server);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const cases[] = {
        three_at_once_in_one_thread,
        the_first_whole_reply_wins,
        each_round_has_three_sockets,
        a_failure_does_not_win,
        nobody_is_left,
        nobody_is_there,
        nobody_can_be_asked,
        one_cannot_be_asked,
        two_in_one_turn,
        each_round_has_a_deadline_of_its_own,
        the_deadline_is_not_an_idle_timeout,
        many_rounds,
    };
    return judge_run(argc, argv, cases, LENGTH(cases));
}
