/* What coro.h promises. Each test runs a loop of its own. */
#include "coro/coro.h"
#include "kit/array.h"
#include "kit/clock.h"
#include "tests/support.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
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

/* --- spawn, gather, sleep, yield --------------------------------------------------- */

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
    ck_assert_int_eq(coro_spawn(me, &group, fail_soon, NULL), 0);    /* used again */
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
    return coro_sleep(me, in_ms(1));    /* that did not cancel me */
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

/* --- many -------------------------------------------------------------------------- */

#ifndef __has_feature    /* clang's word; gcc has a macro */
#define __has_feature(x) 0
#endif
#if defined __SANITIZE_THREAD__ || __has_feature(thread_sanitizer)
enum { MANY = 20000 };     /* TSan makes a fibre in ten times as long as we do */
#else
enum { MANY = 100000 };
#endif
enum { MANY_GUARDED = 30000, TOO_MANY_GUARDED = 40000 };

/* All wait for one semaphore; no clock is asked. */
struct crowd {
    int                   size, asleep, awake, error;
    struct coro_semaphore bed;
};

static int sleep_in_crowd(struct coro *me, void *arg)
{
    struct crowd *crowd = arg;
    crowd->asleep++;
    int error = coro_semaphore_acquire(me, &crowd->bed, patience());
    crowd->awake++;
    return error;
}

static int wake_crowd(struct coro *me, void *arg)
{
    struct crowd *crowd = arg;
    struct coro_group group = {0};
    int spawned = 0;
    while (spawned < crowd->size && !crowd->error) {
        crowd->error = coro_spawn(me, &group, sleep_in_crowd, crowd);
        spawned += !crowd->error;
    }
    while (crowd->asleep < spawned)
        ck_assert_int_eq(coro_yield(me), 0);
    ck_assert_int_eq(crowd->awake, 0);
    for (int i = 0; i < spawned; i++)
        coro_semaphore_release(&crowd->bed);
    return coro_gather(me, &group, CORO_NEVER);
}

START_TEST(a_hundred_thousand_sleep_at_once_and_all_wake)
{
    struct crowd crowd = {.size = MANY};
    run(wake_crowd, &crowd);
    ck_assert_int_eq(crowd.error, 0);
    ck_assert_int_eq(crowd.awake, MANY);
}
END_TEST

enum { ROUNDS = 2000, ROUND = 100 };

struct row {
    const void *places[2 * ROUND];    /* each of them on another stack */
    size_t      stacks;
    int         ended;
};

static int stand_in_row(struct coro *me, void *arg)
{
    struct row *row = arg;
    const void *here = &row;
    size_t i = 0;
    while (i < row->stacks && row->places[i] != here)
        i++;
    if (i == row->stacks && i < LENGTH(row->places))
        row->places[row->stacks++] = here;
    int error = coro_yield(me);
    row->ended++;
    return error;
}

static int fill_rows(struct coro *me, void *arg)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct coro_group group = {0};
        for (int i = 0; i < ROUND; i++)
            ck_assert_int_eq(coro_spawn(me, &group, stand_in_row, arg), 0);
        ck_assert_int_eq(coro_gather(me, &group, CORO_NEVER), 0);
    }
    return 0;
}

/* Each leaves its stack by a switch that never comes back: who does not tell TSan so has
   it keep a frame or two of each, until there is no room for more. */
START_TEST(who_comes_later_uses_the_stacks_of_those_who_have_ended)
{
    struct row row = {0};
    run(fill_rows, &row);
    ck_assert_int_eq(row.ended, ROUNDS * ROUND);
    ck_assert_uint_eq(row.stacks, ROUND);
}
END_TEST

START_TEST(thirty_thousand_sleep_at_once_with_mprotect_guards)
{
    struct crowd crowd = {.size = MANY_GUARDED};
    struct coro_options options = {.mprotect_guards = true};
    ck_assert_int_eq(coro_run(&options, wake_crowd, &crowd), 0);
    ck_assert_int_eq(crowd.error, 0);
    ck_assert_int_eq(crowd.awake, MANY_GUARDED);
}
END_TEST

START_TEST(past_the_limit_of_mappings_spawn_says_so_and_the_others_live)
{
    struct crowd crowd = {.size = TOO_MANY_GUARDED};
    struct coro_options options = {.mprotect_guards = true};
    ck_assert_int_eq(coro_run(&options, wake_crowd, &crowd), 0);
    FILE *limit = fopen("/proc/sys/vm/max_map_count", "r");
    long most = 0;
    ck_assert(limit && fscanf(limit, "%ld", &most) == 1);
    fclose(limit);
    if (most < 2 * TOO_MANY_GUARDED)
        ck_assert_int_eq(crowd.error, -EAGAIN);
    ck_assert_int_eq(crowd.awake, crowd.asleep);
}
END_TEST

/* --- sockets ----------------------------------------------------------------------- */

enum { HEAP = 4 * 1000 * 1000 };    /* more than two sockets hold */

struct pair {
    int   fds[2];
    char *sent, *received;
};

static int send_heap(struct coro *me, void *arg)
{
    struct pair *pair = arg;
    int error = coro_send_all(me, pair->fds[0], pair->sent, HEAP, patience());
    shutdown(pair->fds[0], SHUT_WR);
    return error;
}

static int receive_heap(struct coro *me, void *arg)
{
    struct pair *pair = arg;
    size_t used = 0;
    ssize_t received;
    do {
        received = coro_recv(me, pair->fds[1], pair->received + used, HEAP - used + 1,
                             patience());
        ck_assert_int_ge(received, 0);
        used += (size_t)received;
    } while (received > 0);
    ck_assert_uint_eq(used, HEAP);
    return 0;
}

static int exchange_heap(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    ck_assert_int_eq(coro_spawn(me, &group, send_heap, arg), 0);
    ck_assert_int_eq(coro_spawn(me, &group, receive_heap, arg), 0);
    return coro_gather(me, &group, CORO_NEVER);
}

START_TEST(what_is_sent_arrives_whole_though_the_buffers_are_smaller)
{
    struct pair pair = {.sent = malloc(HEAP), .received = malloc(HEAP + 1)};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.fds), 0);
    for (int i = 0; i < HEAP; i++)
        pair.sent[i] = (char)(i * 7 / 5);
    run(exchange_heap, &pair);
    ck_assert(memcmp(pair.sent, pair.received, HEAP) == 0);
    free(pair.sent);
    free(pair.received);
    close(pair.fds[0]);
    close(pair.fds[1]);
}
END_TEST

static int try_sockets(struct coro *me, void *arg)
{
    const int *fds = arg;
    char byte = 'x';
    int64_t deadline_ns = in_ms(5);
    ck_assert_int_eq(coro_recv(me, fds[0], &byte, 1, deadline_ns), -ETIMEDOUT);
    ck_assert_int_ge(clock_ns(), deadline_ns);
    ck_assert_int_eq(coro_wait_fd(me, fds[0], POLLIN, in_ms(1)), -ETIMEDOUT);
    ck_assert_int_eq(coro_wait_fd(me, fds[0], POLLIN | POLLOUT, patience()), POLLOUT);
    ck_assert_int_eq(send(fds[1], "ab", 2, 0), 2);
    ck_assert_int_eq(coro_wait_fd(me, fds[0], POLLIN, patience()), POLLIN);
    ck_assert_int_eq(coro_recv(me, fds[0], &byte, 1, patience()), 1);
    ck_assert_int_eq(byte, 'a');
    ck_assert_int_eq(coro_recv(me, fds[0], &byte, 1, deadline_ns), -ETIMEDOUT);
    close(fds[1]);
    ck_assert_int_eq(coro_send_all(me, fds[0], &byte, 1, patience()), -EPIPE);
    ck_assert_int_eq(coro_wait_fd(me, -1, POLLIN, patience()), -EBADF);
    FILE *regular = tmpfile();
    ck_assert_ptr_nonnull(regular);
    ck_assert_int_eq(coro_wait_fd(me, fileno(regular), POLLIN, patience()), -EPERM);
    fclose(regular);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(null, 0);
    ck_assert_int_eq(coro_wait_fd(me, null, POLLIN, patience()), -EPERM);
    close(null);
    return 0;
}

START_TEST(socket_calls_end_by_their_deadlines_and_tell_errors)
{
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    run(try_sockets, fds);
    close(fds[0]);
}
END_TEST

static int connect_twice(struct coro *me, void *arg)
{
    (void)arg;
    struct endpoint server;
    int listener = net_listen("127.0.0.1", 0, 1);
    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(net_resolve("127.0.0.1", net_port(listener), &server), 0);
    int fd = coro_connect(me, &server, patience());
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(coro_send_all(me, fd, "x", 1, patience()), 0);
    close(fd);
    close(listener);
    ck_assert_int_eq(coro_connect(me, &server, patience()), -ECONNREFUSED);
    ck_assert_int_eq(coro_connect(me, &server, clock_ns()), -ETIMEDOUT);
    return 0;
}

START_TEST(connect_connects_or_says_why_not)
{
    run(connect_twice, NULL);
}
END_TEST

/* --- semaphore, mutex, queue ------------------------------------------------------- */

struct room {
    struct coro_semaphore places;
    struct coro_mutex     mutex;
    int                   inside, most, passed;
    char                  order[16];
};

static int visit(struct coro *me, void *arg)
{
    struct room *room = arg;
    ck_assert_int_eq(coro_semaphore_acquire(me, &room->places, patience()), 0);
    if (++room->inside > room->most)
        room->most = room->inside;
    ck_assert_int_eq(coro_yield(me), 0);
    room->inside--;
    room->passed++;
    coro_semaphore_release(&room->places);
    return 0;
}

static int visit_all(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(coro_spawn(me, &group, visit, arg), 0);
    return coro_gather(me, &group, CORO_NEVER);
}

START_TEST(a_semaphore_lets_in_as_many_as_it_counts)
{
    struct room room = {.places = {.count = 3}};
    run(visit_all, &room);
    ck_assert_int_eq(room.most, 3);
    ck_assert_int_eq(room.passed, 10);
    ck_assert_int_eq(room.places.count, 3);
}
END_TEST

static int acquire(struct coro *me, void *arg)
{
    struct room *room = arg;
    int error = coro_semaphore_acquire(me, &room->places, CORO_NEVER);
    room->passed += error == 0;
    return error;
}

/* A release and a cancellation of the same waiter in the same turn, in both orders. */
static int release_and_cancel(struct coro *me, void *arg)
{
    struct room *room = arg;
    for (int i = 0; i < 2; i++) {
        struct coro_group group = {0};
        ck_assert_int_eq(coro_spawn(me, &group, acquire, arg), 0);
        ck_assert_int_eq(coro_yield(me), 0);
        if (i == 0)
            coro_semaphore_release(&room->places);
        coro_cancel(&group);
        coro_cancel(&group);
        if (i == 1)
            coro_semaphore_release(&room->places);
        ck_assert_int_eq(coro_gather(me, &group, CORO_NEVER), 0);
        ck_assert_int_eq(room->passed + room->places.count, i + 1);    /* none is lost */
    }
    return 0;
}

START_TEST(a_second_wake_changes_nothing_and_loses_nothing)
{
    struct room room = {.passed = 0};
    run(release_and_cancel, &room);
}
END_TEST

static int hold(struct coro *me, void *arg)
{
    struct room *room = arg;
    ck_assert_int_eq(coro_semaphore_acquire(me, &room->places, patience()), 0);
    char *memory = malloc(100);    /* a leak checker sees whether the end is reached */
    int error = coro_sleep(me, CORO_NEVER);
    free(memory);
    coro_semaphore_release(&room->places);
    return error;
}

static int cancel_holder(struct coro *me, void *arg)
{
    struct room *room = arg;
    struct coro_group group = {0}, waiters = {0};
    ck_assert_int_eq(coro_spawn(me, &group, hold, room), 0);
    ck_assert_int_eq(coro_yield(me), 0);
    ck_assert_int_eq(room->places.count, 0);
    ck_assert_int_eq(coro_semaphore_acquire(me, &room->places, in_ms(1)), -ETIMEDOUT);
    ck_assert_int_eq(coro_spawn(me, &waiters, acquire, room), 0);
    ck_assert_int_eq(coro_yield(me), 0);
    coro_cancel(&waiters);
    ck_assert_int_eq(coro_gather(me, &waiters, CORO_NEVER), -ECANCELED);
    ck_assert_ptr_null(room->places.waiters.first);
    coro_cancel(&group);
    ck_assert_int_eq(coro_gather(me, &group, CORO_NEVER), -ECANCELED);
    ck_assert_int_eq(room->places.count, 1);
    return 0;
}

START_TEST(a_task_cancelled_while_it_waits_frees_what_it_holds)
{
    struct room room = {.places = {.count = 1}};
    run(cancel_holder, &room);
}
END_TEST

static int lock_in_turn(struct coro *me, void *arg)
{
    struct room *room = arg;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(coro_mutex_lock(me, &room->mutex, patience()), 0);
        ck_assert_int_eq(room->inside++, 0);
        ck_assert_int_eq(coro_yield(me), 0);
        room->inside--;
        room->passed++;
        coro_mutex_unlock(me, &room->mutex);
    }
    return 0;
}

static int lock_all(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(coro_spawn(me, &group, lock_in_turn, arg), 0);
    return coro_gather(me, &group, CORO_NEVER);
}

START_TEST(a_mutex_lets_in_one)
{
    struct room room = {.passed = 0};
    run(lock_all, &room);
    ck_assert_int_eq(room.passed, 12);
    ck_assert_ptr_null(room.mutex.owner);
}
END_TEST

enum { ITEMS = 50 };

struct belt {
    struct coro_queue queue;
    int               items[ITEMS];
};

static int put_all(struct coro *me, void *arg)
{
    struct belt *belt = arg;
    for (int i = 0; i < ITEMS; i++) {
        belt->items[i] = i;
        ck_assert_int_eq(coro_queue_put(me, &belt->queue, &belt->items[i], patience()),
                         0);
        ck_assert_uint_le(belt->queue.count, belt->queue.capacity);
        if (i % 7 == 0)
            ck_assert_int_eq(coro_yield(me), 0);
    }
    return 0;
}

static int get_all(struct coro *me, void *arg)
{
    struct belt *belt = arg;
    for (int i = 0; i < ITEMS; i++) {
        void *item = NULL;
        ck_assert_int_eq(coro_queue_get(me, &belt->queue, &item, patience()), 0);
        ck_assert_ptr_eq(item, &belt->items[i]);
        if (i % 5 == 0)
            ck_assert_int_eq(coro_yield(me), 0);
    }
    void *item;
    ck_assert_int_eq(coro_queue_get(me, &belt->queue, &item, in_ms(1)), -ETIMEDOUT);
    return 0;
}

static int carry(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    ck_assert_int_eq(coro_spawn(me, &group, get_all, arg), 0);
    ck_assert_int_eq(coro_spawn(me, &group, put_all, arg), 0);
    return coro_gather(me, &group, CORO_NEVER);
}

START_TEST(a_queue_keeps_order_and_its_bound)
{
    void *places[3];
    struct belt belt = {.queue = {.items = places, .capacity = LENGTH(places)}};
    run(carry, &belt);
}
END_TEST

/* --- threads ----------------------------------------------------------------------- */

struct sum {
    int       a, b, sum;
    pthread_t by;
    bool      signals_blocked;
};

static void add(void *arg)
{
    struct sum *sum = arg;
    sum->sum = sum->a + sum->b;
    sum->by = pthread_self();
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    sum->signals_blocked = sigismember(&mask, SIGINT) && sigismember(&mask, SIGALRM) &&
                           sigismember(&mask, SIGTERM);
}

static int offload_sum(struct coro *me, void *arg)
{
    struct sum sum = {.a = *(int *)arg, .b = 3};
    ck_assert_int_eq(coro_offload(me, add, &sum, sizeof sum, patience()), 0);
    ck_assert_int_eq(sum.sum, sum.a + 3);
    ck_assert(!pthread_equal(sum.by, pthread_self()));
    ck_assert(sum.signals_blocked);
    return 0;
}

static int offload_many(struct coro *me, void *arg)
{
    (void)arg;
    int numbers[40];
    struct coro_group group = {0};
    for (int i = 0; i < (int)LENGTH(numbers); i++) {
        numbers[i] = i;
        ck_assert_int_eq(coro_spawn(me, &group, offload_sum, &numbers[i]), 0);
    }
    return coro_gather(me, &group, CORO_NEVER);
}

START_TEST(offloaded_work_is_done_by_another_thread_without_signals)
{
    run(offload_many, NULL);
}
END_TEST

static void never_end(void *arg)
{
    *(int *)arg = 1;
    for (;;)
        pause();
}

static int offload_for_ever(struct coro *me, void *arg)
{
    int number = 0;
    int error = coro_offload(me, never_end, &number, sizeof number, *(int64_t *)arg);
    ck_assert_int_eq(number, 0);
    return error;
}

static int offload_the_endless(struct coro *me, void *arg)
{
    (void)arg;
    int64_t soon_ns = in_ms(5);
    int64_t never_ns = CORO_NEVER;
    ck_assert_int_eq(offload_for_ever(me, &soon_ns), -ETIMEDOUT);
    struct coro_group group = {0};
    ck_assert_int_eq(coro_spawn(me, &group, offload_for_ever, &never_ns), 0);
    ck_assert_int_eq(coro_sleep(me, in_ms(5)), 0);    /* the loop turns meanwhile */
    int one = 1;
    ck_assert_int_eq(offload_sum(me, &one), 0);
    coro_cancel(&group);
    ck_assert_int_eq(coro_gather(me, &group, CORO_NEVER), -ECANCELED);
    return 0;
}

START_TEST(offloaded_work_that_never_ends_does_not_stop_the_loop)
{
    run(offload_the_endless, NULL);
}
END_TEST

/* --- what stops the program -------------------------------------------------------- */

/* Runs body in a process of its own, which must end by the signal, having said this. */
static void assert_ends(void (*start)(coro_body *body, void *arg), coro_body *body,
                        void *arg, int signal_number, const char *sentence)
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
        start(body, arg);
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

static void run_loop(coro_body *body, void *arg)
{
    coro_run(NULL, body, arg);
}

static void assert_stops(coro_body *body, void *arg, int signal_number,
                         const char *sentence)
{
    assert_ends(run_loop, body, arg, signal_number, sentence);
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

/* Uses up its stack, a frame larger than the guard at a time. */
static int sink(int depth)
{
    volatile char frame[12 * 1024];
    volatile char *byte = &frame[depth * 100];    /* no compiler can make do with less */
    *byte = (char)depth;
    return depth == 0 ? 0 : sink(depth - 1) + *byte;
}

static int overflow(struct coro *me, void *arg)
{
    int error = coro_yield(me);
    return error ? error : sink(*(int *)arg);
}

static int overflow_child(struct coro *me, void *arg)
{
    struct coro_group group = {0};
    int shallow = 0;
    ck_assert_int_eq(coro_spawn(me, &group, overflow, &shallow), 0);
    ck_assert_int_eq(coro_spawn(me, &group, overflow, arg), 0);
    return coro_gather(me, &group, CORO_NEVER);
}

START_TEST(an_overflow_says_which_coroutine_it_was)
{
    int deep = 100;
    assert_stops(overflow_child, &deep, SIGSEGV,
                 "coroutine 2 has overflowed its stack of 64 KiB");
}
END_TEST

static int overflow_with_mprotect(struct coro *me, void *arg)
{
    (void)me;
    struct coro_options options = {.mprotect_guards = true, .stack_bytes = 128 * 1024};
    return coro_run(&options, overflow_child, arg);    /* a loop in a coroutine */
}

/* A loop in a thread, which goes on after that of the first thread has ended. */
struct later {
    coro_body *body;
    void      *arg;
    pthread_t  thread;
    sem_t      begun, go_on;
};

static int go_on_later(struct coro *me, void *arg)
{
    struct later *later = arg;
    sem_post(&later->begun);
    sem_wait(&later->go_on);    /* the whole loop: nobody else is in it */
    return later->body(me, later->arg);
}

static void *second_loop(void *arg)
{
    coro_run(NULL, go_on_later, arg);
    return NULL;
}

static int start_second_loop(struct coro *me, void *arg)
{
    struct later *later = arg;
    (void)me;
    ck_assert_int_eq(pthread_create(&later->thread, NULL, second_loop, later), 0);
    sem_wait(&later->begun);
    return 0;
}

static void run_two_loops(coro_body *body, void *arg)
{
    struct later later = {.body = body, .arg = arg};
    sem_init(&later.begun, 0, 0);
    sem_init(&later.go_on, 0, 0);
    coro_run(NULL, start_second_loop, &later);
    sem_post(&later.go_on);
    pthread_join(later.thread, NULL);
}

START_TEST(an_overflow_says_so_after_another_loop_has_ended)
{
    int deep = 100;
    assert_ends(run_two_loops, overflow_child, &deep, SIGSEGV,
                "coroutine 2 has overflowed its stack of 64 KiB");
}
END_TEST

static void run_after_another_action(coro_body *body, void *arg)
{
    coro_run(NULL, overflow_child, &(int){0});
    signal(SIGSEGV, SIG_DFL);
    coro_run(NULL, body, arg);
}

START_TEST(an_overflow_says_so_though_the_program_set_an_action_between_two_loops)
{
    int deep = 100;
    assert_ends(run_after_another_action, overflow_child, &deep, SIGSEGV,
                "coroutine 2 has overflowed its stack of 64 KiB");
}
END_TEST

static int pass(struct coro *me, void *arg)
{
    (void)arg;
    return coro_yield(me);
}

static void run_and_be_killed(coro_body *body, void *arg)
{
    coro_run(NULL, body, arg);
    raise(SIGSEGV);
}

START_TEST(a_fault_that_was_sent_ends_the_program)
{
    assert_ends(run_and_be_killed, pass, NULL, SIGSEGV, "");
}
END_TEST

START_TEST(an_overflow_is_caught_by_mprotect_guards_too)
{
    int deep = 100;
    assert_stops(overflow_with_mprotect, &deep, SIGSEGV,
                 "coroutine 2 has overflowed its stack of 128 KiB");
}
END_TEST

/* Without the times, which differ. */
START_TEST(first_second_shows_what_a_sleep_holds_up)
{
    struct output output;
    const char *const argv[] = {BUILD_DIR "/first-second", NULL};
    ck_assert_int_eq(program_run(argv, &output), 0);
    static const char *const words[] = {"blocking", "second", "first", "two coroutines",
                                        "first", "second"};
    const char *line = output.out;
    for (size_t i = 0; i < LENGTH(words); i++) {
        const char *end = strchr(line, '\n');
        const char *word = strstr(line, words[i]);
        ck_assert_msg(word && end && word < end, "'%s' is not in: %s", words[i], line);
        line = end + 1;
    }
    ck_assert_str_eq(line, "");
    output_free(&output);
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
        a_hundred_thousand_sleep_at_once_and_all_wake,
        who_comes_later_uses_the_stacks_of_those_who_have_ended,
        thirty_thousand_sleep_at_once_with_mprotect_guards,
        past_the_limit_of_mappings_spawn_says_so_and_the_others_live,
        what_is_sent_arrives_whole_though_the_buffers_are_smaller,
        socket_calls_end_by_their_deadlines_and_tell_errors,
        connect_connects_or_says_why_not,
        a_semaphore_lets_in_as_many_as_it_counts,
        a_second_wake_changes_nothing_and_loses_nothing,
        a_task_cancelled_while_it_waits_frees_what_it_holds,
        a_mutex_lets_in_one,
        a_queue_keeps_order_and_its_bound,
        offloaded_work_is_done_by_another_thread_without_signals,
        offloaded_work_that_never_ends_does_not_stop_the_loop,
        an_overflow_says_which_coroutine_it_was,
        an_overflow_says_so_after_another_loop_has_ended,
        an_overflow_says_so_though_the_program_set_an_action_between_two_loops,
        a_fault_that_was_sent_ends_the_program,
        an_overflow_is_caught_by_mprotect_guards_too,
        first_second_shows_what_a_sleep_holds_up,
    };
    return suite_run("coro", tests, LENGTH(tests), NULL, NULL);
}
