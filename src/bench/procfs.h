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

/* What the kernel holds for the whole machine, in KiB: stacks of threads, and its small
   objects, such as sockets. Whose they are it does not tell. */
struct procfs_kernel {
    int64_t stacks_kib, slab_kib;
};

/* Zeros where the kernel does not tell. */
struct procfs_kernel procfs_kernel(void);

/* What the processes of one process group hold together. A page that n processes share
   counts n times in RSS; in PSS each of the n is charged with its n-th part. */
struct procfs_group {
    int64_t rss_kib, pss_kib, page_tables_kib, threads, descriptors;
};

/* Returns 0, or -ESRCH if there is no such group. */
int procfs_group(pid_t group, struct procfs_group *sum);

#endif
