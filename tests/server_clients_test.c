/* latency-server and every kind of client, start and end. */
#include "kit/array.h"
#include "tests/support.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
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

static void assert_well(void)
{
    char reply[1024];
    ck_assert_int_eq(client_get(server.port, "/delay/0", reply, sizeof reply), 200);
}

START_TEST(pipelined_requests_are_answered_in_order)
{
    char reply[1024];
    int fd = client_connect(server.port);
    client_ask(fd, "/gate/2", "");
    server_await_stat(&server, "in_flight", 1);
    client_ask(fd, "/status/201", "");
    client_ask(fd, "/delay/1ms", "");
    client_ask(fd, "/status/202", "Connection: close\r\n");
    ck_assert_int_eq(client_get(server.port, "/gate/2", reply, sizeof reply), 200);
    ck_assert_int_eq(client_read_reply(fd, reply, sizeof reply), 200);
    ck_assert_str_eq(reply_body(reply), "gate: 2 arrived\n");
    ck_assert_int_eq(client_read_reply(fd, reply, sizeof reply), 201);
    ck_assert_int_eq(client_read_reply(fd, reply, sizeof reply), 200);
    ck_assert_int_eq(client_read_reply(fd, reply, sizeof reply), 202);
    ck_assert_int_eq(client_read_all(fd, reply, sizeof reply), 0);
    close(fd);
}
END_TEST

START_TEST(a_connection_is_used_again_and_again)
{
    char reply[1024];
    int fd = client_connect(server.port);
    for (int i = 0; i < 100; i++) {
        client_ask(fd, i % 2 ? "/delay/0" : "/delay/1ms", "");
        ck_assert_int_eq(client_read_reply(fd, reply, sizeof reply), 200);
    }
    close(fd);
    ck_assert_int_eq(server_stat(&server, "connections"), 1);
    ck_assert_int_eq(server_stat(&server, "answered"), 100);
}
END_TEST

START_TEST(junk_during_a_wait_does_no_harm)
{
    char reply[4096];
    char *junk = malloc(200001);
    memset(junk, 'x', 200000);
    junk[200000] = '\0';
    int fd = client_connect(server.port);
    client_ask(fd, "/gate/2", "");
    server_await_stat(&server, "in_flight", 1);
    client_send(fd, junk);    /* more than the server takes before it has answered */
    ck_assert_int_eq(client_get(server.port, "/gate/2", reply, sizeof reply), 200);
    ck_assert_int_eq(client_read_reply(fd, reply, sizeof reply), 200);
    client_read_all(fd, reply, sizeof reply);    /* 400 or a reset */
    close(fd);
    free(junk);
    assert_well();
}
END_TEST

START_TEST(a_half_closed_client_gets_what_needs_no_wait)
{
    char reply[1024];
    for (int i = 0; i < 50; i++) {
        int fd = client_connect(server.port);
        client_ask(fd, "/delay/0", "");
        shutdown(fd, SHUT_WR);
        ck_assert_int_gt(client_read_all(fd, reply, sizeof reply), 0);
        close(fd);
    }
    ck_assert_int_eq(server_stat(&server, "answered"), 50);
}
END_TEST

START_TEST(a_client_that_leaves_in_mid_drip_is_noticed)
{
    char reply[1024];
    int fd = client_connect(server.port);
    client_ask(fd, "/drip/1M?over=60s", "");
    ck_assert_int_eq(client_read_head(fd, reply, sizeof reply), 200);
    ck_assert_int_eq(server_stat(&server, "in_flight"), 1);
    close(fd);
    server_await_stat(&server, "gone", 1);
    ck_assert_int_eq(server_stat(&server, "in_flight"), 0);
}
END_TEST

START_TEST(a_client_that_reads_nothing_holds_up_nobody)
{
    int small = 1024;
    int fd = client_connect(server.port);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (int i = 0; i < 5; i++)
        client_ask(fd, "/drip/1M?over=0", "");
    server_await_stat(&server, "in_flight", 0);
    assert_well();
    /* What it sends from now on stays in the kernel, so there must come an end to it. */
    static const char block[65536];
    size_t taken = 0;
    for (int refused = 0; refused < 50; refused++) {
        ssize_t sent;
        while ((sent = send(fd, block, sizeof block, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0) {
            taken += (size_t)sent;
            refused = 0;
            ck_assert_uint_lt(taken, 64000000);
        }
        assert_well();    /* the server has gone round, and could have read more */
    }
    close(fd);
    assert_well();
}
END_TEST

START_TEST(a_request_may_come_byte_by_byte)
{
    static const char request[] = "GET /status/202 HTTP/1.1\r\nConnection: close\r\n\r\n";
    char reply[1024];
    int fd = client_connect(server.port);
    for (size_t i = 0; i + 1 < sizeof request; i++) {
        client_send(fd, (char[]){request[i], '\0'});
        assert_well();    /* whatever it has, it has read by then, and serves others */
    }
    ck_assert_int_eq(client_read_reply(fd, reply, sizeof reply), 202);
    close(fd);
}
END_TEST

/* Sends what may be refused before it has been read, and reads what comes. */
static void offend(const char *start, size_t filling, const char *end)
{
    char block[65536], reply[4096];
    memset(block, 'x', sizeof block);
    int fd = client_connect(server.port);
    send(fd, start, strlen(start), MSG_NOSIGNAL);
    while (filling > 0) {
        size_t length = filling < sizeof block ? filling : sizeof block;
        if (send(fd, block, length, MSG_NOSIGNAL) < 0)
            break;    /* it has closed: its good right */
        filling -= length;
    }
    send(fd, end, strlen(end), MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    ssize_t length = client_read_all(fd, reply, sizeof reply);
    ck_assert_msg(length <= 0 || strncmp(reply, "HTTP/1.1 4", 10) == 0, "%s", reply);
    close(fd);
    assert_well();
}

START_TEST(what_is_no_request_is_refused_or_closed)
{
    offend("", 0, "");
    offend("\r\n\r\n", 0, "\r\n\r\n");
    offend("\x16\x03\x01\x02", 0, "\x01\xff\xfe\r\n\r\n");
    offend("GET\r\n\r\n", 0, "");
    offend("GET /delay/0 HTTP/9.9\r\n\r\n", 0, "");
    offend("GET /delay/0 HTTP/1.1\r\nno colon\r\n\r\n", 0, "");
    offend("GET delay HTTP/1.1\r\n\r\n", 0, "");
    offend("GET // HTTP/1.1\r\n\r\n", 0, "");
    offend("POST /stats HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 0, "");
    offend("POST /stats HTTP/1.1\r\nContent-Length: 10\r\n\r\n", 5, "");
    offend("POST /stats HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 0, "");
    offend("GET /delay/0 HT", 0, "");
}
END_TEST

START_TEST(megabytes_are_refused_or_closed)
{
    offend("", 8000000, "");
    offend("GET /", 8000000, " HTTP/1.1\r\n\r\n");
    offend("GET /delay/0 HTTP/1.1\r\nX: ", 8000000, "\r\n\r\n");
    offend("GET /delay/0 HTTP/1.1\r\nX: ", 66000, "\r\n\r\n");
    offend("POST /stats HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n", 8000000, "");
    offend("POST /stats HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7a1200\r\n",
           8000000, "\r\n0\r\n\r\n");
}
END_TEST

static int count_descriptors(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)server.program.pid);
    DIR *directory = opendir(path);
    ck_assert_ptr_nonnull(directory);
    int count = 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

START_TEST(no_descriptor_is_left_behind)
{
    static const char *const targets[] = {
        "/delay/0", "/delay/1ms", "/fault/reset", "/fault/close", "/fault/garbage",
        "/fault/truncate", "/gate/1", "/gate/1?order=last-first", "/drip/10?over=1ms"
    };
    char reply[1024];
    assert_well();
    int before = count_descriptors();
    for (int i = 0; i < 10; i++) {
        for (size_t j = 0; j < LENGTH(targets); j++)
            client_get(server.port, targets[j], reply, sizeof reply);
        close(client_connect(server.port));
        offend("GET /delay/10s HTTP/1.1\r\n\r\n", 0, "");
    }
    server_await_stat(&server, "in_flight", 0);
    /* The last ones may not have been closed yet: that is awaited, and nothing else. */
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    while (count_descriptors() > before)
        ck_assert_int_lt(clock_ns(), deadline_ns);
}
END_TEST

START_TEST(thousands_of_waits_end_in_order_at_sigterm)
{
    enum { COUNT = 2000 };
    static const char *const targets[] = {
        "/delay/60s", "/gate/5000?timeout=60m", "/fault/stall", "/drip/1000?over=60s",
        "/gate/2?order=last-first", "/gate/3?straggler=1&order=last-first&timeout=60m"
    };
    static int fds[COUNT];
    for (int i = 0; i < COUNT; i++) {
        fds[i] = client_connect(server.port);
        client_ask(fds[i], targets[(size_t)i % LENGTH(targets)], "Connection: close\r\n");
    }
    server_await_stat(&server, "requests", COUNT);
    int64_t in_flight = server_stat(&server, "in_flight");
    ck_assert_int_gt(in_flight, COUNT / 2);
    ck_assert_int_eq(server_stat(&server, "answered") + server_stat(&server, "faults"),
                     COUNT - in_flight);
    server_stop(&server);
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    start();    /* for the one that stops it */
}
END_TEST

START_TEST(sigint_ends_it_as_well)
{
    int fd = client_connect(server.port);
    client_ask(fd, "/delay/60s", "");
    server_await_stat(&server, "in_flight", 1);
    ck_assert_int_eq(program_end(&server.program, SIGINT, NULL), 0);
    close(fd);
    start();
}
END_TEST

START_TEST(too_few_descriptors_only_make_clients_wait)
{
    enum { COUNT = 60 };
    struct server poor;
    const char *const argv[] = {
        "sh", "-c", "ulimit -n 40; exec " BUILD_DIR "/latency-server -p 0", NULL
    };
    server_start_as(&poor, argv);
    char reply[1024];
    int fds[COUNT];
    for (int i = 0; i < COUNT; i++)
        fds[i] = client_connect(poor.port);    /* the kernel lets them; nobody accepts */
    client_ask(fds[COUNT - 1], "/status/203", "Connection: close\r\n");
    for (int i = 0; i < COUNT - 1; i++)
        close(fds[i]);
    ck_assert_int_eq(client_read_reply(fds[COUNT - 1], reply, sizeof reply), 203);
    close(fds[COUNT - 1]);
    struct output output;
    ck_assert_int_eq(program_end(&poor.program, SIGTERM, &output), 0);
    ck_assert_str_eq(output.err,    /* once, however often it was so */
                     "latency-server: clients have to wait for a connection: Too many "
                     "open files; ulimit -n says how many descriptors there may be\n");
    output_free(&output);
}
END_TEST

static void assert_refused(const char *const argv[], int status, const char *sentence)
{
    struct output output;
    int found = program_run(argv, &output);
    ck_assert_msg(found == status, "%d, not %d", found, status);
    ck_assert_msg(strstr(output.err, sentence) != NULL, "%s", output.err);
    /* In one line. */
    ck_assert_ptr_eq(strchr(output.err, '\n'), strrchr(output.err, '\n'));
    output_free(&output);
}

#define SERVER BUILD_DIR "/latency-server"

START_TEST(wrong_options_are_refused)
{
    assert_refused((const char *const[]){SERVER, "-p", "65536", NULL}, 2,
                   "latency-server: -p: 65536 is out of range");
    assert_refused((const char *const[]){SERVER, "--max-delay", "fast", NULL}, 2,
                   "latency-server: --max-delay: 'fast' is not a duration");
    assert_refused((const char *const[]){SERVER, "--max-delay", "61m", NULL}, 2,
                   "out of range");
    assert_refused((const char *const[]){SERVER, "--seed", "1x", NULL}, 2,
                   "latency-server: --seed: '1x' is not a whole number");
    assert_refused((const char *const[]){SERVER, "-a", "nowhere", NULL}, 2,
                   "latency-server: --address: 'nowhere' is not an IPv4 or IPv6 address");
    assert_refused((const char *const[]){SERVER, "8080", NULL}, 2,
                   "one argument too many");
    assert_refused((const char *const[]){SERVER, "-x", NULL}, 2, "latency-server: -x");
}
END_TEST

START_TEST(a_taken_port_is_said_so)
{
    char port[16], sentence[256];
    snprintf(port, sizeof port, "%d", server.port);
    snprintf(sentence, sizeof sentence,
             "latency-server: 127.0.0.1:%s: Address already in use; choose another with "
             "-p, or -p 0 for any free one\n", port);
    assert_refused((const char *const[]){SERVER, "-p", port, NULL}, 1, sentence);
}
END_TEST

START_TEST(a_line_that_cannot_be_written_ends_it)
{
    assert_refused((const char *const[]){"sh", "-c", SERVER " -p 0 >/dev/full", NULL}, 1,
                   "latency-server: standard output: No space left on device\n");
}
END_TEST

START_TEST(help_lists_the_options)
{
    struct output output;
    ck_assert_int_eq(program_run((const char *const[]){SERVER, "-h", NULL}, &output), 0);
    ck_assert_ptr_nonnull(strstr(output.out, "--max-delay T"));
    ck_assert_str_eq(output.err, "");
    output_free(&output);
}
END_TEST

START_TEST(an_ipv6_address_stands_in_brackets)
{
    struct program program;
    char rest[64];
    if (access("/proc/net/if_inet6", R_OK) != 0)
        return;    /* this machine has no IPv6 */
    program_start(&program, (const char *const[]){SERVER, "-a", "::1", "-p", "0", NULL});
    program_await_line(&program, "listening on http://[::1]:", rest, sizeof rest);
    ck_assert_int_gt(atoi(rest), 0);
    ck_assert_int_eq(program_end(&program, SIGTERM, NULL), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        pipelined_requests_are_answered_in_order,
        a_connection_is_used_again_and_again,
        junk_during_a_wait_does_no_harm,
        a_half_closed_client_gets_what_needs_no_wait,
        a_client_that_leaves_in_mid_drip_is_noticed,
        a_client_that_reads_nothing_holds_up_nobody,
        a_request_may_come_byte_by_byte,
        what_is_no_request_is_refused_or_closed,
        megabytes_are_refused_or_closed,
        no_descriptor_is_left_behind,
        thousands_of_waits_end_in_order_at_sigterm,
        sigint_ends_it_as_well,
        too_few_descriptors_only_make_clients_wait,
        wrong_options_are_refused,
        a_taken_port_is_said_so,
        a_line_that_cannot_be_written_ends_it,
        help_lists_the_options,
        an_ipv6_address_stands_in_brackets,
    };
    return suite_run("server clients", tests, LENGTH(tests), start, stop);
}
