#define _GNU_SOURCE    /* memfd_create */
#include "tests/judge.h"

#include "kit/array.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_fork    /* where clone(2) is the only one */
#define SYS_fork -1
#define SYS_vfork -1
#endif

#define DATA(field) ((unsigned)offsetof(struct seccomp_data, field))
#define IF_EQUAL(value, then, otherwise) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), then, otherwise)

/* The answer stays in its group, so that a kill of the group is a kill of all, and the
   judge outlives it: who tries to end him ends with SIGSYS. Whether it may have another
   process or thread is for the warden to say; clone3(2) hides what it is asked for, and
   the C library does without it. Returns the descriptor by which the warden is asked. */
static int fence(pid_t judge, pid_t runner)
{
    pid_t group = getpgid(runner);
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(nr)),
        IF_EQUAL(SYS_setsid, 15, 0),
        IF_EQUAL(SYS_setpgid, 14, 0),
        IF_EQUAL(SYS_clone3, 14, 0),
        IF_EQUAL(SYS_clone, 14, 0),
        IF_EQUAL(SYS_fork, 13, 0),
        IF_EQUAL(SYS_vfork, 12, 0),
        IF_EQUAL(SYS_kill, 2, 0),
        IF_EQUAL(SYS_tkill, 1, 0),
        IF_EQUAL(SYS_tgkill, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(args[0])),
        IF_EQUAL(-1, 8, 0),    /* everybody */
        IF_EQUAL(judge, 7, 0),
        IF_EQUAL(-judge, 6, 0),
        IF_EQUAL(runner, 5, 0),
        IF_EQUAL(-group, 4, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog whole = {.len = LENGTH(filter), .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                        SECCOMP_FILTER_FLAG_NEW_LISTENER, &whole);
}

/* Passes fd through a UNIX socket, or takes one if it is negative; unix(7). Returns it,
   or -1. */
static int pass(int socket, int fd)
{
    char byte = 0, control[CMSG_SPACE(sizeof fd)] __attribute__((aligned(8))) = {0};
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    if (fd < 0) {
        struct cmsghdr *taken = recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1
                                    ? CMSG_FIRSTHDR(&message) : NULL;
        if (taken)
            memcpy(&fd, CMSG_DATA(taken), sizeof fd);
        return fd;
    }
    struct cmsghdr *sent = CMSG_FIRSTHDR(&message);
    *sent = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
                             .cmsg_len = CMSG_LEN(sizeof fd)};
    memcpy(CMSG_DATA(sent), &fd, sizeof fd);
    return sendmsg(socket, &message, 0) == 1 ? fd : -1;
}

/* The warden is a process of its own, which is asked before each new process and thread
   of the answer: to count them only now and then would be too late. More than the most,
   and it ends them all. */
static _Noreturn void warden(int socket, struct judge_started *started)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int listener = pass(socket, -1);
    if (listener < 0)
        _exit(1);    /* the answer could not be started: the judge sees that as well */
    for (;;) {
        struct seccomp_notif asked = {0};
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0) {
            if (errno == EINTR || errno == ENOENT)
                continue;    /* who asked is gone */
            _exit(0);
        }
        struct seccomp_notif_resp answer = {
            .id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
        };
        bool thread = asked.data.nr == SYS_clone && (asked.data.args[0] & CLONE_THREAD);
        int *count = thread ? &started->threads : &started->processes;
        if (++*count > (thread ? JUDGE_THREADS : JUDGE_PROCESSES))
            kill(-started->group, SIGKILL);
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

/* In the new process, which becomes the answer. */
static _Noreturn void become(const struct judge *judge, const char *const argv[],
                             pid_t parent, pid_t runner, int socket)
{
    setpgid(0, 0);
    judge->started->group = getpid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(126);    /* it died before it could be watched */
    dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    dup2(judge->out_fd, STDOUT_FILENO);
    dup2(judge->err_fd, STDERR_FILENO);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){JUDGE_OUTPUT, JUDGE_OUTPUT});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (judge->tsan)
        personality(ADDR_NO_RANDOMIZE);    /* or its shadow may not find a place */
    int listener = fence(parent, runner);
    if (listener < 0 || pass(socket, listener) < 0) {
        dprintf(STDERR_FILENO, "seccomp(2): %s\n", strerror(errno));
        _exit(125);
    }
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

    judge->tsan = strcmp(build, "program-tsan") == 0;
    set_sanitizers();
    prctl(PR_SET_CHILD_SUBREAPER, 1);    /* only an ancestor sees where it sleeps */
    judge->out_fd = memfd_create("out", MFD_CLOEXEC);
    judge->err_fd = memfd_create("err", MFD_CLOEXEC);
    ck_assert(judge->out_fd >= 0 && judge->err_fd >= 0);
    judge->started = mmap(NULL, sizeof *judge->started, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(judge->started, MAP_FAILED);
    int sockets[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    pid_t self = getpid(), runner = getppid();
    pid_t guard = fork();
    ck_assert_int_ge(guard, 0);
    if (guard == 0) {
        close(sockets[0]);
        warden(sockets[1], judge->started);
    }
    judge->answer = fork();
    ck_assert_int_ge(judge->answer, 0);
    if (judge->answer == 0)
        become(judge, argv, self, runner, sockets[0]);
    setpgid(judge->answer, judge->answer);    /* here too: whoever comes first */
    close(sockets[0]);
    close(sockets[1]);
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
