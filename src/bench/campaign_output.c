#include "bench/campaign.h"

#include "kit/csv.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Makes the directory and those above it. Returns 0 or -errno. */
static int make_directory(const char *path)
{
    char part[BENCH_PATH];
    if (strlen(path) >= sizeof part)
        return -ENAMETOOLONG;
    for (const char *end = path; *end;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        snprintf(part, sizeof part, "%.*s", (int)(end - path), path);
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return -errno;
    }
    struct stat status;
    if (stat(path, &status) < 0)
        return -errno;
    return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

int campaign_check_output(struct bench *bench, const struct campaign *campaign)
{
    char path[BENCH_PATH];
    int error = make_directory(bench->settings.directory);
    if (error)
        return bench_fail(bench, error, "-o: %.400s: %s", bench->settings.directory,
                          strerror(-error));
    for (int i = 0; !error && i <= campaign->count; i++) {
        const char *name =
            i < campaign->count ? campaign->parts[i].experiment->name : "machine";
        bench_csv_path(bench, name, path);
        error = csv_writable(path);
    }
    return error ? bench_fail(bench, error, "%.400s: %s", path, strerror(-error)) : 0;
}
