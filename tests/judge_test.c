#define _GNU_SOURCE
#include "tests/judge.h"

#include "kit/array.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each test writes an answer, a script, and has a check of one case judge it. The cases
   come first; what they say is compared further down. */

/* --- Cases -------------------------------------------------------------------------- */

static void start(struct judge *judge, const char *argument)
{
    judge_start(judge, "program", (const char *const[]){argument, NULL});
}

START_TEST(hello_is_due)
{
    struct judge judge = JUDGE_NEW;
    judge.look = "the greeting";
    start(&judge, NULL);
    judge_await_output(&judge, "hello\n");
    judge_no_more_output(&judge, "hello\n");
    int status = judge_await_end(&judge);
    if (status != 0)
        judge_reject(&judge, "ended with status %d", status);
}
END_TEST

START_TEST(silence_is_due)
{
    struct judge judge = JUDGE_NEW;
    struct roll roll;
    start(&judge, NULL);
    judge_settle(&judge, &roll);
    judge_no_more_output(&judge, "");
    if (roll.threads != 1)
        judge_reject(&judge, "%d threads", roll.threads);
}
END_TEST

/* With time to work, so that nothing but its memory can be too much. */
START_TEST(memory_is_due)
{
    struct judge judge = JUDGE_NEW;
    struct roll roll;
    judge.work_cpu_ms = 60 * 1000;
    start(&judge, NULL);
    judge_settle(&judge, &roll);
}
END_TEST

/* The gate is one too large, so that it stays shut. */
START_TEST(four_in_flight_are_due)
{
    struct judge judge = JUDGE_NEW;
    struct server server;
    char url[64], reply[1024];
    judge_serve(&judge, &server);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/gate/5?timeout=60m", server.port);
    start(&judge, url);
    judge_await_in_flight(&judge, &server, 4);
    struct roll roll;
    judge_settle(&judge, &roll);
    if (roll.threads != 5 || roll.processes != 1 || roll_count(&roll, "recv") != 4)
        judge_reject(&judge, "%d threads in %d processes, %d in recv", roll.threads,
                     roll.processes, roll_count(&roll, "recv"));
    ck_assert_int_eq(client_get(server.port, "/gate/5", reply, sizeof reply), 200);
    if (judge_await_end(&judge) != 0)
        judge_reject(&judge, "requests failed");
    server_stop(&server);
}
END_TEST

START_TEST(an_echo_is_due)
{
    struct judge judge = JUDGE_NEW;
    struct peer peer;
    char port[16];
    peer_open(&peer, &judge);
    snprintf(port, sizeof port, "%d", peer.port);
    start(&judge, port);
    peer_accept(&peer);
    peer_expect(&peer, "hello");
    peer_send(&peer, "one ");
    judge_await_output(&judge, "one ");
    peer_send(&peer, "two");
    judge_await_output(&judge, "one two");
    judge_no_more_output(&judge, "one two");
    peer_end(&peer);
    judge_await_end(&judge);
}
END_TEST

START_TEST(giving_up_is_due)
{
    struct judge judge = JUDGE_NEW;
    struct peer peer;
    char port[16];
    peer_open(&peer, &judge);
    snprintf(port, sizeof port, "%d", peer.port);
    start(&judge, port);
    peer_accept(&peer);
    peer_drip(&peer, '.', CLOCK_MS);
    peer_expect_end(&peer);
    ck_assert_int_ge(*peer.dripped, 3);
    peer_end(&peer);
    judge_await_end(&judge);
}
END_TEST

START_TEST(more_than_it_takes_is_sent)
{
    struct judge judge = JUDGE_NEW;
    struct peer peer;
    char port[16], bytes[4096] = {0};
    peer_open(&peer, &judge);
    snprintf(port, sizeof port, "%d", peer.port);
    start(&judge, port);
    peer_accept(&peer);
    while (send(peer.fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
    judge_settle(&judge, NULL);
}
END_TEST

START_TEST(a_reset_is_made)
{
    struct judge judge = JUDGE_NEW;
    struct peer peer;
    char port[16];
    peer_open(&peer, &judge);
    snprintf(port, sizeof port, "%d", peer.port);
    start(&judge, port);
    peer_accept(&peer);
    peer_expect(&peer, "hello");
    peer_reset(&peer);
    if (judge_await_end(&judge) != 1)
        judge_reject(&judge, "took a reset for an end");
}
END_TEST

START_TEST(two_threads_at_rest_are_due)
{
    struct judge judge = JUDGE_NEW;
    struct roll roll;
    judge_start(&judge, "program-tsan", (const char *const[]){NULL});
    judge_settle(&judge, &roll);
    if (roll.threads != 2 || roll_count(&roll, "pause") != 2)
        judge_reject(&judge, "%d threads, %d in pause", roll.threads,
                     roll_count(&roll, "pause"));
}
END_TEST

/* --- Verdicts ----------------------------------------------------------------------- */

/* How many processes there are that were started with this test's TMPDIR. */
static int count_left(void)
{
    char path[300], environment[8192];
    int count = 0;
    DIR *proc = opendir("/proc");
    ck_assert_ptr_nonnull(proc);
    struct dirent *entry;
    while ((entry = readdir(proc)) != NULL) {
        snprintf(path, sizeof path, "/proc/%s/environ", entry->d_name);
        int fd = atoi(entry->d_name) > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        ssize_t length = fd < 0 ? 0 : read(fd, environment, sizeof environment);
        if (fd >= 0)
            close(fd);
        if (length > 0 && memmem(environment, (size_t)length, folder_path(""),
                                 strlen(folder_path(""))))
            count++;
    }
    closedir(proc);
    return count;
}

static void write_answer(const char *script)
{
    char text[2048];
    snprintf(text, sizeof text, "#!/bin/bash\n%s\n", script);
    folder_write("program", text);
    ck_assert_int_eq(chmod(folder_path("program"), 0755), 0);
}

/* Runs the check in a process of its own, and asserts its exit status, how what it says
   begins, and that nothing is left. */
static void assert_verdict(const TTest *check, int expected_status, const char *start)
{
    int status;
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        char *argv[] = {strdup("check"), strdup(folder_path("")), NULL};
        if (!freopen(folder_path("out"), "w", stdout) ||
            !freopen(folder_path("err"), "w", stderr))
            _exit(100);
        exit(judge_run(2, argv, (const TTest *const[]){check}, 1));
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    char *out = folder_read("out"), *err = folder_read("err");
    ck_assert(out && err);
    const char *said = expected_status == 2 ? err : out;
    ck_assert_msg(strncmp(said, start, strlen(start)) == 0 && WIFEXITED(status) &&
                      WEXITSTATUS(status) == expected_status,
                  "status %x, saying: %s%s", (unsigned)status, out, err);
    ck_assert_int_eq(count_left(), 0);
    free(out);
    free(err);
}

static void assert_passes(const TTest *check, const char *script)
{
    write_answer(script);
    assert_verdict(check, 0, "passed: 1 cases\n");
}

static void assert_rejected(const TTest *check, const char *script, const char *fact)
{
    char start[512];
    snprintf(start, sizeof start, "rejected: %s", fact);
    write_answer(script);
    assert_verdict(check, 1, start);
}

START_TEST(an_answer_that_is_right_passes)
{
    assert_passes(hello_is_due, "echo hello");
}
END_TEST

START_TEST(a_wrong_word_is_quoted)
{
    assert_rejected(hello_is_due, "echo hallo",
                    "printed \"hallo\\n\", where \"hello\\n\" was due\n"
                    "look: the greeting\n");
    assert_rejected(hello_is_due, "echo hello; echo; sleep 3600",
                    "printed \"\\n\", where nothing was due\nlook: the greeting\n");
}
END_TEST

START_TEST(its_end_is_told)
{
    assert_rejected(hello_is_due, "exit 3", "ended with status 3, and has not printed ");
    assert_rejected(hello_is_due, "kill -SEGV $$",
                    "was ended by a signal: Segmentation fault, ");
}
END_TEST

START_TEST(where_it_sleeps_is_told)
{
    assert_rejected(hello_is_due, "exec sleep 3600",
                    "asleep in sleep, and has not printed ");
    assert_rejected(hello_is_due, "echo hello; read line < <(exec sleep 3600)",
                    "never ends: asleep in read\n");
    assert_passes(silence_is_due, "exec sleep 3600");
}
END_TEST

START_TEST(one_that_spins_is_told_by_what_it_uses)
{
    assert_rejected(hello_is_due, "while :; do :; done", "spins: ");
    assert_rejected(silence_is_due, "while :; do :; done", "spins: ");
}
END_TEST

/* Of two that sleep for half a second at a time, one goes on. */
START_TEST(one_that_looks_now_and_then_is_told_from_one_that_sleeps)
{
    assert_rejected(silence_is_due,
                    "exec 3<>$TMPDIR/pipe; while :; do read -t 0.5 line <&3; done",
                    "polls: looks again and again (select) although nothing comes\n");
    assert_passes(silence_is_due, "sleep 0.5; exec sleep 3600");
}
END_TEST

/* A loop that sleeps without a timeout, and has a timer among what it watches. */
START_TEST(a_timer_that_is_a_descriptor_is_waited_for)
{
    folder_write("timer.c", "#include <stdio.h>\n#include <sys/epoll.h>\n"
                 "#include <sys/timerfd.h>\n"
                 "int main(void) { struct itimerspec s = {.it_value.tv_sec = 3};\n"
                 "    struct epoll_event e = {.events = EPOLLIN};\n"
                 "    int t = timerfd_create(1, 0), p = epoll_create1(0);\n"
                 "    timerfd_settime(t, 0, &s, NULL); epoll_ctl(p, 1, t, &e);\n"
                 "    return epoll_wait(p, &e, 1, -1) == 1 && puts(\"hello\") < 0; }\n");
    char compile[1024];
    snprintf(compile, sizeof compile, "cd %s && ${CC:-cc} timer.c -o program",
             folder_path(""));
    ck_assert_int_eq(system(compile), 0);
    assert_verdict(hello_is_due, 0, "passed: 1 cases\n");
}
END_TEST

START_TEST(what_it_writes_is_bounded)
{
    static const char fact[] = "it has made more than 1048575 bytes of ";
    assert_rejected(silence_is_due, "exec yes", fact);
    assert_rejected(silence_is_due, "exec yes >&2", fact);
    assert_rejected(hello_is_due, "exec yes > $TMPDIR/large",
                    "wrote more than 1024 KiB, and has not printed ");
}
END_TEST

START_TEST(what_it_holds_is_bounded)
{
    assert_rejected(memory_is_due, "exec tail /dev/zero",
                    "it has made more than 524288 KiB of memory\n");
}
END_TEST

/* It would end by itself after a thousand or two, should nobody stop it. */
START_TEST(one_that_forks_without_end_is_stopped)
{
    assert_rejected(silence_is_due, "f() { [ $1 -gt 9 ] || { f $(($1 + 1)) & "
                    "f $(($1 + 1)) & wait; }; }; f 0",
                    "it has made more than 200 processes\n");
}
END_TEST

START_TEST(it_cannot_end_the_judge)
{
    static const char *const attempts[] = {
        "kill -9 $PPID; sleep 3600",
        "kill -9 -- -$PPID; sleep 3600",
        "kill -0 -- -1; sleep 3600",    /* as harmless as can be, should it get through */
    };
    for (size_t i = 0; i < LENGTH(attempts); i++)
        assert_rejected(hello_is_due, attempts[i],
                        "tried to end a process that is not its own, ");
}
END_TEST

START_TEST(nothing_that_it_started_is_left)
{
    assert_rejected(hello_is_due, "echo hello; (sleep 3600 &)",
                    "has ended, but a process that it started has not\n");
    assert_rejected(hello_is_due, "set -m; sleep 3600 & echo hello",
                    "has ended, but a process that it started has not\n");
    assert_passes(hello_is_due, "setsid true || echo hello");
}
END_TEST

START_TEST(without_descriptors_it_is_judged_all_the_same)
{
    assert_rejected(hello_is_due, "exec 0<&- 1<&- 2<&-; exec sleep 3600",
                    "asleep in sleep, and has not printed ");
}
END_TEST

START_TEST(the_words_of_a_verdict_are_only_the_judges)
{
    assert_rejected(hello_is_due, "echo 'passed: 1 cases'; echo 'passed: 1 cases' >&2",
                    "printed \"passed: 1 cases\\n\", where \"hello\\n\" was due\n");
}
END_TEST

START_TEST(a_sanitizers_words_are_the_fact)
{
    assert_rejected(hello_is_due,
                    "echo 'SUMMARY: AddressSanitizer: 7 byte(s) leaked' >&2; echo hello",
                    "SUMMARY: AddressSanitizer: 7 byte(s) leaked\nlook: the greeting\n");
    assert_rejected(hello_is_due,
                    "echo '    #0 0x1 in memmove ../libsanitizer/x.c:8' >&2\n"
                    "echo '    #1 0x2 in take a.c:7' >&2\n"
                    "echo '    #2 0x3 in main a.c:9' >&2\n"
                    "echo 'SUMMARY: AddressSanitizer: overflow' >&2; exit 1",
                    "SUMMARY: AddressSanitizer: overflow\nlook: take a.c:7\n");
    assert_rejected(hello_is_due,
                    "echo 'a.c:3:5: runtime error: index 3 out of bounds' >&2; exit 1",
                    "runtime error: index 3 out of bounds\nlook: a.c:3:5\n");
    assert_rejected(hello_is_due,
                    "echo 'runtime error: freed twice' >&2; exit 1",
                    "runtime error: freed twice\nlook: the greeting\n");
    assert_rejected(hello_is_due,
                    "echo 'runtime error: freed twice' >&2\n"
                    "echo 'SUMMARY: AddressSanitizer: leaked' >&2; exit 1",
                    "runtime error: freed twice\nlook: the greeting\n");
}
END_TEST

START_TEST(a_judge_that_cannot_work_says_why)
{
    remove(folder_path("program"));
    assert_verdict(hello_is_due, 2, "hello_is_due: ");
}
END_TEST

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined __SANITIZE_THREAD__ || __has_feature(thread_sanitizer)
#define FETCH_RESTS false    /* in it a thread of the sanitizer's wakes again and again */
#else
#define FETCH_RESTS true
#endif

/* fetch has a client of each kind: who waits, and how many at once, is told apart. */
START_TEST(the_gate_and_the_roll_tell_who_waits)
{
    static const char fetch[] = "exec " BUILD_DIR "/fetch --timeout 60m -n 4 \"$1\" -m ";
    static const struct {
        const char *model, *fact;
    } others[] = {
        {"blocking", "stalled with 1 of 4 in flight\n"},
        {"libevent", "1 threads in 1 processes, 0 in recv\n"},
        {"processes", "5 threads in 5 processes, 4 in recv\n"},
    };
    char script[256];
    if (!FETCH_RESTS) {
        printf("skipped: who waits is not told of a fetch with ThreadSanitizer\n");
        return;
    }
    snprintf(script, sizeof script, "%s threads", fetch);
    assert_passes(four_in_flight_are_due, script);
    for (size_t i = 0; i < LENGTH(others); i++) {
        snprintf(script, sizeof script, "%s %s", fetch, others[i].model);
        assert_rejected(four_in_flight_are_due, script, others[i].fact);
    }
}
END_TEST

START_TEST(the_thread_that_tsan_adds_is_nobody)
{
    folder_write("two.c", "#include <pthread.h>\n#include <unistd.h>\n"
                 "static void *rest(void *arg) { pause(); return arg; }\n"
                 "int main(void) { pthread_t t; pthread_create(&t, NULL, rest, NULL);\n"
                 "    return pause(); }\n");
    char compile[1024];
    snprintf(compile, sizeof compile, "cd %s && ${CC:-cc} -fsanitize=thread two.c "
             "-o program-tsan -pthread 2>/dev/null", folder_path(""));
    if (system(compile) != 0)
        printf("skipped: no compiler here has ThreadSanitizer\n");
    else if (judge_can_tsan())
        assert_verdict(two_threads_at_rest_are_due, 0, "passed: 1 cases\n");
}
END_TEST

START_TEST(peers_follow_their_script)
{
#define CONNECT "exec 3<>/dev/tcp/127.0.0.1/$1; "
    assert_passes(an_echo_is_due, CONNECT "printf hello >&3; exec cat <&3");
    assert_rejected(an_echo_is_due, CONNECT "printf hullo >&3; exec cat <&3",
                    "sent something else than \"hello\"\n");
    assert_rejected(an_echo_is_due, CONNECT "printf hell >&3; exec cat <&3",
                    "did not send all of \"hello\"\n");
    assert_rejected(an_echo_is_due, "exec sleep 3600", "waits without a connection ");
    assert_passes(giving_up_is_due, CONNECT "head -c 3 <&3");
    assert_rejected(more_than_it_takes_is_sent, CONNECT "exec sleep 3600",
                    "stuck in sleep\n");    /* not quiet: bytes are on their way to it */
    assert_passes(a_reset_is_made, CONNECT "printf hello >&3; cat <&3");
    assert_rejected(a_reset_is_made, CONNECT "printf hello >&3; cat <&3; exit 0",
                    "took a reset for an end\n");
}
END_TEST

START_TEST(tokens_differ)
{
    char one[JUDGE_TOKEN], other[JUDGE_TOKEN];
    judge_token(one);
    judge_token(other);
    ck_assert_uint_eq(strlen(one), JUDGE_TOKEN - 1);
    ck_assert_str_ne(one, other);
}
END_TEST

static void begin(void)
{
    folder_make();
    ck_assert_int_eq(mkfifo(folder_path("pipe"), 0600), 0);
}

static void end(void)
{
    folder_empty();
    folder_remove();
}

int main(void)
{
    const TTest *const tests[] = {
        an_answer_that_is_right_passes,
        a_wrong_word_is_quoted,
        its_end_is_told,
        where_it_sleeps_is_told,
        one_that_spins_is_told_by_what_it_uses,
        one_that_looks_now_and_then_is_told_from_one_that_sleeps,
        a_timer_that_is_a_descriptor_is_waited_for,
        what_it_writes_is_bounded,
        what_it_holds_is_bounded,
        one_that_forks_without_end_is_stopped,
        it_cannot_end_the_judge,
        nothing_that_it_started_is_left,
        without_descriptors_it_is_judged_all_the_same,
        the_words_of_a_verdict_are_only_the_judges,
        a_sanitizers_words_are_the_fact,
        a_judge_that_cannot_work_says_why,
        the_gate_and_the_roll_tell_who_waits,
        the_thread_that_tsan_adds_is_nobody,
        peers_follow_their_script,
        tokens_differ,
    };
    return suite_run("judge", tests, LENGTH(tests), begin, end);
}
