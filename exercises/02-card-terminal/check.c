/* The check of "card terminal": the list of README.md, point by point. */
#include "tests/judge.h"

#include "kit/array.h"
#include "kit/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TEXT_MOST = 1000,
    HEAD = 4,                             /* bytes that say how long the text is */
    RECORD = HEAD + JUDGE_TOKEN - 1,      /* bytes of a record whose text is a token */
    LIMIT_MS = 200,                       /* where a record must not become whole */
    SILENCE_MS = 300,                     /* the same, where nothing comes at all */
    LATE = 3                              /* so many bytes are too many then */
};

/* The terminal, played by the judge; the till that listens to it; and all that is due on
   its standard output so far. */
struct scene {
    struct judge judge;
    struct peer  terminal;
    int64_t      begun_ns;    /* no limit of the till's can have begun before */
    char         due[4 * TEXT_MOST];
};

static void begin(struct scene *scene, const char *limit)
{
    char port[16];
    memset(scene, 0, sizeof *scene);
    scene->judge.look = "README.md: it connects, and waits for what comes";
    peer_open(&scene->terminal, &scene->judge);
    scene->begun_ns = clock_ns();
    snprintf(port, sizeof port, "%d", scene->terminal.port);
    judge_start(&scene->judge, "program", (const char *const[]){port, limit, NULL});
    peer_accept(&scene->terminal);
}

/* From now on this line is due. */
static void expect(struct scene *scene, const char *line)
{
    size_t used = strlen(scene->due);
    int length = snprintf(scene->due + used, sizeof scene->due - used, "%s\n", line);
    ck_assert_uint_lt(used + (size_t)length, sizeof scene->due);
}

/* Writes a record to buf (HEAD bytes more than the text), and returns its length. */
static size_t write_record(char *buf, const char *text)
{
    uint32_t length = htonl((uint32_t)strlen(text));
    memcpy(buf, &length, HEAD);
    memcpy(buf + HEAD, text, strlen(text));
    return HEAD + strlen(text);
}

/* A record with a text that nobody can know, which is due when it has come. */
static void new_record(struct scene *scene, char buf[RECORD])
{
    char token[JUDGE_TOKEN];
    judge_token(token);
    write_record(buf, token);
    expect(scene, token);
}

static void say(struct scene *scene, const char *bytes, size_t count)
{
    int error = net_send_all(scene->terminal.fd, bytes, count, clock_ns() + AWAIT_NS);
    ck_assert_int_ne(error, -ETIMEDOUT);
    if (error)
        judge_reject(&scene->judge, "hung up while there was more to come");
}

static bool has_printed(struct scene *scene, const char *text)
{
    char *output = judge_output(&scene->judge);
    bool equal = strcmp(output, text) == 0;
    free(output);
    return equal;
}

/* The last line that it has printed, without its end; the caller frees it. */
static char *last_line(struct scene *scene)
{
    char *output = judge_output(&scene->judge);
    char *end = strrchr(output, '\n');
    if (end)
        *end = '\0';
    const char *before = strrchr(output, '\n');
    if (before)
        memmove(output, before + 1, strlen(before + 1) + 1);
    return output;
}

/* This has happened, and it must go on waiting, with this printed and no more. */
static void must_wait(struct scene *scene, const char *printed, const char *happened)
{
    struct judge *judge = &scene->judge;
    judge_settle(judge, NULL);
    if (judge->ended)
        judge_reject(judge, "%s, and it ended with status %d", happened, judge->status);
    if (!has_printed(scene, printed))
        judge_reject(judge, "%s, and it printed \"%.40s\"", happened, last_line(scene));
}

/* Waits until it has printed all that is due. Returns false if it has not when it has
   settled, again and again. */
static bool prints_it(struct scene *scene)
{
    enum { LOOKS = 100, SETTLINGS = 10 };
    for (int i = 0; i < LOOKS && !has_printed(scene, scene->due); i++)
        clock_sleep(CLOCK_MS);
    for (int i = 0; i < SETTLINGS && !has_printed(scene, scene->due); i++)
        judge_settle(&scene->judge, NULL);
    return has_printed(scene, scene->due);
}

/* This has happened, and all that is due must be printed. */
static void must_print(struct scene *scene, const char *happened)
{
    struct judge *judge = &scene->judge;
    if (prints_it(scene))
        return;
    judge_reject_reported(judge);
    if (judge->ended)
        judge_reject(judge, "%s, and it ended: \"%.60s\"", happened, last_line(scene));
    judge_reject(judge, "%s, and it has not printed all of it", happened);
}

/* This has happened, after which it must end, and say these words of its end. */
static void must_end(struct scene *scene, const char *happened, const char *words)
{
    struct judge *judge = &scene->judge;
    char line[64];
    bool well = strcmp(words, "the terminal has closed") == 0;
    snprintf(line, sizeof line, "end: %s", words);
    expect(scene, line);
    bool printed = prints_it(scene);
    judge_reject_reported(judge);
    if (!printed && !judge->ended)
        judge_reject(judge, "%s, and it goes on waiting", happened);
    if (!printed)
        judge_reject(judge, "%s, and its last line is \"%.60s\"", happened,
                     last_line(scene));
    int status = judge_await_end(judge);
    if (status != (well ? 0 : 1))
        judge_reject(judge, "%s, and it ended with status %d", happened, status);
}

/* For each byte a record that is cut there; the rest comes when the till sleeps again. */
START_TEST(a_record_may_come_in_pieces)
{
    struct scene scene;
    begin(&scene, "60m");
    scene.judge.look = "read_exactly: recv(2) returns what is there, 1 to n bytes";
    for (int cut = 1; cut < RECORD; cut++) {
        char record[RECORD], printed[sizeof scene.due], happened[80];
        strcpy(printed, scene.due);
        new_record(&scene, record);
        say(&scene, record, (size_t)cut);
        snprintf(happened, sizeof happened, "%d of %d bytes of a record had come", cut,
                 RECORD);
        must_wait(&scene, printed, happened);
        say(&scene, record + cut, (size_t)(RECORD - cut));
        snprintf(happened, sizeof happened, "a record came in pieces of %d + %d bytes",
                 cut, RECORD - cut);
        must_print(&scene, happened);
    }
}
END_TEST

START_TEST(records_may_come_together)
{
    struct scene scene;
    char records[2 * RECORD + HEAD + 1];
    begin(&scene, "60m");
    scene.judge.look = "how many bytes are asked for: the next record may lie behind";
    new_record(&scene, records);
    new_record(&scene, records + RECORD);
    say(&scene, records, (size_t)(2 * RECORD));
    must_print(&scene, "two records came in one segment, then silence");

    new_record(&scene, records);
    size_t more = write_record(records + RECORD, "x");
    say(&scene, records, RECORD + more - 1);
    must_print(&scene, "a record came with a part of the next, then silence");
    say(&scene, "x", 1);
    expect(&scene, "x");
    must_print(&scene, "the rest of a record came");
}
END_TEST

START_TEST(a_text_may_have_0_to_1000_bytes)
{
    struct scene scene;
    static char text[TEXT_MOST + 1], record[HEAD + TEXT_MOST];
    begin(&scene, "60m");
    scene.judge.look = "read_exactly for n = 0, and what its result then means";
    expect(&scene, "");
    say(&scene, record, write_record(record, ""));
    must_print(&scene, "a record with an empty text came");
    scene.judge.look = "what read_record refuses: more than TEXT_MOST";
    memset(text, '7', TEXT_MOST);
    expect(&scene, text);
    say(&scene, record, write_record(record, text));
    must_print(&scene, "a record with a text of 1000 bytes came");
}
END_TEST

/* Sends SIGUSR1 to the till, which sleeps, and sees it answer. */
static void ask_how_far(struct scene *scene, const char *printed)
{
    static char said[4096];
    struct judge *judge = &scene->judge;
    off_t before = lseek(judge->err_fd, 0, SEEK_END);
    judge_settle(judge, NULL);
    kill(judge->answer, SIGUSR1);
    must_wait(scene, printed, "a signal came, nobody hung up");
    ssize_t length = pread(judge->err_fd, said, sizeof said - 1, before);
    said[length > 0 ? length : 0] = '\0';
    if (!strstr(said, "payments so far"))
        judge_reject(judge, "SIGUSR1 asked how far it is, and it said nothing");
}

START_TEST(a_signal_ends_a_call_and_nothing_else)
{
    struct scene scene;
    char record[RECORD];
    begin(&scene, "60m");
    scene.judge.look = "what errno says when recv(2) returns -1: signal(7), EINTR";
    ask_how_far(&scene, "");
    new_record(&scene, record);
    say(&scene, record, 2);
    ask_how_far(&scene, "");
    scene.judge.look = "where the next byte goes after a signal: behind the others";
    say(&scene, record + 2, 5);
    must_wait(&scene, "", "more of a record came after a signal");
    ask_how_far(&scene, "");
    say(&scene, record + 7, RECORD - 7);
    must_print(&scene, "signals came in mid-record, then the rest");
    ask_how_far(&scene, scene.due);
}
END_TEST

START_TEST(the_end_between_two_records_is_the_end)
{
    struct scene scene;
    char record[RECORD];
    begin(&scene, "60m");
    scene.judge.look = "what read_record returns if recv(2) returns 0 at once";
    new_record(&scene, record);
    say(&scene, record, RECORD);
    peer_end(&scene.terminal);
    must_end(&scene, "the connection ended after a whole record",
             "the terminal has closed");
}
END_TEST

/* A whole record, and then one of which only so many bytes come before the end. */
static void cut_short_after(int bytes)
{
    struct scene scene;
    char records[2 * RECORD], happened[80], token[JUDGE_TOKEN];
    begin(&scene, "60m");
    scene.judge.look = "what recv(2) returns at the end, and whether the record is whole";
    new_record(&scene, records);
    judge_token(token);
    write_record(records + RECORD, token);
    say(&scene, records, (size_t)(RECORD + bytes));
    peer_end(&scene.terminal);
    snprintf(happened, sizeof happened,
             "the connection ended after %d of %d bytes of a record", bytes, RECORD);
    must_end(&scene, happened, "a record was cut short");
}

START_TEST(the_end_in_a_length_is_not)
{
    cut_short_after(HEAD - 1);
}
END_TEST

START_TEST(the_end_after_a_length_is_not)
{
    cut_short_after(HEAD);
}
END_TEST

START_TEST(the_end_in_a_text_is_not)
{
    cut_short_after(RECORD - 1);
}
END_TEST

/* How many bytes lie unread at the till's end of the connection; -1: it has hung up. Asks
   the kernel for that one socket: sock_diag(7). */
static int unread(const struct scene *scene)
{
    enum { ESTABLISHED = 1 };
    struct {
        struct nlmsghdr         header;
        struct inet_diag_req_v2 request;
    } question = {
        .header = {.nlmsg_len = sizeof question, .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP,
                    .idiag_states = 1U << ESTABLISHED,
                    .id = {.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
    };
    struct {
        struct nlmsghdr      header;
        struct inet_diag_msg socket;
        char                 more[1024];
    } reply;
    struct sockaddr_in till;
    socklen_t size = sizeof till;
    if (getpeername(scene->terminal.fd, (struct sockaddr *)&till, &size) < 0)
        return -1;
    question.request.id.idiag_sport = till.sin_port;
    question.request.id.idiag_dport = htons((uint16_t)scene->terminal.port);
    question.request.id.idiag_src[0] = question.request.id.idiag_dst[0] =
        htonl(INADDR_LOOPBACK);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    bool can = fd >= 0 && send(fd, &question, sizeof question, 0) > 0 &&
               recv(fd, &reply, sizeof reply, 0) > 0;
    ck_assert_msg(can, "sock_diag: %s", strerror(errno));
    close(fd);
    bool found = reply.header.nlmsg_type == SOCK_DIAG_BY_FAMILY &&
                 reply.socket.idiag_state == ESTABLISHED;
    return found ? (int)reply.socket.idiag_rqueue : -1;
}

/* Sends one byte and awaits that it is taken. Returns false if the till has hung up. */
static bool drip(struct scene *scene, char byte)
{
    if (send(scene->terminal.fd, &byte, 1, MSG_NOSIGNAL) != 1)
        return false;
    int waiting;
    for (int i = 0; (waiting = unread(scene)) > 0; i++) {
        clock_sleep(CLOCK_MS);
        if (i % 200 == 199) {
            judge_settle(&scene->judge, NULL);
            if (unread(scene) > 0)
                judge_reject(&scene->judge, "sleeps while a byte lies there to be read");
        }
    }
    return waiting == 0;
}

/* Returns whether the till has hung up after so many ms at the latest. */
static bool hangs_up(const struct scene *scene, int wait_ms)
{
    struct pollfd terminal = {.fd = scene->terminal.fd, .events = POLLIN};
    return poll(&terminal, 1, wait_ms) > 0;
}

/* A socket's limit cannot be seen from outside, so the till gets ten times of it. */
START_TEST(a_limit_is_for_silence_too)
{
    struct scene scene;
    begin(&scene, "300ms");
    scene.judge.look = "what ends a recv(2) to which nothing comes: socket(7)";
    say(&scene, "\0", 2);
    hangs_up(&scene, 10 * SILENCE_MS);
    int64_t past_ms = (clock_ns() - scene.begun_ns) / CLOCK_MS;
    must_end(&scene, "silence, a limit of 300 ms", "no whole record in time");
    if (past_ms < SILENCE_MS)
        judge_reject(&scene.judge, "gave up within %d ms of its start; the limit is %d "
                     "ms", (int)past_ms, SILENCE_MS);
}
END_TEST

/* Stopped and continued after its limit, it finds that less than nothing of it is left.
   On a machine so slow that it has hung up before, that was right too. */
START_TEST(a_limit_may_be_over_before_the_call)
{
    struct scene scene;
    begin(&scene, "200ms");
    scene.judge.look = "each time before recv(2): what is left; and zero means for ever";
    drip(&scene, '\0');    /* its limit has begun by now */
    kill(scene.judge.answer, SIGSTOP);
    clock_sleep(2LL * LIMIT_MS * CLOCK_MS);
    kill(scene.judge.answer, SIGCONT);
    hangs_up(&scene, 15 * LIMIT_MS);
    must_end(&scene, "stopped in mid-record until its limit was over, then silence",
             "no whole record in time");
}
END_TEST

/* After a length bytes come one by one, each when the one before has been taken, and
   never end. Whatever the machine does, a till that looks at the clock after each takes
   at the most one that was sent after its limit. */
START_TEST(a_limit_is_for_the_whole_record)
{
    struct scene scene;
    begin(&scene, "200ms");
    scene.judge.look = "read_exactly: the time that is left, anew before each recv(2)";
    say(&scene, "\0\0\x03\xe8", HEAD);    /* TEXT_MOST */
    int64_t over_ns = INT64_MAX;
    for (int late = 0; late < LATE;) {
        bool is_late = clock_ns() > over_ns;
        if (!drip(&scene, '.'))
            break;
        if (over_ns == INT64_MAX)    /* its limit has begun by now */
            over_ns = clock_ns() + (int64_t)LIMIT_MS * CLOCK_MS;
        late += is_late;
        if (late == LATE)
            judge_reject(&scene.judge, "one by one it took %d bytes that came after the "
                         "limit of %d ms", late, LIMIT_MS);
        clock_sleep(10 * CLOCK_MS);
    }
    must_end(&scene, "bytes dripped in, a limit of 200 ms", "no whole record in time");
}
END_TEST

/* Whose limit begins anew with a signal outlasts any number of them. */
START_TEST(a_signal_gives_no_more_time)
{
    enum { PAUSE_MS = LIMIT_MS / 4 };
    struct scene scene;
    begin(&scene, "200ms");
    scene.judge.look = "how long the recv(2) after a signal may wait";
    drip(&scene, '\0');
    for (int i = 0; i < 15 * LIMIT_MS / PAUSE_MS && !hangs_up(&scene, PAUSE_MS); i++)
        kill(scene.judge.answer, SIGUSR1);
    judge_settle(&scene.judge, NULL);
    if (!hangs_up(&scene, 0))
        judge_reject(&scene.judge, "signal after signal in mid-record, a limit of "
                     "200 ms, and it goes on waiting");
    must_end(&scene, "signals in mid-record, a limit of 200 ms",
             "no whole record in time");
}
END_TEST

static void sleep_until(int64_t moment_ns)
{
    clock_sleep(moment_ns - clock_ns());
}

/* Half of the limit has passed when the length is whole; for the other half the till is
   stopped. When it goes on no time is left, and the text has none of its own. */
START_TEST(a_limit_that_is_over_stays_over)
{
    struct scene scene;
    begin(&scene, "300ms");
    scene.judge.look = "SO_RCVTIMEO where no time is left; the text has none of its own";
    bool listens = drip(&scene, '\0');
    int64_t over_ns = clock_ns() + SILENCE_MS * (int64_t)CLOCK_MS;    /* at the latest */
    sleep_until(over_ns - SILENCE_MS / 2 * (int64_t)CLOCK_MS);
    for (const char *rest = "\0\x03\xe8", *end = rest + 3; rest < end; rest++)
        listens = listens && drip(&scene, *rest);
    kill(scene.judge.answer, SIGSTOP);
    sleep_until(over_ns);
    kill(scene.judge.answer, SIGCONT);
    for (int late = 1; listens && drip(&scene, '.'); late++)
        if (late == LATE)
            judge_reject(&scene.judge, "its limit passed while it was stopped, and then "
                         "it took %d bytes", LATE);
    must_end(&scene, "its limit passed while it was stopped", "no whole record in time");
}
END_TEST

START_TEST(a_length_is_not_believed)
{
    struct scene scene;
    begin(&scene, "60m");
    scene.judge.look = "what read_record does with the length before it reads the text";
    say(&scene, "\xff\xff\xff\xff", HEAD);
    must_end(&scene, "a length of 0xffffffff", "a record is too long");
}
END_TEST

START_TEST(one_byte_more_is_too_long)
{
    struct scene scene;
    static char text[TEXT_MOST + 2], record[HEAD + TEXT_MOST + 1];
    begin(&scene, "60m");
    scene.judge.look = "what read_record does with the length before it reads the text";
    memset(text, '7', TEXT_MOST + 1);
    say(&scene, record, write_record(record, text));
    must_end(&scene, "a length of 1001", "a record is too long");
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const cases[] = {
        a_record_may_come_in_pieces, records_may_come_together,
        a_text_may_have_0_to_1000_bytes, a_signal_ends_a_call_and_nothing_else,
        the_end_between_two_records_is_the_end, the_end_in_a_length_is_not,
        the_end_after_a_length_is_not, the_end_in_a_text_is_not,
        a_limit_is_for_silence_too, a_limit_may_be_over_before_the_call,
        a_limit_is_for_the_whole_record, a_signal_gives_no_more_time,
        a_limit_that_is_over_stays_over, a_length_is_not_believed,
        one_byte_more_is_too_long,
    };
    return judge_run(argc, argv, cases, LENGTH(cases));
}
