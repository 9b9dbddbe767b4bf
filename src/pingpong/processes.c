/* Processes that wait for each other: as threads with a pipe, but with an address space
   each, which the processor has to change too. */
#include "pingpong/cores.h"
#include "pingpong/pipes.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Player 1: a child, which ends with its parent. Its status is its errno. */
static void be_child(struct game *game, struct ends ends[2], pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(ECHILD);    /* it ended before the line above could count */
    pipes_close(&ends[0]);    /* or the parent's end would not show */
    int error = cores_bind(game->cpus[1]);
    if (!error)
        error = pipes_play(game, 1, &ends[1]);
    _exit(-error);
}

static int run_processes(struct game *game)
{
    struct ends ends[2];
    pid_t me = getpid();
    int error = pipes_open(ends);
    if (error)
        return error;
    pid_t child = fork();
    if (child == 0)
        be_child(game, ends, me);
    error = child < 0 ? -errno : 0;
    pipes_close(&ends[1]);
    if (!error)
        error = pipes_play(game, 0, &ends[0]);
    pipes_close(&ends[0]);
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    if (status != 0)
        return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
    return error;
}

const struct way process_pipe = {
    .name = "process-pipe",
    .who = "process",
    .how = "pipe",
    .by = "kernel",
    .play = run_processes,
};
