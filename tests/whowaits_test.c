/* The real whowaits, watching the kit's models and clients that nobody here wrote. This
   program is a client too, where one is needed that does wrong: see `clients`. */
#include "kit/array.h"
#include "kit/call.h"
#include "kit/clock.h"
#include "kit/http.h"
#include "kit/net.h"
#include "tests/bench_support.h"
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHOWAITS BUILD_DIR "/whowaits"
#define FETCH BUILD_DIR "/fetch"

enum { REQUESTS = 8, WORDS = 24 };

static struct output output;

static void finish(void)
{
    output_free(&output);
    bench_finish();    /* nobody may be left */
}

/* Runs whowaits with these options on a shell's command. Returns its status. */
static int watch_shell(const char *options, const char *command)
{
    char text[128];
    const char *argv[WORDS] = {WHOWAITS};
    int count = 1;
    snprintf(text, sizeof text, "%s", options);
    char *rest = text;
    for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;)
        argv[count++] = word;
    argv[count++] = "--";
    argv[count++] = "sh";
    argv[count++] = "-c";
    argv[count++] = command;
    return program_run(argv, &output);
}

static void assert_key(const char *key, const char *value)
{
    char words[128];
    snprintf(words, sizeof words, "\"%s\":\"%s\"", key, value);
    assert_says(output.out, words);
}

static void assert_number(const char *key, int value)
{
    char words[128];
    snprintf(words, sizeof words, "\"%s\":%d,", key, value);
    assert_says(output.out, words);
}

/* --- Clients that do wrong ---------------------------------------------------------- */

/* Sends a request on each of REQUESTS connections. */
static void ask_all(const char *url, int fds[REQUESTS])
{
    struct http_url parts;
    if (http_parse_url(url, &parts))
        exit(9);
    for (int i = 0; i < REQUESTS; i++) {
        char request[HTTP_REQUEST];
        struct endpoint endpoint;
        int length =
            http_write_request(request, sizeof request, "127.0.0.1", parts.target, 0);
        int64_t deadline_ns = clock_ns() + AWAIT_NS;
        if (net_resolve(parts.host, parts.port, &endpoint) != 0 ||
            (fds[i] = net_connect(&endpoint, deadline_ns)) < 0 ||
            net_send_all(fds[i], request, (size_t)length, deadline_ns) != 0)
            exit(9);
    }
}

/* Sends everything first, and then reads in the order of asking. */
static int read_in_order(const char *url)
{
    int fds[REQUESTS];
    char buf[1024];
    ask_all(url, fds);
    for (int i = 0; i < REQUESTS; i++) {
        while (recv(fds[i], buf, sizeof buf, 0) > 0)
            continue;
        close(fds[i]);
    }
    return 0;
}

/* Asks each socket in turn whether something is there, and sleeps for nap_ns in
   between. */
static int ask_again(const char *url, int64_t nap_ns)
{
    int fds[REQUESTS];
    char buf[1024];
    ask_all(url, fds);
    for (int open = REQUESTS; open > 0;) {
        for (int i = 0; i < REQUESTS; i++)
            if (fds[i] >= 0 && (recv(fds[i], buf, sizeof buf, MSG_DONTWAIT) == 0 ||
                                (errno != EAGAIN && errno != EINTR))) {
                close(fds[i]);
                fds[i] = -1;
                open--;
            }
        if (nap_ns)
            clock_sleep(nap_ns);
    }
    return 0;
}

static int spin(const char *url)
{
    return ask_again(url, 0);
}

static int nap(const char *url)
{
    return ask_again(url, 2 * CLOCK_MS);
}

/* Waits for something else. */
static int pause_for_ever(const char *url)
{
    int fds[REQUESTS];
    ask_all(url, fds);
    return pause();
}

/* Cannot be asked to end, and has a child in a session of its own that cannot either. */
static int resist(const char *url)
{
    signal(SIGTERM, SIG_IGN);
    if (fork() == 0)
        setsid();
    return pause_for_ever(url);
}

static const struct client {
    const char *name;
    int       (*run)(const char *url);
} clients[] = {
    {"in-order", read_in_order}, {"spin", spin}, {"nap", nap}, {"pause", pause_for_ever},
    {"resist", resist},
};

/* Runs whowaits on one of them. */
static int watch_client(const char *option, const char *name)
{
    const char *self = BUILD_DIR "/tests/whowaits_test";
    const char *argv[] = {WHOWAITS, option, "--", self, name, "{url}", NULL};
    return program_run(argv, &output);
}

/* --- The models --------------------------------------------------------------------- */

static const struct model_case {
    const char *model, *who, *how_many, *call;
    int         at_gate, processes, sockets_each;
} models[] = {
    {"blocking", "thread", "one", "recv", 1, 1, 1},
    {"processes", "process", "all", "recv", 8, 9, 1},
    {"threads", "thread", "all", "recv", 8, 1, 1},
    {"pool", "thread", "all", "recv", 8, 1, 1},
    {"epoll", "loop", "all", "epoll_wait", 8, 1, 8},
    {"libevent", "loop", "all", "epoll_wait", 8, 1, 8},
    {"coroutines", "loop", "all", "epoll_wait", 8, 1, 8},
    {"uring", "ring", "all", "io_uring_enter", 8, 1, 8},
};

static bool is_unavailable(const char *model)
{
    char start[64], command[128];
    snprintf(start, sizeof start, "%-12sunavailable", model);
    snprintf(command, sizeof command, "%s --list | grep -q '^%s'", FETCH, start);
    bool missing = system(command) == 0;
    if (missing) {
        printf("skipped: %s: unavailable here\n", model);
        fflush(stdout);
    }
    return missing;
}

START_TEST(whowaits_knows_every_model)
{
    const struct model_case *each = &models[_i];
    char row[64];
    if (is_unavailable(each->model))
        return;
    const char *argv[] = {WHOWAITS, "--json", "--", FETCH, "-m", each->model,
                          "-n", "8", "{url}", NULL};
    int status = program_run(argv, &output);
    ck_assert_msg(status == 0, "status %d: %s%s", status, output.out, output.err);
    assert_key("who", each->who);
    assert_key("how_many", each->how_many);
    assert_key("call", each->call);
    assert_number("at_gate", each->at_gate);
    assert_number("processes", each->processes);
    assert_number("sockets", each->at_gate);
    snprintf(row, sizeof row, "\"call\":\"%s\",\"sockets\":%d,", each->call,
             each->sockets_each);
    assert_says(output.out, row);
    if (each->at_gate > 1)
        assert_key("last_first", "read");
    else
        assert_key("next", "same");
}
END_TEST

START_TEST(whowaits_tells_a_pool_from_a_thread_for_each)
{
    ck_assert_int_eq(watch_shell("", FETCH " -m pool -n 9 -c 3 {url}"), 0);
    assert_says(output.out, "3 of 8 requests stood at the gate");
    assert_says(output.out, "who waits: a pool: 3 threads, each asleep in recv");
    assert_says(output.out, "how many at once: 3: the next came only after an answer");
    output_free(&output);
    ck_assert_int_eq(watch_shell("", FETCH " -m threads -n 9 -c 3 {url}"), 0);
    assert_says(output.out, "who waits: a thread for each: 3 threads");
    assert_says(output.out, "how many at once: 3: the next came only after an answer");
}
END_TEST

START_TEST(whowaits_tells_all_that_it_asked_for_from_all_that_it_can)
{
    ck_assert_int_eq(watch_shell("", FETCH " -m threads -n 3 {url}"), 0);
    assert_says(output.out, "how many at once: 3, which is all that it asked for");
}
END_TEST

/* --- Clients that nobody here wrote ------------------------------------------------- */

/* A name, not a number: it asks threads, which then have nothing to do. */
static const char asyncio[] =
    "import asyncio, sys, urllib.parse\n"
    "u = urllib.parse.urlsplit(sys.argv[1])\n"
    "async def one():\n"
    "    r, w = await asyncio.open_connection('localhost', u.port)\n"
    "    w.write(f'GET {u.path} HTTP/1.1\\r\\nHost: x\\r\\n'\n"
    "            'Connection: close\\r\\n\\r\\n'.encode())\n"
    "    await r.read()\n"
    "    w.close()\n"
    "async def main(): await asyncio.gather(*(one() for _ in range(8)))\n"
    "asyncio.run(main())\n";

static const char threads[] =
    "import sys, threading, urllib.request\n"
    "def one(): urllib.request.urlopen(sys.argv[1]).read()\n"
    "all = [threading.Thread(target=one) for _ in range(8)]\n"
    "for each in all: each.start()\n"
    "for each in all: each.join()\n";

static const char three_processes[] =
    "import sys, urllib.request\n"
    "from concurrent.futures import ProcessPoolExecutor\n"
    "def one(_): return urllib.request.urlopen(sys.argv[1]).read()\n"
    "if __name__ == '__main__':\n"
    "    with ProcessPoolExecutor(3) as pool: list(pool.map(one, range(8)))\n";

static const char one_by_one[] =
    "import sys, urllib.request\n"
    "for _ in range(8): urllib.request.urlopen(sys.argv[1]).read()\n";

static const char fetches[] =
    "Promise.all(Array.from({length: 8}, () =>\n"
    "    fetch(process.argv[2]).then(reply => reply.text())));\n";

#define EIGHT_URLS "{url} {url} {url} {url} {url} {url} {url} {url}"

static const struct stranger {
    const char *program;    /* what must be installed */
    const char *script;     /* written to $TMPDIR/script; NULL: none */
    const char *command;
    const char *who, *how_many, *call;
} strangers[] = {
    {"curl", NULL, "curl -sS -m 600 {url}; curl -sS {url}", "process", "one", "poll"},
    {"curl", NULL, "curl -s --no-progress-meter -Z --parallel-immediate " EIGHT_URLS,
     "loop", "all", "poll"},
    {"curl", NULL, "curl -s --no-progress-meter -Z " EIGHT_URLS,    /* first tries one */
     "thread", "unknown", "poll"},
    {"xargs", NULL, "seq 8 | xargs -P 8 -I % curl -sS {url}", "process", "all", "poll"},
    {"wrk", NULL, "wrk -t 2 -c 8 -d 600s {url}", "loop", "all", "epoll_wait"},
    {"python3", asyncio, "python3 $TMPDIR/script {url}", "loop", "all", "epoll_wait"},
    {"python3", threads, "python3 $TMPDIR/script {url}", "thread", "all", "recv"},
    {"python3", three_processes, "python3 $TMPDIR/script {url}", "process", "some",
     "recv"},
    {"python3", one_by_one, "python3 $TMPDIR/script {url}", "thread", "one", "recv"},
    {"node", fetches, "node $TMPDIR/script {url}", "loop", "all", "epoll_pwait"},
};

static bool is_installed(const char *name)
{
    char command[64];
    snprintf(command, sizeof command, "command -v %s >/dev/null", name);
    bool installed = system(command) == 0;
    if (!installed) {
        printf("skipped: %s: not installed\n", name);
        fflush(stdout);
    }
    return installed;
}

START_TEST(whowaits_knows_a_stranger)
{
    const struct stranger *each = &strangers[_i];
    if (!is_installed(each->program))
        return;
    if (each->script)
        folder_write("script", each->script);
    int status = watch_shell("--json", each->command);
    int expected = strcmp(each->how_many, "unknown") == 0 ? 3 : 0;
    ck_assert_msg(status == expected, "status %d: %s%s", status, output.out, output.err);
    assert_key("who", each->who);
    assert_key("how_many", each->how_many);
    assert_key("call", each->call);
}
END_TEST

START_TEST(whowaits_does_not_take_an_ordered_reader_for_a_loop)
{
    ck_assert_int_eq(watch_client("--json", "in-order"), 0);
    assert_key("who", "in-order");
    assert_key("how_many", "all");
    assert_key("call", "recv");
    assert_key("last_first", "unread");
    assert_number("sockets", 8);
    assert_number("watched", 1);
}
END_TEST

START_TEST(whowaits_knows_who_spins)
{
    ck_assert_int_eq(watch_client("--json", _i ? "nap" : "spin"), 0);
    assert_key("who", "nobody");
    assert_key("how_many", "all");
}
END_TEST

START_TEST(whowaits_has_no_name_for_what_it_does_not_know)
{
    ck_assert_int_eq(watch_client("--json", "pause"), 3);
    assert_key("who", "unknown");
    assert_key("how_many", "all");
    assert_key("who_words",
               "unknown: no thread sleeps for 8 of the 8 requests; most sleep in pause");
    ck_assert_str_eq(output.err, "");
}
END_TEST

/* --- Clients that come to nothing --------------------------------------------------- */

static const struct failure {
    const char *options, *command;
    int         status;
    const char *words;
} failures[] = {
    {"", "exit 7; {url}", 3,
     "whowaits: sh: ended with status 7 before it was seen to wait"},
    {"", FETCH " -m epoll -n 2 --timeout 2s {url} 2>/dev/null", 3,
     "whowaits: sh: ended with status 3, with 2 of 8 requests at the gate, while more"},
    {"", "kill -9 $$; {url}", 3, "whowaits: sh: was killed by signal 9 (Killed) before"},
    {"", "sleep 3600; {url}", 3,
     "whowaits: sh: no request came to the gate; most of its "},
    {"-k 2", FETCH " -m epoll -n 8 {url}", 3,
     "whowaits: sh: more than 2 requests came at once, and opened the gate too soon"},
};

START_TEST(whowaits_says_in_a_sentence_what_became_of_a_client)
{
    const struct failure *each = &failures[_i];
    ck_assert_int_eq(watch_shell(each->options, each->command), each->status);
    assert_says(output.err, each->words);
    assert_one_sentence(output.err);
    ck_assert_str_eq(output.out, "");
}
END_TEST

START_TEST(whowaits_says_that_a_command_cannot_be_started)
{
    const char *argv[] = {WHOWAITS, "--", "/nowhere/client", "{url}", NULL};
    ck_assert_int_eq(program_run(argv, &output), 1);
    ck_assert_str_eq(output.err,
                     "whowaits: /nowhere/client: No such file or directory\n");
    ck_assert_str_eq(output.out, "");
}
END_TEST

/* The fixture looks whether somebody is left. */
START_TEST(whowaits_ends_who_does_not_want_to)
{
    ck_assert_int_eq(watch_client("-k16", "resist"), 3);
    assert_says(output.out, "16 of 16 requests stood at the gate");
    assert_says(output.out, "processes 2, threads ");
}
END_TEST

START_TEST(whowaits_watches_and_ends_what_a_client_leaves_behind)
{
    const char *command = "setsid " FETCH " -n 1 {url} & exit 0";
    ck_assert_int_eq(watch_shell("-k 1 --json", command), 0);
    assert_key("who", "thread");
    assert_key("call", "recv");
    assert_number("processes", 1);
}
END_TEST

START_TEST(whowaits_ends_its_client_when_it_is_interrupted)
{
    struct program program;
    const char *command = "echo >$TMPDIR/up; exec sleep 3600 # {url}";
    const char *argv[] = {WHOWAITS, "--", "sh", "-c", command, NULL};
    program_start(&program, argv);
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    while (access(folder_path("up"), F_OK) != 0) {
        ck_assert_msg(clock_ns() < deadline_ns, "the client does not start");
        clock_sleep(CLOCK_MS);
    }
    ck_assert_int_eq(program_end(&program, SIGINT, &output), 3);
    ck_assert_str_eq(output.err, "whowaits: sh: interrupted\n");
    ck_assert_str_eq(output.out, "");
}
END_TEST

/* A server that never says that it is ready. */
START_TEST(whowaits_can_be_interrupted_before_its_server_is_up)
{
    struct program program;
    struct call call = {.number = -1};
    char command[256];
    snprintf(command, sizeof command, "cp " WHOWAITS " %s", folder_path(""));
    ck_assert_int_eq(system(command), 0);
    folder_write("latency-server", "#!/bin/sh\nexec sleep 3600\n");
    ck_assert_int_eq(chmod(folder_path("latency-server"), 0755), 0);
    const char *argv[] = {strdup(folder_path("whowaits")), "{url}", NULL};
    program_start(&program, argv);
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    while (call.kind != CALL_READY) {
        ck_assert_msg(clock_ns() < deadline_ns, "it does not wait for its server");
        clock_sleep(CLOCK_MS);
        call_read(&call, program.pid, program.pid);
    }
    ck_assert_int_eq(program_end(&program, SIGINT, &output), 3);
    ck_assert_str_eq(output.err, "whowaits: {url}: interrupted\n");
    free((char *)argv[0]);
}
END_TEST

/* --- The command line --------------------------------------------------------------- */

static const struct misuse {
    const char *argv[4];
    const char *words;
} misuses[] = {
    {{"--"}, "whowaits: -- COMMAND...: missing"},
    {{"-k", "0", "{url}"}, "whowaits: -k: 0 is out of range; it goes from 1 to 10000"},
    {{"-k", "many", "{url}"}, "whowaits: -k: 'many' is not a whole number"},
    {{"--colour", "--", "{url}"}, "whowaits: --colour: no such option"},
    {{"--", "curl", "http://127.0.0.1/"},
     "whowaits: COMMAND: {url} stands nowhere in it"},
};

START_TEST(whowaits_refuses_a_wrong_command_line)
{
    const char *argv[6] = {WHOWAITS};
    memcpy(argv + 1, misuses[_i].argv, sizeof misuses[_i].argv);
    ck_assert_int_eq(program_run(argv, &output), 2);
    assert_says(output.err, misuses[_i].words);
    assert_one_sentence(output.err);
    ck_assert_str_eq(output.out, "");
}
END_TEST

START_TEST(whowaits_prints_its_help)
{
    const char *argv[] = {WHOWAITS, "--help", NULL};
    ck_assert_int_eq(program_run(argv, &output), 0);
    assert_says(output.out, "usage: whowaits [OPTION...] -- COMMAND...");
    assert_says(output.out, "--json");
}
END_TEST

int main(int argc, char **argv)
{
    for (size_t i = 0; i < LENGTH(clients) && argc == 3; i++)
        if (strcmp(argv[1], clients[i].name) == 0)
            return clients[i].run(argv[2]);
    Suite *suite = suite_create("whowaits");
    TCase *tcase = suite_add(suite, "clients");
    tcase_add_checked_fixture(tcase, bench_begin, finish);
    tcase_add_loop_test(tcase, whowaits_knows_every_model, 0, (int)LENGTH(models));
    tcase_add_test(tcase, whowaits_tells_a_pool_from_a_thread_for_each);
    tcase_add_test(tcase, whowaits_tells_all_that_it_asked_for_from_all_that_it_can);
    tcase_add_loop_test(tcase, whowaits_knows_a_stranger, 0, (int)LENGTH(strangers));
    tcase_add_test(tcase, whowaits_does_not_take_an_ordered_reader_for_a_loop);
    tcase_add_loop_test(tcase, whowaits_knows_who_spins, 0, 2);
    tcase_add_test(tcase, whowaits_has_no_name_for_what_it_does_not_know);
    tcase_add_loop_test(tcase, whowaits_says_in_a_sentence_what_became_of_a_client, 0,
                        (int)LENGTH(failures));
    tcase_add_test(tcase, whowaits_says_that_a_command_cannot_be_started);
    tcase_add_test(tcase, whowaits_ends_who_does_not_want_to);
    tcase_add_test(tcase, whowaits_watches_and_ends_what_a_client_leaves_behind);
    tcase_add_test(tcase, whowaits_ends_its_client_when_it_is_interrupted);
    tcase_add_test(tcase, whowaits_can_be_interrupted_before_its_server_is_up);
    tcase_add_loop_test(tcase, whowaits_refuses_a_wrong_command_line, 0,
                        (int)LENGTH(misuses));
    tcase_add_test(tcase, whowaits_prints_its_help);
    return suite_end(suite);
}
