/* The check of "three feeds": the list of README.md, point by point. */
#include "tests/judge.h"

#include "kit/array.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { FEEDS = 3, LINE_MOST = 200 };

/* The feeds, and all that is due on standard output so far. */
struct scene {
    struct judge judge;
    struct peer  feed[FEEDS];
    char         due[16384];
};

/* Three feeds, each with its reader connected, and silence. */
static void begin(struct scene *scene)
{
    static char ports[FEEDS][16];
    memset(scene, 0, sizeof *scene);
    scene->judge.look = "README.md: all three connections are made before any is read";
    for (int i = 0; i < FEEDS; i++) {
        peer_open(&scene->feed[i], &scene->judge);
        snprintf(ports[i], sizeof ports[i], "%d", scene->feed[i].port);
    }
    judge_start(&scene->judge, "program",
                (const char *const[]){ports[0], ports[1], ports[2], NULL});
    for (int i = 0; i < FEEDS; i++)
        peer_accept(&scene->feed[i]);
}

/* From now on the line of feed 1, 2 or 3 is due. */
static void expect(struct scene *scene, int number, const char *line)
{
    size_t used = strlen(scene->due);
    int length = snprintf(scene->due + used, sizeof scene->due - used, "%d: %s\n", number,
                          line);
    ck_assert_uint_lt(used + (size_t)length, sizeof scene->due);
}

static void say(struct scene *scene, int number, const char *text)
{
    peer_send(&scene->feed[number - 1], text);
}

/* One feed says a line of its own, which must be printed at once. */
static void say_line(struct scene *scene, int number)
{
    char token[JUDGE_TOKEN], line[JUDGE_TOKEN + 1];
    judge_token(token);
    snprintf(line, sizeof line, "%s\n", token);
    say(scene, number, line);
    expect(scene, number, token);
    judge_await_output(&scene->judge, scene->due);
}

START_TEST(whichever_comes_first)
{
    struct scene scene;
    begin(&scene);
    scene.judge.look = "what the thread waits for: recv(2) waits for one feed alone";
    static const int order[] = {3, 2, 3, 1, 1, 2};
    for (size_t i = 0; i < LENGTH(order); i++)
        say_line(&scene, order[i]);
}
END_TEST

START_TEST(one_thread_asleep_for_all)
{
    struct scene scene;
    struct roll roll;
    begin(&scene);
    scene.judge.look = "poll(2): its timeout, and what is called between two polls";
    judge_settle(&scene.judge, &roll);
    if (scene.judge.ended)
        judge_reject(&scene.judge, "ended while all three feeds were open");
    if (roll.processes != 1)
        judge_reject(&scene.judge, "%d processes for three feeds", roll.processes);
    if (roll.threads != 1)
        judge_reject(&scene.judge, "%d threads for three feeds", roll.threads);
    if (roll_count(&roll, "poll") + roll_count(&roll, "select") +
        roll_count(&roll, "epoll_wait") != 1)
        judge_reject(&scene.judge, "asleep in %s, not in poll",
                     roll_name(&roll.thread[0]));
}
END_TEST

START_TEST(a_line_is_printed_when_it_is_whole)
{
    struct scene scene;
    begin(&scene);
    scene.judge.look = "what is kept between two calls of recv(2)";
    say(&scene, 1, "north ");
    judge_no_more_output(&scene.judge, "");
    say(&scene, 1, "wind\n");
    expect(&scene, 1, "north wind");
    judge_await_output(&scene.judge, scene.due);

    scene.judge.look = "what becomes of the bytes that follow a line's end";
    say(&scene, 2, "rain\nsnow\nsun");
    expect(&scene, 2, "rain");
    expect(&scene, 2, "snow");
    judge_await_output(&scene.judge, scene.due);
    judge_no_more_output(&scene.judge, scene.due);
    say(&scene, 2, "\n\n");
    expect(&scene, 2, "sun");
    expect(&scene, 2, "");
    judge_await_output(&scene.judge, scene.due);
}
END_TEST

/* Feed 1 says nothing, feed 2 a byte at a time, feed 3 a line after each of these. */
START_TEST(one_silent_one_dripping_one_fast)
{
    struct scene scene;
    char token[JUDGE_TOKEN];
    begin(&scene);
    scene.judge.look = "that each feed has a buffer, and one recv(2) after a poll(2)";
    judge_token(token);
    for (int i = 0; token[i]; i++) {
        say(&scene, 2, (const char[]){token[i], '\0'});
        judge_no_more_output(&scene.judge, scene.due);
        say_line(&scene, 3);
    }
    say(&scene, 2, "\n");
    expect(&scene, 2, token);
    judge_await_output(&scene.judge, scene.due);
}
END_TEST

/* A line that leaves room for 50 bytes, when 200 come; then one that never ends. */
START_TEST(the_longest_line)
{
    struct scene scene;
    char line[LINE_MOST], rest[LINE_MOST + 1];
    begin(&scene);
    scene.judge.look = "how many bytes there is room for, and what recv(2) says of none";
    memset(line, 'x', LINE_MOST - 1);
    line[LINE_MOST - 1] = '\0';
    say(&scene, 3, line + 49);
    judge_no_more_output(&scene.judge, scene.due);
    snprintf(rest, sizeof rest, "%.49s\n%.150s", line, line);
    say(&scene, 3, rest);
    expect(&scene, 3, line);
    judge_await_output(&scene.judge, scene.due);
    say(&scene, 3, "\n");
    expect(&scene, 3, line + 49);
    judge_await_output(&scene.judge, scene.due);

    scene.judge.look = "what is done when a feed has ended, too long a line or a close: "
                       "once";
    say(&scene, 1, line);
    say(&scene, 1, "x\nmore\n");
    judge_no_more_output(&scene.judge, scene.due);
    say_line(&scene, 2);
    peer_end(&scene.feed[1]);
    judge_settle(&scene.judge, NULL);
    say_line(&scene, 3);
    peer_end(&scene.feed[2]);
    int status = judge_await_end(&scene.judge);
    if (status != 0)
        judge_reject(&scene.judge, "ended with status %d, not 0", status);
    judge_no_more_output(&scene.judge, scene.due);
}
END_TEST

/* Cut anywhere, and in segments that fill the buffer: not a byte is lost. */
START_TEST(many_lines_cut_anywhere)
{
    struct scene scene;
    enum { LINES = 300, PIECE = 150 };
    static char text[LINES * JUDGE_TOKEN + 1];
    begin(&scene);
    scene.judge.look = "how many bytes recv(2) may store, and which move to the front";
    for (int i = 0; i < LINES; i++) {
        char token[JUDGE_TOKEN];
        judge_token(token);
        expect(&scene, 2, token);
        strcat(strcat(text, token), "\n");
    }
    for (size_t at = 0; at < strlen(text); at += PIECE) {
        char piece[PIECE + 1];
        snprintf(piece, sizeof piece, "%s", text + at);
        say(&scene, 2, piece);
    }
    judge_await_output(&scene.judge, scene.due);
}
END_TEST

START_TEST(the_end_of_one_is_not_the_end)
{
    struct scene scene;
    begin(&scene);
    say_line(&scene, 1);
    scene.judge.look = "what recv(2) returns at the end of a feed, and who is asked then";
    peer_end(&scene.feed[0]);
    judge_no_more_output(&scene.judge, scene.due);
    say_line(&scene, 3);
    say_line(&scene, 2);

    scene.judge.look = "what is done with a part of a line when its feed ends";
    say(&scene, 2, "half a li");
    judge_no_more_output(&scene.judge, scene.due);
    peer_end(&scene.feed[1]);
    judge_no_more_output(&scene.judge, scene.due);
    say_line(&scene, 3);
}
END_TEST

/* The reader is stopped while a feed says its last line and ends, so that poll tells it
   of both at once. */
START_TEST(the_last_line_comes_with_the_end)
{
    struct scene scene;
    begin(&scene);
    scene.judge.look = "what is still to be read when poll(2) tells of an end";
    for (int number = 1; number <= 2; number++) {
        siginfo_t info;
        char token[JUDGE_TOKEN], line[JUDGE_TOKEN + 1];
        judge_token(token);
        snprintf(line, sizeof line, "%s\n", token);
        judge_settle(&scene.judge, NULL);
        kill(scene.judge.answer, SIGSTOP);
        waitid(P_PID, (id_t)scene.judge.answer, &info, WSTOPPED | WEXITED | WNOWAIT);
        say(&scene, number, line);
        if (number == 1)
            peer_end(&scene.feed[0]);
        else
            peer_reset(&scene.feed[1]);
        kill(scene.judge.answer, SIGCONT);
        expect(&scene, number, token);
        judge_await_output(&scene.judge, scene.due);
        judge_no_more_output(&scene.judge, scene.due);
    }
    say_line(&scene, 3);
}
END_TEST

START_TEST(it_ends_when_all_have_ended)
{
    struct scene scene;
    begin(&scene);
    scene.judge.look = "when the loop ends, and what recv(2) says of a reset";
    peer_end(&scene.feed[1]);
    judge_settle(&scene.judge, NULL);
    peer_reset(&scene.feed[2]);
    judge_settle(&scene.judge, NULL);
    say_line(&scene, 1);
    peer_end(&scene.feed[0]);
    int status = judge_await_end(&scene.judge);
    if (status != 0)
        judge_reject(&scene.judge, "ended with status %d, not 0", status);
    judge_no_more_output(&scene.judge, scene.due);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const cases[] = {
        whichever_comes_first,
        one_thread_asleep_for_all,
        a_line_is_printed_when_it_is_whole,
        one_silent_one_dripping_one_fast,
        the_longest_line,
        many_lines_cut_anywhere,
        the_end_of_one_is_not_the_end,
        the_last_line_comes_with_the_end,
        it_ends_when_all_have_ended,
    };
    return judge_run(argc, argv, cases, LENGTH(cases));
}
