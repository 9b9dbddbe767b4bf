/* The gates of latency-server. In these tests the order of things is made certain by
   awaiting what the server says of itself, never by waiting for a while. */
#include "kit/array.h"
#include "tests/support.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct server server;

static void start(void)
{
    server_start(&server, NULL);
}

static void stop(void)
{
    server_stop(&server);
}

/* Connects, asks for target, and sees to it that the request has arrived: then so many
   wait. */
static int arrive(const char *target, int in_flight)
{
    int fd = client_connect(server.port);
    client_ask(fd, target, "Connection: close\r\n");
    server_await_stat(&server, "in_flight", in_flight);
    return fd;
}

static int has_answer(int fd)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    return poll(&readable, 1, 0) == 1;
}

static void assert_answer(int fd, int status, const char *sentence)
{
    char reply[1024];
    ck_assert_int_eq(client_read_reply(fd, reply, sizeof reply), status);
    ck_assert_str_eq(reply_body(reply), sentence);
}

static void assert_and_close(int fd, int status, const char *sentence)
{
    assert_answer(fd, status, sentence);
    close(fd);
}

START_TEST(gate_holds_until_the_last_arrives_and_shuts_again)
{
    for (int round = 0; round < 3; round++) {
        int first = arrive("/gate/3", 1);
        int second = arrive("/gate/3", 2);
        ck_assert(!has_answer(first) && !has_answer(second));
        int third = arrive("/gate/3", 0);
        assert_and_close(first, 200, "gate: 3 arrived\n");
        assert_and_close(second, 200, "gate: 3 arrived\n");
        assert_and_close(third, 200, "gate: 3 arrived\n");
    }
    ck_assert_int_eq(server_stat(&server, "peak_in_flight"), 3);
}
END_TEST

START_TEST(gate_of_one_is_open)
{
    assert_and_close(arrive("/gate/1", 0), 200, "gate: 1 arrived\n");
}
END_TEST

START_TEST(gates_of_different_size_know_nothing_of_each_other)
{
    int two = arrive("/gate/2", 1);
    int three = arrive("/gate/3", 2);
    assert_and_close(arrive("/gate/2?timeout=1m", 1), 200, "gate: 2 arrived\n");
    assert_and_close(two, 200, "gate: 2 arrived\n");
    ck_assert(!has_answer(three));
    close(three);
    server_await_stat(&server, "gone", 1);
}
END_TEST

START_TEST(gate_counts_no_client_that_left)
{
    char junk[1001];
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    memset(junk, 'x', sizeof junk - 1);
    junk[sizeof junk - 1] = '\0';
    int closed = arrive("/gate/4", 1);
    int half_closed = arrive("/gate/4", 2);
    int reset = arrive("/gate/4", 3);
    close(closed);
    shutdown(half_closed, SHUT_WR);
    setsockopt(reset, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(reset);
    server_await_stat(&server, "gone", 3);
    int talkative = arrive("/gate/4", 1);
    client_send(talkative, junk);
    close(talkative);
    server_await_stat(&server, "gone", 4);
    int fds[4];
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < i; j++)
            ck_assert(!has_answer(fds[j]));
        fds[i] = arrive("/gate/4", i < 3 ? i + 1 : 0);
    }
    for (int i = 0; i < 4; i++)
        assert_and_close(fds[i], 200, "gate: 4 arrived\n");
    close(half_closed);
}
END_TEST

START_TEST(gate_tells_how_many_came_when_the_time_is_up)
{
    int64_t asked_ns = clock_ns();
    int first = client_connect(server.port);
    int second = client_connect(server.port);
    client_ask(first, "/gate/20?timeout=50ms", "Connection: close\r\n");
    assert_and_close(first, 503, "gate: 1 of 20 arrived\n");
    ck_assert_int_ge(clock_ns() - asked_ns, 50 * CLOCK_MS);
    /* The first to arrive sets the time; the ones after it are bound by that. */
    first = arrive("/gate/20?timeout=2s", 1);
    client_ask(second, "/gate/20?timeout=60m", "Connection: close\r\n");
    assert_and_close(first, 503, "gate: 2 of 20 arrived\n");
    assert_and_close(second, 503, "gate: 2 of 20 arrived\n");
    ck_assert_int_eq(server_stat(&server, "answered"), 3);
}
END_TEST

START_TEST(straggler_is_kept_for_one_more)
{
    int first = arrive("/gate/3?straggler=1", 1);
    int second = arrive("/gate/3?straggler=1", 2);
    int third = arrive("/gate/3", 1);
    assert_and_close(second, 200, "gate: 3 arrived\n");
    assert_and_close(third, 200, "gate: 3 arrived\n");
    ck_assert(!has_answer(first));
    int more = arrive("/gate/3", 0);
    assert_and_close(more, 200, "gate: 3 arrived\n");
    assert_and_close(first, 200, "gate: 3 arrived\n");
    /* And the gate is shut for a new round, which knows nothing of stragglers. */
    first = arrive("/gate/3", 1);
    ck_assert(!has_answer(first));
    close(first);
    server_await_stat(&server, "gone", 1);
}
END_TEST

START_TEST(straggler_hears_of_the_one_that_did_not_come)
{
    int first = arrive("/gate/2?straggler=1&timeout=2s", 1);
    int second = arrive("/gate/2", 1);
    assert_and_close(second, 200, "gate: 2 arrived\n");
    assert_and_close(first, 503, "gate: 2 of 3 arrived\n");
}
END_TEST

START_TEST(straggler_that_leaves_shuts_the_gate)
{
    int first = arrive("/gate/2?straggler=1", 1);
    assert_and_close(arrive("/gate/2", 1), 200, "gate: 2 arrived\n");
    close(first);
    server_await_stat(&server, "gone", 1);
    int next = arrive("/gate/2", 1);
    ck_assert(!has_answer(next));
    assert_and_close(arrive("/gate/2", 0), 200, "gate: 2 arrived\n");
    assert_and_close(next, 200, "gate: 2 arrived\n");
}
END_TEST

START_TEST(last_first_answers_when_the_one_before_has_closed)
{
    int first = arrive("/gate/3?order=last-first", 1);
    int second = arrive("/gate/3", 2);
    int third = arrive("/gate/3", 2);
    assert_answer(third, 200, "gate: 3 arrived\n");
    ck_assert_int_eq(server_stat(&server, "in_flight"), 2);
    ck_assert(!has_answer(second) && !has_answer(first));
    close(third);
    assert_answer(second, 200, "gate: 3 arrived\n");
    ck_assert_int_eq(server_stat(&server, "in_flight"), 1);
    ck_assert(!has_answer(first));
    close(second);
    assert_and_close(first, 200, "gate: 3 arrived\n");
}
END_TEST

START_TEST(last_first_serves_clients_that_read_to_the_end)
{
    static const char *const asks[] = {
        "GET /gate/1?order=last-first HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /gate/1?order=last-first HTTP/1.0\r\n\r\n"
    };
    for (size_t i = 0; i < LENGTH(asks); i++) {
        char reply[1024];
        int fd = client_connect(server.port);
        client_send(fd, asks[i]);
        ck_assert_int_gt(client_read_all(fd, reply, sizeof reply), 0);
        ck_assert_str_eq(reply_body(reply), "gate: 1 arrived\n");
        close(fd);
    }
}
END_TEST

START_TEST(last_first_goes_on_when_a_client_asks_for_more_or_leaves)
{
    int first = arrive("/gate/4?order=last-first", 1);
    int leaves = arrive("/gate/4", 2);
    int second = arrive("/gate/4", 3);
    int third = client_connect(server.port);
    client_ask(third, "/gate/4", "");    /* kept alive */
    assert_answer(third, 200, "gate: 4 arrived\n");
    close(leaves);
    server_await_stat(&server, "gone", 1);
    ck_assert(!has_answer(second));
    client_ask(third, "/status/201", "");
    assert_answer(third, 201, "status 201\n");
    assert_and_close(second, 200, "gate: 4 arrived\n");
    assert_and_close(first, 200, "gate: 4 arrived\n");
    close(third);
}
END_TEST

START_TEST(last_first_tells_who_was_kept_waiting_by_whom)
{
    int first = arrive("/gate/2?order=last-first&timeout=2s", 1);
    int second = arrive("/gate/2", 1);
    assert_and_close(first, 503,
                     "gate: open, but the client that was answered before this one has "
                     "not closed its connection\n");
    assert_and_close(second, 200, "gate: 2 arrived\n");
}
END_TEST

START_TEST(straggler_comes_last_of_last_first)
{
    int first = arrive("/gate/3?order=last-first&straggler=1", 1);
    int second = arrive("/gate/3", 2);
    int third = arrive("/gate/3", 2);
    assert_answer(third, 200, "gate: 3 arrived\n");
    int more = arrive("/gate/3", 2);    /* answered at once, with the third still open */
    assert_and_close(more, 200, "gate: 3 arrived\n");
    ck_assert(!has_answer(second) && !has_answer(first));
    close(third);
    assert_and_close(second, 200, "gate: 3 arrived\n");
    assert_and_close(first, 200, "gate: 3 arrived\n");
}
END_TEST

START_TEST(straggler_of_last_first_waits_for_one_more)
{
    int first = arrive("/gate/2?order=last-first&straggler=1&timeout=2s", 1);
    int second = arrive("/gate/2", 1);
    assert_and_close(second, 200, "gate: 2 arrived\n");
    assert_and_close(first, 503, "gate: 2 of 3 arrived\n");
    ck_assert_int_eq(server_stat(&server, "answered"), 2);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        gate_holds_until_the_last_arrives_and_shuts_again,
        gate_of_one_is_open,
        gates_of_different_size_know_nothing_of_each_other,
        gate_counts_no_client_that_left,
        gate_tells_how_many_came_when_the_time_is_up,
        straggler_is_kept_for_one_more,
        straggler_hears_of_the_one_that_did_not_come,
        straggler_that_leaves_shuts_the_gate,
        last_first_answers_when_the_one_before_has_closed,
        last_first_serves_clients_that_read_to_the_end,
        last_first_goes_on_when_a_client_asks_for_more_or_leaves,
        last_first_tells_who_was_kept_waiting_by_whom,
        straggler_comes_last_of_last_first,
        straggler_of_last_first_waits_for_one_more,
    };
    return suite_run("server gates", tests, LENGTH(tests), start, stop);
}
