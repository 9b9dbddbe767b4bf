#include "bench/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy(char *text, size_t size, const char *from)
{
    snprintf(text, size, "%.*s", (int)strcspn(from, "\n"), from);
}

void procfs_line(const char *path, char *text, size_t size)
{
    procfs_value(path, "", text, size);
}

void procfs_value(const char *path, const char *key, char *text, size_t size)
{
    copy(text, size, "unknown");
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof line, file)) {
        found = strncmp(line, key, strlen(key)) == 0;
        if (found)
            copy(text, size, line + strlen(key) + strspn(line + strlen(key), "\t :"));
    }
    fclose(file);
}

/* The file has two lines for each protocol: the names, and under them the values. */
static int64_t find_counter(const char *names, const char *values, const char *name)
{
    for (;;) {
        names += strspn(names, " \n");
        values += strspn(values, " \n");
        size_t length = strcspn(names, " \n");
        if (length == 0)
            return 0;
        if (length == strlen(name) && strncmp(names, name, length) == 0)
            return strtoll(values, NULL, 10);
        names += length;
        values += strcspn(values, " \n");
    }
}

struct procfs_listen procfs_listen(void)
{
    struct procfs_listen listen = {0};
    FILE *file = fopen("/proc/net/netstat", "re");
    char *names = NULL, *values = NULL;
    size_t names_size = 0, values_size = 0;
    while (file && getline(&names, &names_size, file) > 0 &&
           getline(&values, &values_size, file) > 0) {
        if (strncmp(names, "TcpExt:", 7) != 0)
            continue;
        listen.overflows = find_counter(names, values, "ListenOverflows");
        listen.drops = find_counter(names, values, "ListenDrops");
        listen.cookies = find_counter(names, values, "SyncookiesSent");
    }
    free(names);
    free(values);
    if (file)
        fclose(file);
    return listen;
}

static bool in_group(const char *pid, pid_t group)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    procfs_line(path, line, sizeof line);
    const char *after_name = strrchr(line, ')');    /* the name may hold anything */
    int found = 0;
    return after_name && sscanf(after_name + 1, " %*c %*d %d", &found) == 1 &&
           found == group;
}

/* The number after a key; 0 where there is none, as in "unknown". */
static int64_t number(const char *path, const char *key)
{
    char value[64];
    procfs_value(path, key, value, sizeof value);
    return strtoll(value, NULL, 10);
}

struct procfs_kernel procfs_kernel(void)
{
    return (struct procfs_kernel){.stacks_kib = number("/proc/meminfo", "KernelStack"),
                                  .slab_kib = number("/proc/meminfo", "Slab")};
}

static int64_t count_descriptors(const char *pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    DIR *directory = opendir(path);
    int64_t count = 0;
    struct dirent *entry;
    while (directory && (entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.';
    if (directory)
        closedir(directory);
    return count;
}

static void add_process(const char *pid, struct procfs_group *sum)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/status", pid);
    sum->rss_kib += number(path, "VmRSS");
    sum->page_tables_kib += number(path, "VmPTE");
    sum->threads += number(path, "Threads");
    snprintf(path, sizeof path, "/proc/%.20s/smaps_rollup", pid);
    sum->pss_kib += number(path, "Pss:");
    sum->descriptors += count_descriptors(pid);
}

int procfs_group(pid_t group, struct procfs_group *sum)
{
    *sum = (struct procfs_group){0};
    DIR *proc = opendir("/proc");
    if (!proc)
        return -errno;
    struct dirent *entry;
    while ((entry = readdir(proc)) != NULL) {
        const char *pid = entry->d_name;
        if (strspn(pid, "0123456789") == strlen(pid) && in_group(pid, group))
            add_process(pid, sum);
    }
    closedir(proc);
    return sum->threads > 0 ? 0 : -ESRCH;
}
