/* rejected: the 13th thread could not be had: 1 joins of no thread */
/* Price board: asks many shops for a price, all at once, and prints a row for each in the
   order of asking.
   usage: price_board URL SHOPS LIMIT, where {i} in URL is each shop's number, from 0 */
#include "kit/units.h"
#include "models/exchange.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOPS_MOST = 1000 };

/* Each thread has one of its own, in an array that outlives it: nothing needs a lock. */
struct shop {
    const struct workload *workload;
    int                    number;
    struct result          result;    /* written by the thread, read after the join */
    pthread_t              thread;
};

static void *ask(void *arg)
{
    struct shop *shop = arg;
    exchange(shop->workload, shop->number, &shop->result);
    return NULL;
}

/* Fills each shop's result. A shop whose thread can't be had keeps its ECANCELED. */
static void ask_all(const struct workload *workload, struct shop *shops)
{
    for (int i = 0; i < workload->count; i++) {
        shops[i].workload = workload;
        shops[i].number = i;
        pthread_create(&shops[i].thread, NULL, ask, &shops[i]);
    }
    for (int i = 0; i < workload->count; i++)
        if (shops[i].thread)
            pthread_join(shops[i].thread, NULL);
}

/* A shop answers with a stroke for each cent, so its price is the length of its reply. */
static void print_row(int number, const struct result *result)
{
    printf("shop %2d  ", number);
    if (result_ok(result))
        printf("%3" PRId64 ".%02" PRId64 "\n", result->bytes / 100, result->bytes % 100);
    else if (result->error == ECANCELED)
        printf("not asked\n");
    else
        printf("no price\n");
    fflush(stdout);    /* a file or a pipe would see nothing before 4 KiB or the end */
}

static int read_arguments(char **argv, struct workload *workload, struct http_url *url)
{
    int64_t count;
    if (http_parse_url(argv[1], url) || units_parse_count(argv[2], &count) != 0 ||
        units_parse_duration(argv[3], &workload->timeout_ns) != 0 || count < 1 ||
        count > SHOPS_MOST || net_resolve(url->host, url->port, &workload->server) != 0)
        return -EINVAL;
    workload->target = url->target;
    workload->count = (int)count;
    return 0;
}

int main(int argc, char **argv)
{
    struct workload workload = {0};
    struct http_url url;
    if (argc != 4 || read_arguments(argv, &workload, &url) != 0) {
        fprintf(stderr, "usage: price_board URL SHOPS LIMIT\n");
        return 2;
    }
    struct shop *shops = calloc((size_t)workload.count, sizeof *shops);
    if (!shops)
        return 1;
    for (int i = 0; i < workload.count; i++)
        shops[i].result.error = ECANCELED;    /* never started, so far */
    ask_all(&workload, shops);

    int priced = 0;
    for (int i = 0; i < workload.count; i++) {
        print_row(i, &shops[i].result);
        priced += result_ok(&shops[i].result);
    }
    free(shops);
    return priced == workload.count ? 0 : 1;
}
