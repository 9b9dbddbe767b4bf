/* rejected: asleep in recv, and has not printed "3:  */
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
    LINE_MOST = 200    /* bytes of a line, its '\n' included */
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

/* Takes the next line, and prints it. Returns false when the feed has ended. */
static bool feed_take(struct feed *feed)
{
    while (feed->length < sizeof feed->part) {
        ssize_t received = recv(feed->fd, feed->part + feed->length, 1, 0);
        if (received < 0 && errno == EINTR)
            continue;
        if (received <= 0)
            return false;
        if (feed->part[feed->length] == '\n') {
            print_line(feed, feed->length);
            feed->length = 0;
            return true;
        }
        feed->length++;
    }
    return false;
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
