/* rejected: news between a worker's look and its sleep: never ends */
/* crawler: gets a page, all pages that it links to, all that these link to, and ends when
   there are no more. P workers do it. usage: crawler P URL
   A link is a line's first word, if it begins with a slash. */
#include "kit/clock.h"
#include "kit/http.h"
#include "kit/net.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 1000, TEXT = 16384 };    /* at most; bytes of a page */

/* --- A page: nothing to do here ----------------------------------------------------- */

struct page {
    int   status;        /* of HTTP; 0: there was no reply */
    char *rest;          /* of the text, from the next line on */
    char  text[TEXT];
};

/* Reads a whole reply into text. Returns its length, or -errno. */
static ssize_t receive(int fd, char *text, struct http_reader *reader,
                       int64_t deadline_ns)
{
    ssize_t length = 0, received = 1;
    int progress = HTTP_MORE;
    while (progress == HTTP_MORE && received > 0 && length < TEXT - 1) {
        received = net_recv(fd, text + length, (size_t)(TEXT - 1 - length), deadline_ns);
        if (received > 0)
            progress = http_reader_feed(reader, text + length, (size_t)received);
        length += received > 0 ? received : 0;
    }
    return received < 0 ? received : length;
}

/* Gets the page, and prints that it did. Waits for the reply. Any thread may call it. */
static void page_get(const struct endpoint *server, const char *path, struct page *page)
{
    int64_t deadline_ns = clock_ns() + 3600LL * CLOCK_S;
    char request[HTTP_REQUEST];
    struct http_reader reader;
    http_reader_init(&reader);
    ssize_t length = 0;
    int asked = http_write_request(request, sizeof request, server->name, path, 0);
    int fd = asked < 0 ? asked : net_connect(server, deadline_ns);
    if (fd >= 0) {
        if (net_send_all(fd, request, (size_t)asked, deadline_ns) == 0)
            length = receive(fd, page->text, &reader, deadline_ns);
        close(fd);
    }
    page->text[length > 0 ? length : 0] = '\0';
    page->status = reader.status;
    char *body = strstr(page->text, "\r\n\r\n");
    page->rest = body ? body + strlen("\r\n\r\n") : page->text + strlen(page->text);
    printf("%d %s\n", page->status, path);
}

/* The next link of the page, good as long as the page; NULL: there is no other. */
static const char *page_link(struct page *page)
{
    for (char *line; (line = strsep(&page->rest, "\n")) != NULL;) {
        line += strspn(line, " \t");
        line[strcspn(line, " \t\r")] = '\0';
        if (line[0] == '/')
            return line;
    }
    return NULL;
}

/* --- The crawl ---------------------------------------------------------------------- */

struct crawl {
    struct endpoint server;
    pthread_mutex_t lock;        /* guards all that follows */
    pthread_cond_t  changed;     /* there are pages to take, or it is finished */
    char          **paths;       /* all that were ever found, each once */
    int             found;       /* how many these are */
    int             taken;       /* the first so many have been given to a worker */
    _Atomic int     busy;        /* workers that have taken a page, and not finished it */
};

/* Adds a page, unless it has been found before. Whoever calls holds the lock. */
static void add_page(struct crawl *crawl, const char *path)
{
    for (int i = 0; i < crawl->found; i++)
        if (strcmp(crawl->paths[i], path) == 0)
            return;
    size_t count = (size_t)crawl->found + 1;
    char **paths = realloc(crawl->paths, count * sizeof *paths);
    char *copy = strdup(path);
    if (!paths || !copy) {
        fputs("crawler: no memory\n", stderr);
        exit(1);
    }
    crawl->paths = paths;
    crawl->paths[crawl->found++] = copy;
}

/* Takes the next page. Waits while there is none but a worker is busy, who may find some.
   Returns its path, or NULL: there is none, and nobody is left who could find one. */
static const char *take_page(struct crawl *crawl)
{
    pthread_mutex_lock(&crawl->lock);
    while (crawl->taken == crawl->found && crawl->busy > 0)
        pthread_cond_wait(&crawl->changed, &crawl->lock);
    const char *path = NULL;
    if (crawl->taken < crawl->found) {
        path = crawl->paths[crawl->taken++];
        crawl->busy++;
    }
    pthread_mutex_unlock(&crawl->lock);
    return path;
}

/* The page has been got: its links are found, and the worker is no longer busy with it.
   Both in one, or the others might see neither pages nor anybody busy. */
static void finish_page(struct crawl *crawl, struct page *page)
{
    pthread_mutex_lock(&crawl->lock);
    for (const char *link; (link = page_link(page)) != NULL;)
        add_page(crawl, link);
    pthread_mutex_unlock(&crawl->lock);
    crawl->busy--;
    pthread_cond_broadcast(&crawl->changed);
}

/* What each worker does, until there is nothing left to do. */
static void *work(void *arg)
{
    struct crawl *crawl = arg;
    struct page page;
    const char *path;
    while ((path = take_page(crawl)) != NULL) {
        page_get(&crawl->server, path, &page);    /* waits, without the lock */
        finish_page(crawl, &page);
    }
    return NULL;
}

/* --- The program: nothing to do from here on ---------------------------------------- */

/* Starts P workers, and awaits them. Returns 0, or the error of pthread_create. */
static int run(struct crawl *crawl, int workers)
{
    static pthread_t threads[WORKERS];
    int started = 0, error = 0;
    while (!error && started < workers) {
        error = pthread_create(&threads[started], NULL, work, crawl);
        started += !error;
    }
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return error;
}

int main(int argc, char **argv)
{
    struct crawl crawl;
    struct http_url url;
    int workers = argc == 3 ? atoi(argv[1]) : 0;
    memset(&crawl, 0, sizeof crawl);
    if (workers < 1 || workers > WORKERS || http_parse_url(argv[2], &url) ||
        net_resolve(url.host, url.port, &crawl.server)) {
        fputs("crawler: usage: crawler P URL, as in crawler 8 http://127.0.0.1:8080/\n",
              stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    pthread_mutex_init(&crawl.lock, NULL);
    pthread_cond_init(&crawl.changed, NULL);
    add_page(&crawl, url.target);
    int error = run(&crawl, workers);
    if (error)
        fprintf(stderr, "crawler: cannot start %d workers: %s\n", workers,
                strerror(error));
    for (int i = 0; i < crawl.found; i++)
        free(crawl.paths[i]);
    free(crawl.paths);
    pthread_cond_destroy(&crawl.changed);
    pthread_mutex_destroy(&crawl.lock);
    return error ? 1 : 0;
}
