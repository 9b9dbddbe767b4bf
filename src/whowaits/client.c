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

/* Signals each process of it, unless signal_number is 0, and buries the dead. Returns how
   many it found, or -errno; *left is how many of them live on. */
static int visit(struct client *client, int signal_number, int *left)
{
    pid_t *pids;
    int count = roll_processes(getpid(), client->except, &pids);
    *left = count;
    for (int i = 0; i < count; i++) {
        int status;
        if (signal_number)
            kill(pids[i], signal_number);
        /* Fails where it is not our child: then its parent will do it, or we when that
           has ended. */
        if (waitpid(pids[i], &status, WNOHANG) != pids[i])
            continue;
        --*left;
        if (pids[i] == client->pid) {
            client->ended = true;
            client->status = status;
        }
    }
    free(pids);
    return count;
}

/* The list of processes is not made at one moment: a child is missed that its parent
   starts meanwhile, before it ends. So nobody is left when nobody was found twice, one
   after the other. Returns how many live on, or -errno. */
static int visit_all(struct client *client, int signal_number)
{
    int left = 0;
    for (int empty = 0; left == 0 && empty < 2;) {
        int found = visit(client, signal_number, &left);
        empty = found == 0 ? empty + 1 : 0;
    }
    return left;
}

int client_bury(struct client *client)
{
    return visit_all(client, 0);
}

int client_end(struct client *client)
{
    int64_t start_ns = clock_ns();
    int left = visit_all(client, SIGTERM);
    while (left > 0) {
        int64_t spent_ns = clock_ns() - start_ns;
        bool polite = spent_ns < (int64_t)POLITE_S * CLOCK_S;
        if (spent_ns > (int64_t)PATIENCE_S * CLOCK_S)
            return -EBUSY;
        clock_sleep((int64_t)POLL_MS * CLOCK_MS);
        left = visit_all(client, polite ? 0 : SIGKILL);
    }
    return left;
}
