#include "tests/judge.h"

#include "kit/array.h"

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

/* The line of a sanitizer's report that says it all, or NULL; cut off at its end. */
static const char *find_report(char *text)
{
    static const char *const marks[] = {"runtime error: ", "SUMMARY: "};
    for (size_t i = 0; i < LENGTH(marks); i++) {
        char *found = strstr(text, marks[i]);
        if (!found)
            continue;
        found[strcspn(found, "\n")] = '\0';
        return found;
    }
    return NULL;
}

void judge_reject(struct judge *judge, const char *fact, ...)
{
    char words[1024];
    va_list more;
    va_start(more, fact);
    vsnprintf(words, sizeof words, fact, more);
    va_end(more);
    if (judge->answer)
        kill(-judge->answer, SIGKILL);
    char *messages = judge->answer ? read_written(judge->err_fd) : NULL;
    const char *report = messages ? find_report(messages) : NULL;
    ck_abort_msg("rejected: %s\nlook: %s", report ? report : words, judge->look);
    abort();    /* Check has left already */
}

void judge_reject_reported(struct judge *judge)
{
    char *messages = read_written(judge->err_fd);
    if (find_report(messages))
        judge_reject(judge, "a sanitizer has reported something");
    free(messages);
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
