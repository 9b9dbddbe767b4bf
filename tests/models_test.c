/* Every promise of models/model.h, for every model of the table, against
   a real server. */
#include "kit/array.h"
#include "kit/clock.h"
#include "models/models.h"
#include "tests/models_support.h"
#include "tests/support.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 1000 };

static atomic_bool stop;
static struct server server;
static struct result results[MOST];

static void begin(void)
{
    stop = false;
    signal(SIGPIPE, SIG_IGN);    /* as model.h asks for */
    server_start(&server, NULL);
}

static void finish(void)
{
    server_stop(&server);
}

static struct workload ask(const struct model *model, const char *target, int count,
                           int in_flight)
{
    ck_assert_int_le(count, MOST);
    struct workload workload = {.target = target,
                                .count = count,
                                .in_flight = model->one_at_a_time ? 1 : in_flight,
                                .timeout_ns = 60LL * CLOCK_S,
                                .stop = &stop};
    ck_assert_int_eq(net_resolve("127.0.0.1", server.port, &workload.server), 0);
    return workload;
}

static int run(const struct model *model, const struct workload *workload)
{
    memset(results, 0, sizeof results);
    for (int i = 0; i < workload->count; i++)
        results[i].error = ECANCELED;
    return model->run(workload, results);
}

static void assert_all(const struct workload *workload, int error, int status)
{
    for (int i = 0; i < workload->count; i++) {
        ck_assert_msg(results[i].error == error, "request %d: %s, not %s", i,
                      result_error_name(results[i].error), result_error_name(error));
        ck_assert_int_eq(results[i].status, status);
    }
}

static int count_entries(const char *path)
{
    int count = 0;
    DIR *directory = opendir(path);
    ck_assert_ptr_nonnull(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

START_TEST(model_answers_every_request)
{
    const struct model *model = able[_i];
    struct workload workload = ask(model, "/delay/2ms?i={i}", 50, 10);
    ck_assert_int_eq(run(model, &workload), 0);
    assert_all(&workload, 0, 200);
    for (int i = 0; i < workload.count; i++) {
        const struct result *result = &results[i];
        ck_assert_int_gt(result->start_ns, 0);
        ck_assert_int_le(result->start_ns, result->connected_ns);
        ck_assert_int_le(result->connected_ns, result->sent_ns);
        ck_assert_int_le(result->sent_ns, result->first_byte_ns);
        ck_assert_int_le(result->first_byte_ns, result->end_ns);
        ck_assert_int_ge(result->server_wait_ns, 2 * CLOCK_MS);
        ck_assert_int_ge(result->end_ns - result->start_ns, 2 * CLOCK_MS);
        ck_assert_int_gt(result->bytes, 0);
    }
    ck_assert_int_eq(server_stat(&server, "answered"), 50);
    ck_assert_int_eq(server_stat(&server, "connections"), 50);
}
END_TEST

START_TEST(model_has_as_many_in_flight_as_asked_and_never_more)
{
    const struct model *model = able[_i];
    int in_flight = model->one_at_a_time ? 1 : 7;
    char target[32];
    snprintf(target, sizeof target, "/gate/%d?timeout=60m", in_flight);
    struct workload workload = ask(model, target, in_flight * 6, in_flight);
    ck_assert_int_eq(run(model, &workload), 0);
    assert_all(&workload, 0, 200);    /* fewer in flight would never have come through */
    ck_assert_int_eq(server_stat(&server, "peak_in_flight"), in_flight);
}
END_TEST

START_TEST(model_starts_the_next_when_any_ends)
{
    const struct model *model = able[_i];
    if (model->one_at_a_time)
        return;
    /* The first to arrive is held until one more comes than the gate has places: a model
       that waits for its oldest request, or for a whole batch, never sends that one. */
    struct workload workload = ask(model, "/gate/4?straggler=1&timeout=60m", 5, 4);
    ck_assert_int_eq(run(model, &workload), 0);
    assert_all(&workload, 0, 200);
}
END_TEST

static const struct {
    const char *kind;
    int         error;
} faults[] = {
    {"reset", ECONNRESET}, {"close", ENODATA},    {"truncate", EBADMSG},
    {"garbage", EPROTO},   {"stall", ETIMEDOUT},
};

START_TEST(model_counts_every_fault_by_reason)
{
    const struct model *model = able[_i];
    for (size_t i = 0; i < LENGTH(faults); i++) {
        char target[64];
        snprintf(target, sizeof target, "/fault/%s?i={i}", faults[i].kind);
        struct workload workload = ask(model, target, 6, 3);
        if (faults[i].error == ETIMEDOUT)
            workload.timeout_ns = 100 * CLOCK_MS;
        ck_assert_int_eq(run(model, &workload), 0);
        for (int j = 0; j < workload.count; j++)
            ck_assert_msg(results[j].error == faults[i].error, "%s was reported as %s",
                          faults[i].kind, result_error_name(results[j].error));
    }
    ck_assert_int_eq(server_stat(&server, "faults"), 6 * (int)LENGTH(faults));
}
END_TEST

START_TEST(model_meets_the_same_faults_as_every_other)
{
    const struct model *model = able[_i];
    struct workload workload = ask(model, "/delay/1ms?fault=reset:0.3&i={i}", 100, 10);
    ck_assert_int_eq(run(models[0], &workload), 0);
    bool failed[MOST];
    int count = 0;
    for (int i = 0; i < workload.count; i++)
        count += failed[i] = results[i].error == ECONNRESET;
    ck_assert_int_gt(count, 10);    /* of 30 expected; the seed is fixed */
    ck_assert_int_lt(count, 50);
    ck_assert_int_eq(run(model, &workload), 0);
    for (int i = 0; i < workload.count; i++)
        ck_assert_int_eq(results[i].error, failed[i] ? ECONNRESET : 0);
}
END_TEST

START_TEST(model_takes_a_status_that_is_not_2xx_for_a_whole_reply)
{
    const struct model *model = able[_i];
    struct workload workload = ask(model, "/nowhere", 5, 2);
    ck_assert_int_eq(run(model, &workload), 0);
    assert_all(&workload, 0, 404);
    ck_assert(!result_ok(&results[0]));
    workload = ask(model, "/status/204", 5, 2);    /* no body, and no length either */
    ck_assert_int_eq(run(model, &workload), 0);
    assert_all(&workload, 0, 204);
    ck_assert(result_ok(&results[0]));
}
END_TEST

START_TEST(model_counts_a_body_that_drips)
{
    const struct model *model = able[_i];
    struct workload workload = ask(model, "/drip/3000?over=50ms", 4, 4);
    ck_assert_int_eq(run(model, &workload), 0);
    assert_all(&workload, 0, 200);
    for (int i = 0; i < workload.count; i++) {
        ck_assert_int_eq(results[i].bytes, 3000);
        ck_assert_int_lt(results[i].first_byte_ns, results[i].end_ns);
    }
}
END_TEST

START_TEST(model_bounds_the_whole_request_not_each_silence)
{
    const struct model *model = able[_i];
    struct workload workload = ask(model, "/drip/6000?over=1m", 2, 2);
    workload.timeout_ns = 200 * CLOCK_MS;    /* a byte comes every 10 ms, for a minute */
    ck_assert_int_eq(run(model, &workload), 0);
    for (int i = 0; i < workload.count; i++) {
        ck_assert_int_eq(results[i].error, ETIMEDOUT);
        ck_assert_int_ge(results[i].end_ns - results[i].start_ns, 200 * CLOCK_MS);
        ck_assert_int_lt(results[i].bytes, 6000);
    }
}
END_TEST

START_TEST(model_reports_a_server_that_is_not_there)
{
    const struct model *model = able[_i];
    struct workload workload = ask(model, "/", 5, 2);
    int fd = net_listen("127.0.0.1", 0, 1);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(net_resolve("127.0.0.1", net_port(fd), &workload.server), 0);
    close(fd);    /* nobody listens at that port now */
    ck_assert_int_eq(run(model, &workload), 0);
    assert_all(&workload, ECONNREFUSED, 0);
}
END_TEST

START_TEST(model_reports_an_address_that_cannot_be_reached)
{
    const struct model *model = able[_i];
    struct workload workload = ask(model, "/", 200, 2);
    /* Broadcast is for UDP: connect(2) says so at once, without a word on the network. */
    ck_assert_int_eq(net_resolve("255.255.255.255", 9, &workload.server), 0);
    struct rlimit all, few;    /* enough for those in flight, not for all one by one */
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &all), 0);
    few = all;
    few.rlim_cur = 50;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    ck_assert_int_eq(run(model, &workload), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
    for (int i = 0; i < workload.count; i++) {
        ck_assert_int_ne(results[i].error, 0);
        ck_assert_int_ne(results[i].error, ECANCELED);
        ck_assert_int_ne(results[i].error, ETIMEDOUT);
        ck_assert_int_ne(results[i].error, EMFILE);
        ck_assert_int_ge(results[i].end_ns, results[i].start_ns);
    }
}
END_TEST

START_TEST(model_bounds_a_connect_too)
{
    const struct model *model = able[_i];
    struct workload workload = ask(model, "/", 3, 3);
    int listener = net_listen("127.0.0.1", 0, 1);
    ck_assert_int_ge(listener, 0);
    /* Linux keeps one more than the backlog; then nobody comes in until
       one is accepted. */
    int port = net_port(listener);
    int clients[] = {client_connect(port), client_connect(port)};
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    while (info.tcpi_unacked < LENGTH(clients))    /* of a listener: how many wait */
        ck_assert_int_eq(getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    ck_assert_int_eq(net_resolve("127.0.0.1", port, &workload.server), 0);
    workload.timeout_ns = 100 * CLOCK_MS;
    ck_assert_int_eq(run(model, &workload), 0);
    assert_all(&workload, ETIMEDOUT, 0);
    for (int i = 0; i < workload.count; i++) {
        ck_assert_int_eq(results[i].connected_ns, 0);
        ck_assert_int_ge(results[i].end_ns - results[i].start_ns, 100 * CLOCK_MS);
    }
    close(clients[0]);
    close(clients[1]);
    close(listener);
}
END_TEST

static void on_signal(int number)
{
    (void)number;
    stop = true;
}

struct stopper {
    pthread_t thread, main;
    int       when_in_flight;
};

/* The signal goes to the thread that runs the model, as a terminal's Ctrl-C
   goes to main. */
static void *stop_when_in_flight(void *arg)
{
    const struct stopper *stopper = arg;
    server_await_stat(&server, "in_flight", stopper->when_in_flight);
    pthread_kill(stopper->main, SIGUSR1);
    return NULL;
}

START_TEST(model_told_to_stop_starts_no_more_and_ends_those_in_flight)
{
    const struct model *model = able[_i];
    struct workload workload = ask(model, "/gate/200?timeout=60m", 9, 3);
    workload.timeout_ns = 2LL * CLOCK_S;    /* what is in flight at the stop ends by it */
    /* No SA_RESTART: calls see it. */
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    struct stopper stopper = {.main = pthread_self(),
                              .when_in_flight = workload.in_flight};
    ck_assert_int_eq(pthread_create(&stopper.thread, NULL, stop_when_in_flight, &stopper),
                     0);
    ck_assert_int_eq(run(model, &workload), 0);
    pthread_join(stopper.thread, NULL);
    for (int i = 0; i < workload.count; i++) {
        ck_assert_int_eq(results[i].error,
                         i < workload.in_flight ? ETIMEDOUT : ECANCELED);
        ck_assert_int_eq(results[i].start_ns != 0, i < workload.in_flight);
    }
    server_await_stat(&server, "in_flight", 0);
}
END_TEST

START_TEST(model_leaves_nothing_behind)
{
    const struct model *model = able[_i];
    struct workload workload = ask(model, "/delay/1ms?fault=close:0.5&i={i}", 40, 8);
    ck_assert_int_eq(run(model, &workload), 0);    /* whatever is made once is made now */
    int descriptors = count_entries("/proc/self/fd");
    int tasks = count_entries("/proc/self/task");
    ck_assert_int_eq(run(model, &workload), 0);
    ck_assert_int_eq(count_entries("/proc/self/fd"), descriptors);
    ck_assert_int_eq(count_entries("/proc/self/task"), tasks);
    server_await_stat(&server, "in_flight", 0);
}
END_TEST

START_TEST(threads_that_cannot_be_had_never_start)
{
    const struct model *model = model_find("threads");
    struct workload workload = ask(model, "/delay/1ms", 5, 5);
    workload.stack_bytes = (size_t)1 << 46;    /* half of all addresses there are */
    ck_assert_int_eq(run(model, &workload), -EAGAIN);
    assert_all(&workload, ECANCELED, 0);
}
END_TEST

/* One of the children that the model has forked, not the server. */
static pid_t find_child(void)
{
    pid_t found = 0;
    DIR *proc = opendir("/proc");
    ck_assert_ptr_nonnull(proc);
    for (struct dirent *entry; !found && (entry = readdir(proc)) != NULL;) {
        char path[300], line[512] = "";
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = fopen(path, "re");
        if (!file)
            continue;
        pid_t parent = 0;
        if (fgets(line, sizeof line, file) && strstr(line, "(models_test)"))
            sscanf(strrchr(line, ')') + 1, " %*c %d", &parent);
        fclose(file);
        if (parent == getpid())
            found = (pid_t)atoi(entry->d_name);
    }
    closedir(proc);
    return found;
}

/* When all three wait at a gate of four, kills one; opens the gate with two
   of its own. */
static void *kill_one(void *arg)
{
    (void)arg;
    server_await_stat(&server, "in_flight", 3);
    pid_t child = find_child();
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    server_await_stat(&server, "gone", 1);
    int fd = client_connect(server.port);
    client_send(fd, "GET /gate/4 HTTP/1.1\r\n\r\n");
    char reply[1024];
    ck_assert_int_eq(client_get(server.port, "/gate/4", reply, sizeof reply), 200);
    close(fd);
    return NULL;
}

START_TEST(processes_count_a_child_that_was_killed_as_one_failed_request)
{
    const struct model *model = model_find("processes");
    struct workload workload = ask(model, "/gate/4?timeout=60m", 3, 3);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, kill_one, NULL), 0);
    ck_assert_int_eq(run(model, &workload), 0);
    pthread_join(thread, NULL);
    int killed = 0;
    for (int i = 0; i < workload.count; i++) {
        killed += results[i].error == ECHILD;
        ck_assert(results[i].error == ECHILD || results[i].status == 200);
        ck_assert_int_ge(results[i].end_ns, results[i].start_ns);
        ck_assert_int_gt(results[i].start_ns, 0);
    }
    ck_assert_int_eq(killed, 1);
}
END_TEST

START_TEST(uring_has_more_in_flight_than_its_ring_has_entries)
{
    const struct model *model = &model_uring;
    if (model->unavailable())
        return;
    struct workload workload = ask(model, "/gate/500?timeout=60m", 1000, 500);
    ck_assert_int_eq(run(model, &workload), 0);
    assert_all(&workload, 0, 200);
    ck_assert_int_eq(server_stat(&server, "peak_in_flight"), 500);
    workload = ask(model, "/gate/501", 500, 500);    /* as many cancels */
    workload.timeout_ns = 2LL * CLOCK_S;
    ck_assert_int_eq(run(model, &workload), 0);
    assert_all(&workload, ETIMEDOUT, 0);
}
END_TEST

/* Until the process is in this state of proc(5): S asleep, T stopped. */
static void await_state(pid_t pid, char wanted)
{
    char path[64], state = 0;
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    while (state != wanted) {
        ck_assert_msg(clock_ns() < deadline_ns, "it is %c, and never %c", state, wanted);
        FILE *file = fopen(path, "r");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fscanf(file, "%*d %*s %c", &state), 1);
        fclose(file);
    }
}

/* Stopped in its first wait and let go, it is in a wait that has submitted all
   there was to submit, and that the next stop ends: only such a one returns
   without a completion. */
static void stop_in_wait(pid_t pid)
{
    for (int i = 0; i < 2; i++) {
        kill(pid, SIGCONT);
        await_state(pid, 'S');
        kill(pid, SIGSTOP);
        await_state(pid, 'T');
    }
}

/* The model is stopped while the gate's replies come, and until the timeout too has
   passed: then it finds a reply and an expired request at once. */
START_TEST(uring_bears_a_completion_that_races_its_own_cancel)
{
    const struct model *model = &model_uring;
    if (model->unavailable())
        return;
    struct workload workload = ask(model, "/gate/9?timeout=60m", 16, 8);
    workload.timeout_ns = 4LL * CLOCK_S;
    struct result *seen = mmap(NULL, sizeof results, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(seen != MAP_FAILED);
    pid_t child = fork();
    if (child == 0) {
        int error = run(model, &workload);
        memcpy(seen, results, sizeof results);
        _exit(-error);
    }
    char reply[1024];
    server_await_stat(&server, "in_flight", 8);
    stop_in_wait(child);
    ck_assert_int_eq(client_get(server.port, workload.target, reply, sizeof reply), 200);
    server_await_stat(&server, "in_flight", 0);
    clock_sleep(workload.timeout_ns);
    kill(child, SIGCONT);
    server_await_stat(&server, "in_flight", 8);
    ck_assert_int_eq(client_get(server.port, workload.target, reply, sizeof reply), 200);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    for (int i = 0; i < workload.count; i++) {
        ck_assert_int_eq(seen[i].error, i < workload.in_flight ? ETIMEDOUT : 0);
        ck_assert_int_eq(seen[i].status, i < workload.in_flight ? 0 : 200);
    }
    munmap(seen, sizeof results);
}
END_TEST

START_TEST(uring_ends_each_request_once_when_replies_come_as_time_is_over)
{
    const struct model *model = &model_uring;
    if (model->unavailable())
        return;
    struct workload workload = ask(model, "/delay/20ms", 600, 100);
    workload.timeout_ns = 22 * CLOCK_MS;    /* whichever comes first: any mix is right */
    ck_assert_int_eq(run(model, &workload), 0);
    for (int i = 0; i < workload.count; i++) {
        ck_assert(results[i].error == ETIMEDOUT ||
                  (results[i].error == 0 && results[i].status == 200));
        ck_assert_int_ge(results[i].end_ns - results[i].start_ns, 20 * CLOCK_MS);
    }
    server_await_stat(&server, "in_flight", 0);
}
END_TEST

START_TEST(uring_says_why_it_is_refused)
{
    static const int errors[] = {EPERM, ENOSYS};
    struct workload workload = ask(&model_uring, "/", 3, 3);
    refuse_system_call(SYS_io_uring_setup, errors[_i]);
    const char *why = model_uring.unavailable();
    ck_assert_ptr_nonnull(why);
    ck_assert_msg(strstr(why, "uring") != NULL, "it says '%s'", why);
    ck_assert_int_lt(run(&model_uring, &workload), 0);
    assert_all(&workload, ECANCELED, 0);
}
END_TEST

START_TEST(uring_that_fails_tells_what_became_of_each_request)
{
    const struct model *model = &model_uring;
    if (model->unavailable())
        return;
    for (int in_flight = 5; in_flight <= 300; in_flight += 295) {    /* 300: full queue */
        struct workload workload = ask(model, "/delay/1ms", 400, in_flight);
        if (in_flight == 5)
            refuse_system_call(SYS_io_uring_enter, ENOMEM);
        int descriptors = count_entries("/proc/self/fd");
        ck_assert_int_eq(run(model, &workload), -ENOMEM);
        int started = 0;
        for (int i = 0; i < workload.count; i++) {
            ck_assert_int_eq(results[i].error, results[i].start_ns ? ENOMEM : ECANCELED);
            started += results[i].start_ns != 0;
        }
        ck_assert_int_gt(started, 0);
        ck_assert_int_le(started, in_flight);
        ck_assert_int_lt(started, 300);    /* none once the queue is full and stays so */
        ck_assert_int_eq(count_entries("/proc/self/fd"), descriptors);
    }
}
END_TEST

START_TEST(model_is_found_by_its_name_alone)
{
    ck_assert_ptr_eq(model_find("threads"), &model_threads);
    ck_assert_ptr_null(model_find("thread"));
    ck_assert_ptr_null(model_find(""));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("models");
    TCase *tcase = suite_add(suite, "models");
    tcase_add_checked_fixture(tcase, begin, finish);
    int count = find_able();
    tcase_add_loop_test(tcase, model_answers_every_request, 0, count);
    tcase_add_loop_test(tcase, model_has_as_many_in_flight_as_asked_and_never_more, 0,
                        count);
    tcase_add_loop_test(tcase, model_starts_the_next_when_any_ends, 0, count);
    tcase_add_loop_test(tcase, model_counts_every_fault_by_reason, 0, count);
    tcase_add_loop_test(tcase, model_meets_the_same_faults_as_every_other, 0, count);
    tcase_add_loop_test(tcase, model_takes_a_status_that_is_not_2xx_for_a_whole_reply, 0,
                        count);
    tcase_add_loop_test(tcase, model_counts_a_body_that_drips, 0, count);
    tcase_add_loop_test(tcase, model_bounds_the_whole_request_not_each_silence, 0, count);
    tcase_add_loop_test(tcase, model_reports_a_server_that_is_not_there, 0, count);
    tcase_add_loop_test(tcase, model_reports_an_address_that_cannot_be_reached, 0, count);
    tcase_add_loop_test(tcase, model_bounds_a_connect_too, 0, count);
    tcase_add_loop_test(tcase, model_told_to_stop_starts_no_more_and_ends_those_in_flight,
                        0, count);
    tcase_add_loop_test(tcase, model_leaves_nothing_behind, 0, count);
    tcase_add_test(tcase, threads_that_cannot_be_had_never_start);
    tcase_add_test(tcase, processes_count_a_child_that_was_killed_as_one_failed_request);
    tcase_add_test(tcase, uring_has_more_in_flight_than_its_ring_has_entries);
    tcase_add_test(tcase, uring_bears_a_completion_that_races_its_own_cancel);
    tcase_add_test(tcase, uring_ends_each_request_once_when_replies_come_as_time_is_over);
    tcase_add_loop_test(tcase, uring_says_why_it_is_refused, 0, 2);
    tcase_add_test(tcase, uring_that_fails_tells_what_became_of_each_request);
    tcase_add_test(tcase, model_is_found_by_its_name_alone);
    return suite_end(suite);
}
