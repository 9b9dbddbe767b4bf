/* rejected: where nothing was due */
/* Three feeds: one thread prints each line of three slow feeds as soon as it is whole.
   usage: three_feeds PORT PORT PORT */
#include "kit/clock.h"
#include "kit/net.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FEEDS = 3,
    LINE_MOST = 201    /* bytes of a line, its '\n' included */
};

struct feed {
    int    number;             /* from 1 */
    int    fd;
    char   part[LINE_MOST];    /* what has arrived of a line whose end has not */
    size_t length;             /* of it, in bytes */
};

static void print_line(const struct feed *feed, size_t length)
{
    printf("%d: %.*s\n", feed->number, (int)length, feed->part);
    fflush(stdout);    /* a file or a pipe would see nothing before 4 KiB or the end */
}

/* Takes what has arrived: prints the lines that are whole now, and keeps the rest for the
   next time. Returns false when the feed has ended. A line that is too long leaves no
   room: recv then returns 0, as at the end. */
static bool feed_take(struct feed *feed)
{
    ssize_t received = recv(feed->fd, feed->part + feed->length,
                            sizeof feed->part - feed->length, 0);
    if (received < 0)
        return errno == EINTR || errno == EAGAIN;
    if (received == 0)
        return false;
    feed->length += (size_t)received;
    char *end;
    while ((end = memchr(feed->part, '\n', feed->length)) != NULL) {
        size_t line = (size_t)(end - feed->part);
        print_line(feed, line);
        feed->length -= line + 1;
        memmove(feed->part, end + 1, feed->length);
    }
    return true;
}

/* Prints the lines of all feeds until each has ended. Returns 0 or -errno. */
static int follow(struct feed feeds[FEEDS])
{
    struct pollfd watched[FEEDS];
    for (int i = 0; i < FEEDS; i++)
        watched[i] = (struct pollfd){.fd = feeds[i].fd, .events = POLLIN};
    int open = FEEDS;
    while (open > 0) {
        if (poll(watched, FEEDS, -1) < 0) {
            if (errno != EINTR)
                return -errno;
            continue;    /* a signal: revents say nothing */
        }
        for (int i = 0; i < FEEDS; i++)
            if (watched[i].revents != 0 && !feed_take(&feeds[i])) {
                watched[i].fd = -1;    /* poll passes over it: an end is always ready */
                open--;
            }
    }
    return 0;
}

/* Returns 0 or -errno. */
static int feed_connect(struct feed *feed, const char *port)
{
    struct endpoint endpoint;
    if (net_resolve("127.0.0.1", atoi(port), &endpoint) != 0)
        return -EINVAL;
    feed->fd = net_connect(&endpoint, clock_ns() + 3600LL * CLOCK_S);
    return feed->fd < 0 ? feed->fd : 0;
}

int main(int argc, char **argv)
{
    struct feed feeds[FEEDS] = {0};
    if (argc != 1 + FEEDS) {
        fprintf(stderr, "usage: three_feeds PORT PORT PORT\n");
        return 2;
    }
    int error = 0;
    for (int i = 0; i < FEEDS; i++)
        feeds[i] = (struct feed){.number = i + 1, .fd = -1};
    for (int i = 0; i < FEEDS && !error; i++)
        error = feed_connect(&feeds[i], argv[1 + i]);
    if (!error)
        error = follow(feeds);
    for (int i = 0; i < FEEDS; i++)
        if (feeds[i].fd >= 0)
            close(feeds[i].fd);
    if (error)
        fprintf(stderr, "three_feeds: %s\n", strerror(-error));
    return error ? 1 : 0;
}
