/* One thread of any program, looked at from outside: proc(5) tells whether it runs, is
   ready to run, or sleeps, and in which system call. It is not stopped or touched. */
#ifndef KIT_TASK_H
#define KIT_TASK_H

#include <stdint.h>
#include <sys/types.h>

enum task_state {
    TASK_RUNNING,    /* a processor works for it at this moment */
    TASK_READY,      /* it could run, and waits for a processor */
    TASK_ASLEEP,     /* until something happens; only a call to the kernel sleeps */
    TASK_ENDED       /* a zombie: its parent has not taken notice yet */
};

/* The files of /proc that tell of one thread, kept open to be read again and again. */
struct task {
    int syscall_fd, schedstat_fd, status_fd;
};

struct task_look {
    enum task_state state;
    long            call;        /* in which it sleeps: SYS_..., or -1, in none; else 0 */
    int64_t         cpu_ns;      /* that it has run since its start, and that it ... */
    int64_t         ready_ns;    /* ... was ready. Of a turn that lasts, not all counts */
};

/* Returns 0, or -errno: -EACCES or -EPERM where it may not be looked at, -ESRCH if it has
   gone, -ENOENT if it has, or if the kernel does not tell. */
int task_open(struct task *task, pid_t pid, pid_t tid);

/* Looks at it now. Returns as task_open does; nothing is known then. */
int task_look(const struct task *task, struct task_look *look);

void task_close(struct task *task);

#endif
