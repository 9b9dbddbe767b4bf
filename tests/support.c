#define _GNU_SOURCE    /* memfd_create */
#include "tests/support.h"

#include "kit/array.h"
#include "kit/net.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TEST_TIMEOUT_S = 120,    /* a hang guard; no test counts on it */
    POLL_NS = CLOCK_MS       /* between two looks at what is awaited */
};

TCase *suite_add(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, TEST_TIMEOUT_S);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int suite_end(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int suite_run(const char *name, const TTest *const *tests, size_t count,
              void (*before)(void), void (*after)(void))
{
    Suite *suite = suite_create(name);
    for (size_t i = 0; i < count; i++) {
        TCase *tcase = suite_add(suite, tests[i]->name);
        tcase_add_checked_fixture(tcase, before, after);
        tcase_add_test(tcase, tests[i]);
    }
    return suite_end(suite);
}

void assert_says(const char *text, const char *words)
{
    ck_assert_msg(strstr(text, words) != NULL, "it says '%s', not '%s'", text, words);
}

void assert_one_sentence(const char *text)
{
    const char *end = strchr(text, '\n');
    ck_assert_msg(end != NULL && end[1] == '\0', "not one line: '%s'", text);
}

/* --- A folder ----------------------------------------------------------------------- */

/* Every test is a process of its own, so that each has its own name here. */
static char folder[] = "/tmp/ways_test_XXXXXX";

void folder_make(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    setenv("TMPDIR", folder, 1);
}

const char *folder_path(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s%s%s", folder, *name ? "/" : "", name);
    return path;
}

void folder_write(const char *name, const char *text)
{
    FILE *file = fopen(folder_path(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

char *folder_read(const char *name)
{
    FILE *file = fopen(folder_path(name), "r");
    if (!file)
        return NULL;
    enum { MOST = 1 << 20 };
    char *text = calloc(1, MOST);
    ck_assert_ptr_nonnull(text);
    fread(text, 1, MOST - 1, file);
    fclose(file);
    return text;
}

void folder_empty(void)
{
    DIR *directory = opendir(folder);
    ck_assert_ptr_nonnull(directory);
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove(folder_path(entry->d_name));
    closedir(directory);
}

void folder_remove(void)
{
    ck_assert_msg(rmdir(folder) == 0, "%s: %s", folder, strerror(errno));
}

/* --- Programs ----------------------------------------------------------------------- */

/* A file rather than a pipe: nobody needs to read it while the program runs. */
static int open_capture(void)
{
    int fd = memfd_create("output", MFD_CLOEXEC);
    ck_assert_msg(fd >= 0, "memfd_create: %s", strerror(errno));
    return fd;
}

static char *read_capture(int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    ck_assert(size >= 0);
    char *text = malloc((size_t)size + 1);
    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(pread(fd, text, (size_t)size, 0), size);
    text[size] = '\0';
    return text;
}

void program_start(struct program *program, const char *const argv[])
{
    pid_t parent = getpid();
    program->out_fd = open_capture();
    program->err_fd = open_capture();
    program->pid = fork();
    ck_assert_int_ge(program->pid, 0);
    if (program->pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(126);    /* it died before it could be watched */
    dup2(program->out_fd, STDOUT_FILENO);
    dup2(program->err_fd, STDERR_FILENO);
    execvp(argv[0], (char *const *)argv);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static int await_exit(pid_t pid)
{
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    int status;
    pid_t ended;
    while ((ended = waitpid(pid, &status, WNOHANG)) == 0) {
        if (clock_ns() > deadline_ns) {
            kill(pid, SIGKILL);
            ck_abort_msg("the program does not end");
        }
        clock_sleep(POLL_NS);
    }
    ck_assert_int_eq(ended, pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_end(struct program *program, int signal, struct output *output)
{
    if (signal)
        kill(program->pid, signal);
    int status = await_exit(program->pid);
    struct output written = {.out = read_capture(program->out_fd),
                             .err = read_capture(program->err_fd)};
    close(program->out_fd);
    close(program->err_fd);
    ck_assert_msg(!strstr(written.err, "Sanitizer") &&
                  !strstr(written.err, "runtime error"),
                  "a sanitizer says:\n%s", written.err);
    if (output)
        *output = written;
    else
        output_free(&written);
    return status;
}

int program_run(const char *const argv[], struct output *output)
{
    struct program program;
    program_start(&program, argv);
    return program_end(&program, 0, output);
}

void output_free(struct output *output)
{
    free(output->out);
    free(output->err);
}

/* Returns the line of text that starts so, if the line is whole, else NULL. */
static char *find_line(char *text, const char *start)
{
    char *line = text;
    char *end;
    while ((end = strchr(line, '\n')) != NULL) {
        *end = '\0';
        if (strncmp(line, start, strlen(start)) == 0)
            return line + strlen(start);
        line = end + 1;
    }
    return NULL;
}

void program_await_line(struct program *program, const char *start, char *rest,
                        size_t size)
{
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    for (;;) {
        siginfo_t ended = {0};
        waitid(P_PID, (id_t)program->pid, &ended, WEXITED | WNOHANG | WNOWAIT);
        char *text = read_capture(program->out_fd);
        char *line = find_line(text, start);
        if (line)
            snprintf(rest, size, "%s", line);
        free(text);
        if (line)
            return;
        if (ended.si_pid != 0) {
            text = read_capture(program->err_fd);
            ck_abort_msg("it ended without the line '%s', saying: %s", start, text);
        }
        ck_assert_msg(clock_ns() < deadline_ns, "no line '%s'", start);
        clock_sleep(POLL_NS);
    }
}

void refuse_system_call(long number, int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog whole = {.len = LENGTH(filter), .filter = filter};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole), 0);
}

/* Whether the kernel says of the process that it has a handler for the signal. */
static int has_handler(pid_t pid, int signal)
{
    char path[64], line[256];
    uint64_t caught = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "SigCgt:", 7) == 0)
            caught = strtoull(line + 7, NULL, 16);
    fclose(file);
    return (caught >> (signal - 1)) & 1;
}

void program_await_taken(const struct program *program, int signal)
{
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    while (has_handler(program->pid, signal)) {
        ck_assert_msg(clock_ns() < deadline_ns, "signal %d is not taken", signal);
        clock_sleep(POLL_NS);
    }
}

/* --- The server --------------------------------------------------------------------- */

void server_start_as(struct server *server, const char *const argv[])
{
    char url[256];
    program_start(&server->program, argv);
    program_await_line(&server->program, "listening on http://", url, sizeof url);
    const char *colon = strrchr(url, ':');
    ck_assert_ptr_nonnull(colon);
    server->port = atoi(colon + 1);
    ck_assert_int_gt(server->port, 0);
}

void server_start(struct server *server, ...)
{
    const char *argv[16] = {BUILD_DIR "/latency-server", "-p", "0"};
    size_t count = 3;
    va_list more;
    va_start(more, server);
    do {
        ck_assert_uint_lt(count, sizeof argv / sizeof *argv);
        argv[count] = va_arg(more, const char *);
    } while (argv[count++] != NULL);
    va_end(more);
    server_start_as(server, argv);
}

void server_stop(struct server *server)
{
    struct output output;
    int status = program_end(&server->program, SIGTERM, &output);
    ck_assert_str_eq(output.err, "");
    ck_assert_int_eq(status, 0);
    output_free(&output);
}

int64_t server_stat(const struct server *server, const char *name)
{
    char reply[1024], key[64];
    ck_assert_int_eq(client_get(server->port, "/stats", reply, sizeof reply), 200);
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *found = strstr(reply_body(reply), key);
    ck_assert_msg(found != NULL, "no %s in %s", name, reply);
    return strtoll(found + strlen(key), NULL, 10);
}

void server_await_stat(const struct server *server, const char *name, int64_t value)
{
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    int64_t found;
    while ((found = server_stat(server, name)) != value) {
        ck_assert_msg(clock_ns() < deadline_ns, "%s stays %" PRId64 ", not %" PRId64,
                      name, found, value);
        clock_sleep(POLL_NS);
    }
}

/* --- Clients ------------------------------------------------------------------------ */

int client_connect(int port)
{
    struct endpoint endpoint;
    ck_assert_int_eq(net_resolve("127.0.0.1", port, &endpoint), 0);
    int fd = net_connect(&endpoint, clock_ns() + AWAIT_NS);
    ck_assert_msg(fd >= 0, "connect: %s", strerror(-fd));
    return fd;
}

void client_send(int fd, const char *text)
{
    int error = net_send_all(fd, text, strlen(text), clock_ns() + AWAIT_NS);
    ck_assert_msg(error == 0, "send: %s", strerror(-error));
}

void client_ask(int fd, const char *target, const char *fields)
{
    char request[1024];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n", target, fields);
    ck_assert_int_lt(length, (int)sizeof request);
    client_send(fd, request);
}

ssize_t client_read_all(int fd, char *buf, size_t size)
{
    int64_t deadline_ns = clock_ns() + AWAIT_NS;
    size_t used = 0;
    for (;;) {
        char more[4096];
        ssize_t received = net_recv(fd, more, sizeof more, deadline_ns);
        ck_assert_int_ne(received, -ETIMEDOUT);
        if (received <= 0) {
            buf[used] = '\0';
            return received < 0 ? received : (ssize_t)used;
        }
        size_t room = size - 1 - used;
        size_t kept = (size_t)received < room ? (size_t)received : room;
        memcpy(buf + used, more, kept);
        used += kept;
    }
}

/* Reads exactly one byte more. Returns whether there was one. */
static int read_byte(int fd, char *buf, size_t size, size_t *used)
{
    ck_assert_uint_lt(*used + 1, size);
    ssize_t received = net_recv(fd, buf + *used, 1, clock_ns() + AWAIT_NS);
    ck_assert_int_ne(received, -ETIMEDOUT);
    if (received == 1)
        ++*used;
    buf[*used] = '\0';
    return received == 1;
}

/* Byte by byte, since what follows may belong to the next reply. */
int client_read_head(int fd, char *buf, size_t size)
{
    size_t used = 0;
    *buf = '\0';
    while (used < 4 || memcmp(buf + used - 4, "\r\n\r\n", 4) != 0)
        if (!read_byte(fd, buf, size, &used))
            return 0;
    return atoi(buf + strlen("HTTP/1.1 "));
}

int client_read_reply(int fd, char *buf, size_t size)
{
    int status = client_read_head(fd, buf, size);
    const char *field = status ? strstr(buf, "Content-Length: ") : NULL;
    long length = field ? atol(field + strlen("Content-Length: ")) : 0;
    size_t used = strlen(buf);
    while (length-- > 0)
        if (!read_byte(fd, buf, size, &used))
            return 0;
    return status;
}

int client_get(int port, const char *target, char *buf, size_t size)
{
    int fd = client_connect(port);
    client_ask(fd, target, "Connection: close\r\n");
    ssize_t length = client_read_all(fd, buf, size);
    close(fd);
    return length > (ssize_t)strlen("HTTP/1.1 ") ? atoi(buf + strlen("HTTP/1.1 ")) : 0;
}

const char *reply_body(const char *reply)
{
    const char *blank = strstr(reply, "\r\n\r\n");
    ck_assert_msg(blank != NULL, "no whole reply: %s", reply);
    return blank + 4;
}

int64_t reply_wait_ns(const char *reply)
{
    static const char field[] = "Server-Timing: wait;dur=";
    const char *found = strstr(reply, field);
    ck_assert_msg(found != NULL, "no Server-Timing in %s", reply);
    /* Three decimals of a millisecond: read as whole numbers, nothing is rounded. */
    char *point;
    long long ms = strtoll(found + strlen(field), &point, 10);
    ck_assert_int_eq(*point, '.');
    return ms * CLOCK_MS + strtoll(point + 1, NULL, 10) * CLOCK_US;
}
