#define _GNU_SOURCE    /* pipe2, close_range, program_invocation_short_name */
#include "kit/process.h"

#include "kit/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CAPTURE_MS = 10 * 1000, CANNOT_EXEC = 127 };

static void become(const struct process_spec *spec, pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(CANNOT_EXEC);    /* it ended before the line above could count */
    signal(SIGPIPE, SIG_DFL);    /* what is ignored stays ignored over exec */
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(spec->out < 0 ? null : spec->out, STDOUT_FILENO) < 0 ||
        (spec->err >= 0 && dup2(spec->err, STDERR_FILENO) < 0))
        _exit(CANNOT_EXEC);
    close_range(STDERR_FILENO + 1, ~0U, 0);    /* what we have open is not its own */
    int error = spec->cpus ? cpus_bind(spec->cpus) : 0;
    if (!error) {
        execv(spec->argv[0], spec->argv);
        error = -errno;
    }
    dprintf(STDERR_FILENO, "%s: %s: %s\n", program_invocation_short_name, spec->argv[0],
            strerror(-error));
    _exit(CANNOT_EXEC);
}

pid_t process_start(const struct process_spec *spec)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        become(spec, parent);
    setpgid(pid, pid);    /* whoever comes first; the other's call changes nothing */
    return pid;
}

pid_t process_open(const struct process_spec *spec, int *out)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    struct process_spec piped = *spec;
    piped.out = ends[1];
    pid_t pid = process_start(&piped);
    close(ends[1]);
    if (pid < 0)
        close(ends[0]);
    *out = pid < 0 ? -1 : ends[0];
    return pid;
}

int process_read_line(int fd, int64_t deadline_ns, char *line, size_t size)
{
    for (size_t used = 0; used < size - 1; used++) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        int64_t left_ms = (deadline_ns - clock_ns()) / CLOCK_MS;
        int ready = poll(&readable, 1, left_ms > 0 ? (int)left_ms : 0);
        if (ready <= 0)
            return ready < 0 ? -errno : -ETIMEDOUT;
        ssize_t got = read(fd, line + used, 1);
        if (got <= 0)
            return got < 0 ? -errno : -ENODATA;
        if (line[used] == '\n') {
            line[used] = '\0';
            return 0;
        }
    }
    return -EMSGSIZE;
}

int process_end(pid_t pid, int64_t patience_ns)
{
    int64_t deadline_ns = clock_ns() + patience_ns;
    int status = 0;
    kill(pid, SIGTERM);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (clock_ns() > deadline_ns)
            kill(pid, SIGKILL);
        clock_sleep(CLOCK_MS);
    }
    return status;
}

/* Reads until the writer has closed. Returns 0 or -errno. */
static int read_all(int fd, char *text, size_t size)
{
    int64_t deadline_ns = clock_ns() + (int64_t)CAPTURE_MS * CLOCK_MS;
    size_t used = 0;
    for (;;) {
        char spill[512];
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        int64_t left_ms = (deadline_ns - clock_ns()) / CLOCK_MS;
        if (left_ms <= 0)
            return -ETIMEDOUT;
        if (poll(&readable, 1, (int)left_ms) <= 0)
            continue;
        ssize_t got = read(fd, spill, sizeof spill);
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        size_t kept = (size_t)got < size - 1 - used ? (size_t)got : size - 1 - used;
        memcpy(text + used, spill, kept);
        used += kept;
    }
    text[used] = '\0';
    return 0;
}

int process_capture(char *const *argv, char *text, size_t size)
{
    struct process_spec spec = {.argv = argv, .err = -1};
    int out;
    pid_t pid = process_open(&spec, &out);
    if (pid < 0)
        return (int)pid;
    int error = read_all(out, text, size);
    close(out);
    if (error)
        kill(pid, SIGKILL);
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return error ? error : status;
}

void process_format_status(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(text, size, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, size, "ended with status %d", WEXITSTATUS(status));
}

int process_sibling(const char *name, char path[PROCESS_PATH])
{
    ssize_t length = readlink("/proc/self/exe", path, PROCESS_PATH - 1);
    if (length < 0)
        return -errno;
    path[length] = '\0';
    char *base = strrchr(path, '/') + 1;    /* the link is always absolute */
    size_t room = PROCESS_PATH - (size_t)(base - path);
    return snprintf(base, room, "%s", name) < (int)room ? 0 : -ENAMETOOLONG;
}
