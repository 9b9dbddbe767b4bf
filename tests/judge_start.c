#define _GNU_SOURCE    /* memfd_create */
#include "tests/judge.h"

#include "kit/array.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void limit(int resource, rlim_t value)
{
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value};
    setrlimit(resource, &limit);
}

#define DATA(field) ((unsigned)offsetof(struct seccomp_data, field))
#define IF_EQUAL(value, then, otherwise) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), then, otherwise)

/* It stays in its group, so that a kill of the group is a kill of all; and the judge
   outlives it. That it tried is a fact as well: it ends with SIGSYS. */
static void fence(pid_t judge, pid_t runner)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(nr)),
        IF_EQUAL(SYS_setsid, 11, 0),
        IF_EQUAL(SYS_setpgid, 10, 0),
        IF_EQUAL(SYS_kill, 2, 0),
        IF_EQUAL(SYS_tkill, 1, 0),
        IF_EQUAL(SYS_tgkill, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(args[0])),
        IF_EQUAL(-1, 6, 0),    /* everybody */
        IF_EQUAL(judge, 5, 0),
        IF_EQUAL(-judge, 4, 0),
        IF_EQUAL(runner, 3, 0),
        IF_EQUAL(-runner, 2, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog whole = {.len = LENGTH(filter), .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) < 0)
        _exit(125);
}

/* In the new process, which becomes the answer. */
static _Noreturn void become(const struct judge *judge, const char *const argv[],
                             pid_t parent, pid_t runner)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(126);    /* it died before it could be watched */
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    dup2(judge->out_fd, STDOUT_FILENO);
    dup2(judge->err_fd, STDERR_FILENO);
    limit(RLIMIT_FSIZE, JUDGE_OUTPUT);
    limit(RLIMIT_CORE, 0);
    if (strstr(argv[0], "-tsan"))
        personality(ADDR_NO_RANDOMIZE);    /* or its shadow may not find a place */
    fence(parent, runner);
    execv(argv[0], (char *const *)argv);
    dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static void set_sanitizers(void)
{
    setenv("ASAN_OPTIONS", "detect_leaks=1:color=never", 1);
    setenv("UBSAN_OPTIONS", "halt_on_error=1:color=never", 1);
    setenv("TSAN_OPTIONS", "halt_on_error=1:color=never", 1);
}

void judge_start(struct judge *judge, const char *build, const char *const arguments[])
{
    char path[512];
    const char *argv[16] = {path};
    snprintf(path, sizeof path, "%s/%s", judge_folder(), build);
    ck_assert_msg(access(path, X_OK) == 0, "%s: %s", path, strerror(errno));
    size_t count = 0;
    do {
        ck_assert_uint_lt(count + 1, LENGTH(argv));
        argv[count + 1] = arguments[count];
    } while (arguments[count++] != NULL);

    set_sanitizers();
    prctl(PR_SET_CHILD_SUBREAPER, 1);    /* only an ancestor sees where it sleeps */
    judge->out_fd = memfd_create("out", MFD_CLOEXEC);
    judge->err_fd = memfd_create("err", MFD_CLOEXEC);
    ck_assert(judge->out_fd >= 0 && judge->err_fd >= 0);
    pid_t self = getpid(), runner = getppid();
    judge->answer = fork();
    ck_assert_int_ge(judge->answer, 0);
    if (judge->answer == 0)
        become(judge, argv, self, runner);
    setpgid(judge->answer, judge->answer);    /* here too: whoever comes first */
}

bool judge_can_tsan(void)
{
    char bits[16] = "0";
    FILE *file = fopen("/proc/sys/vm/mmap_rnd_bits", "re");
    if (file) {
        if (!fgets(bits, sizeof bits, file))
            bits[0] = '\0';
        fclose(file);
    }
    int before = personality(0xffffffff);
    bool can = atoi(bits) <= 28 ||
               (before >= 0 && personality((unsigned)before | ADDR_NO_RANDOMIZE) >= 0);
    if (before >= 0)
        personality((unsigned)before);
    if (!can)
        fprintf(stderr, "skipped: ThreadSanitizer cannot start: vm.mmap_rnd_bits is %d\n",
                atoi(bits));
    return can;
}

