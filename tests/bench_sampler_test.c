/* The sampler, on a program of which is known what each of its threads does. */
#include "bench/sampler.h"

#include "kit/array.h"
#include "kit/call.h"
#include "kit/clock.h"
#include "kit/result.h"
#include "tests/bench_support.h"
#include "tests/support.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- The program -------------------------------------------------------------------- */

static void *in_recv(void *arg)
{
    char byte;
    int *ends = arg;    /* both stay open, and nobody sends */
    recv(ends[0], &byte, 1, 0);
    return NULL;
}

static void *in_poll(void *arg)
{
    int *ends = arg;
    struct pollfd readable = {.fd = ends[0], .events = POLLIN};
    poll(&readable, 1, -1);
    return NULL;
}

static void *in_futex(void *arg)
{
    sem_t *never = arg;
    while (sem_wait(never) != 0)
        continue;
    return NULL;
}

static void *spin(void *arg)
{
    volatile int *turns = arg;
    for (;;)
        *turns = *turns + 1;
    return NULL;
}

/* Does not return. A thread for each of the above; the first waits for a child, and the
   child for a signal. */
static void perform(void)
{
    int ends[2], turns = 0;
    sem_t never;
    pthread_t thread;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(600);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || sem_init(&never, 0, 0) != 0)
        _exit(1);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        poll(NULL, 0, -1);
    }
    if (pthread_create(&thread, NULL, in_recv, ends) != 0 ||
        pthread_create(&thread, NULL, in_poll, ends) != 0 ||
        pthread_create(&thread, NULL, in_futex, &never) != 0 ||
        pthread_create(&thread, NULL, spin, &turns) != 0)
        _exit(1);
    waitpid(child, NULL, 0);
    in_futex(&never);
}

static pid_t start(void)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        perform();
    return pid;
}

static void end(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* --- Looking ------------------------------------------------------------------------ */

/* How many of its threads are found in that state at this moment; in that call, if it is
   not NULL. */
static int count(const struct sampler *sampler, enum span_state state, const char *call)
{
    int found = 0;
    for (int i = 0; i < sampler->thread_count; i++) {
        const struct span *span = &sampler->threads[i].span;
        const char *name = call_name(span->call);
        found += span->state == state && (!call || (name && strcmp(name, call) == 0));
    }
    return found;
}

/* Looks until all do what they are there for. Newer architectures have ppoll alone. */
static void await_all(struct sampler *sampler)
{
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    bool all = false;
    while (!all) {
        ck_assert_int_lt(clock_ns(), deadline_ns);
        ck_assert_int_eq(sampler_look(sampler), 0);
        int polls = count(sampler, SPAN_ASLEEP, "poll") +
                    count(sampler, SPAN_ASLEEP, "ppoll");
        all = count(sampler, SPAN_RUNNING, NULL) == 1 && polls == 2 &&
              count(sampler, SPAN_ASLEEP, "recv") == 1 &&
              count(sampler, SPAN_ASLEEP, "futex") == 1 &&
              count(sampler, SPAN_ASLEEP, "wait4") == 1;
        clock_sleep(CLOCK_MS);
    }
}

/* The number of a thread of that process; 0 if there is none. */
static pid_t find_tid(const struct sampler *sampler, int process)
{
    for (int i = 0; i < sampler->thread_count; i++)
        if (sampler->threads[i].process == process)
            return sampler->threads[i].tid;
    return 0;
}

/* Looks until that process has gone. */
static void await_end(struct sampler *sampler, int process)
{
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    do {
        ck_assert_int_lt(clock_ns(), deadline_ns);
        int error = sampler_look(sampler);
        ck_assert_int_eq(error, sampler->thread_count > 0 ? 0 : -ESRCH);
        clock_sleep(CLOCK_MS);
    } while (find_tid(sampler, process) != 0);
}

static void write_csv(const struct sampler *sampler, int64_t zero_ns)
{
    char path[256];
    snprintf(path, sizeof path, "%s", folder_path("threads.csv"));
    FILE *csv = fopen(path, "w");
    ck_assert_ptr_nonnull(csv);
    fprintf(csv, "%s\n", sampler_csv_header);
    sampler_write(sampler, csv, "known", zero_ns);
    ck_assert_int_eq(fclose(csv), 0);
}

/* Where the first row of a thread begins. */
static int64_t find_first(const struct table *table, const char *thread)
{
    for (int i = 0; i < table->rows; i++)
        if (strcmp(table_get(table, i, "thread"), thread) == 0)
            return table_number(table, i, "from_ns");
    ck_abort_msg("thread %s has no row", thread);
}

/* The rows of a thread, or of "" for all of them, follow one on the other without a gap.
   Returns what was used in them. */
static int64_t assert_gapless(const struct table *table, const char *thread)
{
    int64_t until_ns = 0, used_ns = 0;
    const char *state = NULL;
    for (int i = 0; i < table->rows; i++) {
        if (strcmp(table_get(table, i, "thread"), thread) != 0)
            continue;
        int64_t from_ns = table_number(table, i, "from_ns");
        if (state)
            ck_assert_int_eq(from_ns, until_ns);
        else if (*thread)
            ck_assert_str_eq(table_get(table, i, "state"), "started");
        until_ns = table_number(table, i, "to_ns");
        ck_assert_int_gt(until_ns, from_ns);
        state = table_get(table, i, "state");
        bool asleep = strcmp(state, "asleep") == 0;
        ck_assert_int_eq(asleep, *table_get(table, i, "call") != '\0');
        used_ns += table_number(table, i, "cpu_ns");
    }
    ck_assert_ptr_nonnull(state);
    ck_assert_str_eq(state, *thread ? "ended" : "");
    return used_ns;
}

START_TEST(each_thread_is_seen_doing_what_it_does)
{
    struct sampler sampler;
    char why[SAMPLER_WHY];
    pid_t pid = start();
    ck_assert_msg(sampler_begin(&sampler, pid, why) == 0, "%s", why);
    await_all(&sampler);
    ck_assert_int_ge(sampler.thread_count, 6);    /* a sanitizer has some of its own */
    ck_assert_int_eq(sampler_end(&sampler), 0);
    sampler_free(&sampler);
    end(pid);
}
END_TEST

START_TEST(each_thread_has_a_row_for_every_moment_of_its_life)
{
    struct sampler sampler;
    struct table table;
    char why[SAMPLER_WHY], thread[12];
    int64_t zero_ns = clock_ns();
    pid_t pid = start();
    ck_assert_int_eq(sampler_begin(&sampler, pid, why), 0);
    await_all(&sampler);
    int64_t ends_ns = clock_ns();
    end(pid);
    await_end(&sampler, 0);
    await_end(&sampler, 1);
    ck_assert_int_eq(sampler_end(&sampler), 0);
    write_csv(&sampler, zero_ns);
    table_read(&table, "threads.csv", sampler_csv_header);
    int64_t used_ns = 0;
    for (int i = 0; i < 6; i++) {
        snprintf(thread, sizeof thread, "%d", i);
        used_ns += assert_gapless(&table, thread);
    }
    ck_assert_int_gt(used_ns, 0);
    ck_assert_int_gt(assert_gapless(&table, ""), 0);
    ck_assert_int_eq(find_first(&table, "0"), find_first(&table, ""));
    for (int i = 0; i < table.rows; i++) {
        ck_assert_str_eq(table_get(&table, i, "model"), "known");
        ck_assert_int_ge(table_number(&table, i, "from_ns"), 0);
        if (strcmp(table_get(&table, i, "state"), "ended") == 0)
            ck_assert_int_ge(table_number(&table, i, "to_ns"), ends_ns - zero_ns);
    }
    table_free(&table);
    sampler_free(&sampler);
}
END_TEST

/* Who sleeps on has one span, however often one looks. */
START_TEST(what_does_not_change_is_one_row)
{
    struct sampler sampler;
    char why[SAMPLER_WHY];
    pid_t pid = start();
    ck_assert_int_eq(sampler_begin(&sampler, pid, why), 0);
    await_all(&sampler);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(sampler_look(&sampler), 0);
    ck_assert_int_eq(sampler_end(&sampler), 0);
    end(pid);
    int polls = 0;
    for (size_t i = 0; i < sampler.span_count; i++) {
        const struct span *span = &sampler.spans[i];
        const char *name = call_name(span->call);
        bool quiet = span->state == SPAN_ASLEEP && span->cpu_ns == 0;
        polls += quiet && span->process == 0 && name && strstr(name, "poll");
    }
    ck_assert_int_eq(polls, 1);
    sampler_free(&sampler);
}
END_TEST

START_TEST(a_child_is_a_process_of_its_own_and_its_end_is_seen)
{
    struct sampler sampler;
    char why[SAMPLER_WHY];
    pid_t pid = start();
    ck_assert_int_eq(sampler_begin(&sampler, pid, why), 0);
    await_all(&sampler);
    ck_assert_int_gt(find_tid(&sampler, 1), 0);
    ck_assert_int_eq(kill(find_tid(&sampler, 1), SIGKILL), 0);
    await_end(&sampler, 1);
    const struct span *last = &sampler.spans[sampler.span_count - 1];
    ck_assert_int_eq(last->process, 1);
    ck_assert_int_eq(last->state, SPAN_ENDED);
    ck_assert_int_eq(last->cpu_ns, -1);
    ck_assert_int_eq(sampler_end(&sampler), 0);
    sampler_free(&sampler);
    end(pid);
}
END_TEST

START_TEST(what_has_gone_already_is_said)
{
    struct sampler sampler;
    char why[SAMPLER_WHY];
    pid_t pid = start();
    end(pid);
    ck_assert_int_ne(sampler_begin(&sampler, pid, why), 0);
    ck_assert_int_eq(sampler_end(&sampler), 0);
    ck_assert_ptr_nonnull(strstr(why, "gone before it could be looked at"));
    sampler_free(&sampler);
}
END_TEST

START_TEST(what_may_not_be_seen_is_said)
{
    struct sampler sampler;
    char why[SAMPLER_WHY];
    pid_t other = geteuid() == 0 ? getppid() : 1;    /* root's */
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    ck_assert_int_eq(sampler_begin(&sampler, other, why), -EACCES);
    ck_assert_str_eq(why, "may not see in which call it sleeps (/proc/PID/syscall): "
                          "Permission denied");
    ck_assert_int_eq(sampler_end(&sampler), 0);
    sampler_free(&sampler);
    ck_assert_int_eq(seteuid(getuid()), 0);    /* to clear up afterwards */
}
END_TEST

/* --- With the real bench ------------------------------------------------------------ */

START_TEST(timeline_tells_of_the_threads_too)
{
    static const char *const models[] = {"blocking", "threads", "processes", "libevent"};
    struct output output;
    struct table table, requests;
    char refusal[80];
    int status = bench_run("timeline -m blocking,threads,processes,libevent "
                           "--latency 50ms", NULL, &output);
    assert_ran(status, &output);
    table_read(&table, "threads.csv", sampler_csv_header);
    table_read(&requests, "timeline.csv", result_csv_header);
    for (size_t m = 0; m < LENGTH(models); m++) {
        int64_t seen_ns = 0, ended_ns = 0, first_ns = INT64_MAX;
        for (int i = 0; i < table.rows; i++)
            if (strcmp(table_get(&table, i, "model"), models[m]) == 0)
                seen_ns = table_number(&table, i, "to_ns");
        for (int i = 0; i < requests.rows; i++) {
            int64_t end_ns = table_number(&requests, i, "end_ns");
            int64_t start_ns = table_number(&requests, i, "start_ns");
            if (strcmp(table_get(&requests, i, "model"), models[m]) != 0)
                continue;
            first_ns = start_ns < first_ns ? start_ns : first_ns;
            ended_ns = end_ns > ended_ns ? end_ns : ended_ns;
        }
        ck_assert_int_eq(first_ns, 0);    /* which is the zero of both tables */
        snprintf(refusal, sizeof refusal, "no threads in threads.csv: %s", models[m]);
        if (!strstr(output.out, refusal))    /* the machine may be so busy */
            ck_assert_int_gt(seen_ns, 0);
        ck_assert_int_lt(seen_ns, ended_ns + AWAIT_NS);
    }
    table_free(&table);
    table_free(&requests);
    output_free(&output);
}
END_TEST

START_TEST(threads_of_another_run_are_not_kept)
{
    struct output output;
    folder_write("threads.csv", "left\n");
    int status = bench_run("timeline -m own", external_tell(external_fine, 0), &output);
    assert_ran(status, &output);
    ck_assert_ptr_null(folder_read("threads.csv"));
    output_free(&output);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_thread_is_seen_doing_what_it_does,
        each_thread_has_a_row_for_every_moment_of_its_life,
        what_does_not_change_is_one_row,
        a_child_is_a_process_of_its_own_and_its_end_is_seen,
        what_has_gone_already_is_said,
        what_may_not_be_seen_is_said,
        timeline_tells_of_the_threads_too,
        threads_of_another_run_are_not_kept,
    };
    return suite_run("bench: sampler", tests, LENGTH(tests), bench_begin, bench_finish);
}
