/* What each path of latency-server answers: the real program, asked over TCP. */
#include "kit/array.h"
#include "kit/random.h"
#include "server/distribution.h"
#include "tests/support.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
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

static void assert_get(const char *target, int status, const char *body)
{
    char reply[4096];
    int found = client_get(server.port, target, reply, sizeof reply);
    ck_assert_msg(found == status, "%s: %d, not %d", target, found, status);
    ck_assert_msg(strstr(reply_body(reply), body) != NULL, "%s: '%s'", target, reply);
}

START_TEST(the_root_lists_every_path)
{
    static const char *const paths[] = {"/delay/", "/gate/",   "/drip/",  "/fault/",
                                        "/status/", "/stats",  "/stats/reset"};
    for (size_t i = 0; i < LENGTH(paths); i++)
        assert_get("/", 200, paths[i]);
}
END_TEST

START_TEST(what_is_wrong_gets_a_sentence)
{
    assert_get("/nope", 404, "no such path: '/nope'; / lists those that there are\n");
    assert_get("/delay", 404, "no such path");
    assert_get("/%00", 404, "no such path");
    assert_get("/delay/", 400, "delay: '' is neither a duration such as 50ms");
    assert_get("/delay/50ms%00", 404, "no such path");
    assert_get("/delay/-1ms", 400, "neither a duration");
    assert_get("/delay/uniform:90ms,10ms", 400, "the lower bound first");
    assert_get("/delay/61s", 400, "is more than the server's --max-delay, 60s");
    assert_get("/delay/exponential:61s", 400, "is more than the server's --max-delay");
    assert_get("/delay/0?i=x", 400, "i=x is not a whole number");
    assert_get("/delay/0?fault=reset", 400, "is not of the form reset:0.01");
    assert_get("/delay/0?fault=reset:2", 400, "a probability from 0 to 1");
    assert_get("/delay/0?fault=reset:", 400, "a probability from 0 to 1");
    assert_get("/delay/0?fault=crash:1", 400, "reset, close, truncate, stall or garbage");
    assert_get("/delay/0?i", 400, "not of the form name=value");
    assert_get("/gate/0", 400, "gate: '0' is not a number of requests from 1 to 1M");
    assert_get("/gate/1000001", 400, "from 1 to 1M");
    assert_get("/gate/2?timeout=61m", 400, "timeout is a duration such as 5s, up to 60m");
    assert_get("/gate/2?straggler=2", 400, "straggler is 0 or 1");
    assert_get("/gate/2?order=first", 400, "order is last-first");
    assert_get("/drip/1000001", 400, "is not a number of bytes from 0 to 1M");
    assert_get("/drip/10?over=61s", 400, "is not a duration such as 2s");
    assert_get("/fault/crash", 400, "is not reset, close, truncate, stall or garbage");
    assert_get("/status/199", 400, "is not a number from 200 to 599");
    assert_get("/status/600", 400, "is not a number from 200 to 599");
}
END_TEST

static int ask(const char *request, char *reply, size_t size)
{
    int fd = client_connect(server.port);
    client_send(fd, request);
    int status = client_read_reply(fd, reply, size);
    close(fd);
    return status;
}

START_TEST(a_method_that_a_path_does_not_take_is_405)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "TRACE",
                                          "PATCH", "BREW"};
    char request[256], reply[1024];
    for (size_t i = 0; i < LENGTH(methods); i++) {
        snprintf(request, sizeof request, "%s /delay/0 HTTP/1.1\r\n\r\n", methods[i]);
        ck_assert_int_eq(ask(request, reply, sizeof reply), 405);
        ck_assert_ptr_nonnull(strstr(reply, "Allow: GET, HEAD\r\n"));
        ck_assert_str_eq(reply_body(reply), "/delay/ takes GET, HEAD only\n");
    }
    ck_assert_int_eq(ask("GET /stats/reset HTTP/1.1\r\n\r\n", reply, sizeof reply), 405);
    ck_assert_ptr_nonnull(strstr(reply, "Allow: POST\r\n"));
}
END_TEST

START_TEST(head_is_answered_as_get_without_the_body)
{
    static const struct {
        const char *target, *length;
    } cases[] = {{"/status/404", "Content-Length: 11\r\n"},
                 {"/gate/1", "Content-Length: 16\r\n"},
                 {"/drip/10?over=0", "Content-Length: 10\r\n"}};
    char request[256], reply[1024];
    for (size_t i = 0; i < LENGTH(cases); i++) {
        snprintf(request, sizeof request, "HEAD %s HTTP/1.1\r\nConnection: close\r\n\r\n",
                 cases[i].target);
        int fd = client_connect(server.port);
        client_send(fd, request);
        ck_assert_int_gt(client_read_all(fd, reply, sizeof reply), 0);
        close(fd);
        ck_assert_msg(strstr(reply, cases[i].length) != NULL, "%s", reply);
        ck_assert_str_eq(reply_body(reply), "");
    }
}
END_TEST

START_TEST(a_status_is_what_was_asked_for)
{
    char target[32], reply[1024];
    for (int status = 200; status <= 599; status++) {
        snprintf(target, sizeof target, "/status/%d", status);
        ck_assert_int_eq(client_get(server.port, target, reply, sizeof reply), status);
        if (status == 204 || status == 205 || status == 304)
            ck_assert_str_eq(reply_body(reply), "");
    }
}
END_TEST

START_TEST(a_reply_says_how_long_it_waited)
{
    char reply[1024];
    ck_assert_int_eq(client_get(server.port, "/delay/20ms", reply, sizeof reply), 200);
    ck_assert_int_ge(reply_wait_ns(reply), 20 * CLOCK_MS);
    ck_assert_ptr_eq(strstr(reply_body(reply), "waited "), reply_body(reply));
    ck_assert_ptr_nonnull(strstr(reply, "Content-Length: "));
    ck_assert_int_eq(client_get(server.port, "/delay/0", reply, sizeof reply), 200);
    ck_assert_int_ge(reply_wait_ns(reply), 0);
}
END_TEST

/* Notes the time of those that were answered since the last look. Returns how many. */
static int look(struct pollfd *fds, int64_t *answered_ns, int count, int wait_ms)
{
    int fresh = 0;
    poll(fds, (nfds_t)count, wait_ms);
    for (int i = 0; i < count; i++)
        if (fds[i].revents != 0) {
            answered_ns[i] = clock_ns();
            fds[i].fd = -fds[i].fd;    /* poll(2) passes over it from now on */
            fresh++;
        }
    return fresh;
}

START_TEST(no_answer_is_early)
{
    enum { COUNT = 1000, WAIT_NS = 2 * CLOCK_MS };
    struct pollfd fds[COUNT];
    int64_t asked_ns[COUNT], answered_ns[COUNT];
    for (int i = 0; i < COUNT; i++)
        fds[i] = (struct pollfd){.fd = client_connect(server.port), .events = POLLIN};
    int answered = 0;
    for (int i = 0; i < COUNT; i++) {
        asked_ns[i] = clock_ns();
        client_ask(fds[i].fd, "/delay/2ms", "");
        if (i % 10 == 9)
            answered += look(fds, answered_ns, i + 1, 0);
    }
    while (answered < COUNT)
        answered += look(fds, answered_ns, COUNT, -1);
    for (int i = 0; i < COUNT; i++) {
        char reply[1024];
        ck_assert_int_eq(client_read_reply(-fds[i].fd, reply, sizeof reply), 200);
        ck_assert_int_ge(reply_wait_ns(reply), WAIT_NS);
        ck_assert_int_ge(answered_ns[i] - asked_ns[i], WAIT_NS);
        close(-fds[i].fd);
    }
}
END_TEST

START_TEST(equal_numbers_get_equal_delays)
{
    static const char text[] = "uniform:0ms,40ms";
    enum { STREAM_OF_DELAYS = 1 };
    struct distribution distribution;
    ck_assert_ptr_null(distribution_parse(text, &distribution));
    for (uint64_t i = 0; i < 30; i++) {
        char target[64], reply[1024];
        uint64_t stream = random_stream(1, STREAM_OF_DELAYS, i);
        int64_t draw_ns = distribution_draw(&distribution, &stream);
        snprintf(target, sizeof target, "/delay/%s?i=%" PRIu64, text, i);
        ck_assert_int_eq(client_get(server.port, target, reply, sizeof reply), 200);
        /* In whole microseconds. Delays drawn anew would be shorter half of the time. */
        ck_assert_int_ge(reply_wait_ns(reply), draw_ns / CLOCK_US * CLOCK_US);
    }
}
END_TEST

/* Asks for a delay with a fault in it, for 64 numbers. The bits tell which failed. */
static uint64_t fault_pattern(int port, const char *more)
{
    uint64_t pattern = 0;
    for (int i = 0; i < 64; i++) {
        char target[128], reply[1024];
        snprintf(target, sizeof target, "/delay/%s&i=%d", more, i);
        pattern = pattern << 1 | (client_get(port, target, reply, sizeof reply) == 0);
    }
    return pattern;
}

START_TEST(equal_numbers_meet_equal_faults)
{
    struct server other;
    uint64_t pattern = fault_pattern(server.port, "0?fault=close:0.5");
    ck_assert_uint_ne(pattern, 0);
    ck_assert_uint_ne(~pattern, 0);
    ck_assert_uint_eq(fault_pattern(server.port, "0?fault=close:0.5"), pattern);
    ck_assert_uint_eq(fault_pattern(server.port, "uniform:0s,1ms?fault=close:0.5"),
                      pattern);
    ck_assert_uint_eq(fault_pattern(server.port, "0?fault=close:0"), 0);
    ck_assert_uint_eq(~fault_pattern(server.port, "0?fault=close:1"), 0);
    server_start(&other, "--seed", "2", NULL);
    ck_assert_uint_ne(fault_pattern(other.port, "0?fault=close:0.5"), pattern);
    server_stop(&other);
}
END_TEST

START_TEST(a_draw_above_max_delay_is_cut)
{
    static const char text[] = "lognormal:0.000000001,p99=10ms";
    struct distribution distribution;
    ck_assert_ptr_null(distribution_parse(text, &distribution));
    int64_t draw_ns;
    uint64_t i = 0;
    do {    /* until one comes that this test would not outlive */
        uint64_t stream = random_stream(1, 1, ++i);
        draw_ns = distribution_draw(&distribution, &stream);
    } while (draw_ns < 1000LL * CLOCK_S);
    struct server impatient;
    server_start(&impatient, "--max-delay", "10ms", NULL);
    char target[128], reply[1024];
    snprintf(target, sizeof target, "/delay/%s?i=%" PRIu64, text, i);
    ck_assert_int_eq(client_get(impatient.port, target, reply, sizeof reply), 200);
    ck_assert_int_ge(reply_wait_ns(reply), 10 * CLOCK_MS);
    server_stop(&impatient);
}
END_TEST

START_TEST(a_drip_is_whole_and_not_too_fast)
{
    static char reply[1100000];
    int64_t asked_ns = clock_ns();
    int status = client_get(server.port, "/drip/100?over=50ms", reply, sizeof reply);
    ck_assert_int_eq(status, 200);
    ck_assert_int_ge(clock_ns() - asked_ns, 50 * CLOCK_MS);
    ck_assert_uint_eq(strlen(reply_body(reply)), 100);
    client_get(server.port, "/drip/1M?over=20ms", reply, sizeof reply);
    ck_assert_uint_eq(strlen(reply_body(reply)), 1000000);
    client_get(server.port, "/drip/10000?over=0", reply, sizeof reply);
    ck_assert_uint_eq(strlen(reply_body(reply)), 10000);
    assert_get("/drip/0?over=1ms", 200, "");
}
END_TEST

START_TEST(no_byte_of_a_drip_is_early)
{
    enum { BYTES = 20, EACH_NS = 5 * CLOCK_MS };
    char reply[1024], byte;
    int fd = client_connect(server.port);
    int64_t asked_ns = clock_ns();
    client_ask(fd, "/drip/20?over=100ms", "");
    ck_assert_int_eq(client_read_head(fd, reply, sizeof reply), 200);
    for (int i = 1; i <= BYTES; i++) {
        ck_assert_int_eq(read(fd, &byte, 1), 1);
        ck_assert_int_ge(clock_ns() - asked_ns, i * EACH_NS);
    }
    close(fd);
}
END_TEST

START_TEST(each_fault_is_what_it_is_called)
{
    static const char *const forms[] = {"/fault/%s", "/delay/1ms?fault=%s:1"};
    char target[64], reply[1024];
    for (size_t i = 0; i < LENGTH(forms); i++) {
        int fd = client_connect(server.port);
        snprintf(target, sizeof target, forms[i], "reset");
        client_ask(fd, target, "");
        ck_assert_int_eq(client_read_all(fd, reply, sizeof reply), -ECONNRESET);
        close(fd);
        fd = client_connect(server.port);
        snprintf(target, sizeof target, forms[i], "close");
        client_ask(fd, target, "");
        ck_assert_int_eq(client_read_all(fd, reply, sizeof reply), 0);
        close(fd);
        snprintf(target, sizeof target, forms[i], "truncate");
        ck_assert_int_eq(client_get(server.port, target, reply, sizeof reply), 200);
        ck_assert_ptr_nonnull(strstr(reply, "Content-Length: 100\r\n"));
        ck_assert_uint_gt(strlen(reply_body(reply)), 0);
        ck_assert_uint_lt(strlen(reply_body(reply)), 100);
        snprintf(target, sizeof target, forms[i], "garbage");
        client_get(server.port, target, reply, sizeof reply);
        ck_assert_uint_gt(strlen(reply), 0);
        ck_assert_int_ne(strncmp(reply, "HTTP/", 5), 0);
    }
    server_await_stat(&server, "faults", 8);
}
END_TEST

START_TEST(a_stalled_request_is_never_answered)
{
    struct pollfd stalled = {.fd = client_connect(server.port), .events = POLLIN};
    client_ask(stalled.fd, "/fault/stall", "");
    server_await_stat(&server, "faults", 1);
    assert_get("/delay/20ms", 200, "waited");    /* time in which it might be */
    ck_assert_int_eq(poll(&stalled, 1, 0), 0);
    close(stalled.fd);
    assert_get("/delay/0", 200, "waited");
}
END_TEST

START_TEST(the_stats_add_up_and_do_not_count_themselves)
{
    char reply[1024];
    assert_get("/delay/1ms", 200, "");
    assert_get("/nope", 404, "");
    assert_get("/drip/10?over=1ms", 200, "");
    client_get(server.port, "/fault/reset", reply, sizeof reply);
    int waiting = client_connect(server.port);
    int leaving = client_connect(server.port);
    int idle = client_connect(server.port);
    client_ask(waiting, "/delay/60s", "");
    client_ask(leaving, "/delay/60s", "");
    server_await_stat(&server, "in_flight", 2);
    close(leaving);
    server_await_stat(&server, "gone", 1);
    assert_get("/stats", 200, "{\"connections\":7,\"requests\":6,\"in_flight\":1,"
               "\"peak_in_flight\":2,\"answered\":3,\"faults\":1,\"gone\":1}\n");
    ck_assert_int_eq(ask("POST /stats/reset HTTP/1.1\r\n\r\n", reply, sizeof reply), 200);
    assert_get("/stats", 200, "{\"connections\":0,\"requests\":1,\"in_flight\":1,"
               "\"peak_in_flight\":1,\"answered\":0,\"faults\":0,\"gone\":0}\n");
    close(waiting);
    close(idle);
}
END_TEST

START_TEST(curl_is_served_as_well)
{
    char url[64];
    struct output output;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/delay/1ms", server.port);
    const char *const plain[] = {"curl", "-s", url, NULL};
    const char *const old[] = {"curl", "-s", "--http1.0", url, NULL};
    const char *const twice[] = {"curl", "-sv", url, url, NULL};
    ck_assert_int_eq(program_run(plain, NULL), 0);
    ck_assert_int_eq(program_run(old, NULL), 0);
    ck_assert_int_eq(program_run(twice, &output), 0);
    ck_assert_ptr_nonnull(strstr(output.err, "Re-using existing connection"));
    output_free(&output);
    ck_assert_int_eq(server_stat(&server, "connections"), 3);
    ck_assert_int_eq(server_stat(&server, "answered"), 4);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_root_lists_every_path,
        what_is_wrong_gets_a_sentence,
        a_method_that_a_path_does_not_take_is_405,
        head_is_answered_as_get_without_the_body,
        a_status_is_what_was_asked_for,
        a_reply_says_how_long_it_waited,
        no_answer_is_early,
        equal_numbers_get_equal_delays,
        equal_numbers_meet_equal_faults,
        a_draw_above_max_delay_is_cut,
        a_drip_is_whole_and_not_too_fast,
        no_byte_of_a_drip_is_early,
        each_fault_is_what_it_is_called,
        a_stalled_request_is_never_answered,
        the_stats_add_up_and_do_not_count_themselves,
        curl_is_served_as_well,
    };
    return suite_run("server paths", tests, LENGTH(tests), start, stop);
}
