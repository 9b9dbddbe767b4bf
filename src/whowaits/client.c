#define _GNU_SOURCE    /* pipe2 */
#include "whowaits/client.h"

#include "kit/clock.h"
#include "whowaits/roll.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POLITE_S = 1, PATIENCE_S = 30, POLL_MS = 10 };

/* Does not return. Writes to `report` why the command could not be started. */
static void become(char *const *argv, int report, pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    signal(SIGPIPE, SIG_DFL);    /* what is ignored stays ignored over exec */
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDOUT_FILENO) >= 0)
        execvp(argv[0], argv);
    int error = -errno;
    if (write(report, &error, sizeof error) < 0)
        _exit(126);    /* the parent has gone, and so has whoever would listen */
    _exit(127);
}

int client_start(struct client *client, char *const *argv, pid_t except)
{
    int ends[2], error = 0;
    *client = (struct client){.except = except};
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become(argv, ends[1], parent);
    if (pid < 0)
        error = -errno;
    close(ends[1]);
    /* Closed by the exec, unless that fails. */
    if (pid > 0 && read(ends[0], &error, sizeof error) != sizeof error)
        error = 0;
    close(ends[0]);
    if (!error)
        client->pid = pid;
    else if (pid > 0)
        waitpid(pid, NULL, 0);
    return error;
}

/* Signals each process of it, unless signal_number is 0, and buries the dead. */
static int visit(struct client *client, int signal_number)
{
    pid_t *pids;
    int left = 0;
    int count = roll_processes(getpid(), client->except, &pids);
    for (int i = 0; i < count; i++) {
        int status;
        if (signal_number)
            kill(pids[i], signal_number);
        /* Not our child, or not dead yet: it is left, until its parent or we have it. */
        bool buried = waitpid(pids[i], &status, WNOHANG) == pids[i];
        left += !buried;
        if (buried && pids[i] == client->pid) {
            client->ended = true;
            client->status = status;
        }
    }
    free(pids);
    return count < 0 ? count : left;
}

int client_bury(struct client *client)
{
    return visit(client, 0);
}

int client_end(struct client *client)
{
    int64_t start_ns = clock_ns();
    int left = visit(client, SIGTERM);
    while (left > 0) {
        int64_t spent_ns = clock_ns() - start_ns;
        if (spent_ns > (int64_t)PATIENCE_S * CLOCK_S)
            return -EBUSY;
        clock_sleep((int64_t)POLL_MS * CLOCK_MS);
        left = visit(client, spent_ns > (int64_t)POLITE_S * CLOCK_S ? SIGKILL : 0);
    }
    return left;
}
