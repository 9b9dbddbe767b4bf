/* What coro.h promises. Each test runs a loop of its own. */
#include "coro/coro.h"
#include "kit/array.h"
#include "kit/clock.h"
#include "tests/support.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Long enough for anything that does happen, on a machine however busy. */
static int64_t patience(void)
{
    return clock_ns() + AWAIT_NS;
}

static int64_t in_ms(int64_t ms)
{
    return clock_ns() + ms * CLOCK_MS;
}

static void run(coro_body *body, void *arg)
{
    ck_assert_int_eq(coro_run(NULL, body, arg), 0);
}

/* --- spawn, gather, sleep, yield ---------------------------------------------------- */

static int return_number(struct coro *me, void *arg)
{
    (void)me;
    return *(int *)arg;
}

START_TEST(coro_run_returns_what_the_first_returns)
{
    int number = -EXDEV;
    ck_assert_int_eq(coro_run(NULL, return_number, &number), -EXDEV);
    number = 7;
    ck_assert_int_eq(coro_run(NULL, return_number, &number), 7);
}
END_TEST

struct sleeper {
    int   ms;
    char *written;    /* shared by all; each appends its ms, in units of 20 */
};

static int sleep_and_write(struct coro *me, void *arg)
{
    struct sleeper *sleeper = arg;
    int64_t until_ns = in_ms(sleeper->ms);
    int error = coro_sleep(me, until_ns);
    ck_assert_int_ge(clock_ns(), until_ns);
    char digit[] = {(char)('0' + sleeper->ms / 20), '\0'};
    strcat(sleeper->written, digit);
    return error;
}

static int run_sleepers(struct coro *me, void *arg)
{
    struct sleeper sleepers[] = {{60, arg}, {20, arg}, {100, arg}};
    struct coro_group group = {0};
    for (size_t i = 0; i < LENGTH(sleepers); i++)
        ck_assert_int_eq(coro_spawn(me, &group, sleep_and_write, &sleepers[i]), 0);
    ck_assert_int_eq(coro_gather(me, &group, CORO_NEVER), 0);
    strcat(arg, ".");
    return 0;
}

START_TEST(sleepers_wake_in_the_order_of_their_times_and_never_early)
{
    char written[8] = "";
    run(run_sleepers, written);
    ck_assert_str_eq(written, "135.");
}
END_TEST

struct writer {
    char *written;
    char  letter;
};

static int write_thrice(struct coro *me, void *arg)
{
    struct writer *writer = arg;
    for (int i = 0; i < 3; i++) {
        char letter[] = {writer->letter, '\0'};
        strcat(writer->written, letter);
        ck_assert_int_eq(coro_yield(me), 0);
    }
    return 0;
}

static int run_writers(struct coro *me, void *arg)
{
    struct writer writers[] = {{arg, 'a'}, {arg, 'b'}, {arg, 'c'}};
    struct coro_group group = {0};
    for (size_t i = 0; i < LENGTH(writers); i++)
        ck_assert_int_eq(coro_spawn(me, &group, write_thrice, &writers[i]), 0);
    return coro_gather(me, &group, CORO_NEVER);
}

START_TEST(yield_lets_each_of_the_others_go_once)
{
    char written[16] = "";
    run(run_writers, written);
    ck_assert_str_eq(written, "abcabcabc");
}
END_TEST

static int yield_until(struct coro *me, void *arg)
{
    bool *done = arg;
    int64_t end_ns = patience();
    while (!*done && clock_ns() < end_ns)
        ck_assert_int_eq(coro_yield(me), 0);
    return 0;
}

static int sleep_then_set(struct coro *me, void *arg)
{
    int error = coro_sleep(me, in_ms(5));
    *(bool *)arg = true;
    return error;
}

static int yield_against_sleep(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    ck_assert_int_eq(coro_spawn(me, &group, yield_until, arg), 0);
    ck_assert_int_eq(coro_spawn(me, &group, sleep_then_set, arg), 0);
    return coro_gather(me, &group, CORO_NEVER);
}

START_TEST(who_yields_for_ever_does_not_keep_a_sleeper_asleep)
{
    bool done = false;
    run(yield_against_sleep, &done);
    ck_assert(done);
}
END_TEST

/* Sleeps until it is cancelled, and says so. */
static int sleep_for_ever(struct coro *me, void *arg)
{
    int *cancelled = arg;
    int error = coro_sleep(me, CORO_NEVER);
    *cancelled += error == -ECANCELED;
    return error;
}

static int fail_soon(struct coro *me, void *arg)
{
    (void)arg;
    int error = coro_sleep(me, in_ms(1));
    return error ? error : -EXDEV;
}

static int gather_failure(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    ck_assert_int_eq(coro_spawn(me, &group, sleep_for_ever, arg), 0);
    ck_assert_int_eq(coro_spawn(me, &group, fail_soon, NULL), 0);
    ck_assert_int_eq(coro_spawn(me, &group, sleep_for_ever, arg), 0);
    ck_assert_int_eq(coro_gather(me, &group, patience()), -EXDEV);
    ck_assert_int_eq(coro_spawn(me, &group, fail_soon, NULL), 0);    /* it can be used again */
    return coro_gather(me, &group, CORO_NEVER);
}

START_TEST(the_first_error_cancels_the_rest_and_is_returned)
{
    int cancelled = 0;
    ck_assert_int_eq(coro_run(NULL, gather_failure, &cancelled), -EXDEV);
    ck_assert_int_eq(cancelled, 2);
}
END_TEST

static int gather_too_long(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    int64_t deadline_ns = in_ms(5);
    ck_assert_int_eq(coro_spawn(me, &group, sleep_for_ever, arg), 0);
    ck_assert_int_eq(coro_gather(me, &group, deadline_ns), -ETIMEDOUT);
    ck_assert_int_ge(clock_ns(), deadline_ns);
    return 0;
}

START_TEST(gather_past_its_deadline_cancels_all_and_awaits_them)
{
    int cancelled = 0;
    run(gather_too_long, &cancelled);
    ck_assert_int_eq(cancelled, 1);
}
END_TEST

static int count_failures(struct coro *me, void *arg)
{
    int *failures = arg;
    *failures += coro_sleep(me, CORO_NEVER) == -ECANCELED;
    *failures += coro_sleep(me, in_ms(1)) == -ECANCELED;
    *failures += coro_yield(me) == -ECANCELED;
    *failures += coro_wait_fd(me, 0, POLLIN, CORO_NEVER) == -ECANCELED;
    return -ECANCELED;
}

static int cancel_it(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    ck_assert_int_eq(coro_spawn(me, &group, count_failures, arg), 0);
    ck_assert_int_eq(coro_yield(me), 0);
    coro_cancel(&group);
    ck_assert_int_eq(coro_gather(me, &group, CORO_NEVER), -ECANCELED);
    return coro_sleep(me, in_ms(1));    /* cancelling children does not cancel their parent */
}

START_TEST(cancellation_is_sticky)
{
    int failures = 0;
    run(cancel_it, &failures);
    ck_assert_int_eq(failures, 4);
}
END_TEST

static int parent_of_sleeper(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    ck_assert_int_eq(coro_spawn(me, &group, sleep_for_ever, arg), 0);
    int error = coro_gather(me, &group, CORO_NEVER);
    *(int *)arg += 10;    /* after the child, or the sum is another */
    return error;
}

static int cancel_parent(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    ck_assert_int_eq(coro_spawn(me, &group, parent_of_sleeper, arg), 0);
    ck_assert_int_eq(coro_sleep(me, in_ms(1)), 0);
    coro_cancel(&group);
    coro_cancel(&group);
    ck_assert_int_eq(coro_gather(me, &group, CORO_NEVER), -ECANCELED);
    return 0;
}

START_TEST(cancelling_a_parent_cancels_its_children_first)
{
    int cancelled = 0;
    run(cancel_parent, &cancelled);
    ck_assert_int_eq(cancelled, 11);
}
END_TEST

/* --- what stops the program ---------------------------------------------------------- */

/* Runs body in a process of its own, which must end by the signal, having said this. */
static void assert_stops(coro_body *body, void *arg, int signal_number, const char *sentence)
{
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        coro_run(NULL, body, arg);
        _exit(0);
    }
    close(fds[1]);
    char said[8192];
    ssize_t length = client_read_all(fds[0], said, sizeof said);
    close(fds[0]);
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_ge(length, 0);
    ck_assert_msg(strstr(said, sentence) != NULL, "it said: %s", said);
    if (!strstr(said, "Sanitizer"))    /* which ends it in a way of its own */
        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == signal_number,
                      "status %d", status);
}

static int leave_a_child(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    ck_assert_int_eq(coro_spawn(me, &group, sleep_for_ever, arg), 0);
    return 0;
}

START_TEST(a_parent_that_ends_before_its_children_is_stopped)
{
    int cancelled = 0;
    assert_stops(leave_a_child, &cancelled, SIGABRT,
                 "coroutine 0 has ended, but not 1 of its children");
}
END_TEST

static int pause_another(struct coro *me, void *arg)
{
    (void)me;
    return coro_yield(arg);
}

static int lend_me(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    ck_assert_int_eq(coro_spawn(me, &group, pause_another, me), 0);
    (void)arg;
    return coro_gather(me, &group, CORO_NEVER);
}

START_TEST(passing_the_me_of_another_is_stopped)
{
    assert_stops(lend_me, NULL, SIGABRT, "coroutine 1 passed the `me` of coroutine 0");
}
END_TEST

START_TEST(waiting_for_what_can_never_come_is_stopped)
{
    int cancelled = 0;
    assert_stops(sleep_for_ever, &cancelled, SIGABRT, "nothing can wake them");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        coro_run_returns_what_the_first_returns,
        sleepers_wake_in_the_order_of_their_times_and_never_early,
        yield_lets_each_of_the_others_go_once,
        who_yields_for_ever_does_not_keep_a_sleeper_asleep,
        the_first_error_cancels_the_rest_and_is_returned,
        gather_past_its_deadline_cancels_all_and_awaits_them,
        cancellation_is_sticky,
        cancelling_a_parent_cancels_its_children_first,
        a_parent_that_ends_before_its_children_is_stopped,
        passing_the_me_of_another_is_stopped,
        waiting_for_what_can_never_come_is_stopped,
    };
    return suite_run("coro", tests, LENGTH(tests), NULL, NULL);
}
