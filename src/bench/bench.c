#include "bench/bench.h"

#include <stdarg.h>
#include <stdio.h>

void bench_say(struct bench *bench, const char *form, ...)
{
    progress_clear(&bench->progress);
    va_list arguments;
    va_start(arguments, form);
    vprintf(form, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

int bench_fail(struct bench *bench, int error, const char *form, ...)
{
    va_list arguments;
    va_start(arguments, form);
    vsnprintf(bench->why, sizeof bench->why, form, arguments);
    va_end(arguments);
    return error;
}

void bench_csv_path(const struct bench *bench, const char *name, char path[BENCH_PATH])
{
    snprintf(path, BENCH_PATH, "%s/%s.csv", bench->settings.directory, name);
}
