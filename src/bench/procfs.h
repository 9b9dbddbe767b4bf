/* What the kernel tells in the text files of /proc and /sys. */
#ifndef BENCH_PROCFS_H
#define BENCH_PROCFS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads the first line of a file, without its end, into text; "unknown" if it can't. */
void procfs_line(const char *path, char *text, size_t size);

/* Reads what follows "KEY:" and white space on the first line that begins with KEY. */
void procfs_value(const char *path, const char *key, char *text, size_t size);

/* Connections that the listeners of this machine (of this network namespace) could not
   take since it started. */
struct procfs_listen {
    int64_t overflows, drops, cookies;
};

/* Zeros where the kernel does not tell. */
struct procfs_listen procfs_listen(void);

/* What the processes of one process group hold together. */
struct procfs_group {
    int64_t rss_kib, threads, descriptors;
};

/* Returns 0, or -ESRCH if there is no such group. */
int procfs_group(pid_t group, struct procfs_group *sum);

#endif
