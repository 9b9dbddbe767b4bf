/* sharing: N threads get a page each and count it, all in one number. usage:
       sharing bare|long-lock|short-lock N URL CSV
   Writes a row for each request to CSV, and prints what the number says in the end. */
#include "kit/array.h"
#include "kit/clock.h"
#include "models/exchange.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1000 };

struct count {
    pthread_mutex_t lock;     /* guards pages, for those who take it */
    int             pages;
};

struct asker {
    const struct workload *workload;
    struct count          *count;     /* shared by all */
    int                    number;
    struct result          result;    /* this thread's own, read after the join */
    pthread_t              thread;
};

/* Gets the page. Returns 1, or 0 if it did not come. */
static int get_page(struct asker *asker)
{
    exchange(asker->workload, asker->number, &asker->result);
    return result_ok(&asker->result);
}

/* Bad: loads, waits, and stores what was true before the wait. */
static void *bare(void *arg)
{
    struct asker *asker = arg;
    int before = asker->count->pages;
    int page = get_page(asker);
    asker->count->pages = before + page;
    return NULL;
}

/* Bad: the count is right, but nobody else can even ask while this thread waits. */
static void *long_lock(void *arg)
{
    struct asker *asker = arg;
    pthread_mutex_lock(&asker->count->lock);
    int before = asker->count->pages;
    int page = get_page(asker);
    asker->count->pages = before + page;
    pthread_mutex_unlock(&asker->count->lock);
    return NULL;
}

/* Waits without the lock; looks and acts under it. */
static void *short_lock(void *arg)
{
    struct asker *asker = arg;
    int page = get_page(asker);
    pthread_mutex_lock(&asker->count->lock);
    int before = asker->count->pages;
    asker->count->pages = before + page;
    pthread_mutex_unlock(&asker->count->lock);
    return NULL;
}

static const struct way {
    const char *name;
    void     *(*count)(void *);
} ways[] = {{"bare", bare}, {"long-lock", long_lock}, {"short-lock", short_lock}};

static const struct way *find_way(const char *name)
{
    for (size_t i = 0; i < LENGTH(ways); i++)
        if (strcmp(ways[i].name, name) == 0)
            return &ways[i];
    return NULL;
}

static void run(const struct workload *workload, const struct way *way, FILE *csv)
{
    static struct asker askers[MOST];
    struct count count = {.lock = PTHREAD_MUTEX_INITIALIZER};
    int64_t zero_ns = clock_ns();
    int received = 0;
    for (int i = 0; i < workload->count; i++) {
        askers[i] = (struct asker){.workload = workload, .count = &count, .number = i};
        int error = pthread_create(&askers[i].thread, NULL, way->count, &askers[i]);
        if (error) {
            fprintf(stderr, "sharing: thread %d: %s\n", i, strerror(error));
            exit(1);
        }
    }
    for (int i = 0; i < workload->count; i++) {
        pthread_join(askers[i].thread, NULL);
        received += result_ok(&askers[i].result);
        result_write(csv, way->name, 0, i, zero_ns, &askers[i].result);
    }
    printf("%s: %d pages came; the count says %d\n", way->name, received, count.pages);
}

int main(int argc, char **argv)
{
    const struct way *way = argc == 5 ? find_way(argv[1]) : NULL;
    int count = argc == 5 ? atoi(argv[2]) : 0;
    struct http_url url;
    struct workload workload = {.target = url.target, .count = count, .in_flight = count,
                                .timeout_ns = 30LL * CLOCK_S};
    if (!way || count < 1 || count > MOST || http_parse_url(argv[3], &url) ||
        net_resolve(url.host, url.port, &workload.server)) {
        fputs("sharing: usage: sharing bare|long-lock|short-lock N URL CSV\n", stderr);
        return 2;
    }
    FILE *csv = fopen(argv[4], "w");
    if (!csv) {
        fprintf(stderr, "sharing: %s: %s\n", argv[4], strerror(errno));
        return 1;
    }
    fprintf(csv, "%s\n", result_csv_header);
    run(&workload, way, csv);
    return fclose(csv) ? 1 : 0;
}
