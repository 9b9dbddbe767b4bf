#include "fetch/preflight.h"

#include "kit/array.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    SPARE = 32,    /* descriptors, threads: standard streams, the loop's own, main, ... */
    /* What one that waits holds, with the kernel's share, as bench's footprint tells. */
    THREAD_KIB = 42,
    PROCESS_KIB = 144
};

/* Reads the first `want` numbers in a file of /proc or /sys; false if they are not there,
   as where the file says "max". */
static bool read_numbers(const char *path, long *numbers, int want)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    int got = fscanf(file, want == 2 ? "%ld %ld" : "%ld", &numbers[0],
                     &numbers[want - 1]);
    fclose(file);
    return got == want;
}

/* What programs may still take without swapping, in KiB; INT64_MAX where the kernel does
   not say. */
static int64_t read_available(void)
{
    int64_t kib = INT64_MAX;
    FILE *file = fopen("/proc/meminfo", "re");
    if (!file)
        return kib;
    char line[128];
    while (fgets(line, sizeof line, file))
        sscanf(line, "MemAvailable: %" SCNd64, &kib);
    fclose(file);
    return kib;
}

/* Where memory does not suffice, the kernel ends some program, and not always ours. */
static int check_memory(const struct workload *workload, const char *what, int each_kib,
                        char *why)
{
    int64_t available_kib = read_available();
    int64_t need_kib = (int64_t)workload->in_flight * each_kib;
    if (need_kib <= available_kib)
        return 0;
    snprintf(why, PREFLIGHT_WHY,
             "%d %s take about %" PRId64 " MiB of memory and %" PRId64 " are available; "
             "ask for less with -c, at most %" PRId64,
             workload->in_flight, what, need_kib / 1024, available_kib / 1024,
             available_kib / each_kib);
    return -EAGAIN;
}

static int check_descriptors(const struct workload *workload, char *why)
{
    rlim_t need = (rlim_t)workload->in_flight + SPARE;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -errno;
    if (limit.rlim_max < need) {
        snprintf(why, PREFLIGHT_WHY,
                 "%d in flight need %ju descriptors and the limit is %ju; "
                 "raise it as root with 'ulimit -Hn %ju', or ask for less with -c",
                 workload->in_flight, (uintmax_t)need, (uintmax_t)limit.rlim_max,
                 (uintmax_t)need);
        return -EAGAIN;
    }
    if (limit.rlim_cur >= need)
        return 0;
    limit.rlim_cur = need;
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

/* Where the kernel bounds threads, and how many entries of each file one thread takes. */
static const struct {
    const char *path;
    int         each;
    const char *remedy;
} thread_limits[] = {
    {"/proc/sys/kernel/threads-max", 1, "sysctl -w kernel.threads-max=%ld"},
    {"/proc/sys/kernel/pid_max", 1, "sysctl -w kernel.pid_max=%ld"},
    /* A stack and its guard are two mappings. */
    {"/proc/sys/vm/max_map_count", 2, "sysctl -w vm.max_map_count=%ld"},
    {"/sys/fs/cgroup/pids.max", 1, "echo %ld > /sys/fs/cgroup/pids.max"},
};

/* To the kernel a process is a thread too. `what` names them. */
static int check_threads(const struct workload *workload, const char *what, char *why)
{
    for (size_t i = 0; i < LENGTH(thread_limits); i++) {
        long need = (long)workload->in_flight * thread_limits[i].each + 4 * SPARE;
        long limit;
        if (!read_numbers(thread_limits[i].path, &limit, 1) || limit >= need)
            continue;
        char remedy[96];
        snprintf(remedy, sizeof remedy, thread_limits[i].remedy, need);
        snprintf(why, PREFLIGHT_WHY,
                 "%d %s are more than %s allows, which is %ld; "
                 "raise it as root with '%s', or ask for less with -c",
                 workload->in_flight, what, thread_limits[i].path, limit, remedy);
        return -EAGAIN;
    }
    struct rlimit limit;
    rlim_t need = (rlim_t)workload->in_flight + 1;
    if (geteuid() == 0 || getrlimit(RLIMIT_NPROC, &limit) < 0 || limit.rlim_cur >= need)
        return 0;    /* root is not held to it */
    snprintf(why, PREFLIGHT_WHY,
             "%d %s are more than this user may have, which is %ju; "
             "raise it with 'ulimit -u %ju', or ask for less with -c",
             workload->in_flight, what, (uintmax_t)limit.rlim_cur, (uintmax_t)need);
    return -EAGAIN;
}

/* Each connection to one server takes a port of ours. */
static int check_ports(const struct workload *workload, char *why)
{
    static const char path[] = "/proc/sys/net/ipv4/ip_local_port_range";
    long range[2];
    if (!read_numbers(path, range, 2) || range[1] - range[0] + 1 >= workload->in_flight)
        return 0;
    snprintf(why, PREFLIGHT_WHY,
             "%d in flight need as many local ports and there are %ld; widen the range "
             "as root with \"sysctl -w net.ipv4.ip_local_port_range='1024 65535'\", "
             "or ask for less with -c",
             workload->in_flight, range[1] - range[0] + 1);
    return -EAGAIN;
}

/* Memory first: no sysctl helps where that is missing. */
static int check_tasks(const struct model *model, const struct workload *workload,
                       char *why)
{
    if (!model->thread_each && !model->process_each)
        return 0;
    const char *what = model->thread_each ? "threads" : "processes";
    int each_kib = model->thread_each ? THREAD_KIB : PROCESS_KIB;
    int error = check_memory(workload, what, each_kib, why);
    return error ? error : check_threads(workload, what, why);
}

int preflight(const struct model *model, const struct workload *workload,
              char why[PREFLIGHT_WHY])
{
    int error = 0;
    if (!model->process_each)    /* each process has descriptors of its own */
        error = check_descriptors(workload, why);
    if (!error)
        error = check_tasks(model, workload, why);
    if (!error)
        error = check_ports(workload, why);
    return error;
}
