/* rejected: data race */
/* bounded queue: fetchers put pages, writers take them, and there is room for four.
   usage: bounded_queue [FILE]
   Each line of FILE, or of the standard input, is the work of one thread:
       put PAGE...     a fetcher puts these pages (numbers), one after another
       take COUNT      a writer takes so many
       close           no more will be put
       count THREADS   the warm-up: so many fetchers count a page each
   Each thread says what it has done. The end of the input closes the queue, too. */
#include "kit/clock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- The warm-up -------------------------------------------------------------------- */

struct tally {
    pthread_mutex_t lock;       /* guards what follows */
    int             pages;      /* so many have come */
    int64_t         last_ns;    /* when the last one came */
};

/* Counts a page that has come. Any thread may call it. */
static void tally_page(struct tally *tally)
{
    int64_t now_ns = clock_ns();
    pthread_mutex_lock(&tally->lock);
    tally->pages++;
    pthread_mutex_unlock(&tally->lock);
    tally->last_ns = now_ns;
}

/* --- The queue ---------------------------------------------------------------------- */

enum { ROOM = 4 };

struct queue {
    pthread_mutex_t lock;         /* guards all that follows */
    pthread_cond_t  not_empty;    /* signalled when a page was put, or at the close */
    pthread_cond_t  not_full;     /* signalled when a page was taken, or at the close */
    int             pages[ROOM];  /* a ring */
    int             first;        /* where the oldest is */
    int             count;        /* how many there are */
    bool            closed;
};

static void queue_init(struct queue *queue)
{
    *queue = (struct queue){0};
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->not_empty, NULL);
    pthread_cond_init(&queue->not_full, NULL);
}

static void queue_destroy(struct queue *queue)
{
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->lock);
}

/* Puts a page at the end. Waits while there is no room. Returns false if the queue is
   closed, before or meanwhile: then the page is not in it. */
static bool queue_put(struct queue *queue, int page)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->count == ROOM && !queue->closed)
        pthread_cond_wait(&queue->not_full, &queue->lock);
    bool put = !queue->closed;
    if (put) {
        queue->pages[(queue->first + queue->count) % ROOM] = page;
        queue->count++;
        pthread_cond_signal(&queue->not_empty);    /* one page: one writer is enough */
    }
    pthread_mutex_unlock(&queue->lock);
    return put;
}

/* Takes the oldest page. Waits while there is none. Returns false if there is none and
   the queue is closed: what was put before the close can still be taken. */
static bool queue_take(struct queue *queue, int *page)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->closed)
        pthread_cond_wait(&queue->not_empty, &queue->lock);
    bool taken = queue->count > 0;
    if (taken) {
        *page = queue->pages[queue->first];
        queue->first = (queue->first + 1) % ROOM;
        queue->count--;
        pthread_cond_signal(&queue->not_full);
    }
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

/* From now on nothing can be put, and nobody sleeps in the queue any more. */
static void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->not_empty);    /* this concerns all, on both sides */
    pthread_cond_broadcast(&queue->not_full);
    pthread_mutex_unlock(&queue->lock);
}

/* --- The threads: nothing to do from here on ---------------------------------------- */

struct office {
    struct tally tally;
    struct queue queue;
};

/* One line of the input, and the thread that does it. */
struct job {
    struct office *office;
    char          *words;    /* after the first */
    pthread_t      thread;
    struct job    *next;
};

static void *fetch(void *arg)
{
    struct job *job = arg;
    char *rest = job->words, *word;
    while ((word = strsep(&rest, " \t\n")) != NULL) {
        int page = atoi(word);
        if (word[0] == '\0')
            continue;
        bool put = queue_put(&job->office->queue, page);
        printf("put %d%s\n", page, put ? "" : ": closed");
    }
    return NULL;
}

static void *write_pages(void *arg)
{
    struct job *job = arg;
    int page;
    for (long left = strtol(job->words, NULL, 10); left > 0; left--) {
        if (!queue_take(&job->office->queue, &page)) {
            puts("take: closed");
            break;
        }
        printf("take %d\n", page);
    }
    return NULL;
}

static void *close_queue(void *arg)
{
    struct job *job = arg;
    queue_close(&job->office->queue);
    puts("close");
    return NULL;
}

static void *count_page(void *arg)
{
    struct job *job = arg;
    tally_page(&job->office->tally);
    return NULL;
}

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "bounded_queue: %s\n", what);
    exit(1);
}

static struct job *job_start(struct office *office, void *(*work)(void *),
                             const char *words, struct job *next)
{
    struct job *job = malloc(sizeof *job);
    if (!job)
        give_up("no memory");
    *job = (struct job){.office = office, .words = strdup(words), .next = next};
    if (!job->words || pthread_create(&job->thread, NULL, work, job))
        give_up("no thread to be had");
    return job;
}

static void jobs_await(struct job *job)
{
    while (job) {
        struct job *next = job->next;
        pthread_join(job->thread, NULL);
        free(job->words);
        free(job);
        job = next;
    }
}

static void count_pages(struct office *office, long threads)
{
    struct job *jobs = NULL;
    for (long i = 0; i < threads; i++)
        jobs = job_start(office, count_page, "", jobs);
    jobs_await(jobs);
    printf("count %d\n", office->tally.pages);
}

int main(int argc, char **argv)
{
    struct office office = {.tally = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    struct job *jobs = NULL;
    char line[1024], word[16];
    FILE *input = argc > 1 ? fopen(argv[1], "r") : stdin;
    if (!input)
        give_up("cannot read the file");
    setvbuf(stdout, NULL, _IOLBF, 0);
    queue_init(&office.queue);
    while (fgets(line, sizeof line, input)) {
        int length = 0;
        if (sscanf(line, "%15s%n", word, &length) != 1)
            continue;
        if (strcmp(word, "put") == 0)
            jobs = job_start(&office, fetch, line + length, jobs);
        else if (strcmp(word, "take") == 0)
            jobs = job_start(&office, write_pages, line + length, jobs);
        else if (strcmp(word, "close") == 0)
            jobs = job_start(&office, close_queue, "", jobs);
        else if (strcmp(word, "count") == 0)
            count_pages(&office, strtol(line + length, NULL, 10));
        else
            fputs("bounded_queue: put PAGE..., take COUNT, close, count THREADS\n",
                  stderr);
    }
    jobs = job_start(&office, close_queue, "", jobs);
    jobs_await(jobs);
    queue_destroy(&office.queue);
    return input == stdin ? 0 : fclose(input);
}
