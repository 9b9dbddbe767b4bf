/* The clock and the sockets, with and without signals. */
#include "kit/array.h"
#include "kit/clock.h"
#include "kit/get.h"
#include "kit/net.h"
#include "kit/process.h"
#include "tests/support.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Long enough for anything that does happen, on a machine however busy. */
static int64_t patience(void)
{
    return clock_ns() + 100LL * CLOCK_S;
}

/* --- signals, for the calls that must outlast them -------------------------------- */

static sem_t signals_seen;    /* posted by on_alarm, awaited by helpers */

static void on_alarm(int signal)
{
    (void)signal;
    sem_post(&signals_seen);
}

static void prepare_signals(void)
{
    ck_assert_int_eq(sem_init(&signals_seen, 0, 0), 0);
}

/* From here on a signal comes each millisecond, and interrupts the main thread. */
static void start_signals(void)
{
    struct sigaction action = {.sa_handler = on_alarm};    /* without SA_RESTART */
    sigemptyset(&action.sa_mask);
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    struct itimerval each = {{0, CLOCK_US}, {0, CLOCK_US}};
    ck_assert_int_eq(setitimer(ITIMER_REAL, &each, NULL), 0);
}

static void stop_signals(void)
{
    struct itimerval never = {{0, 0}, {0, 0}};
    ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigemptyset(&action.sa_mask);
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
}

static void await_signals(int count)
{
    for (int i = 0; i < count; i++)
        while (sem_wait(&signals_seen) != 0)
            continue;
}

/* Starts a helper that no signal reaches, so that the main thread gets them all. */
static pthread_t start_helper(void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, run, arg), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return thread;
}

/* --- clock ------------------------------------------------------------------------ */

START_TEST(the_clock_never_steps_back)
{
    int64_t before = clock_ns();
    ck_assert_int_gt(before, 0);
    for (int i = 0; i < 100000; i++) {
        int64_t now = clock_ns();
        if (now < before)
            ck_abort_msg("by %lld ns", (long long)(before - now));
        before = now;
    }
}
END_TEST

START_TEST(lengths_of_time_are_converted_without_loss_of_a_wait)
{
    static const struct {
        int64_t ns, timespec_s, timespec_ns, timeval_s, timeval_us;
    } cases[] = {
        {0, 0, 0, 0, 0},
        {1, 0, 1, 0, 1},
        {1000, 0, 1000, 0, 1},
        {1001, 0, 1001, 0, 2},
        {999999999, 0, 999999999, 1, 0},
        {1000000000, 1, 0, 1, 0},
        {2500000001, 2, 500000001, 2, 500001},
        {-1, 0, 0, 0, 0},
        {INT64_MIN, 0, 0, 0, 0},
        {INT64_MAX, 9223372036, 854775807, 9223372036, 854776},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct timespec timespec = clock_timespec(cases[i].ns);
        ck_assert_int_eq(timespec.tv_sec, cases[i].timespec_s);
        ck_assert_int_eq(timespec.tv_nsec, cases[i].timespec_ns);
        struct timeval timeval = clock_timeval(cases[i].ns);
        ck_assert_int_eq(timeval.tv_sec, cases[i].timeval_s);
        ck_assert_int_eq(timeval.tv_usec, cases[i].timeval_us);
    }
}
END_TEST

START_TEST(a_sleep_is_never_shorter_than_asked)
{
    static const int64_t lengths[] = {-CLOCK_S, 0, 1, CLOCK_US, CLOCK_MS, 20 * CLOCK_MS};
    for (size_t i = 0; i < LENGTH(lengths); i++) {
        int64_t start = clock_ns();
        clock_sleep(lengths[i]);
        ck_assert_int_ge(clock_ns() - start, lengths[i]);
    }
}
END_TEST

START_TEST(a_sleep_outlasts_signals)
{
    int64_t start = clock_ns();
    start_signals();
    clock_sleep(50 * CLOCK_MS);
    stop_signals();
    ck_assert_int_ge(clock_ns() - start, 50 * CLOCK_MS);
    await_signals(1);
}
END_TEST

/* --- net -------------------------------------------------------------------------- */

/* Returns a listener on a free port of 127.0.0.1; *server says where. */
static int listen_here(struct endpoint *server, int backlog)
{
    int listener = net_listen("127.0.0.1", 0, backlog);
    ck_assert_int_ge(listener, 0);
    int port = net_port(listener);
    ck_assert_int_gt(port, 0);
    ck_assert_int_eq(net_resolve("127.0.0.1", port, server), 0);
    return listener;
}

/* Accepts one connection, as a blocking socket. */
static int accept_one(int listener)
{
    struct pollfd readable = {.fd = listener, .events = POLLIN};
    while (poll(&readable, 1, -1) != 1)
        continue;
    return accept(listener, NULL, NULL);
}

/* Connects two sockets. */
static void connect_pair(int *client, int *peer)
{
    struct endpoint server;
    int listener = listen_here(&server, 8);
    *client = net_connect(&server, patience());
    ck_assert_int_ge(*client, 0);
    *peer = accept_one(listener);
    ck_assert_int_ge(*peer, 0);
    close(listener);
}

/* Returns a listener whose queue is full: no connection is made until one is accepted. */
static int listen_full(struct endpoint *server, int clients[2])
{
    int listener = listen_here(server, 1);    /* Linux keeps one more than the backlog */
    for (int i = 0; i < 2; i++) {
        clients[i] = net_connect(server, patience());
        ck_assert_int_ge(clients[i], 0);
    }
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    while (info.tcpi_unacked < 2) {    /* of a listener: how many wait to be accepted */
        ck_assert_int_eq(getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
        sched_yield();
    }
    return listener;
}

/* The lowest descriptor that is free: if it stays the same, nothing was left open. */
static int free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);
    ck_assert_int_ge(fd, 0);
    close(fd);
    return fd;
}

START_TEST(an_address_is_resolved_and_keeps_its_name)
{
    struct endpoint endpoint;
    ck_assert_int_eq(net_resolve("127.0.0.1", 8080, &endpoint), 0);
    ck_assert_str_eq(endpoint.name, "127.0.0.1:8080");
    struct sockaddr_in v4;
    ck_assert_uint_eq(endpoint.address_length, sizeof v4);
    memcpy(&v4, &endpoint.address, sizeof v4);
    ck_assert_int_eq(v4.sin_family, AF_INET);
    ck_assert_uint_eq(ntohs(v4.sin_port), 8080);
    ck_assert_uint_eq(ntohl(v4.sin_addr.s_addr), INADDR_LOOPBACK);

    ck_assert_int_eq(net_resolve("::1", 80, &endpoint), 0);
    ck_assert_str_eq(endpoint.name, "[::1]:80");
    ck_assert_int_eq(endpoint.address.ss_family, AF_INET6);
}
END_TEST

START_TEST(a_listener_is_nonblocking_and_its_connections_send_at_once)
{
    int before = free_descriptor();
    struct endpoint server;
    int listener = listen_here(&server, 8);
    ck_assert_int_eq(accept(listener, NULL, NULL), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_ne(fcntl(listener, F_GETFD) & FD_CLOEXEC, 0);
    int client = net_connect(&server, patience());
    ck_assert_int_ne(fcntl(client, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq(fcntl(client, F_GETFL) & O_NONBLOCK, 0);
    const int ends[] = {client, accept_one(listener)};
    for (size_t i = 0; i < LENGTH(ends); i++) {
        int on = 0;
        socklen_t size = sizeof on;
        ck_assert_int_eq(getsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
        ck_assert_int_ne(on, 0);
        close(ends[i]);
    }
    close(listener);
    ck_assert_int_eq(free_descriptor(), before);
}
END_TEST

START_TEST(a_listener_takes_the_port_it_is_given_or_says_why_not)
{
    struct endpoint server;
    int listener = listen_here(&server, 8);
    int port = net_port(listener);
    int before = free_descriptor();
    ck_assert_int_eq(net_listen("127.0.0.1", port, 8), -EADDRINUSE);
    ck_assert_int_eq(net_listen("192.0.2.1", 0, 8), -EADDRNOTAVAIL);    /* RFC 5737 */
    static const char *const wrong[] = {"", "localhost", "127.0.0.256", "::g",
                                        "127.0.0.1:80"};
    for (size_t i = 0; i < LENGTH(wrong); i++)
        ck_assert_int_eq(net_listen(wrong[i], 0, 8), -EDESTADDRREQ);
    ck_assert_int_eq(free_descriptor(), before);
    int client = net_connect(&server, patience());
    close(accept_one(listener));    /* leaves a connection that holds the port a while */
    close(listener);
    listener = net_listen("127.0.0.1", port, 8);
    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(net_port(listener), port);
    close(client);
    close(listener);
    ck_assert_int_eq(net_port(listener), -EBADF);
}
END_TEST

START_TEST(connections_are_made_over_ipv6_too)
{
    int listener = net_listen("::1", 0, 8);
    if (listener == -EADDRNOTAVAIL || listener == -EAFNOSUPPORT)
        return;    /* this machine has none */
    struct endpoint server;
    ck_assert_int_eq(net_resolve("::1", net_port(listener), &server), 0);
    int client = net_connect(&server, patience());
    ck_assert_int_ge(client, 0);
    close(client);
    close(listener);
}
END_TEST

START_TEST(a_connection_to_a_closed_port_is_refused)
{
    struct endpoint server;
    int holder = socket(AF_INET, SOCK_STREAM, 0);    /* holds a port; listens not */
    struct sockaddr_in any = {.sin_family = AF_INET};
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(holder, (struct sockaddr *)&any, sizeof any), 0);
    ck_assert_int_eq(net_resolve("127.0.0.1", net_port(holder), &server), 0);
    int before = free_descriptor();
    ck_assert_int_eq(net_connect(&server, patience()), -ECONNREFUSED);
    ck_assert_int_eq(net_connect(&server, INT64_MAX), -ECONNREFUSED);
    ck_assert_int_eq(net_connect(&server, clock_ns() - 1), -ETIMEDOUT);
    ck_assert_int_eq(free_descriptor(), before);
    close(holder);
}
END_TEST

START_TEST(a_nonblocking_socket_is_not_yet_connected)
{
    struct endpoint server;
    int listener = listen_here(&server, 8);
    int fd = net_socket_nonblocking(&server);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    const struct sockaddr *address = (const struct sockaddr *)&server.address;
    ck_assert_int_eq(connect(fd, address, server.address_length), -1);
    ck_assert_int_eq(errno, EINPROGRESS);
    close(fd);
    close(listener);
    struct endpoint nowhere = {.address.ss_family = AF_UNSPEC};
    ck_assert_int_eq(net_socket_nonblocking(&nowhere), -EAFNOSUPPORT);
    ck_assert_int_eq(net_connect(&nowhere, patience()), -EAFNOSUPPORT);
}
END_TEST

START_TEST(a_connect_waits_until_its_deadline_and_no_longer_for_signals)
{
    struct endpoint server;
    int clients[2];
    int listener = listen_full(&server, clients);
    int before = free_descriptor();
    for (int i = 0; i < 20; i++) {
        if (i == 3)
            start_signals();
        int64_t deadline = clock_ns() + (10 + i) * CLOCK_MS;
        int error = net_connect(&server, deadline);
        ck_assert_int_ge(clock_ns(), deadline);
        ck_assert_int_eq(error, -ETIMEDOUT);
    }
    stop_signals();
    await_signals(1);
    ck_assert_int_eq(free_descriptor(), before);
    close(clients[0]);
    close(clients[1]);
    close(listener);
}
END_TEST

static void *accept_after_signals(void *arg)
{
    int *fd = arg;
    await_signals(20);
    *fd = accept_one(*fd);
    return NULL;
}

START_TEST(a_connect_that_signals_interrupt_is_made_all_the_same)
{
    struct endpoint server;
    int clients[2];
    int listener = listen_full(&server, clients);
    int accepted = listener;
    pthread_t helper = start_helper(accept_after_signals, &accepted);
    start_signals();
    int client = net_connect(&server, INT64_MAX);    /* the kernel asks again soon */
    stop_signals();
    ck_assert_int_eq(pthread_join(helper, NULL), 0);
    ck_assert_int_ge(client, 0);
    ck_assert_int_ge(accepted, 0);
    close(accepted);
    close(client);
    close(clients[0]);
    close(clients[1]);
    close(listener);
}
END_TEST

static void *close_after_signals(void *arg)
{
    await_signals(20);
    close(*(int *)arg);
    return NULL;
}

START_TEST(a_connect_that_signals_interrupt_still_tells_a_refusal)
{
    struct endpoint server;
    int clients[2];
    int listener = listen_full(&server, clients);
    pthread_t helper = start_helper(close_after_signals, &listener);
    start_signals();
    int error = net_connect(&server, patience());
    stop_signals();
    ck_assert_int_eq(pthread_join(helper, NULL), 0);
    ck_assert_int_eq(error, -ECONNREFUSED);
    close(clients[0]);
    close(clients[1]);
}
END_TEST

START_TEST(a_receive_waits_until_its_deadline)
{
    static const int64_t waits[] = {-CLOCK_S, 0, 1, CLOCK_US, CLOCK_MS, 3 * CLOCK_MS,
                                    50 * CLOCK_MS};
    int client, peer;
    connect_pair(&client, &peer);
    for (int i = 0; i < 5; i++) {
        for (size_t w = 0; w < LENGTH(waits); w++) {
            char byte;
            int64_t deadline = clock_ns() + waits[w];
            ssize_t received = net_recv(client, &byte, 1, deadline);
            int64_t now = clock_ns();
            ck_assert_int_eq(received, -ETIMEDOUT);
            ck_assert_int_ge(now, deadline);
        }
    }
    close(client);
    close(peer);
}
END_TEST

START_TEST(a_receive_outlasts_signals)
{
    int client, peer;
    connect_pair(&client, &peer);
    start_signals();
    for (int i = 0; i < 20; i++) {
        char byte;
        int64_t deadline = clock_ns() + (10 + i) * CLOCK_MS;
        ssize_t received = net_recv(client, &byte, 1, deadline);
        ck_assert_int_ge(clock_ns(), deadline);
        ck_assert_int_eq(received, -ETIMEDOUT);
    }
    stop_signals();
    await_signals(1);
    close(client);
    close(peer);
}
END_TEST

START_TEST(a_receive_gives_what_came_then_the_end)
{
    int client, peer;
    connect_pair(&client, &peer);
    char buf[8] = "";
    ck_assert_int_eq(net_send_all(peer, "hello", 5, patience()), 0);
    ck_assert_int_eq(net_recv(client, buf, 3, patience()), 3);
    ck_assert_int_eq(net_recv(client, buf + 3, 5, patience()), 2);
    ck_assert_mem_eq(buf, "hello", 5);
    close(peer);
    ck_assert_int_eq(net_recv(client, buf, sizeof buf, patience()), 0);
    close(client);
    ck_assert_int_eq(net_recv(client, buf, sizeof buf, patience()), -EBADF);
}
END_TEST

START_TEST(a_receive_tells_a_reset)
{
    int client, peer;
    connect_pair(&client, &peer);
    struct linger reset = {.l_onoff = 1};    /* and 0 seconds: close(2) sends RST */
    ck_assert_int_eq(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    close(peer);
    char byte;
    ck_assert_int_eq(net_recv(client, &byte, 1, patience()), -ECONNRESET);
    close(client);
}
END_TEST

enum { MUCH = 64 << 20 };    /* more than the buffers of two sockets ever hold */

START_TEST(a_send_to_a_peer_that_left_is_an_error_and_no_signal)
{
    signal(SIGPIPE, SIG_DFL);
    int client, peer;
    connect_pair(&client, &peer);
    char *much = calloc(1, MUCH);
    ck_assert_ptr_nonnull(much);
    close(peer);
    int error = net_send_all(client, much, MUCH, patience());
    ck_assert_msg(error == -EPIPE || error == -ECONNRESET, "%d", error);
    ck_assert_int_eq(net_send_all(client, much, MUCH, patience()), -EPIPE);
    ck_assert_int_eq(net_send_all(client, much, 0, patience()), 0);
    free(much);
    close(client);
}
END_TEST

START_TEST(a_send_waits_until_its_deadline_signals_or_not)
{
    int client, peer;
    connect_pair(&client, &peer);    /* and the peer reads nothing */
    char *much = calloc(1, MUCH);
    ck_assert_ptr_nonnull(much);
    for (int i = 0; i < 20; i++) {
        if (i == 3)
            start_signals();
        int64_t deadline = clock_ns() + (10 + i) * CLOCK_MS;
        int error = net_send_all(client, much, MUCH, deadline);
        ck_assert_int_ge(clock_ns(), deadline);
        ck_assert_int_eq(error, -ETIMEDOUT);
    }
    stop_signals();
    await_signals(1);
    free(much);
    close(client);
    close(peer);
}
END_TEST

struct reading_helper {    /* written by its thread alone, read after the join */
    int    fd;
    size_t received;
    bool   in_order;
};

static void *read_after_signals(void *arg)
{
    struct reading_helper *helper = arg;
    static unsigned char buf[65536];
    await_signals(20);
    ssize_t got;
    while ((got = net_recv(helper->fd, buf, sizeof buf, patience())) > 0)
        for (ssize_t i = 0; i < got; i++, helper->received++)
            helper->in_order &= buf[i] == helper->received % 251;
    return NULL;
}

START_TEST(a_send_delivers_every_byte_signals_or_not)
{
    int client, peer;
    connect_pair(&client, &peer);
    unsigned char *much = malloc(MUCH);
    ck_assert_ptr_nonnull(much);
    for (size_t i = 0; i < MUCH; i++)
        much[i] = (unsigned char)(i % 251);
    struct reading_helper reader = {.fd = peer, .in_order = true};
    pthread_t helper = start_helper(read_after_signals, &reader);
    start_signals();
    int error = net_send_all(client, much, MUCH, patience());
    close(client);
    ck_assert_int_eq(pthread_join(helper, NULL), 0);
    stop_signals();
    ck_assert_int_eq(error, 0);
    ck_assert_uint_eq(reader.received, MUCH);
    ck_assert(reader.in_order);
    free(much);
    close(peer);
}
END_TEST

START_TEST(a_get_reads_the_whole_reply_and_keeps_what_fits)
{
    struct server server;
    struct endpoint endpoint;
    char reply[1024], start[16];
    server_start(&server, NULL);
    ck_assert_int_eq(net_resolve("127.0.0.1", server.port, &endpoint), 0);
    int fd = get_ask(&endpoint, "/status/404", patience());
    ck_assert_int_eq(get_reply(fd, patience(), start, sizeof start), 404);
    ck_assert_str_eq(start, "HTTP/1.1 404 No");
    fd = get_ask(&endpoint, "/stats", patience());
    ck_assert_int_eq(get_reply(fd, patience(), reply, sizeof reply), 200);
    ck_assert_int_eq(get_number(reply, "requests"), 1);
    ck_assert_int_eq(get_number(reply, "request"), -1);
    server_stop(&server);
    ck_assert_int_eq(get_ask(&endpoint, "/stats", patience()), -ECONNREFUSED);
}
END_TEST

START_TEST(a_line_is_read_until_its_deadline_and_what_is_there_even_after)
{
    int ends[2];
    char line[16];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "ready\nhal", 9), 9);
    ck_assert_int_eq(process_read_line(ends[0], clock_ns() - CLOCK_S, line, sizeof line),
                     0);
    ck_assert_str_eq(line, "ready");
    ck_assert_int_eq(process_read_line(ends[0], clock_ns() - CLOCK_S, line, sizeof line),
                     -ETIMEDOUT);
    close(ends[1]);
    ck_assert_int_eq(process_read_line(ends[0], patience(), line, sizeof line), -ENODATA);
    close(ends[0]);
}
END_TEST

/* --- the suite -------------------------------------------------------------------- */

static void add_waiting(Suite *suite)
{
    TCase *clock = suite_add(suite, "clock");
    tcase_add_checked_fixture(clock, prepare_signals, NULL);
    tcase_add_test(clock, the_clock_never_steps_back);
    tcase_add_test(clock, lengths_of_time_are_converted_without_loss_of_a_wait);
    tcase_add_test(clock, a_sleep_is_never_shorter_than_asked);
    tcase_add_test(clock, a_sleep_outlasts_signals);
    TCase *net = suite_add(suite, "net");
    tcase_add_checked_fixture(net, prepare_signals, NULL);
    tcase_add_test(net, an_address_is_resolved_and_keeps_its_name);
    tcase_add_test(net, a_listener_is_nonblocking_and_its_connections_send_at_once);
    tcase_add_test(net, a_listener_takes_the_port_it_is_given_or_says_why_not);
    tcase_add_test(net, connections_are_made_over_ipv6_too);
    tcase_add_test(net, a_connection_to_a_closed_port_is_refused);
    tcase_add_test(net, a_nonblocking_socket_is_not_yet_connected);
    tcase_add_test(net, a_connect_waits_until_its_deadline_and_no_longer_for_signals);
    tcase_add_test(net, a_connect_that_signals_interrupt_is_made_all_the_same);
    tcase_add_test(net, a_connect_that_signals_interrupt_still_tells_a_refusal);
    tcase_add_test(net, a_receive_waits_until_its_deadline);
    tcase_add_test(net, a_receive_outlasts_signals);
    tcase_add_test(net, a_receive_gives_what_came_then_the_end);
    tcase_add_test(net, a_receive_tells_a_reset);
    tcase_add_test(net, a_send_to_a_peer_that_left_is_an_error_and_no_signal);
    tcase_add_test(net, a_send_waits_until_its_deadline_signals_or_not);
    tcase_add_test(net, a_send_delivers_every_byte_signals_or_not);
    tcase_add_test(net, a_line_is_read_until_its_deadline_and_what_is_there_even_after);
    tcase_add_test(net, a_get_reads_the_whole_reply_and_keeps_what_fits);
}

int main(void)
{
    Suite *suite = suite_create("kit: waiting");
    add_waiting(suite);
    return suite_end(suite);
}
