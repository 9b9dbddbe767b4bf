#include "tests/judge.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

/* The folder of the answer. Set once, before the first case. */
static const char *folder;

const char *judge_folder(void)
{
    return folder;
}

/* --- The suite ---------------------------------------------------------------------- */

/* Kills and awaits whatever the case has left: as a subreaper, this process is the parent
   of all whose parents are gone. A whole group is killed at once, or one that forks
   without end would be faster. */
static void sweep(void)
{
    siginfo_t info;
    for (;;) {
        char path[64], children[4096];
        snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length = fd < 0 ? 0 : read(fd, children, sizeof children - 1);
        if (fd >= 0)
            close(fd);
        if (length <= 0)
            return;
        children[length] = '\0';
        pid_t child = (pid_t)atoi(children);
        pid_t group = getpgid(child);
        if (group > 1 && group != getpgrp())
            kill(-group, SIGKILL);
        kill(child, SIGKILL);
        waitid(P_PID, (id_t)child, &info, WEXITED);
    }
}

/* Says on which stream what becomes of it. Returns main's status. */
static int report(const TTest *test, SRunner *runner)
{
    if (srunner_ntests_run(runner) != 1) {    /* CK_INCLUDE_TAGS can do that */
        fprintf(stderr, "%s: was not run\n", test->name);
        return 2;
    }
    if (srunner_ntests_failed(runner) == 0)
        return 0;
    TestResult **failures = srunner_failures(runner);
    const char *words = tr_msg(failures[0]);
    bool rejected = strncmp(words, "rejected: ", strlen("rejected: ")) == 0;
    if (rejected)
        printf("%s\n", words);
    else
        fprintf(stderr, "%s: %s\n", test->name, words);
    free(failures);
    return rejected ? 1 : 2;
}

/* Runs one case in a process of its own. Returns main's status. */
static int run_case(const TTest *test)
{
    Suite *suite = suite_create("check");
    tcase_add_test(suite_add(suite, test->name), test);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run(runner, "check", test->name, CK_SILENT);
    sweep();
    int status = report(test, runner);
    srunner_free(runner);
    return status;
}

int judge_run(int argc, char **argv, const TTest *const *cases, size_t count)
{
    if (argc != 2) {
        fprintf(stderr, "check: usage: check FOLDER\n");
        return 2;
    }
    folder = argv[1];
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (size_t i = 0; i < count; i++) {
        int status = run_case(cases[i]);
        if (status != 0)
            return status;
    }
    printf("passed: %zu cases\n", count);
    return 0;
}

/* --- Facts -------------------------------------------------------------------------- */

static char *read_written(int fd)
{
    char *text = calloc(1, JUDGE_OUTPUT + 1);
    ck_assert_ptr_nonnull(text);
    ck_assert_int_ge(pread(fd, text, JUDGE_OUTPUT, 0), 0);
    return text;
}

char *judge_output(const struct judge *judge)
{
    return read_written(judge->out_fd);
}

struct report {
    const char *fact, *where;    /* NULL: it says nothing; does not say where */
};

/* The place of the first stack frame that is not the sanitizer's own: what follows " in "
   in "    #1 0x55d0 in take answer.c:30". */
static const char *find_frame(char *messages)
{
    for (char *line = strtok(messages, "\n"); line; line = strtok(NULL, "\n")) {
        char *where = strncmp(line, "    #", 5) == 0 ? strstr(line, " in ") : NULL;
        if (where && strstr(where, ".c:") && !strstr(where, "sanitizer"))
            return where + strlen(" in ");
    }
    return NULL;
}

/* UndefinedBehaviorSanitizer's "answer.c:3:5: runtime error: ...", or the same from a
   shim, which does not know where and begins the line with it. */
static char *find_error(char *messages)
{
    static const char words[] = "runtime error: ";
    char *error = messages;
    while ((error = strstr(error, words)) != NULL) {
        if (error == messages || error[-1] == '\n' ||
            (error - messages >= 2 && strncmp(error - 2, ": ", 2) == 0))
            return error;
        error += strlen(words);
    }
    return NULL;
}

/* Looks for the one line of a sanitizer's report that says it all. Takes it apart. */
static struct report find_report(char *messages)
{
    char *summary = strstr(messages, "SUMMARY: ");
    char *error = find_error(messages);
    if (!error && !summary)
        return (struct report){0};
    char *fact = error ? error : summary;
    fact = strndup(fact, strcspn(fact, "\n"));
    if (!error)
        return (struct report){.fact = fact, .where = find_frame(messages)};
    if (error == messages || error[-1] == '\n')
        return (struct report){.fact = fact};
    error[-2] = '\0';    /* where it was stands before */
    char *line = strrchr(messages, '\n');
    return (struct report){.fact = fact, .where = line ? line + 1 : messages};
}

void judge_reject(struct judge *judge, const char *fact, ...)
{
    char words[1024];
    struct report report = {0};
    va_list more;
    va_start(more, fact);
    vsnprintf(words, sizeof words, fact, more);
    va_end(more);
    if (judge->answer) {
        kill(-judge->answer, SIGKILL);
        report = find_report(read_written(judge->err_fd));
    }
    ck_abort_msg("rejected: %s\nlook: %s", report.fact ? report.fact : words,
                 report.where ? report.where : judge->look);
    abort();    /* Check has left already */
}

void judge_reject_reported(struct judge *judge)
{
    char *messages = read_written(judge->err_fd);
    bool reported = find_report(messages).fact != NULL;
    free(messages);
    if (reported)
        judge_reject(judge, "a sanitizer has reported something");
}

void judge_token(char token[JUDGE_TOKEN])
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";    /* 32 of them */
    unsigned char bytes[JUDGE_TOKEN - 1];
    ck_assert_int_eq(getrandom(bytes, sizeof bytes, 0), sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        token[i] = letters[bytes[i] % 32];
    token[sizeof bytes] = '\0';
}
