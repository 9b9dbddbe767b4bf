/* One thread, looked at from outside: what it is found to do is what it does. */
#include "kit/task.h"

#include "kit/array.h"
#include "kit/call.h"
#include "tests/support.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A thread that does one thing until it is released. */
struct worker {
    void      (*work)(struct worker *);
    pthread_t   thread;
    _Atomic pid_t tid;
    int         ends[2];    /* a byte in the second releases who waits for the first */
    sem_t       released;
    atomic_bool enough;
};

static void in_recv(struct worker *worker)
{
    char byte;
    ck_assert_int_eq(recv(worker->ends[0], &byte, 1, 0), 1);
}

static void in_poll(struct worker *worker)
{
    struct pollfd readable = {.fd = worker->ends[0], .events = POLLIN};
    ck_assert_int_eq(poll(&readable, 1, -1), 1);
}

static void in_futex(struct worker *worker)
{
    while (sem_wait(&worker->released) != 0)
        continue;
}

static void spin(struct worker *worker)
{
    while (!worker->enough)
        continue;
}

static void *begin(void *arg)
{
    struct worker *worker = arg;
    worker->tid = (pid_t)syscall(SYS_gettid);
    worker->work(worker);
    return NULL;
}

static void worker_start(struct worker *worker, void (*work)(struct worker *))
{
    *worker = (struct worker){.work = work};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, worker->ends), 0);
    ck_assert_int_eq(sem_init(&worker->released, 0, 0), 0);
    ck_assert_int_eq(pthread_create(&worker->thread, NULL, begin, worker), 0);
    while (worker->tid == 0)
        sched_yield();
}

static void worker_end(struct worker *worker)
{
    worker->enough = true;
    sem_post(&worker->released);
    ck_assert_int_eq(write(worker->ends[1], "", 1), 1);
    ck_assert_int_eq(pthread_join(worker->thread, NULL), 0);
    sem_destroy(&worker->released);
    close(worker->ends[0]);
    close(worker->ends[1]);
}

/* Looks until it is found in that state. */
static void await_state(const struct task *task, enum task_state state,
                        struct task_look *look)
{
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    do {
        ck_assert_int_eq(task_look(task, look), 0);
        ck_assert_msg(clock_ns() < deadline_ns, "it is never found to be %d", (int)state);
        sched_yield();
    } while (look->state != state);
}

static const struct {
    void      (*work)(struct worker *);
    const char *names[2];    /* glibc takes the one that the architecture has */
} sleepers[] = {
    {in_recv, {"recv", "recv"}},
    {in_poll, {"poll", "ppoll"}},
    {in_futex, {"futex", "futex"}},
};

START_TEST(who_sleeps_is_found_asleep_in_its_call)
{
    struct worker worker;
    struct task task;
    struct task_look look;
    const char *name;
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    worker_start(&worker, sleepers[_i].work);
    ck_assert_int_eq(task_open(&task, getpid(), worker.tid), 0);
    do {    /* on its way there it may have waited for something else */
        ck_assert_int_lt(clock_ns(), deadline_ns);
        await_state(&task, TASK_ASLEEP, &look);
        name = call_name(look.call);
    } while (!name || (strcmp(name, sleepers[_i].names[0]) != 0 &&
                       strcmp(name, sleepers[_i].names[1]) != 0));
    ck_assert_int_gt(look.cpu_ns, 0);
    task_close(&task);
    worker_end(&worker);
}
END_TEST

START_TEST(who_sleeps_uses_nothing)
{
    struct worker worker;
    struct task task;
    struct task_look look, again;
    worker_start(&worker, in_futex);
    ck_assert_int_eq(task_open(&task, getpid(), worker.tid), 0);
    do
        await_state(&task, TASK_ASLEEP, &look);
    while (look.call != SYS_futex);
    await_state(&task, TASK_ASLEEP, &look);    /* all is added up by now */
    ck_assert_int_eq(task_look(&task, &again), 0);
    ck_assert_int_eq(again.state, TASK_ASLEEP);
    ck_assert_int_eq(again.cpu_ns, look.cpu_ns);
    ck_assert_int_eq(again.ready_ns, look.ready_ns);
    task_close(&task);
    worker_end(&worker);
}
END_TEST

/* Of the processors that we may use, the first, by its bit; false if there is but one. */
static bool choose_processor(unsigned long mask[16])
{
    unsigned long all[16] = {0};
    bool more = false;
    memset(mask, 0, sizeof all);
    ck_assert_int_gt(syscall(SYS_sched_getaffinity, 0, sizeof all, all), 0);
    for (int i = 0, found = 0; i < 16; i++) {
        unsigned long first = found ? 0 : all[i] & -all[i];
        mask[i] = first;
        more = more || (all[i] & ~first) != 0;
        found = found || first;
    }
    return more;
}

/* Two that share a processor: when one has it, the other one is ready. */
START_TEST(who_has_no_processor_is_ready_and_not_running)
{
    enum { BOTH = 2 };
    struct worker workers[BOTH];
    struct task tasks[BOTH];
    struct task_look look;
    unsigned long mask[16];
    if (!choose_processor(mask)) {
        printf("skipped: running and ready: who looks has the only processor\n");
        return;
    }
    for (int i = 0; i < BOTH; i++) {
        worker_start(&workers[i], spin);
        long bound = syscall(SYS_sched_setaffinity, workers[i].tid, sizeof mask, mask);
        ck_assert_int_eq(bound, 0);
        ck_assert_int_eq(task_open(&tasks[i], getpid(), workers[i].tid), 0);
    }
    for (int i = 0; i < BOTH; i++) {    /* each has its turns */
        await_state(&tasks[i], TASK_RUNNING, &look);
        await_state(&tasks[i], TASK_READY, &look);
        ck_assert_int_gt(look.cpu_ns, 0);
        ck_assert_int_eq(look.call, 0);
        int64_t ready_ns = look.ready_ns;
        int64_t deadline_ns = clock_ns() + AWAIT_NS;
        do {    /* that is added up when it gets its processor */
            ck_assert_int_eq(task_look(&tasks[i], &look), 0);
            ck_assert_int_lt(clock_ns(), deadline_ns);
        } while (look.ready_ns == ready_ns);
    }
    for (int i = 0; i < BOTH; i++) {
        task_close(&tasks[i]);
        worker_end(&workers[i]);
    }
}
END_TEST

START_TEST(who_has_ended_is_gone)
{
    struct worker worker;
    struct task task;
    struct task_look look;
    worker_start(&worker, in_recv);
    pid_t tid = worker.tid;
    ck_assert_int_eq(task_open(&task, getpid(), tid), 0);
    worker_end(&worker);
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    while (task_look(&task, &look) == 0)    /* the join is over a moment before its end */
        ck_assert_int_lt(clock_ns(), deadline_ns);
    ck_assert_int_eq(task_look(&task, &look), -ESRCH);
    task_close(&task);
    ck_assert_int_eq(task_open(&task, getpid(), tid), -ENOENT);
}
END_TEST

START_TEST(a_zombie_has_ended)
{
    struct task task;
    struct task_look look;
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        pause();
        _exit(0);
    }
    ck_assert_int_eq(task_open(&task, pid, pid), 0);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    await_state(&task, TASK_ENDED, &look);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_int_eq(task_look(&task, &look), -ESRCH);
    task_close(&task);
}
END_TEST

START_TEST(who_belongs_to_somebody_else_may_not_be_looked_at)
{
    struct task task;
    pid_t other = getppid();    /* root's, if we are root; else the first process is */
    if (geteuid() != 0)
        other = 1;
    else
        ck_assert_int_eq(seteuid(65534), 0);
    ck_assert_int_eq(task_open(&task, other, other), -EACCES);
    ck_assert_int_eq(seteuid(getuid()), 0);    /* or a leak could not be looked for */
}
END_TEST

START_TEST(a_call_without_a_name_has_none)
{
    ck_assert_str_eq(call_name(SYS_wait4), "wait4");
    ck_assert_ptr_null(call_name(SYS_getpid));
    ck_assert_ptr_null(call_name(-1));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kit: task");
    TCase *tests = suite_add(suite, "task");
    tcase_add_loop_test(tests, who_sleeps_is_found_asleep_in_its_call, 0,
                        (int)LENGTH(sleepers));
    tcase_add_test(tests, who_sleeps_uses_nothing);
    tcase_add_test(tests, who_has_no_processor_is_ready_and_not_running);
    tcase_add_test(tests, who_has_ended_is_gone);
    tcase_add_test(tests, a_zombie_has_ended);
    tcase_add_test(tests, who_belongs_to_somebody_else_may_not_be_looked_at);
    tcase_add_test(tests, a_call_without_a_name_has_none);
    return suite_end(suite);
}
