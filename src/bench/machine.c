#include "bench/machine.h"

#include "bench/procfs.h"
#include "build.inc"    /* what the build knows, and the program cannot find out */
#include "kit/array.h"
#include "kit/csv.h"

#include <errno.h>
#include <gnu/libc-version.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

static void put(FILE *csv, const char *key, const char *value)
{
    fprintf(csv, "%s,", key);
    csv_text(csv, value);
    putc('\n', csv);
}

static void put_number(FILE *csv, const char *key, int64_t value)
{
    fprintf(csv, "%s,%" PRId64 "\n", key, value);
}

static void put_limit(FILE *csv, const char *key, rlim_t limit)
{
    if (limit == RLIM_INFINITY)
        put(csv, key, "unlimited");
    else
        put_number(csv, key, (int64_t)limit);
}

void machine_load(char load[MACHINE_LOAD])
{
    procfs_line("/proc/loadavg", load, MACHINE_LOAD);
}

static void put_settings(FILE *csv, const struct bench *bench)
{
    char server[CPUS_TEXT], clients[CPUS_TEXT];
    cpus_format(&bench->server_cpus, server);
    cpus_format(&bench->client_cpus, clients);
    put_number(csv, "latency_ns", bench->settings.latency_ns);
    put_number(csv, "trials", bench->settings.trials);
    put_number(csv, "seed", bench->settings.seed);
    put(csv, "server_cpus", bench->settings.url ? "unknown" : server);
    put(csv, "client_cpus", clients);
    put_number(csv, "ceiling_per_s", (int64_t)bench->ceiling_per_s);    /* or 0 */
}

static void put_limits(FILE *csv)
{
    struct rlimit descriptors = {0}, processes = {0};
    getrlimit(RLIMIT_NOFILE, &descriptors);
    getrlimit(RLIMIT_NPROC, &processes);
    put_limit(csv, "nofile_soft", descriptors.rlim_cur);
    put_limit(csv, "nofile_hard", descriptors.rlim_max);
    put_limit(csv, "nproc_soft", processes.rlim_cur);
}

/* What the kernel tells in one line of a file. */
static void put_kernel(FILE *csv)
{
    static const struct {
        const char *key, *path, *line;
    } facts[] = {
        {"cpu_model", "/proc/cpuinfo", "model name"},
        {"governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", ""},
        {"congestion_control", "/proc/sys/net/ipv4/tcp_congestion_control", ""},
        {"somaxconn", "/proc/sys/net/core/somaxconn", ""},
        {"port_range", "/proc/sys/net/ipv4/ip_local_port_range", ""},
    };
    struct utsname system;
    char text[256];
    put(csv, "kernel", uname(&system) == 0 ? system.release : "unknown");
    for (size_t i = 0; i < LENGTH(facts); i++) {
        procfs_value(facts[i].path, facts[i].line, text, sizeof text);
        for (char *tab; (tab = strchr(text, '\t')) != NULL;)
            *tab = ' ';
        put(csv, facts[i].key, text);
    }
    put_number(csv, "cpu_count", sysconf(_SC_NPROCESSORS_ONLN));
    procfs_value("/proc/meminfo", "MemTotal", text, sizeof text);
    put_number(csv, "memory_kib", strtoll(text, NULL, 10));
}

int machine_write(struct bench *bench, const char *load_before)
{
    char path[BENCH_PATH], load_after[MACHINE_LOAD];
    bench_csv_path(bench, "machine", path);
    FILE *csv = csv_create(path, "key,value");
    if (!csv)
        return bench_fail(bench, -errno, "%s: %s", path, strerror(errno));
    machine_load(load_after);
    put_settings(csv, bench);
    put_kernel(csv);
    put_limits(csv);
    put(csv, "compiler", __VERSION__);
    put(csv, "flags", BUILD_FLAGS);
    put(csv, "libevent", BUILD_LIBEVENT);
    put(csv, "glibc", gnu_get_libc_version());
    put(csv, "commit", BUILD_COMMIT);
    put(csv, "load_before", load_before);
    put(csv, "load_after", load_after);
    int error = csv_finish(csv, path);
    return error ? bench_fail(bench, error, "%s: %s", path, strerror(-error)) : 0;
}
