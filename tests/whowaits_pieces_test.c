/* The pieces of whowaits: what a verdict makes of the evidence, and what /proc tells of a
   thread that sleeps in each of the calls. */
#define _GNU_SOURCE    /* ppoll, splice */
#include "kit/array.h"
#include "kit/clock.h"
#include "kit/net.h"
#include "tests/support.h"
#include "whowaits/pair.h"
#include "whowaits/roll.h"
#include "whowaits/verdict.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- The verdict -------------------------------------------------------------------- */

/* What all evidence has in common where the client was watched to the end. */
#define EIGHT .asked = 8, .at_gate = 8, .settled = true, .sockets = 8, .processes = 1
#define THREE .asked = 8, .at_gate = 3, .settled = true, .sockets = 3, .processes = 1
#define ONE   .asked = 8, .at_gate = 1, .settled = true, .sockets = 1, .processes = 2

/* So many threads in recv, for a socket each; one in poll for all; one in a ring. */
#define RECV(n) .watched = (n), .single = (n), .call = "recv", .one_call = true
#define POLL(n) .watched = (n), .many = 1, .call = "poll", .one_call = true
#define RING(n) .watched = (n), .rings = 1, .call = "io_uring_enter", .one_call = true

static const struct verdict_case {
    struct evidence evidence;
    enum who        who;
    enum how_many   how_many;
    const char     *who_words, *how_many_words;
} cases[] = {
    {{EIGHT, RECV(8), .threads = 9, .waiting_processes = 1, .order = ORDER_READ},
     WHO_THREAD, MANY_ALL, "a thread for each: 8 threads, each asleep in recv", "all 8"},
    {{EIGHT, RECV(8), .threads = 9, .waiting_processes = 8, .order = ORDER_READ},
     WHO_PROCESS, MANY_ALL, "a process for each: 8 processes", "all 8"},
    {{EIGHT, RECV(8), .threads = 9, .waiting_processes = 2},
     WHO_THREAD, MANY_ALL, "a thread for each: 8 threads", "all 8"},
    {{EIGHT, POLL(8), .threads = 1, .waiting_processes = 1, .order = ORDER_READ},
     WHO_LOOP, MANY_ALL, "one thread for all of them, asleep in poll", "all 8"},
    {{EIGHT, POLL(9), .threads = 5},    /* one is kept for later: no harm in that */
     WHO_LOOP, MANY_ALL, "asleep in poll, which watches 9 sockets", "all 8"},
    {{EIGHT, .watched = 8, .many = 3, .single = 1, .call = "epoll", .one_call = true},
     WHO_LOOP, MANY_ALL, "4 threads for all of them", "all 8"},
    {{EIGHT, RING(8), .threads = 1, .order = ORDER_READ},
     WHO_RING, MANY_ALL, "a completion ring: 1 thread", "all 8"},
    {{EIGHT, RECV(1), .threads = 1, .order = ORDER_UNREAD},
     WHO_IN_ORDER, MANY_ALL, "in order: asleep in recv on 1 of 8 sockets", "all 8"},
    {{EIGHT, RECV(1), .threads = 2, .spinning = 1, .order = ORDER_UNREAD},
     WHO_IN_ORDER, MANY_ALL, "in order: asleep in recv on 1 of 8 sockets", "all 8"},
    {{EIGHT, .threads = 1, .spinning = 1, .order = ORDER_READ},
     WHO_SPIN, MANY_ALL, "nobody: 1 thread asks again and again", "all 8"},
    {{EIGHT, POLL(8), .threads = 1, .spinning = 1, .order = ORDER_READ},
     WHO_SPIN, MANY_ALL, "nobody: 1 thread asks", "all 8"},

    /* What does not fit together has no name. */
    {{EIGHT, RECV(1), .threads = 1, .order = ORDER_READ},
     WHO_UNKNOWN, MANY_ALL, "unknown: 1 thread, asleep in recv on 1 of 8", "all 8"},
    {{EIGHT, RECV(1), .threads = 1},
     WHO_UNKNOWN, MANY_ALL, "unknown: 1 thread, asleep in recv on 1 of 8", "all 8"},
    {{EIGHT, POLL(8), .threads = 1, .order = ORDER_UNREAD},
     WHO_UNKNOWN, MANY_ALL, "unknown: 1 thread slept in poll for all 8", "all 8"},
    {{EIGHT, RECV(8), .threads = 8, .order = ORDER_UNREAD},
     WHO_UNKNOWN, MANY_ALL, "unknown: 8 threads slept in recv for all 8", "all 8"},
    {{EIGHT, .threads = 5, .watched = 8, .single = 4, .many = 1, .call = "recv"},
     WHO_UNKNOWN, MANY_ALL, "unknown: of several kinds", "all 8"},
    {{EIGHT, .threads = 2, .call = "pause", .order = ORDER_READ},
     WHO_UNKNOWN, MANY_ALL, "unknown: no thread sleeps for 8 of the 8", "all 8"},
    {{EIGHT, .threads = 1, .spinning = 1, .order = ORDER_UNREAD},
     WHO_UNKNOWN, MANY_ALL, "unknown: no thread sleeps for 8 of the 8", "all 8"},
    {{EIGHT, .threads = 1, .spinning = 1},
     WHO_UNKNOWN, MANY_ALL, "unknown: no thread sleeps for 8 of the 8", "all 8"},
    {{EIGHT, RECV(1), .threads = 2, .spinning = 1, .order = ORDER_READ},
     WHO_UNKNOWN, MANY_ALL, "unknown: 1 thread, asleep in recv on 1 of 8", "all 8"},
    {{EIGHT, .threads = 8, .hidden = 8, .call = "?"},
     WHO_UNKNOWN, MANY_ALL, "unknown: 8 of its 8 threads may not be", "all 8"},
    {{.asked = 8, .at_gate = 8, RECV(8), .threads = 8},
     WHO_UNKNOWN, MANY_ALL, "unknown: its threads did not come to rest", "all 8"},
    {{.asked = 8, .overflowed = true},
     WHO_UNKNOWN, MANY_UNKNOWN, "unknown: more than 8", "unknown: more than 8"},
    {{.asked = 8, .settled = true, .complete = true, .threads = 1, .call = "pause"},
     WHO_UNKNOWN, MANY_UNKNOWN, "unknown: nobody stood", "unknown: no request came"},

    /* Fewer than there is room for: each of three proofs will do, and none will not. */
    {{THREE, RECV(3), .waiting_processes = 1, .complete = true, .next = NEXT_SAME},
     WHO_THREAD, MANY_SOME, "a pool: 3 threads", "3: the next came only after an answer"},
    {{THREE, RECV(3), .waiting_processes = 1, .next = NEXT_THREADS},
     WHO_THREAD, MANY_SOME, "a thread for each: 3 threads", "3: the next came only"},
    {{THREE, RECV(3), .waiting_processes = 3, .ended = true},
     WHO_PROCESS, MANY_SOME, "a process for each", "3, which is all that it asked for"},
    {{THREE, POLL(3), .complete = true},
     WHO_LOOP, MANY_SOME, "one thread for all", "3: everyone slept"},
    {{THREE, POLL(3)},
     WHO_LOOP, MANY_UNKNOWN, "one thread for all", "unknown: 3, but"},
    {{ONE, RECV(1), .waiting_processes = 1, .complete = true, .next = NEXT_SAME},
     WHO_THREAD, MANY_ONE, "one thread, asleep in recv", "1: the next came only after"},
    {{THREE, RECV(3), .waiting_processes = 3, .next = NEXT_SAME, .next_at_once = 3},
     WHO_PROCESS, MANY_SOME, "a pool: 3 processes", "3: the next came only after"},
    {{THREE, RECV(3), .waiting_processes = 1, .next = NEXT_SAME, .next_at_once = 5},
     WHO_THREAD, MANY_UNKNOWN, "a pool: 3 threads", "unknown: 3 until the first"},
    {{ONE, RECV(1), .waiting_processes = 1, .complete = true, .next = NEXT_PROCESSES},
     WHO_PROCESS, MANY_ONE, "one process after the other, each asleep in recv",
     "1: the next"},
    {{.asked = 1, .at_gate = 1, .settled = true, RECV(1), .waiting_processes = 1},
     WHO_THREAD, MANY_ONE, "one thread, asleep in recv", "1, and no more was asked"},
};

START_TEST(verdict_says_what_the_evidence_proves_and_no_more)
{
    const struct verdict_case *each = &cases[_i];
    struct verdict verdict;
    verdict_reach(&each->evidence, &verdict);
    ck_assert_str_eq(verdict_who_name(verdict.who), verdict_who_name(each->who));
    ck_assert_str_eq(verdict_how_many_name(verdict.how_many),
                     verdict_how_many_name(each->how_many));
    assert_says(verdict.who_words, each->who_words);
    assert_says(verdict.how_many_words, each->how_many_words);
}
END_TEST

/* --- The calls ---------------------------------------------------------------------- */

static int listener, port, socket_fd;

static void connect_socket(void)
{
    listener = net_listen("127.0.0.1", 0, 16);
    ck_assert_int_ge(listener, 0);
    port = net_port(listener);
    socket_fd = client_connect(port);
}

static void sleep_in_read(void)
{
    char byte;
    while (read(socket_fd, &byte, 1) >= 0)
        continue;
}

static void sleep_in_recv(void)
{
    char byte;
    while (recv(socket_fd, &byte, 1, 0) >= 0)
        continue;
}

static void sleep_in_poll(void)
{
    struct pollfd fds[2] = {{.fd = -1, .events = POLLIN},    /* passed over */
                            {.fd = socket_fd, .events = POLLIN}};
    poll(fds, 2, 3600 * 1000);
}

static void sleep_in_poll_for_writing(void)
{
    struct pollfd fd = {.fd = listener, .events = POLLOUT};
    poll(&fd, 1, -1);
}

static void sleep_in_ppoll(void)
{
    struct pollfd fd = {.fd = socket_fd, .events = POLLIN};
    struct timespec hour = {.tv_sec = 3600};
    ppoll(&fd, 1, &hour, NULL);
}

static void sleep_in_select(void)
{
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(socket_fd, &readable);
    pselect(socket_fd + 1, &readable, NULL, NULL, NULL, NULL);
}

static void sleep_in_epoll(void)
{
    struct epoll_event event = {.events = EPOLLIN}, got;
    int epoll_fd = epoll_create1(0);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, socket_fd, &event);
    epoll_pwait(epoll_fd, &got, 1, 3600 * 1000, NULL);
}

static int set_timer(int seconds)
{
    struct itimerspec once = {.it_value.tv_sec = seconds};
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    timerfd_settime(fd, 0, &once, NULL);
    return fd;
}

static void sleep_in_read_of_a_timer(void)
{
    uint64_t count;
    while (read(set_timer(3600), &count, sizeof count) >= 0)
        continue;
}

/* The first of the timers that it watches is not set. */
static void sleep_in_poll_with_timers(void)
{
    struct pollfd fds[] = {{.fd = socket_fd, .events = POLLIN},
                           {.fd = set_timer(0), .events = POLLIN},
                           {.fd = set_timer(3600), .events = POLLIN},
                           {.fd = set_timer(7200), .events = POLLIN}};
    poll(fds, LENGTH(fds), -1);
}

static void sleep_in_epoll_with_timers(void)
{
    struct epoll_event event = {.events = EPOLLIN}, got;
    int epoll_fd = epoll_create1(0);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, socket_fd, &event);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, set_timer(0), &event);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, set_timer(3600), &event);
    epoll_pwait(epoll_fd, &got, 1, -1, NULL);
}

static void sleep_in_nanosleep(void)
{
    struct timespec hour = {.tv_sec = 3600};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL);
}

static void sleep_until(void)
{
    struct timespec end = clock_timespec(clock_ns() + 3600LL * CLOCK_S);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
}

static void sleep_in_pause(void)
{
    pause();
}

/* In a second thread; the first has ended. */
static void *poll_in_thread(void *arg)
{
    sleep_in_poll_with_timers();
    return arg;
}

static void sleep_in_second_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, poll_in_thread, NULL) == 0)
        pthread_exit(NULL);
}

static pthread_mutex_t mutex;
static atomic_bool     locked;

static void *lock_for_ever(void *arg)
{
    pthread_mutex_lock(&mutex);
    locked = true;
    pause();
    return arg;
}

/* Of a mutex that inherits priorities the timeout is a moment of the time of day. */
static void sleep_in_timed_lock(void)
{
    pthread_mutexattr_t attr;
    pthread_t thread;
    struct timespec end;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&mutex, &attr);
    pthread_create(&thread, NULL, lock_for_ever, NULL);
    while (!locked)
        sched_yield();
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 3600;
    pthread_mutex_timedlock(&mutex, &end);
}

static void sleep_in_futex(void)
{
    pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    pthread_mutex_init(&mutex, NULL);
    pthread_mutex_lock(&mutex);
    pthread_cond_wait(&cond, &mutex);
}

/* A call that has no name here. */
static void sleep_in_splice(void)
{
    int from[2], to[2];
    if (pipe(from) == 0 && pipe(to) == 0)
        splice(from[0], NULL, to[1], NULL, 1, 0);
}

#ifdef SYS_io_uring_setup
static int open_ring(void)
{
    char params[120] = {0};    /* struct io_uring_params */
    return (int)syscall(SYS_io_uring_setup, 1, params);
}

static void sleep_in_ring(void)
{
    syscall(SYS_io_uring_enter, open_ring(), 0, 1, 1 /* GETEVENTS */, NULL, 0);
}
#endif

static const struct sleep_case {
    void         (*sleep)(void);
    const char    *name;
    enum call_kind kind;
    int            watched;
    bool           timed;    /* for an hour */
} sleeps[] = {
    {sleep_in_read, "read", CALL_READ, 1, false},
    {sleep_in_recv, "recv", CALL_READ, 1, false},
    {sleep_in_poll, "poll", CALL_READY, 1, true},
    {sleep_in_poll_for_writing, "poll", CALL_READY, 0, false},
    {sleep_in_ppoll, "ppoll", CALL_READY, 1, true},
    {sleep_in_select, "pselect", CALL_READY, 1, false},
    {sleep_in_epoll, "epoll_pwait", CALL_READY, 1, true},
    {sleep_in_read_of_a_timer, "read", CALL_READ, 0, true},
    {sleep_in_poll_with_timers, "poll", CALL_READY, 1, true},
    {sleep_in_epoll_with_timers, "epoll_pwait", CALL_READY, 1, true},
    {sleep_in_nanosleep, "clock_nanosleep", CALL_TIMER, 0, true},
    {sleep_until, "clock_nanosleep", CALL_TIMER, 0, true},
    {sleep_in_pause, "pause", CALL_OTHER, 0, false},
    {sleep_in_timed_lock, "futex", CALL_OTHER, 0, true},
    {sleep_in_futex, "futex", CALL_OTHER, 0, false},
};

static pid_t start_sleeper(void (*sleep)(void))
{
    pid_t parent = getpid();
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        sleep();
    _exit(0);
}

static void stop_sleeper(pid_t pid)
{
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* Calls the roll until the sleeper's first thread sleeps in that call. */
static void await_asleep(struct roll *roll, pid_t pid, const char *name)
{
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    for (;;) {
        ck_assert_int_eq(roll_call(roll, getpid(), 0, port), 0);
        const struct roll_thread *thread = roll_find(roll, pid);
        if (thread && roll_asleep(thread) && strcmp(thread->call.name, name) == 0)
            return;
        ck_assert_msg(clock_ns() < deadline_ns, "it sleeps in %s, not in %s",
                      thread ? thread->call.name : "nothing", name);
        roll_free(roll);
        clock_sleep(CLOCK_MS);
    }
}

START_TEST(roll_tells_in_which_call_a_thread_sleeps)
{
    const struct sleep_case *each = &sleeps[_i];
    struct roll roll;
    connect_socket();
    pid_t pid = start_sleeper(each->sleep);
    await_asleep(&roll, pid, each->name);
    const struct call *call = &roll_find(&roll, pid)->call;
    ck_assert_int_eq(call->kind, each->kind);
    ck_assert_int_eq(roll_find(&roll, pid)->watched, each->watched);
    ck_assert_int_eq(roll.watched, each->watched);
    ck_assert_int_eq(roll.sockets, 1);
    ck_assert_int_eq(roll.processes, 1);
    ck_assert_int_eq(roll_count(&roll, each->name), 1);
    ck_assert_int_ge(roll.rss_kib, 1);
    if (each->timed)    /* an hour; less a moment where it is told as an end in time */
        ck_assert(call->timeout_ns > 3000LL * CLOCK_S &&
                  call->timeout_ns <= 3600LL * CLOCK_S);
    else
        ck_assert_int_eq(call->timeout_ns, -1);
    roll_free(&roll);
    stop_sleeper(pid);
}
END_TEST

/* What cannot be seen is not taken for a sleep without end. */
static void assert_unseen(void (*sleep)(void), const char *name, int watched)
{
    struct roll roll;
    pid_t pid = start_sleeper(sleep);
    await_asleep(&roll, pid, name);
    ck_assert_int_eq(roll_find(&roll, pid)->call.timeout_ns,
                     (int64_t)CALL_UNSEEN_S * CLOCK_S);
    ck_assert_int_eq(roll.watched, watched);
    roll_free(&roll);
    stop_sleeper(pid);
}

START_TEST(roll_knows_no_timeout_of_a_call_that_it_does_not_know)
{
    char name[CALL_NAME];
    snprintf(name, sizeof name, "call %d", SYS_splice);
    connect_socket();
    assert_unseen(sleep_in_splice, name, 0);
}
END_TEST

#ifdef SYS_io_uring_setup
START_TEST(roll_knows_no_timeout_of_a_ring)
{
    connect_socket();
    assert_unseen(sleep_in_ring, "io_uring_enter", 1);
}
END_TEST

/* Whether this kernel lets us have one. */
static bool has_rings(void)
{
    int fd = open_ring();
    if (fd >= 0)
        close(fd);
    else
        printf("skipped: io_uring is refused here\n");
    return fd >= 0;
}
#endif

/* The thread that polls; NULL: nobody does yet, or the first thread is still there. */
static const struct roll_thread *find_other(const struct roll *roll, pid_t first)
{
    for (int i = 0; i < roll->count && !roll_find(roll, first); i++)
        if (roll->threads[i].call.kind == CALL_READY)
            return &roll->threads[i];
    return NULL;
}

/* Such a process shows neither memory nor descriptors of its own. */
START_TEST(roll_sees_what_goes_on_without_a_first_thread)
{
    struct roll roll;
    const struct roll_thread *other;
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    connect_socket();
    pid_t pid = start_sleeper(sleep_in_second_thread);
    for (;;) {
        ck_assert_int_eq(roll_call(&roll, getpid(), 0, port), 0);
        other = find_other(&roll, pid);
        if (other)
            break;
        ck_assert_msg(clock_ns() < deadline_ns, "it does not come to rest");
        roll_free(&roll);
        clock_sleep(CLOCK_MS);
    }
    ck_assert_int_eq(roll.sockets, 1);
    ck_assert_int_eq(other->held, 1);
    ck_assert_int_eq(other->watched, 1);
    ck_assert(other->call.timeout_ns > 3000LL * CLOCK_S &&
              other->call.timeout_ns <= 3600LL * CLOCK_S);
    roll_free(&roll);
    stop_sleeper(pid);
}
END_TEST

START_TEST(roll_leaves_out_the_one_that_is_excepted_and_the_dead)
{
    pid_t *pids;
    struct roll roll;
    connect_socket();
    pid_t one = start_sleeper(sleep_in_pause), other = start_sleeper(sleep_in_pause);
    ck_assert_int_eq(roll_processes(getpid(), other, &pids), 1);
    ck_assert_int_eq(pids[0], one);
    free(pids);
    kill(other, SIGKILL);
    siginfo_t ended;
    ck_assert_int_eq(waitid(P_PID, (id_t)other, &ended, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(roll_processes(getpid(), 0, &pids), 2);    /* not buried yet */
    free(pids);
    ck_assert_int_eq(roll_call(&roll, getpid(), 0, port), 0);
    ck_assert_int_eq(roll.processes, 1);
    ck_assert_ptr_null(roll_find(&roll, other));
    roll_free(&roll);
    ck_assert_int_eq(waitpid(other, NULL, 0), other);
    stop_sleeper(one);
}
END_TEST

START_TEST(roll_sees_what_nobody_has_read)
{
    struct roll roll;
    connect_socket();
    int accepted;
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    while ((accepted = accept(listener, NULL, NULL)) < 0 && clock_ns() < deadline_ns)
        clock_sleep(CLOCK_MS);
    ck_assert_int_ge(accepted, 0);
    pid_t pid = start_sleeper(sleep_in_pause);
    await_asleep(&roll, pid, "pause");
    ck_assert_int_eq(roll.unread, 0);
    roll_free(&roll);
    shutdown(accepted, SHUT_WR);    /* an end is no byte */
    close(socket_fd);
    await_asleep(&roll, pid, "pause");
    ck_assert_int_eq(roll.sockets, 1);
    ck_assert_int_eq(roll.unread, 0);
    roll_free(&roll);
    stop_sleeper(pid);

    socket_fd = client_connect(port);
    while ((accepted = accept(listener, NULL, NULL)) < 0 && clock_ns() < deadline_ns)
        clock_sleep(CLOCK_MS);
    client_send(accepted, "x");
    pid = start_sleeper(sleep_in_pause);
    await_asleep(&roll, pid, "pause");
    ck_assert_int_eq(roll.unread, 1);
    roll_free(&roll);
    stop_sleeper(pid);
}
END_TEST

START_TEST(roll_sees_what_is_still_under_way)
{
    struct roll roll;
    struct endpoint endpoint;
    listener = net_listen("127.0.0.1", 0, 0);    /* has room for one */
    port = net_port(listener);
    ck_assert_int_eq(net_resolve("127.0.0.1", port, &endpoint), 0);
    close(client_connect(port));
    int fd = net_socket_nonblocking(&endpoint);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&endpoint.address,
                             endpoint.address_length), -1);
    pid_t pid = start_sleeper(sleep_in_pause);
    await_asleep(&roll, pid, "pause");
    ck_assert_int_eq(roll.sockets, 1);
    ck_assert_int_eq(roll.under_way, 1);
    roll_free(&roll);
    stop_sleeper(pid);
}
END_TEST

/* --- Who spins ---------------------------------------------------------------------- */

static const struct spin_case {
    bool           spins;
    char           state;
    enum call_kind kind;
    int            watched, held;
    int            woke, cpu_ms;    /* in half a second */
} spins[] = {
    {true, 'R', CALL_NONE, 0, 8, 0, 400},
    {false, 'R', CALL_NONE, 0, 0, 0, 400},         /* at something else */
    {false, 'R', CALL_NONE, 0, 8, 0, 20},          /* it may only have been held up */
    {true, 'S', CALL_TIMER, 0, 8, 450, 10},        /* naps of a millisecond */
    {true, 'S', CALL_TIMER, 0, 8, 5, 0},           /* ... of a hundred */
    {false, 'S', CALL_TIMER, 0, 0, 450, 10},
    {false, 'S', CALL_TIMER, 0, 8, 0, 0},
    {true, 'S', CALL_READY, 8, 8, 450, 10},        /* poll, for a millisecond each */
    {false, 'S', CALL_READY, 8, 8, 5, 1},          /* a library's clock */
    {false, 'S', CALL_READY, 8, 8, 0, 200},
    {false, 'S', CALL_OTHER, 0, 8, 450, 10},       /* work handed to and fro */
};

START_TEST(pair_tells_who_spins)
{
    const struct spin_case *each = &spins[_i];
    struct roll_thread before = {.state = each->state, .held = each->held,
                                 .call.kind = each->kind, .watched = each->watched};
    struct roll_thread after = before;
    after.woke = each->woke;
    after.cpu_ns = (int64_t)each->cpu_ms * CLOCK_MS;
    ck_assert_int_eq(pair_spins(&before, &after, CLOCK_S / 2), each->spins);
}
END_TEST

/* --- Who might still go on ---------------------------------------------------------- */

static const struct complete_case {
    bool    complete;
    char    state;
    int64_t was_ms, is_ms;    /* their timeouts; -1: none */
    int     woke, seconds;
    int     under_way;
} completes[] = {
    {true, 'S', -1, -1, 0, 1, 0},                  /* asleep, with nothing to wake it */
    {false, 'S', -1, -1, 1, 1, 0},
    {false, 'S', -1, -1, 0, 1, 1},
    {false, 'R', -1, -1, 0, 20, 0},
    {true, 'S', 3600 * 1000, 3600 * 1000, 0, 1, 0},    /* a guard, not a plan */
    {false, 'S', 5000, -1, 0, 1, 0},               /* it ran out between two looks */
    {false, 'S', 100, 100, 5, 1, 0},               /* too soon to tell */
    {true, 'S', 100, 100, 100, 10, 0},
    {false, 'S', 100, 100, 100, 10, 1},
    {false, 'S', 5000, 5000, 2, 10, 0},
    {false, 'S', 1000, 2000, 1, 10, 0},            /* what is left of ten seconds, twice */
};

START_TEST(pair_tells_who_might_still_go_on)
{
    const struct complete_case *each = &completes[_i];
    struct roll_thread was = {.state = each->state, .call.kind = CALL_READY};
    struct roll_thread is = was;
    was.call.timeout_ns = each->was_ms < 0 ? -1 : each->was_ms * CLOCK_MS;
    is.call.timeout_ns = each->is_ms < 0 ? -1 : each->is_ms * CLOCK_MS;
    is.woke = each->woke;
    struct pair pair = {
        .first.roll = {.threads = &was, .count = 1},
        .last = {.at_ns = (int64_t)each->seconds * CLOCK_S,
                 .roll = {.threads = &is, .count = 1, .under_way = each->under_way}},
    };
    ck_assert_int_eq(pair_is_complete(&pair), each->complete);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("whowaits, the pieces");
    TCase *tcase = suite_add(suite, "tables");
    tcase_add_loop_test(tcase, verdict_says_what_the_evidence_proves_and_no_more, 0,
                        (int)LENGTH(cases));
    tcase_add_loop_test(tcase, pair_tells_who_spins, 0, (int)LENGTH(spins));
    tcase_add_loop_test(tcase, pair_tells_who_might_still_go_on, 0,
                        (int)LENGTH(completes));
    tcase = suite_add(suite, "roll");
    tcase_add_loop_test(tcase, roll_tells_in_which_call_a_thread_sleeps, 0,
                        (int)LENGTH(sleeps));
    tcase_add_test(tcase, roll_knows_no_timeout_of_a_call_that_it_does_not_know);
#ifdef SYS_io_uring_setup
    if (has_rings())
        tcase_add_test(tcase, roll_knows_no_timeout_of_a_ring);
#endif
    tcase_add_test(tcase, roll_sees_what_goes_on_without_a_first_thread);
    tcase_add_test(tcase, roll_leaves_out_the_one_that_is_excepted_and_the_dead);
    tcase_add_test(tcase, roll_sees_what_nobody_has_read);
    tcase_add_test(tcase, roll_sees_what_is_still_under_way);
    return suite_end(suite);
}
