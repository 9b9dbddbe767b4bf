#include "bench/trial.h"

#include "kit/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum {
    TICK_MS = 100,        /* how often bench looks up while it waits */
    SLACK_S = 10,         /* over what a run may take at the longest */
    FAREWELL_S = 1,       /* what a run gets to end by itself */
    SOME_FAILED = 3,      /* fetch's exit statuses: 0, this, or it could not run */
    WORDS = 20
};

static int64_t timeout(const struct bench *bench, const struct trial *trial)
{
    return trial->timeout_ns > 0 ? trial->timeout_ns : bench->settings.timeout_ns;
}

/* Writes a run's command line. The texts it points to live in the two arrays. */
static void compose(const struct bench *bench, const struct trial *trial,
                    char *argv[WORDS], char numbers[3][32], char *text, size_t size)
{
    const struct contender *contender = trial->contender;
    snprintf(numbers[0], sizeof numbers[0], "%d", trial->requests);
    snprintf(numbers[1], sizeof numbers[1], "%d", trial->in_flight);
    snprintf(numbers[2], sizeof numbers[2], "%" PRId64 "ms",
             timeout(bench, trial) / CLOCK_MS);
    int url = snprintf(text, size, "%s%s", bench->target.url, trial->path) + 1;
    char *command = text + url;
    int word = 0;
    if (contender->command) {
        snprintf(command, size - (size_t)url, "%s \"$@\"", contender->command);
        argv[word++] = "/bin/sh";
        argv[word++] = "-c";
        argv[word++] = command;
        argv[word++] = (char *)contender->name;    /* $0; the options are $@ */
    } else {
        argv[word++] = (char *)bench->contenders.fetch;
        argv[word++] = "-m";
        argv[word++] = (char *)contender->name;
    }
    char *const rest[] = {"-n", numbers[0], "-c", numbers[1], "--timeout", numbers[2],
                          "-o", (char *)bench->launcher.requests_csv, text,
                          trial->monotonic ? "--monotonic" : NULL, NULL};
    memcpy(argv + word, rest, sizeof rest);
}

pid_t trial_start(struct bench *bench, struct trial *trial)
{
    char *words[WORDS];
    char numbers[3][32];
    char text[PROCESS_PATH * 4];
    char *const *argv = trial->argv;
    if (!argv) {
        compose(bench, trial, words, numbers, text, sizeof text);
        argv = words;
    }
    trial->why[0] = '\0';
    trial->ended = false;
    trial->begun_ns = clock_ns();
    trial->before = procfs_listen();
    trial->server_cpu_ns = target_cpu_ns(&bench->target);
    pid_t pid = launcher_start(&bench->launcher, argv,
                               bench->bound && !trial->unbound ? &bench->client_cpus
                                                               : NULL);
    if (pid < 0)
        bench_fail(bench, 0, "%s can't be started: %s", argv[0], strerror(-pid));
    return pid;
}

int trial_wait(struct bench *bench, struct trial *trial, int64_t wait_ns)
{
    int ended = trial->ended ? 1 : launcher_wait(&bench->launcher, wait_ns, &trial->end);
    trial->ended = ended == 1;
    return ended;
}

/* Ends the run that nobody wants any more: asks, waits a little, insists. */
static void stop(struct bench *bench, struct trial *trial)
{
    launcher_signal(&bench->launcher, SIGTERM);
    if (trial_wait(bench, trial, (int64_t)FAREWELL_S * CLOCK_S) == 0)
        launcher_signal(&bench->launcher, SIGKILL);
    while (trial_wait(bench, trial, CLOCK_S) == 0)
        continue;
}

void trial_give_up(struct bench *bench, struct trial *trial, const char *why)
{
    snprintf(trial->why, sizeof trial->why, "%s", why);
    stop(bench, trial);
}

/* Waits for the run's end. Returns 0, -EINTR, or another -errno of the launcher. */
static int await(struct bench *bench, struct trial *trial)
{
    int64_t bound_ns =
        2 * trial->ideal_ns + timeout(bench, trial) + (int64_t)SLACK_S * CLOCK_S;
    if (trial->bound_ns > 0)
        bound_ns = trial->bound_ns;
    for (;;) {
        int ended = trial_wait(bench, trial, (int64_t)TICK_MS * CLOCK_MS);
        if (ended != 0)
            return ended < 0 ? ended : 0;
        if (*bench->stop) {
            stop(bench, trial);
            return -EINTR;
        }
        if (clock_ns() > trial->begun_ns + bound_ns) {
            char why[48];
            snprintf(why, sizeof why, "no end after %" PRId64 " s", bound_ns / CLOCK_S);
            trial_give_up(bench, trial, why);
            return 0;
        }
        progress_show(&bench->progress);
    }
}

/* The sentence of a run that could not run: its own, where it left one. */
static void explain(const struct bench *bench, struct trial *trial)
{
    procfs_line(bench->launcher.complaints, trial->why, sizeof trial->why);
    if (trial->why[0] == '\0' || strcmp(trial->why, "unknown") == 0)
        process_format_status(trial->end.status, trial->why, sizeof trial->why);
}

int trial_end(struct bench *bench, struct trial *trial)
{
    int error = await(bench, trial);
    if (error)
        return error == -EINTR ? error : bench_fail(bench, error, "the launcher ended");
    if (trial->why[0])
        return TRIAL_UNABLE;
    int64_t cpu_ns = target_cpu_ns(&bench->target);
    trial->server_cpu_ns =
        cpu_ns < 0 || trial->server_cpu_ns < 0 ? -1 : cpu_ns - trial->server_cpu_ns;
    trial->after = procfs_listen();

    int status = WIFEXITED(trial->end.status) ? WEXITSTATUS(trial->end.status) : -1;
    if (status != 0 && status != SOME_FAILED) {
        explain(bench, trial);
        return TRIAL_UNABLE;
    }
    return TRIAL_RAN;
}

int trial_finish(struct bench *bench, struct trial *trial)
{
    int ran = trial_end(bench, trial);
    if (ran != TRIAL_RAN)
        return ran;
    trial->results = calloc((size_t)trial->requests, sizeof *trial->results);
    if (!trial->results)
        return bench_fail(bench, -ENOMEM, "results: %s", strerror(ENOMEM));
    if (summary_read(bench->launcher.requests_csv, trial->results, trial->requests,
                     trial->why) != 0)
        return TRIAL_UNABLE;
    int error = summary_make(trial->results, trial->requests, &trial->summary);
    return error ? bench_fail(bench, error, "results: %s", strerror(-error)) : TRIAL_RAN;
}

int trial_run(struct bench *bench, struct trial *trial)
{
    pid_t pid = trial_start(bench, trial);
    return pid < 0 ? (int)pid : trial_finish(bench, trial);
}

bool trial_judge(const struct bench *bench, struct trial *trial, enum trial_claim claim)
{
    bool timed = claim >= TRIAL_TIMED;
    struct evidence evidence = {
        .results = trial->results,
        .count = trial->requests,
        .summary = &trial->summary,
        .in_flight = trial->in_flight,
        .closed_loop = claim >= TRIAL_CLOSED_LOOP,
        .server_cpu_ns = timed ? trial->server_cpu_ns : -1,
        .ceiling_per_s = timed ? bench->ceiling_per_s : 0,
        .before = trial->before,
        .after = timed ? trial->after : trial->before,
    };
    return guards_pass(&evidence, trial->why);
}

void trial_free(struct trial *trial)
{
    free(trial->results);
    trial->results = NULL;
}
